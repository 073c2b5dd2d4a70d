package cli

import (
	"context"
	"errors"
	"net/http"
	"strings"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"

	"github.com/spf13/cobra"
)

// defaultGroup is where accounts go when nothing says otherwise, and
// localLocation is where they are when their kind is offered anywhere.
const (
	defaultGroup  = "default"
	localLocation = "local"
)

// newCreate makes an account of which only the name has to be said.
func newCreate(s *session) *cobra.Command {
	o := &createOptions{}
	c := &cobra.Command{
		Use: "create", Short: "Create an account, in few words.",
		Long: "What is not given comes from the environment, the settings, or the server: the only kind it has, its first SKU and location.\n" +
			"Without --resource-group the group is the one in the settings, or \"" + defaultGroup + "\"; it is created if there is none.",
		Example: `twinkey create myAccount
Create an account for the only kind of service there is.
twinkey create myAccount --kind TextAnalytics --sku S0 -g myGroup
Create an account in a resource group that exists.`,
	}
	f := c.Flags()
	f.VarP(&o.group, "resource-group", "g", "Name of a resource `group` that exists.")
	f.Var(&o.kind, "kind", "`Kind` of service the account is for.")
	f.Var(&o.sku, "sku", "Name of the `SKU`.")
	f.VarP(&o.location, "location", "l", "`Location`.")
	f.Var(&o.tags, "tags", "Space-separated tags: `key[=value] ...`.")
	markFlag(c, "resource-group", offerMark, offerGroup)
	fromSetting(c, "kind", settingKind)
	markFlag(c, "kind", offerMark, offerKind)
	fromSetting(c, "sku", settingSKU)
	markFlag(c, "sku", offerMark, offerSKU)
	fromSetting(c, "location", settingLocation)
	words := []word{{label: "NAME", usage: "Name of the account.", value: &o.name}}
	return s.wordy(c, words, nil, accountView(), s.connected(func(ctx context.Context, conn *connection) (any, error) {
		offers, err := conn.list(ctx, conn.offersRequest())
		if err != nil {
			return nil, err
		}
		if err := o.choose(s.program, offers); err != nil {
			return nil, err
		}
		if o.group == "" {
			if err := o.makeGroup(ctx, s, conn); err != nil {
				return nil, err
			}
		}
		return o.run(ctx, s, conn)
	}))
}

// choose fills in the kind, the location and the SKU from what the server has.
func (o *createOptions) choose(program string, offers []any) error {
	if o.kind == "" {
		kinds := namesIn(offers, "kind")
		switch len(kinds) {
		case 0:
			return twinkey.Errorf(twinkey.Invalid, "The server has no kind of service.")
		case 1:
			o.kind = text(kinds[0])
		default:
			return twinkey.Errorf(twinkey.Invalid, "Say with --kind what the account is for: %s.", strings.Join(kinds, ", "))
		}
	}
	offers = offersOf(offers, string(o.kind), string(o.location))
	if len(offers) == 0 {
		where := ""
		if o.location != "" {
			where = " in the location '" + string(o.location) + "'"
		}
		return twinkey.Errorf(twinkey.Invalid, "The server does not have the kind '%s'%s. See '%s cognitiveservices account list-skus'.", o.kind, where, program)
	}
	if o.location == "" {
		o.location = text(firstLocation(offers[0]))
	}
	if o.sku == "" {
		sku, _ := at(offers[0], []string{"name"}).(string)
		o.sku = text(sku)
	}
	return nil
}

func firstLocation(offer any) string {
	for i, location := range locationsOf(offer) {
		if strings.EqualFold(location, anywhere) || strings.EqualFold(location, localLocation) {
			break
		}
		if i == 0 {
			return strings.ToLower(location)
		}
	}
	return localLocation
}

// makeGroup chooses the group and sees to it that it is there.
func (o *createOptions) makeGroup(ctx context.Context, s *session, conn *connection) error {
	chosen, _, err := s.setting(settingGroup)
	if err != nil {
		return err
	}
	if o.group = name(chosen); o.group == "" {
		o.group = defaultGroup
	}
	_, err = conn.do(ctx, groupRequest(conn, http.MethodHead, string(o.group)))
	if refused, ok := errors.AsType[*armclient.ResponseError](err); !ok || refused.Status != http.StatusNotFound {
		return err
	}
	r := groupRequest(conn, http.MethodPut, string(o.group))
	r.Body = map[string]any{"location": o.location}
	if _, err := conn.do(ctx, r); err != nil {
		return err
	}
	s.warnf("The resource group '%s' was created.", o.group)
	return nil
}

package cli

import (
	"context"
	"net/http"
	"slices"
	"strings"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"

	"github.com/spf13/cobra"
)

// offersRequest lists the SKUs that the server has, of every kind.
func (c *connection) offersRequest() armclient.Request {
	return c.cognitive(http.MethodGet, "skus")
}

// cognitive is a call about what the provider has below the subscription.
func (c *connection) cognitive(method string, below ...string) armclient.Request {
	path := []string{"subscriptions", c.subscription.ID, "providers", twinkey.Provider}
	return armclient.Request{Method: method, Path: append(path, below...), APIVersion: cognitiveVersion}
}

// offersOf keeps the SKUs of a kind and a location; "" stands for any.
func offersOf(offers []any, kind, location string) []any {
	kept := []any{}
	for _, row := range offers {
		its, _ := at(row, []string{"kind"}).(string)
		if kind != "" && !strings.EqualFold(its, kind) {
			continue
		}
		if location == "" || slices.ContainsFunc(locationsOf(row), func(l string) bool { return sameLocation(l, location) }) {
			kept = append(kept, row)
		}
	}
	return kept
}

func locationsOf(offer any) []string {
	list, _ := at(offer, []string{"locations"}).([]any)
	var names []string
	for _, element := range list {
		if name, ok := element.(string); ok {
			names = append(names, name)
		}
	}
	return names
}

// anywhere is the location of what is offered in every one.
const anywhere = "GLOBAL"

// sameLocation compares an offer's location, which has no spaces and is in
// capitals, with one that is asked for.
func sameLocation(offered, asked string) bool {
	return strings.EqualFold(offered, anywhere) || strings.EqualFold(offered, strings.ReplaceAll(asked, " ", ""))
}

func newListKinds(s *session) *cobra.Command {
	c := &cobra.Command{
		Use: "list-kinds", Short: "List the kinds of services there are.",
		Example: "twinkey cognitiveservices account list-kinds --output tsv\nList the kinds, one a line.",
	}
	return s.online(c, nil, view{}, func(ctx context.Context, conn *connection) (any, error) {
		offers, err := conn.list(ctx, conn.offersRequest())
		if err != nil {
			return nil, err
		}
		kinds := []string{}
		return append(kinds, namesIn(offers, "kind")...), nil
	})
}

func newListSKUs(s *session) *cobra.Command {
	var o struct {
		accountOptions
		kind     text
		location text
	}
	c := &cobra.Command{
		Use: "list-skus", Short: "List the SKUs there are, or those that an account may have.",
		Example: `twinkey cognitiveservices account list-skus --kind TextAnalytics --output table
List the SKUs of one kind.
twinkey cognitiveservices account list-skus -n myAccount -g myGroup
List the SKUs that an account may change to.`,
	}
	f := c.Flags()
	f.Var(&o.kind, "kind", "`Kind` of service; all of them if not given.")
	f.VarP(&o.location, "location", "l", "`Location`; all of them if not given.")
	f.VarP(&o.name, "name", "n", "Name of an `account`, instead of --kind and --location.")
	f.VarP(&o.group, "resource-group", "g", "Name of the account's resource `group`.")
	markFlag(c, "kind", offerMark, offerKind)
	markFlag(c, "name", offerMark, offerAccount)
	markFlag(c, "resource-group", offerMark, offerGroup)
	return s.online(c, nil, skuView(), func(ctx context.Context, conn *connection) (any, error) {
		if o.name == "" && o.group == "" {
			offers, err := conn.list(ctx, conn.offersRequest())
			return offersOf(offers, string(o.kind), string(o.location)), err
		}
		if err := demand(c, nil, accountNames()); err != nil {
			return nil, err
		}
		answer, _, err := conn.object(ctx, o.request(conn, http.MethodGet, "skus"))
		return answer, err
	})
}

func skuView() view {
	return view{columns: []column{
		{"Kind", []string{"kind"}}, {"Name", []string{"name"}}, {"Tier", []string{"tier"}}, {"ResourceType", []string{"resourceType"}},
	}}
}

func newListUsage(s *session) *cobra.Command {
	return s.accountList(&cobra.Command{
		Use: "list-usage", Short: "List how much of an account's quotas is used.",
		Example: "twinkey cognitiveservices account list-usage -n myAccount -g myGroup\nList how much of an account's quotas is used.",
	}, "usages", view{columns: []column{
		{"Name", []string{"name", "value"}}, {"CurrentValue", []string{"currentValue"}}, {"Limit", []string{"limit"}}, {"Unit", []string{"unit"}},
	}})
}

func newListModels(s *session) *cobra.Command {
	return s.accountList(&cobra.Command{
		Use: "list-models", Short: "List the models of an account's service.",
		Example: "twinkey cognitiveservices account list-models -n myAccount -g myGroup\nList the models of an account's service.",
	}, "models", view{columns: []column{
		{"Name", []string{"name"}}, {"Version", []string{"version"}}, {"Format", []string{"format"}},
	}})
}

// accountList makes c a command that lists what is below an account.
func (s *session) accountList(c *cobra.Command, below string, v view) *cobra.Command {
	o := &accountOptions{}
	o.register(c)
	return s.online(c, accountNames(), v, func(ctx context.Context, conn *connection) (any, error) {
		return conn.list(ctx, o.request(conn, http.MethodGet, below))
	})
}

package cli

import (
	"context"
	"net/http"

	"github.com/spf13/cobra"
)

// updateOptions say what of an account to change. What is not given stays.
type updateOptions struct {
	accountOptions
	sku              text
	customDomain     text
	apiProperties    properties
	tags             tags
	disableLocalAuth choice
}

func newCognitiveUpdate(s *session) *cobra.Command {
	o := &updateOptions{disableLocalAuth: truth()}
	c := &cobra.Command{
		Use: "update", Short: "Change an account; what is not given stays as it is.",
		Example: `twinkey cognitiveservices account update -n myAccount -g myGroup --sku S1
Change the SKU of an account.
twinkey cognitiveservices account update -n myAccount -g myGroup --disable-local-auth true
Refuse both keys of an account until this is set to false again.`,
	}
	o.register(c)
	f := c.Flags()
	f.Var(&o.sku, "sku", "Name of the `SKU`.")
	f.Var(&o.customDomain, "custom-domain", "Sub-domain `name` of the account's own endpoint.")
	f.Var(&o.apiProperties, "api-properties", "Properties of the service, as `JSON` or a=b,c=d.")
	f.Var(&o.tags, "tags", "Space-separated tags: `key[=value] ...`. They replace all there are.")
	f.Var(&o.disableLocalAuth, "disable-local-auth", "Whether both keys are refused: `true or false`. The Azure CLI does not have this option.")
	alias(c, "sku-name", "sku")
	markFlag(c, "sku", offerMark, offerSKU)
	return s.online(c, accountNames(), accountView(), func(ctx context.Context, conn *connection) (any, error) {
		r := o.request(conn, http.MethodPatch)
		r.Body = o.body()
		account, resp, err := conn.object(ctx, r)
		if err != nil {
			return nil, err
		}
		s.warnPending(resp)
		return account, nil
	})
}

func (o *updateOptions) body() map[string]any {
	settings := map[string]any{}
	if o.customDomain != "" {
		settings["customSubDomainName"] = o.customDomain
	}
	if o.apiProperties != nil {
		settings["apiProperties"] = o.apiProperties
	}
	if o.disableLocalAuth.value != "" {
		settings["disableLocalAuth"] = o.disableLocalAuth.value == "true"
	}
	body := map[string]any{"properties": settings}
	if o.sku != "" {
		body["sku"] = map[string]any{"name": o.sku}
	}
	if o.tags != nil {
		body["tags"] = o.tags
	}
	return body
}

// truth is an option that is true, false, or not given.
func truth() choice { return choice{allowed: []string{"true", "false"}} }

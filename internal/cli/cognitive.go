package cli

import (
	"context"
	"net/http"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"

	"github.com/spf13/cobra"
)

func newCognitive(s *session) *cobra.Command {
	keys := branch(&cobra.Command{Use: "keys", Short: "Manage the two keys of an account."},
		newKeysList(s), newKeysRegenerate(s))
	account := branch(&cobra.Command{Use: "account", Short: "Manage accounts."},
		newCognitiveCreate(s), newCognitiveShow(s), newCognitiveList(s), newCognitiveUpdate(s), newCognitiveDelete(s),
		newListKinds(s), newListSKUs(s), newListUsage(s), newListModels(s),
		newListDeleted(s), newShowDeleted(s), newRecover(s), newPurge(s), keys)
	return branch(&cobra.Command{Use: "cognitiveservices", Short: "Manage accounts: one service's use by one application."}, account)
}

// accountOptions name one account.
type accountOptions struct {
	name  name
	group name
}

func (o *accountOptions) register(c *cobra.Command) {
	f := c.Flags()
	f.VarP(&o.name, "name", "n", "Name of the `account`.")
	f.VarP(&o.group, "resource-group", "g", "Name of the resource `group`.")
	fromSetting(c, "resource-group", settingGroup)
	markFlag(c, "resource-group", offerMark, offerGroup)
	markFlag(c, "name", offerMark, offerAccount)
}

// accountNames are the options that name one account, in the order in which
// missing ones are reported.
func accountNames(more ...string) []string {
	return append([]string{"resource-group", "name"}, more...)
}

// request is a call about the account, or about what is below it.
func (o *accountOptions) request(conn *connection, method string, below ...string) armclient.Request {
	path := []string{
		"subscriptions", conn.subscription.ID, "resourceGroups", string(o.group),
		"providers", twinkey.Provider, "accounts", string(o.name),
	}
	return armclient.Request{Method: method, Path: append(path, below...), APIVersion: cognitiveVersion}
}

type createOptions struct {
	accountOptions
	kind          text
	sku           text
	location      text
	customDomain  text
	apiProperties properties
	tags          tags
	yes           bool
}

func newCognitiveCreate(s *session) *cobra.Command {
	o := &createOptions{}
	c := &cobra.Command{
		Use: "create", Short: "Create an account.",
		Example: `twinkey cognitiveservices account create -n myAccount -g myGroup --kind TextAnalytics --sku S0 -l westus --yes
Create an account for a text analytics service.`,
	}
	o.register(c)
	f := c.Flags()
	f.Var(&o.kind, "kind", "`Kind` of service the account is for.")
	f.Var(&o.sku, "sku", "Name of the `SKU`.")
	f.VarP(&o.location, "location", "l", "`Location`.")
	f.Var(&o.customDomain, "custom-domain", "Sub-domain `name` of the account's own endpoint.")
	f.Var(&o.apiProperties, "api-properties", "Properties of the service, as `JSON` or a=b,c=d.")
	f.Var(&o.tags, "tags", "Space-separated tags: `key[=value] ...`.")
	f.BoolVar(&o.yes, "yes", false, "Accepted for scripts; nothing is asked.")
	alias(c, "sku-name", "sku")
	fromSetting(c, "kind", settingKind)
	markFlag(c, "kind", offerMark, offerKind)
	fromSetting(c, "sku", settingSKU)
	markFlag(c, "sku", offerMark, offerSKU)
	fromSetting(c, "location", settingLocation)
	return s.online(c, accountNames("sku", "kind", "location"), accountView(), func(ctx context.Context, conn *connection) (any, error) { return o.run(ctx, s, conn) })
}

func (o *createOptions) run(ctx context.Context, s *session, conn *connection) (any, error) {
	settings := map[string]any{}
	if o.customDomain != "" {
		settings["customSubDomainName"] = o.customDomain
	}
	if o.apiProperties != nil {
		settings["apiProperties"] = o.apiProperties
	}
	body := map[string]any{
		"kind": o.kind, "sku": map[string]any{"name": o.sku}, "location": o.location, "properties": settings,
	}
	if o.tags != nil {
		body["tags"] = o.tags
	}
	r := o.request(conn, http.MethodPut)
	r.Body = body
	account, resp, err := conn.object(ctx, r)
	if err != nil {
		return nil, err
	}
	s.warnPending(resp)
	return account, nil
}

func newCognitiveShow(s *session) *cobra.Command {
	o := &accountOptions{}
	c := &cobra.Command{
		Use: "show", Short: "Show an account.",
		Example: "twinkey cognitiveservices account show -n myAccount -g myGroup\nShow an account.",
	}
	o.register(c)
	return s.online(c, accountNames(), accountView(), func(ctx context.Context, conn *connection) (any, error) {
		account, _, err := conn.object(ctx, o.request(conn, http.MethodGet))
		return account, err
	})
}

func newCognitiveList(s *session) *cobra.Command {
	var group name
	c := &cobra.Command{
		Use: "list", Short: "List accounts.",
		Example: "twinkey cognitiveservices account list -g myGroup\nList the accounts of a resource group.",
	}
	optionalGroup(c, &group)
	return s.online(c, nil, accountView(), func(ctx context.Context, conn *connection) (any, error) {
		return conn.list(ctx, accountsRequest(conn, string(group)))
	})
}

// optionalGroup adds the option that says which group to list.
func optionalGroup(c *cobra.Command, group *name) {
	c.Flags().VarP(group, "resource-group", "g", "Name of the resource `group`; all of them if not given.")
	fromSetting(c, "resource-group", settingGroup)
	markFlag(c, "resource-group", offerMark, offerGroup)
}

// accountsRequest lists the accounts of a group, or of all groups for "".
func accountsRequest(conn *connection, group string) armclient.Request {
	path := []string{"subscriptions", conn.subscription.ID}
	if group != "" {
		path = append(path, "resourceGroups", group)
	}
	path = append(path, "providers", twinkey.Provider, "accounts")
	return armclient.Request{Method: http.MethodGet, Path: path, APIVersion: cognitiveVersion}
}

func newCognitiveDelete(s *session) *cobra.Command {
	o := &accountOptions{}
	c := &cobra.Command{
		Use: "delete", Short: "Delete an account.",
		Example: "twinkey cognitiveservices account delete -n myAccount -g myGroup\nDelete an account; its keys are dead when the command ends.",
	}
	o.register(c)
	return s.online(c, accountNames(), view{}, func(ctx context.Context, conn *connection) (any, error) {
		resp, err := conn.do(ctx, o.request(conn, http.MethodDelete))
		if err == nil {
			s.warnPending(resp)
		}
		return nil, err
	})
}

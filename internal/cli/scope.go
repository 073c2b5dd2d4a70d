package cli

import (
	"strings"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"

	"github.com/spf13/cobra"
)

// scopeOptions say where a role is given: at a scope, in a group, or else in the
// whole subscription. The settings' group is not taken: it would make a role
// smaller, or a deletion larger, than what was typed.
type scopeOptions struct {
	scope name
	group name
}

func (o *scopeOptions) register(c *cobra.Command) {
	f := c.Flags()
	f.Var(&o.scope, "scope", "`Scope`: /, or the ID of a subscription, a resource group or an account; the subscription if not given.")
	f.VarP(&o.group, "resource-group", "g", "Name of a resource `group`, instead of --scope.")
	markFlag(c, "resource-group", offerMark, offerGroup)
}

// resolve returns the scope's ID; "/" is the tenant's root.
func (o *scopeOptions) resolve(conn *connection) (string, error) {
	switch {
	case o.scope != "" && o.group != "":
		return "", twinkey.Errorf(twinkey.Invalid, "Resource group \"%s\" is redundant because scope is supplied", o.group)
	case o.group != "":
		return subscriptionScope(conn) + "/resourceGroups/" + string(o.group), nil
	case o.scope != "":
		return checkScope(string(o.scope))
	}
	return subscriptionScope(conn), nil
}

func subscriptionScope(conn *connection) string { return "/subscriptions/" + conn.subscription.ID }

// checkScope returns a scope with its leading slash, which some shells eat, and
// without trailing ones.
func checkScope(scope string) (string, error) {
	trimmed := "/" + strings.Trim(scope, "/")
	if trimmed != "/" && (!strings.HasPrefix(strings.ToLower(trimmed), "/subscriptions/") || strings.Contains(trimmed, "//")) {
		return "", twinkey.Errorf(twinkey.Invalid, "Invalid scope. Please use --help to view the valid format.")
	}
	return trimmed, nil
}

// segments are the parts of an ID's path.
func segments(id string) []string {
	id = strings.Trim(id, "/")
	if id == "" {
		return nil
	}
	return strings.Split(id, "/")
}

const (
	authorizationVersion = "2022-04-01"
	roleAssignments      = "roleAssignments"
	roleDefinitions      = "roleDefinitions"
)

// authorization is a call about the role assignments or definitions at a scope.
func (c *connection) authorization(method, scope string, below ...string) armclient.Request {
	path := append(segments(scope), "providers", "Microsoft.Authorization")
	return armclient.Request{Method: method, Path: append(path, below...), APIVersion: authorizationVersion}
}

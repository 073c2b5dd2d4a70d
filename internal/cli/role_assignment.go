package cli

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
)

func assignmentView() view {
	return view{
		fields: []string{"condition", "conditionVersion", "createdBy", "createdOn", "delegatedManagedIdentityResourceId", "description",
			"id", "name", "principalId", "principalType", "roleDefinitionId", "scope", "type", "updatedBy", "updatedOn"},
		columns: []column{{"Principal", []string{"principalName"}}, {"Role", []string{"roleDefinitionName"}}, {"Scope", []string{"scope"}}},
	}
}

type assignmentOptions struct {
	scopeOptions
	role          name
	assignee      name
	objectID      name
	principalType choice
	description   text
	name          name
}

func newAssignmentCreate(s *session) *cobra.Command {
	o := &assignmentOptions{principalType: choice{allowed: []string{
		string(twinkey.User), string(twinkey.GroupPrincipal), string(twinkey.ServicePrincipal),
	}}}
	c := &cobra.Command{
		Use: "create", Short: "Give a role to a user, a group or an application.",
		Example: `twinkey role assignment create --assignee ann@twinkey.internal --role "Cognitive Services User" -g myGroup
Let a user list the keys of the accounts in a resource group.
twinkey role assignment create --assignee-object-id OBJECT-ID --assignee-principal-type ServicePrincipal --role Reader --scope /subscriptions/SUBSCRIPTION-ID
Give a role without looking the application up.`,
	}
	o.register(c)
	roleFlag(c, &o.role, "`Role` name or ID.")
	f := c.Flags()
	f.Var(&o.assignee, "assignee", "Who gets it: a user's `name`, an application's id, or an object id.")
	f.Var(&o.objectID, "assignee-object-id", "Object `ID` of who gets it, instead of --assignee; the directory is not asked.")
	f.Var(&o.principalType, "assignee-principal-type", "What --assignee-object-id names: `type` User, Group, ServicePrincipal.")
	f.Var(&o.description, "description", "`Text` that says why.")
	f.VarP(&o.name, "name", "n", "`GUID` to call the assignment by; a new one if not given.")
	return s.online(c, []string{"role"}, assignmentView(), func(ctx context.Context, conn *connection) (any, error) { return o.create(ctx, s, conn) })
}

func (o *assignmentOptions) create(ctx context.Context, s *session, conn *connection) (any, error) {
	switch {
	case (o.assignee == "") == (o.objectID == ""):
		return nil, twinkey.Errorf(twinkey.Invalid, "usage error: --assignee STRING | --assignee-object-id GUID")
	case o.principalType.value != "" && o.objectID == "":
		return nil, twinkey.Errorf(twinkey.Invalid, "usage error: --assignee-object-id GUID --assignee-principal-type TYPE")
	}
	scope, err := o.resolve(conn)
	if err != nil {
		return nil, err
	}
	who := principal{ID: string(o.objectID), kind: twinkey.PrincipalType(o.principalType.value)}
	if o.assignee != "" {
		if who, err = conn.principal(ctx, string(o.assignee)); err != nil {
			return nil, err
		}
	}
	role, err := conn.roleID(ctx, string(o.role), scope)
	if err != nil {
		return nil, err
	}
	assigned, resp, err := conn.assign(ctx, scope, role, who, string(o.name), string(o.description))
	if err != nil {
		return nil, err
	}
	s.warnPending(resp)
	return flat(assigned, nil), nil
}

// assign gives a role. If it is given already, it returns the assignment there
// is, and no response.
func (c *connection) assign(ctx context.Context, scope, role string, who principal, name, description string) (any, *armclient.Response, error) {
	if name == "" {
		name = uuid.NewString()
	}
	properties := map[string]any{"roleDefinitionId": role, "principalId": who.ID}
	if who.kind != "" {
		properties["principalType"] = who.kind
	}
	if description != "" {
		properties["description"] = description
	}
	r := c.authorization(http.MethodPut, scope, roleAssignments, name)
	r.Body = map[string]any{"properties": properties}
	assigned, resp, err := c.object(ctx, r)
	refused, ok := errors.AsType[*armclient.ResponseError](err)
	if !ok || refused.Code != "RoleAssignmentExists" {
		return assigned, resp, err
	}
	there, listErr := c.assignmentsAt(ctx, scope, "atScope()")
	if listErr != nil {
		return nil, nil, err
	}
	for _, element := range there {
		if a := assignmentOf(element); strings.EqualFold(a.scope, scope) && strings.EqualFold(a.principal, who.ID) && sameRole(a.role, role) {
			return element, nil, nil
		}
	}
	return nil, nil, err
}

// assignmentsAt lists assignments as they are sent, by a filter; "" lists all
// that have to do with the scope.
func (c *connection) assignmentsAt(ctx context.Context, scope, filter string) ([]any, error) {
	r := c.authorization(http.MethodGet, scope, roleAssignments)
	if filter != "" {
		r.Query = url.Values{"$filter": {filter}}
	}
	return c.list(ctx, r)
}

// assignment is what is compared of a role assignment.
type assignment struct{ id, scope, role, principal string }

func assignmentOf(element any) assignment {
	text := func(path ...string) string { s, _ := at(element, path).(string); return s }
	return assignment{text("id"), text("properties", "scope"), text("properties", "roleDefinitionId"), text("properties", "principalId")}
}

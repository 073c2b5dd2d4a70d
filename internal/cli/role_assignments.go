package cli

import (
	"context"
	"net/http"
	"strings"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"

	"github.com/spf13/cobra"
)

// selection says which role assignments are meant. An option that is given
// empty is refused, or a script whose variable is not set would mean all of
// them.
type selection struct {
	scopeOptions
	role      name
	assignee  name
	objectID  name
	inherited bool
	groups    bool
	all       bool
}

func (o *selection) register(c *cobra.Command) {
	o.scopeOptions.register(c)
	roleFlag(c, &o.role, "`Role` name or ID; every role if not given.")
	f := c.Flags()
	f.Var(&o.assignee, "assignee", "Who has it: a user's `name`, an application's id, or an object id; everybody if not given.")
	f.Var(&o.objectID, "assignee-object-id", "Object `ID` of who has it, instead of --assignee.")
	f.BoolVar(&o.inherited, "include-inherited", false, "Take those of the scopes above, too.")
}

func newAssignmentList(s *session) *cobra.Command {
	o := &selection{}
	c := &cobra.Command{
		Use: "list", Short: "List who has which role.",
		Example: `twinkey role assignment list --all --output table
List every assignment that has to do with the subscription.
twinkey role assignment list --assignee ann@twinkey.internal --include-groups --all
List what a user may do, also as a member of groups.`,
	}
	o.register(c)
	c.Flags().BoolVar(&o.groups, "include-groups", false, "With --assignee: those of the groups it belongs to, too.")
	c.Flags().BoolVar(&o.all, "all", false, "List those of every scope in the subscription.")
	return s.online(c, nil, assignmentView(), func(ctx context.Context, conn *connection) (any, error) {
		found, scope, err := o.find(ctx, conn)
		if err != nil {
			return nil, err
		}
		list := flatAll(found, nil)
		if len(list) == 0 {
			return list, nil
		}
		return list, s.nameAssignments(ctx, conn, scope, list)
	})
}

// find returns the assignments that are meant, as they are sent, and the scope
// they were asked for at.
func (o *selection) find(ctx context.Context, conn *connection) (found []any, scope string, err error) {
	if o.all && (o.scope != "" || o.group != "") {
		return nil, "", twinkey.Errorf(twinkey.Invalid, "group or scope are not required when --all is used")
	}
	if scope, err = o.resolve(conn); err != nil {
		return nil, "", err
	}
	who := string(o.objectID)
	if o.assignee != "" {
		p, err := conn.principal(ctx, string(o.assignee))
		if err != nil {
			return nil, "", err
		}
		who = p.ID
	}
	role := ""
	if o.role != "" {
		if role, err = conn.roleID(ctx, string(o.role), scope); err != nil {
			return nil, "", err
		}
	}
	listed, err := conn.assignmentsAt(ctx, scope, o.filter(who))
	for _, element := range listed {
		a := assignmentOf(element)
		if (o.all || o.inherited || strings.EqualFold(a.scope, scope)) && (role == "" || sameRole(a.role, role)) &&
			(who == "" || o.groups || strings.EqualFold(a.principal, who)) {
			found = append(found, element)
		}
	}
	return found, scope, err
}

// filter asks the server for little more than what is meant.
func (o *selection) filter(who string) string {
	var conditions []string
	if !o.all {
		conditions = append(conditions, "atScope()")
	}
	switch {
	case who != "" && o.groups:
		conditions = append(conditions, "assignedTo("+quoted(who)+")")
	case who != "" && o.all:
		conditions = append(conditions, "principalId eq "+quoted(who))
	}
	return strings.Join(conditions, " and ")
}

// nameAssignments adds the names of roles and principals. Who may not look
// somebody up sees an empty name.
func (s *session) nameAssignments(ctx context.Context, conn *connection, scope string, list []any) error {
	definitions, err := conn.list(ctx, conn.authorization(http.MethodGet, scope, roleDefinitions))
	if err != nil {
		return err
	}
	roles := map[string]any{}
	for _, definition := range definitions {
		id, _ := at(definition, []string{"id"}).(string)
		roles[strings.ToLower(lastSegment(id))] = at(definition, []string{"properties", "roleName"})
	}
	names, err := conn.principalNames(ctx, namesIn(list, "principalId"))
	if _, refused := err.(*armclient.ResponseError); refused {
		s.infof("The directory does not say who they are: %v", err)
	} else if err != nil {
		return err
	}
	for _, element := range list {
		object := element.(map[string]any)
		role, _ := object["roleDefinitionId"].(string)
		object["roleDefinitionName"] = roles[strings.ToLower(lastSegment(role))]
		id, _ := object["principalId"].(string)
		object["principalName"] = names[strings.ToLower(id)]
	}
	return nil
}

func newAssignmentDelete(s *session) *cobra.Command {
	var o struct {
		selection
		ids list
		yes bool
	}
	c := &cobra.Command{
		Use: "delete", Short: "Take a role from whoever has it.",
		Example: `twinkey role assignment delete --assignee ann@twinkey.internal --role Reader -g myGroup
Take a role from a user.
twinkey role assignment delete --ids /subscriptions/SUBSCRIPTION-ID/providers/Microsoft.Authorization/roleAssignments/GUID
Delete an assignment by its ID.`,
	}
	o.register(c)
	c.Flags().Var(&o.ids, "ids", "Space-separated `IDs` of assignments; the other options are then ignored.")
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "Do not prompt for confirmation when nothing says which.")
	return s.online(c, nil, view{}, func(ctx context.Context, conn *connection) (any, error) {
		if c.Flags().Changed("ids") && len(o.ids) == 0 {
			return nil, &usageError{cmd: c, text: "argument --ids: expected at least one argument"}
		}
		if len(o.ids) > 0 {
			return nil, s.deleteAssignments(ctx, conn, o.ids)
		}
		if o.role == "" && o.assignee == "" && o.objectID == "" && o.scope == "" && o.group == "" {
			s.warnf("This will delete all role assignments under the subscription.")
			if err := s.confirm(ctx, o.yes); err != nil {
				return nil, err
			}
		}
		found, _, err := o.find(ctx, conn)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, twinkey.Errorf(twinkey.Invalid, "No matched assignments were found to delete")
		}
		return nil, s.deleteAssignments(ctx, conn, namesIn(found, "id"))
	})
}

func (s *session) deleteAssignments(ctx context.Context, conn *connection, ids []string) error {
	for _, id := range ids {
		resp, err := conn.do(ctx, armclient.Request{Method: http.MethodDelete, Path: segments(id), APIVersion: authorizationVersion})
		if err != nil {
			return err
		}
		s.warnPending(resp)
	}
	return nil
}

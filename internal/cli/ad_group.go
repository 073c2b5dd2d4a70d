package cli

import (
	"context"
	"net/http"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"

	"github.com/spf13/cobra"
)

func directoryGroupView() view {
	return view{columns: []column{
		{"DisplayName", []string{"displayName"}}, {"MailNickname", []string{"mailNickname"}}, {"ObjectId", []string{"id"}},
	}}
}

func newDirectoryGroup(s *session) *cobra.Command {
	member := branch(&cobra.Command{Use: "member", Short: "Manage who belongs to a group."},
		newMemberAdd(s), newMemberList(s), newMemberRemove(s))
	return branch(&cobra.Command{Use: "group", Short: "Manage groups of users and applications."},
		newDirectoryGroupCreate(s), newDirectoryGroupList(s), newDirectoryGroupShow(s), newDirectoryGroupDelete(s), member)
}

// directoryGroup adds the option that names a group of the directory.
func directoryGroup(c *cobra.Command, group *name) {
	c.Flags().VarP(group, "group", "g", "The group's `name` or object id.")
}

// groupID finds a group of the directory by its name or object id.
func (c *connection) groupID(ctx context.Context, group string) (string, error) {
	if twinkey.IsGUID(group) {
		return group, nil
	}
	found, err := c.graphList(ctx, "groups", "displayName eq "+quoted(group))
	if err != nil {
		return "", err
	}
	ids := namesIn(found, "id")
	switch len(ids) {
	case 0:
		return "", twinkey.Errorf(twinkey.PrincipalNotFound, "Group '%s' doesn't exist", twinkey.Printable(group, 100))
	case 1:
		return ids[0], nil
	}
	return "", twinkey.Errorf(twinkey.Invalid, "More than one group is called '%s'. Give the object id of one: %q", twinkey.Printable(group, 100), ids)
}

func newDirectoryGroupCreate(s *session) *cobra.Command {
	var displayName, nickname name
	var description text
	force := truth()
	c := &cobra.Command{
		Use: "create", Short: "Create a group.",
		Example: "twinkey ad group create --display-name \"Vision team\" --mail-nickname vision\nCreate a group.",
	}
	f := c.Flags()
	f.Var(&displayName, "display-name", "`Name` that people read.")
	f.Var(&nickname, "mail-nickname", "Mail `alias`.")
	f.Var(&description, "description", "`Text` that says what the group is for.")
	f.Var(&force, "force", "Whether to create a group even if there is one of that name and alias: `true or false`.")
	return s.online(c, []string{"display-name", "mail-nickname"}, view{}, func(ctx context.Context, conn *connection) (any, error) {
		if force.value != "true" {
			found, err := conn.graphList(ctx, "groups", "displayName eq "+quoted(string(displayName)), "mailNickname eq "+quoted(string(nickname)))
			if err != nil {
				return nil, err
			}
			if len(found) > 0 {
				s.warnf("A group with the same display name and mail nickname already exists, returning.")
				return found[0], nil
			}
		}
		body := map[string]any{"displayName": displayName, "mailNickname": nickname, "mailEnabled": false, "securityEnabled": true}
		if description != "" {
			body["description"] = description
		}
		r := conn.graph(http.MethodPost, "groups")
		r.Body = body
		group, _, err := conn.object(ctx, r)
		return group, err
	})
}

func newDirectoryGroupList(s *session) *cobra.Command {
	var displayName, filter text
	c := &cobra.Command{
		Use: "list", Short: "List groups.",
		Example: "twinkey ad group list --output table\nList the groups.",
	}
	c.Flags().Var(&displayName, "display-name", "How the name that people read `begins`.")
	filterFlag(c, &filter)
	return s.online(c, nil, directoryGroupView(), func(ctx context.Context, conn *connection) (any, error) {
		var conditions []string
		if filter != "" {
			conditions = append(conditions, string(filter))
		}
		if displayName != "" {
			conditions = append(conditions, startsWith("displayName", string(displayName)))
		}
		return conn.graphList(ctx, "groups", conditions...)
	})
}

// groupCall makes c a command that needs a group's object id.
func (s *session) groupCall(c *cobra.Command, required []string, v view, run func(ctx context.Context, conn *connection, id string) (any, error)) *cobra.Command {
	var group name
	directoryGroup(c, &group)
	return s.online(c, append([]string{"group"}, required...), v, func(ctx context.Context, conn *connection) (any, error) {
		id, err := conn.groupID(ctx, string(group))
		if err != nil {
			return nil, err
		}
		return run(ctx, conn, id)
	})
}

func newDirectoryGroupShow(s *session) *cobra.Command {
	c := &cobra.Command{
		Use: "show", Short: "Show a group.",
		Example: "twinkey ad group show --group \"Vision team\"\nShow a group.",
	}
	return s.groupCall(c, nil, view{}, func(ctx context.Context, conn *connection, id string) (any, error) {
		group, _, err := conn.object(ctx, conn.graph(http.MethodGet, "groups", id))
		return group, err
	})
}

func newDirectoryGroupDelete(s *session) *cobra.Command {
	c := &cobra.Command{
		Use: "delete", Short: "Delete a group; its members stay.",
		Example: "twinkey ad group delete --group \"Vision team\"\nDelete a group.",
	}
	return s.groupCall(c, nil, view{}, func(ctx context.Context, conn *connection, id string) (any, error) {
		return nil, s.change(ctx, conn, conn.graph(http.MethodDelete, "groups", id))
	})
}

func newMemberAdd(s *session) *cobra.Command {
	var member name
	c := &cobra.Command{
		Use: "add", Short: "Add a member to a group.",
		Example: "twinkey ad group member add --group \"Vision team\" --member-id OBJECT-ID\nAdd a member to a group.",
	}
	memberID(c, &member)
	return s.groupCall(c, []string{"member-id"}, view{}, func(ctx context.Context, conn *connection, id string) (any, error) {
		r := conn.graph(http.MethodPost, "groups", id, "members", "$ref")
		r.Body = map[string]any{"@odata.id": conn.endpoint + "/v1.0/directoryObjects/" + string(member)}
		return nil, s.change(ctx, conn, r)
	})
}

func memberID(c *cobra.Command, member *name) {
	c.Flags().Var(member, "member-id", "Object `id` of the member: a user or an application.")
}

func newMemberRemove(s *session) *cobra.Command {
	var member name
	c := &cobra.Command{
		Use: "remove", Short: "Take a member out of a group.",
		Example: "twinkey ad group member remove --group \"Vision team\" --member-id OBJECT-ID\nTake a member out of a group.",
	}
	memberID(c, &member)
	return s.groupCall(c, []string{"member-id"}, view{}, func(ctx context.Context, conn *connection, id string) (any, error) {
		return nil, s.change(ctx, conn, conn.graph(http.MethodDelete, "groups", id, "members", string(member), "$ref"))
	})
}

func newMemberList(s *session) *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List a group's members.",
		Example: "twinkey ad group member list --group \"Vision team\" --query \"[].id\" --output tsv\nList the object ids of a group's members.",
	}
	v := view{columns: []column{
		{"DisplayName", []string{"displayName"}}, {"UserPrincipalName", []string{"userPrincipalName"}}, {"AppId", []string{"appId"}}, {"ObjectId", []string{"id"}},
	}}
	return s.groupCall(c, nil, v, func(ctx context.Context, conn *connection, id string) (any, error) {
		return conn.list(ctx, conn.graph(http.MethodGet, "groups", id, "members"))
	})
}

// change makes a call that prints nothing, and says which gateways have not
// heard of it.
func (s *session) change(ctx context.Context, conn *connection, r armclient.Request) error {
	resp, err := conn.do(ctx, r)
	if err == nil {
		s.warnPending(resp)
	}
	return err
}

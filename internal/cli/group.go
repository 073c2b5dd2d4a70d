package cli

import (
	"context"
	"errors"
	"net/http"

	"github.com/twinkey/twinkey/internal/armclient"

	"github.com/spf13/cobra"
)

// The API versions this command line speaks.
const (
	subscriptionsVersion = "2022-12-01"
	groupsVersion        = "2024-11-01"
	cognitiveVersion     = "2025-06-01"
)

func newGroup(s *session) *cobra.Command {
	return branch(&cobra.Command{Use: "group", Short: "Manage resource groups."},
		newGroupCreate(s), newGroupShow(s), newGroupList(s), newGroupUpdate(s), newGroupDelete(s), newGroupExists(s))
}

// groupRequest is a call about one group, or about all of them for name "".
func groupRequest(conn *connection, method, name string) armclient.Request {
	path := []string{"subscriptions", conn.subscription.ID, "resourcegroups"}
	if name != "" {
		path = append(path, name)
	}
	return armclient.Request{Method: method, Path: path, APIVersion: groupsVersion}
}

// groupName adds the option that names the group.
func groupName(c *cobra.Command, group *name) {
	f := c.Flags()
	f.VarP(group, "name", "n", "Name of the resource `group`.")
	f.VarP(group, "resource-group", "g", "Same as --name.")
	f.Lookup("resource-group").Hidden = true
	markFlag(c, "name", sameAsMark, "resource-group")
	markFlag(c, "name", offerMark, offerGroup)
}

func newGroupCreate(s *session) *cobra.Command {
	var o struct {
		name     name
		location text
		tags     tags
	}
	c := &cobra.Command{
		Use: "create", Short: "Create a resource group, or change its tags.",
		Example: "twinkey group create --location westus --name myGroup\nCreate a resource group.",
	}
	groupName(c, &o.name)
	c.Flags().VarP(&o.location, "location", "l", "`Location`.")
	c.Flags().Var(&o.tags, "tags", "Space-separated tags: `key[=value] ...`.")
	fromSetting(c, "location", settingLocation)
	return s.online(c, []string{"name", "location"}, groupView(), func(ctx context.Context, conn *connection) (any, error) {
		r := groupRequest(conn, http.MethodPut, string(o.name))
		body := map[string]any{"location": o.location}
		if o.tags != nil {
			body["tags"] = o.tags
		}
		r.Body = body
		group, _, err := conn.object(ctx, r)
		return group, err
	})
}

func newGroupShow(s *session) *cobra.Command {
	var group name
	c := &cobra.Command{
		Use: "show", Short: "Show a resource group.",
		Example: "twinkey group show --name myGroup\nShow a resource group.",
	}
	groupName(c, &group)
	return s.online(c, []string{"name"}, groupView(), func(ctx context.Context, conn *connection) (any, error) {
		shown, _, err := conn.object(ctx, groupRequest(conn, http.MethodGet, string(group)))
		return shown, err
	})
}

func newGroupList(s *session) *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List resource groups.",
		Example: "twinkey group list --query \"[?location=='westus']\"\nList the resource groups in one location.",
	}
	return s.online(c, nil, groupListView(), func(ctx context.Context, conn *connection) (any, error) {
		return conn.list(ctx, groupRequest(conn, http.MethodGet, ""))
	})
}

func newGroupDelete(s *session) *cobra.Command {
	var o struct {
		name   name
		yes    bool
		noWait bool
	}
	c := &cobra.Command{
		Use: "delete", Short: "Delete a resource group and everything in it.",
		Example: "twinkey group delete --name myGroup --yes\nDelete a resource group without being asked.",
	}
	groupName(c, &o.name)
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "Do not prompt for confirmation.")
	c.Flags().BoolVar(&o.noWait, "no-wait", false, "Do not wait for the end of the deletion.")
	return s.online(c, []string{"name"}, view{}, func(ctx context.Context, conn *connection) (any, error) {
		if err := s.confirm(ctx, o.yes); err != nil {
			return nil, err
		}
		r := groupRequest(conn, http.MethodDelete, string(o.name))
		if o.noWait {
			r.Command = conn.command
			_, err := conn.client.Do(ctx, conn.token, r)
			return nil, err
		}
		resp, err := conn.do(ctx, r)
		if err == nil {
			s.warnPending(resp)
		}
		return nil, err
	})
}

func newGroupExists(s *session) *cobra.Command {
	var group name
	c := &cobra.Command{
		Use: "exists", Short: "Say whether a resource group exists: true or false.",
		Example: "twinkey group exists --name myGroup\nSay whether a resource group exists.",
	}
	groupName(c, &group)
	return s.online(c, []string{"name"}, view{}, func(ctx context.Context, conn *connection) (any, error) {
		_, err := conn.do(ctx, groupRequest(conn, http.MethodHead, string(group)))
		if refused, ok := errors.AsType[*armclient.ResponseError](err); ok && refused.Status == http.StatusNotFound {
			return false, nil
		}
		return err == nil, err
	})
}

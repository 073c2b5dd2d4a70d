package cli

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"

	"github.com/spf13/cobra"
)

// newDirectory is the family about who there is.
func newDirectory(s *session) *cobra.Command {
	me := branch(&cobra.Command{Use: "signed-in-user", Short: "See who you are."}, newSignedInUser(s))
	return branch(&cobra.Command{Use: "ad", Short: "Manage the directory: users, groups and applications."},
		newDirectoryUser(s), newDirectoryGroup(s), newServicePrincipal(s), me)
}

// graph is a call to the directory (Microsoft Graph REST API v1.0).
func (c *connection) graph(method string, path ...string) armclient.Request {
	return armclient.Request{Method: method, Path: append([]string{"v1.0"}, path...)}
}

// graphList lists a collection of the directory by conditions that all hold.
func (c *connection) graphList(ctx context.Context, collection string, conditions ...string) ([]any, error) {
	return c.list(ctx, c.graphFilter(collection, conditions...))
}

func (c *connection) graphFilter(collection string, conditions ...string) armclient.Request {
	r := c.graph(http.MethodGet, collection)
	if len(conditions) > 0 {
		r.Query = url.Values{"$filter": {strings.Join(conditions, " and ")}}
	}
	return r
}

// principal is somebody a role can be given to. The kind is "" when nobody has
// said it.
type principal struct {
	ID   string
	kind twinkey.PrincipalType
}

// principal finds somebody by a user's name, an application's id or an object
// id.
func (c *connection) principal(ctx context.Context, name string) (principal, error) {
	if strings.Contains(name, "@") {
		if found, err := c.graphList(ctx, "users", "userPrincipalName eq "+quoted(name)); err != nil || len(found) > 0 {
			return firstPrincipal(found, twinkey.User), err
		}
	}
	if found, err := c.graphList(ctx, "servicePrincipals", "servicePrincipalNames/any(c:c eq "+quoted(name)+")"); err != nil || len(found) > 0 {
		return firstPrincipal(found, twinkey.ServicePrincipal), err
	}
	if twinkey.IsGUID(name) {
		found, err := c.objects(ctx, []string{name})
		if err != nil {
			return principal{}, err
		}
		if len(found) > 0 {
			return firstPrincipal(found, kindOf(found[0])), nil
		}
	}
	return principal{}, twinkey.Errorf(twinkey.Invalid, "Cannot find user or service principal in graph database for '%s'.", twinkey.Printable(name, 100))
}

func firstPrincipal(found []any, kind twinkey.PrincipalType) principal {
	if len(found) == 0 {
		return principal{}
	}
	id, _ := at(found[0], []string{"id"}).(string)
	return principal{ID: id, kind: kind}
}

func kindOf(object any) twinkey.PrincipalType {
	switch at(object, []string{"@odata.type"}) {
	case "#microsoft.graph.user":
		return twinkey.User
	case "#microsoft.graph.group":
		return twinkey.GroupPrincipal
	case "#microsoft.graph.servicePrincipal":
		return twinkey.ServicePrincipal
	}
	return ""
}

// maxObjects is how many objects one call may ask for (Microsoft Graph,
// directoryObject: getByIds).
const maxObjects = 1000

// objects reads what there is of the given object ids.
func (c *connection) objects(ctx context.Context, ids []string) ([]any, error) {
	var all []any
	for start := 0; start < len(ids); start += maxObjects {
		r := c.graph(http.MethodPost, "directoryObjects", "getByIds")
		r.Body = map[string]any{"ids": ids[start:min(start+maxObjects, len(ids))], "types": []string{"user", "group", "servicePrincipal"}}
		r.Repeatable = true // it changes nothing
		answer, _, err := c.object(ctx, r)
		if err != nil {
			return nil, err
		}
		found, _ := at(answer, []string{"value"}).([]any)
		all = append(all, found...)
	}
	return all, nil
}

// principalNames maps lower-case object ids to the names people know: a user's,
// an application's id, a group's.
func (c *connection) principalNames(ctx context.Context, ids []string) (map[string]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := c.objects(ctx, ids)
	names := map[string]string{}
	for _, object := range found {
		id, _ := at(object, []string{"id"}).(string)
		for _, field := range []string{"userPrincipalName", "appId", "displayName"} {
			if name, _ := at(object, []string{field}).(string); name != "" {
				names[strings.ToLower(id)] = name
				break
			}
		}
	}
	return names, err
}

// startsWith is the condition that a field begins with a text.
func startsWith(field, text string) string { return "startswith(" + field + "," + quoted(text) + ")" }

// filterFlag adds the option that takes a condition as it is.
func filterFlag(c *cobra.Command, filter *text) {
	c.Flags().Var(filter, "filter", "OData `condition`, such as \"displayName eq 'Ann'\".")
}

func newSignedInUser(s *session) *cobra.Command {
	c := &cobra.Command{
		Use: "show", Short: "Show the user you are logged in as.",
		Example: "twinkey ad signed-in-user show --query id --output tsv\nPrint your object id.",
	}
	return s.online(c, nil, view{}, func(ctx context.Context, conn *connection) (any, error) {
		me, _, err := conn.object(ctx, conn.graph(http.MethodGet, "me"))
		return me, err
	})
}

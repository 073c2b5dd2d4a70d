package cli

import (
	"context"
	"net/http"

	twinkey "github.com/twinkey/twinkey"

	"github.com/spf13/cobra"
)

func newServicePrincipal(s *session) *cobra.Command {
	credential := branch(&cobra.Command{Use: "credential", Short: "Manage an application's secrets."},
		newCredentialReset(s), newCredentialList(s), newCredentialDelete(s))
	return branch(&cobra.Command{Use: "sp", Short: "Manage applications that log in by themselves."},
		newCreateForRBAC(s), newServicePrincipalList(s), newServicePrincipalShow(s), newServicePrincipalDelete(s), credential)
}

func servicePrincipalView() view {
	return view{columns: []column{
		{"DisplayName", []string{"displayName"}}, {"AppId", []string{"appId"}}, {"Enabled", []string{"accountEnabled"}}, {"ObjectId", []string{"id"}},
	}}
}

func newServicePrincipalList(s *session) *cobra.Command {
	var displayName, appID, filter text
	var all bool
	c := &cobra.Command{
		Use: "list", Short: "List applications.",
		Example: "twinkey ad sp list --display-name rotator --output table\nList the applications whose names begin with rotator.",
	}
	f := c.Flags()
	f.Var(&displayName, "display-name", "How the name that people read `begins`.")
	f.Var(&appID, "spn", "Application `id`.")
	f.BoolVar(&all, "all", false, "Accepted for scripts; all are listed.")
	filterFlag(c, &filter)
	return s.online(c, nil, servicePrincipalView(), func(ctx context.Context, conn *connection) (any, error) {
		var conditions []string
		if filter != "" {
			conditions = append(conditions, string(filter))
		}
		if appID != "" {
			conditions = append(conditions, "servicePrincipalNames/any(c:c eq "+quoted(string(appID))+")")
		}
		if displayName != "" {
			conditions = append(conditions, startsWith("displayName", string(displayName)))
		}
		return conn.graphList(ctx, "servicePrincipals", conditions...)
	})
}

// application is what commands read of an application or its service principal.
type application struct {
	ID          string `json:"id"`
	AppID       string `json:"appId"`
	DisplayName string `json:"displayName"`
	Passwords   []struct {
		KeyID string `json:"keyId"`
	} `json:"passwordCredentials"`
}

// servicePrincipalID finds an application's object id by its application id or
// object id.
func (c *connection) servicePrincipalID(ctx context.Context, id string) (string, error) {
	found, err := c.graphList(ctx, "servicePrincipals", "servicePrincipalNames/any(c:c eq "+quoted(id)+")")
	if err != nil {
		return "", err
	}
	if ids := namesIn(found, "id"); len(ids) > 0 {
		return ids[0], nil
	}
	if twinkey.IsGUID(id) {
		return id, nil
	}
	return "", twinkey.Errorf(twinkey.PrincipalNotFound, "Service principal '%s' doesn't exist", twinkey.Printable(id, 100))
}

// applicationCall makes c a command that needs an application's object id.
func (s *session) applicationCall(c *cobra.Command, required []string, v view, run func(ctx context.Context, conn *connection, id string) (any, error)) *cobra.Command {
	var given name
	c.Flags().Var(&given, "id", "The application's `id` or object id.")
	return s.online(c, append([]string{"id"}, required...), v, func(ctx context.Context, conn *connection) (any, error) {
		id, err := conn.servicePrincipalID(ctx, string(given))
		if err != nil {
			return nil, err
		}
		return run(ctx, conn, id)
	})
}

func newServicePrincipalShow(s *session) *cobra.Command {
	c := &cobra.Command{
		Use: "show", Short: "Show an application.",
		Example: "twinkey ad sp show --id APP-ID\nShow an application.",
	}
	return s.applicationCall(c, nil, view{}, func(ctx context.Context, conn *connection, id string) (any, error) {
		shown, _, err := conn.object(ctx, conn.graph(http.MethodGet, "servicePrincipals", id))
		return shown, err
	})
}

func newServicePrincipalDelete(s *session) *cobra.Command {
	c := &cobra.Command{
		Use: "delete", Short: "Delete an application; it cannot log in any more, at once.",
		Example: "twinkey ad sp delete --id APP-ID\nDelete an application.",
	}
	return s.applicationCall(c, nil, view{}, func(ctx context.Context, conn *connection, id string) (any, error) {
		return nil, s.change(ctx, conn, conn.graph(http.MethodDelete, "servicePrincipals", id))
	})
}

func (c *connection) application(ctx context.Context, id string) (*application, error) {
	resp, err := c.do(ctx, c.graph(http.MethodGet, "servicePrincipals", id))
	if err != nil {
		return nil, err
	}
	var app application
	return &app, resp.Decode(&app)
}

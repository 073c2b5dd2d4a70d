package cli

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"

	"github.com/spf13/cobra"
)

// newUserPassword is 130 random bits.
func newUserPassword() twinkey.Secret { return twinkey.NewSecret(rand.Text()) }

func userWord(user *name) word {
	return word{label: "USER", usage: "Name to sign in with; without an @ it is one of the server's own domain.", value: user}
}

// fullName adds the tenant's domain to a user's name that has none.
func (c *connection) fullName(ctx context.Context, user name) (string, error) {
	if strings.Contains(string(user), "@") || twinkey.IsGUID(string(user)) {
		return string(user), nil
	}
	tenants, err := c.list(ctx, armclient.Request{Method: http.MethodGet, Path: []string{"tenants"}, APIVersion: subscriptionsVersion})
	if err != nil {
		return "", err
	}
	for _, tenant := range tenants {
		domain, _ := at(tenant, []string{"defaultDomain"}).(string)
		if id, _ := at(tenant, []string{"tenantId"}).(string); domain != "" && strings.EqualFold(id, c.subscription.TenantID) {
			return string(user) + "@" + domain, nil
		}
	}
	return "", twinkey.Errorf(twinkey.Invalid, "The server does not say what its domain is. Give the whole name, such as %s@example.com.", user)
}

func newAdminUserCreate(s *session) *cobra.Command {
	var user name
	var displayName text
	c := &cobra.Command{
		Use: "create", Short: "Create a user with a generated password, which is printed once.",
		Example: "twinkey admin user create ann --display-name Ann\nCreate a user.",
	}
	c.Flags().Var(&displayName, "display-name", "`Name` that people read; the name to sign in with if not given.")
	return s.wordy(c, []word{userWord(&user)}, nil, view{}, s.connected(func(ctx context.Context, conn *connection) (any, error) {
		upn, err := conn.fullName(ctx, user)
		if err != nil {
			return nil, err
		}
		nickname, _, _ := strings.Cut(upn, "@")
		if displayName == "" {
			displayName = text(nickname)
		}
		password := newUserPassword()
		r := conn.graph(http.MethodPost, "users")
		r.Hidden = []twinkey.Secret{password}
		r.Body = map[string]any{
			"accountEnabled": true, "displayName": displayName, "mailNickname": nickname, "userPrincipalName": upn,
			"passwordProfile": passwordProfile(password, false),
		}
		created, _, err := conn.object(ctx, r)
		if err != nil {
			return nil, err
		}
		s.warnf("The password is shown this once. The user has no role yet: see '%s role assignment create --help'.", s.program)
		return map[string]any{
			"displayName": at(created, []string{"displayName"}), "id": at(created, []string{"id"}),
			"password": password.Reveal(), "userPrincipalName": at(created, []string{"userPrincipalName"}),
		}, nil
	}))
}

func newAdminUserList(s *session) *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List the users as a table.",
		Example: "twinkey admin user list\nList the users.",
	}
	v := userView()
	v.output = "table"
	return s.online(c, nil, v, func(ctx context.Context, conn *connection) (any, error) { return conn.graphList(ctx, "users") })
}

// newAdminUserSwitch is the command that locks a user out, or lets one in again.
func newAdminUserSwitch(s *session, use string, enabled bool) *cobra.Command {
	var user name
	short := "Lock a user out, at once."
	if enabled {
		short = "Let a user in again."
	}
	c := &cobra.Command{Use: use, Short: short, Example: "twinkey admin user " + use + " ann\n" + short}
	return s.wordy(c, []word{userWord(&user)}, nil, view{}, s.connected(func(ctx context.Context, conn *connection) (any, error) {
		upn, err := conn.fullName(ctx, user)
		if err != nil {
			return nil, err
		}
		r := conn.graph(http.MethodPatch, "users", upn)
		r.Body = map[string]any{"accountEnabled": enabled}
		return nil, s.change(ctx, conn, r)
	}))
}

func newAdminUserReset(s *session) *cobra.Command {
	var user name
	c := &cobra.Command{
		Use: "reset-password", Short: "Give a user a generated password, which is printed once.",
		Example: "twinkey admin user reset-password ann\nReplace a user's password.",
	}
	return s.wordy(c, []word{userWord(&user)}, nil, view{}, s.connected(func(ctx context.Context, conn *connection) (any, error) {
		upn, err := conn.fullName(ctx, user)
		if err != nil {
			return nil, err
		}
		password := newUserPassword()
		r := conn.graph(http.MethodPatch, "users", upn)
		r.Hidden = []twinkey.Secret{password}
		r.Body = map[string]any{"passwordProfile": passwordProfile(password, false)}
		if err := s.change(ctx, conn, r); err != nil {
			return nil, err
		}
		s.warnf("The password is shown this once.")
		return map[string]any{"password": password.Reveal(), "userPrincipalName": upn}, nil
	}))
}

func newAdminUserDelete(s *session) *cobra.Command {
	var user name
	var yes bool
	c := &cobra.Command{
		Use: "delete", Short: "Delete a user.",
		Example: "twinkey admin user delete ann --yes\nDelete a user without being asked.",
	}
	c.Flags().BoolVarP(&yes, "yes", "y", false, "Do not prompt for confirmation.")
	return s.wordy(c, []word{userWord(&user)}, nil, view{}, s.connected(func(ctx context.Context, conn *connection) (any, error) {
		if err := s.confirm(ctx, yes); err != nil {
			return nil, err
		}
		upn, err := conn.fullName(ctx, user)
		if err != nil {
			return nil, err
		}
		return nil, s.change(ctx, conn, conn.graph(http.MethodDelete, "users", upn))
	}))
}

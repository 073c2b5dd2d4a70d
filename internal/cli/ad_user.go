package cli

import (
	"context"
	"net/http"
	"strings"

	twinkey "github.com/twinkey/twinkey"

	"github.com/spf13/cobra"
)

func userView() view {
	return view{columns: []column{
		{"DisplayName", []string{"displayName"}}, {"UserPrincipalName", []string{"userPrincipalName"}},
		{"Enabled", []string{"accountEnabled"}}, {"ObjectId", []string{"id"}},
	}}
}

func newDirectoryUser(s *session) *cobra.Command {
	return branch(&cobra.Command{Use: "user", Short: "Manage users."},
		newUserCreate(s), newUserList(s), newUserShow(s), newUserUpdate(s), newUserDelete(s))
}

// userChange says what is to be known of a user. What is not given stays.
type userChange struct {
	displayName text
	nickname    text
	password    text
	force       choice
	enabled     choice
}

func (o *userChange) register(c *cobra.Command) {
	o.force, o.enabled = truth(), truth()
	f := c.Flags()
	f.Var(&o.displayName, "display-name", "`Name` that people read.")
	f.Var(&o.nickname, "mail-nickname", "Mail `alias`.")
	f.Var(&o.password, "password", "`Password`; - reads it from standard input.")
	f.Var(&o.force, "force-change-password-next-sign-in", "Whether the user must choose another password: `true or false`. Only with --password.")
}

// body is what to send, and the password that is in it.
func (o *userChange) body(ctx context.Context, s *session) (map[string]any, []twinkey.Secret, error) {
	body := map[string]any{}
	if o.displayName != "" {
		body["displayName"] = o.displayName
	}
	if o.nickname != "" {
		body["mailNickname"] = o.nickname
	}
	if o.enabled.value != "" {
		body["accountEnabled"] = o.enabled.value == "true"
	}
	if o.password == "" {
		return body, nil, nil
	}
	password, err := s.readSecret(ctx, string(o.password))
	if err != nil {
		return nil, nil, err
	}
	body["passwordProfile"] = passwordProfile(password, o.force.value == "true")
	return body, []twinkey.Secret{password}, nil
}

// readSecret is a secret from the command line, or from standard input for "-".
func (s *session) readSecret(ctx context.Context, given string) (twinkey.Secret, error) {
	if given != "-" {
		return twinkey.NewSecret(given), nil
	}
	line, err := s.readLine(ctx)
	return twinkey.NewSecret(line), err
}

func passwordProfile(password twinkey.Secret, force bool) map[string]any {
	return map[string]any{"password": password.Reveal(), "forceChangePasswordNextSignIn": force}
}

func newUserCreate(s *session) *cobra.Command {
	o := &userChange{}
	var upn name
	c := &cobra.Command{
		Use: "create", Short: "Create a user.",
		Example: `twinkey ad user create --display-name Ann --user-principal-name ann@twinkey.internal --password -
Create a user whose password is the next line of standard input.`,
	}
	o.register(c)
	c.Flags().Var(&upn, "user-principal-name", "`Name` to sign in with, such as ann@twinkey.internal.")
	return s.online(c, []string{"display-name", "password", "user-principal-name"}, view{}, func(ctx context.Context, conn *connection) (any, error) {
		body, hidden, err := o.body(ctx, s)
		if err != nil {
			return nil, err
		}
		if o.nickname == "" {
			body["mailNickname"], _, _ = strings.Cut(string(upn), "@")
		}
		body["accountEnabled"], body["userPrincipalName"] = true, upn
		r := conn.graph(http.MethodPost, "users")
		r.Body, r.Hidden = body, hidden
		user, _, err := conn.object(ctx, r)
		return user, err
	})
}

func newUserList(s *session) *cobra.Command {
	var displayName, upn, filter text
	c := &cobra.Command{
		Use: "list", Short: "List users.",
		Example: "twinkey ad user list --display-name An --output table\nList the users whose names begin with An.",
	}
	c.Flags().Var(&displayName, "display-name", "How the name that people read `begins`.")
	c.Flags().Var(&upn, "upn", "`Name` to sign in with.")
	filterFlag(c, &filter)
	return s.online(c, nil, userView(), func(ctx context.Context, conn *connection) (any, error) {
		var conditions []string
		if filter != "" {
			conditions = append(conditions, string(filter))
		}
		if upn != "" {
			conditions = append(conditions, "userPrincipalName eq "+quoted(string(upn)))
		}
		if displayName != "" {
			conditions = append(conditions, startsWith("displayName", string(displayName)))
		}
		return conn.graphList(ctx, "users", conditions...)
	})
}

// userID adds the option that names a user.
func userID(c *cobra.Command, id *name) {
	c.Flags().Var(id, "id", "The user's `name` or object id.")
}

func newUserShow(s *session) *cobra.Command {
	var id name
	c := &cobra.Command{
		Use: "show", Short: "Show a user.",
		Example: "twinkey ad user show --id ann@twinkey.internal\nShow a user.",
	}
	userID(c, &id)
	return s.online(c, []string{"id"}, view{}, func(ctx context.Context, conn *connection) (any, error) {
		user, _, err := conn.object(ctx, conn.graph(http.MethodGet, "users", string(id)))
		return user, err
	})
}

func newUserUpdate(s *session) *cobra.Command {
	o := &userChange{}
	var id name
	c := &cobra.Command{
		Use: "update", Short: "Change a user; what is not given stays as it is.",
		Example: "twinkey ad user update --id ann@twinkey.internal --account-enabled false\nLock a user out, at once.",
	}
	o.register(c)
	userID(c, &id)
	c.Flags().Var(&o.enabled, "account-enabled", "Whether the user may sign in: `true or false`.")
	return s.online(c, []string{"id"}, view{}, func(ctx context.Context, conn *connection) (any, error) {
		body, hidden, err := o.body(ctx, s)
		if err != nil {
			return nil, err
		}
		r := conn.graph(http.MethodPatch, "users", string(id))
		r.Body, r.Hidden = body, hidden
		return nil, s.change(ctx, conn, r)
	})
}

func newUserDelete(s *session) *cobra.Command {
	var id name
	c := &cobra.Command{
		Use: "delete", Short: "Delete a user.",
		Example: "twinkey ad user delete --id ann@twinkey.internal\nDelete a user.",
	}
	userID(c, &id)
	return s.online(c, []string{"id"}, view{}, func(ctx context.Context, conn *connection) (any, error) {
		return nil, s.change(ctx, conn, conn.graph(http.MethodDelete, "users", string(id)))
	})
}

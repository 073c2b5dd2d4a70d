package cli

import (
	"context"
	"net/http"

	twinkey "github.com/twinkey/twinkey"

	"github.com/spf13/cobra"
)

// rbacOptions describe an application that gets a secret and a role in one go.
type rbacOptions struct {
	name   name
	role   name
	scopes list
	life   lifetime
}

func newCreateForRBAC(s *session) *cobra.Command {
	o := &rbacOptions{}
	c := &cobra.Command{
		Use: "create-for-rbac", Short: "Create an application with a secret and a role.",
		Example: `twinkey ad sp create-for-rbac --name rotator --role "Cognitive Services Contributor" --scopes /subscriptions/SUBSCRIPTION-ID
Create an application that may rotate keys.`,
	}
	f := c.Flags()
	f.VarP(&o.name, "name", "n", "`Name` that people read; made from the time if not given. An application of that name gets a new secret.")
	f.Var(&o.scopes, "scopes", "Space-separated `scopes` of the role.")
	roleFlag(c, &o.role, "`Role` name or ID.")
	o.life.register(c)
	alias(c, "display-name", "name")
	return s.online(c, nil, view{}, func(ctx context.Context, conn *connection) (any, error) { return o.run(ctx, s, conn) })
}

func (o *rbacOptions) run(ctx context.Context, s *session, conn *connection) (any, error) {
	end, err := o.life.until(s.cfg.Now())
	if err != nil {
		return nil, err
	}
	grants, err := o.grants(ctx, conn)
	if err != nil {
		return nil, err
	}
	if o.name == "" {
		o.name = name("twinkey-" + s.cfg.Now().UTC().Format("2006-01-02-15-04-05"))
	}
	app, err := o.application(ctx, s, conn)
	if err != nil {
		return nil, err
	}
	secret, err := conn.addPassword(ctx, "applications", app.ID, "rbac", end)
	if err != nil {
		return nil, err
	}
	r := conn.graph(http.MethodPost, "servicePrincipals")
	r.Body = map[string]any{"appId": app.AppID, "accountEnabled": true}
	resp, err := conn.do(ctx, r)
	if err != nil {
		return nil, err
	}
	var who application
	if err := resp.Decode(&who); err != nil {
		return nil, err
	}
	for _, g := range grants {
		s.warnf("Creating '%s' role assignment under scope '%s'", o.role, g.scope)
		_, resp, err := conn.assign(ctx, g.scope, g.role, principal{ID: who.ID, kind: twinkey.ServicePrincipal}, "", "")
		if err != nil {
			return nil, err
		}
		s.warnPending(resp)
	}
	s.warnf(credentialWarning)
	return map[string]any{
		"appId": app.AppID, "displayName": app.DisplayName, "password": secret.Reveal(), "tenant": conn.subscription.TenantID,
	}, nil
}

// grant is a role at a scope.
type grant struct{ role, scope string }

// grants looks up what is to be given, before anything is made.
func (o *rbacOptions) grants(ctx context.Context, conn *connection) ([]grant, error) {
	if (o.role == "") != (len(o.scopes) == 0) {
		return nil, twinkey.Errorf(twinkey.Invalid, "Usage error: To create role assignments, specify both --role and --scopes.")
	}
	var grants []grant
	for _, scope := range o.scopes {
		checked, err := checkScope(scope)
		if err != nil {
			return nil, err
		}
		role, err := conn.roleID(ctx, string(o.role), checked)
		if err != nil {
			return nil, err
		}
		grants = append(grants, grant{role: role, scope: checked})
	}
	return grants, nil
}

// application creates one, or takes the secrets of the one there is away.
func (o *rbacOptions) application(ctx context.Context, s *session, conn *connection) (*application, error) {
	found, err := listOf[application](ctx, conn, conn.graphFilter("applications", "displayName eq "+quoted(string(o.name))))
	if err != nil {
		return nil, err
	}
	switch len(found) {
	case 0:
		r := conn.graph(http.MethodPost, "applications")
		r.Body = map[string]any{"displayName": o.name, "keyCredentials": []any{}}
		resp, err := conn.do(ctx, r)
		if err != nil {
			return nil, err
		}
		var app application
		return &app, resp.Decode(&app)
	case 1:
		s.warnf("Found an existing application instance: (id) %s. We will patch it.", found[0].ID)
		for _, old := range found[0].Passwords {
			if err := conn.removePassword(ctx, s, "applications", found[0].ID, old.KeyID); err != nil {
				return nil, err
			}
		}
		return &found[0], nil
	}
	return nil, twinkey.Errorf(twinkey.Invalid, "More than one application is called '%s'. Give another name, or remove them first.", o.name)
}

package idp

import (
	"context"

	"github.com/twinkey/twinkey/internal/directory"
)

// grantPassword is RFC 6749, section 4.3: a user by name and password.
const grantPassword = "password"

// password checks the password, and begins a session if one is wanted.
func (p *Provider) password(ctx context.Context, req request, tenant directory.Tenant, c client, t target) (grantee, error) {
	if req.username == "" {
		return grantee{}, missing("username")
	}
	if req.password.IsZero() {
		return grantee{}, missing("password")
	}
	identity, err := p.directory.ByPassword(ctx, tenant.ID, req.username, req.password, req.who.Address)
	if err != nil {
		return grantee{}, refusedUser(err)
	}
	to := grantee{identity: identity}
	if t.offlineAccess {
		to.refreshToken, err = p.beginSession(ctx, identity, c)
	}
	return to, err
}

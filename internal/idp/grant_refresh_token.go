package idp

import (
	"context"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
)

// grantRefreshToken is RFC 6749, section 6: a user who signed in before.
const grantRefreshToken = "refresh_token"

// refreshToken continues a session. The token may be exchanged for a token for
// any audience; another refresh token is handed out if one is wanted.
func (p *Provider) refreshToken(ctx context.Context, req request, tenant directory.Tenant, c client, t target) (grantee, error) {
	if req.refreshToken.IsZero() {
		return grantee{}, missing("refresh_token")
	}
	presented, ok := readRefreshToken(req.refreshToken)
	if !ok || presented.tenant != tenant.ID {
		return grantee{}, badRefreshToken()
	}
	identity, next, err := p.continueSession(ctx, presented, c, t.offlineAccess)
	return grantee{identity: identity, refreshToken: next}, err
}

func badRefreshToken() error {
	return failing(codeBadRefreshToken, twinkey.Errorf(twinkey.Unauthenticated, "unknown refresh token"),
		"The provided value for the input parameter 'refresh_token' is not valid. It was revoked, belongs to another client or tenant, or is no refresh token. Sign in again.")
}

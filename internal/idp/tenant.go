package idp

import (
	"context"
	"strings"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
)

// The words that stand in a path for a tenant that the client does not know.
const (
	tenantOrganizations = "organizations"
	tenantCommon        = "common"
	tenantADFS          = "adfs"
)

// isAlias reports whether a path leaves it to us which tenant is meant.
func isAlias(name string) bool {
	return name == tenantOrganizations || name == tenantCommon || name == tenantADFS
}

// tenant finds the tenant a path names. For an alias it is the home tenant.
func (p *Provider) tenant(ctx context.Context, name string) (directory.Tenant, error) {
	if isAlias(name) {
		name = ""
	}
	t, err := p.directory.Tenant(ctx, name)
	if twinkey.KindOf(err) == twinkey.NotFound {
		return t, fail(codeUnknownTenant, "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.", twinkey.Printable(name, 100))
	}
	return t, err
}

// tenantOf finds the tenant of a token request. An alias means the tenant that
// the user name or the refresh token belongs to.
func (p *Provider) tenantOf(ctx context.Context, req request) (directory.Tenant, error) {
	if !isAlias(req.path.tenant) {
		return p.tenant(ctx, req.path.tenant)
	}
	hint := ""
	if presented, ok := readRefreshToken(req.refreshToken); ok && req.grant == grantRefreshToken {
		hint = presented.tenant
	}
	if _, domain, ok := strings.Cut(req.username, "@"); ok && req.grant == grantPassword {
		hint = domain
	}
	if hint != "" {
		t, err := p.directory.Tenant(ctx, hint)
		if twinkey.KindOf(err) != twinkey.NotFound {
			return t, err
		}
	}
	return p.tenant(ctx, req.path.tenant)
}

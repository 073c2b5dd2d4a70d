package idp

import (
	"context"

	"github.com/twinkey/twinkey/internal/directory"
)

// grantClientCredentials is RFC 6749, section 4.4: an application for itself.
const grantClientCredentials = "client_credentials"

// clientCredentials has nothing left to find out: the client is the grantee.
func (p *Provider) clientCredentials(_ context.Context, _ request, _ directory.Tenant, c client, _ target) (grantee, error) {
	return grantee{identity: c.identity}, nil
}

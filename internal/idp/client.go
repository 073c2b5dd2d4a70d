package idp

import (
	"context"
	"strings"

	"github.com/twinkey/twinkey/internal/directory"
)

// The public clients everybody may sign in with (client ids that the Azure CLI
// and Az PowerShell have in their sources).
const (
	clientCLI        = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	clientPowerShell = "1950a258-227b-4e31-a9cf-717495945fc2"
)

// How a client proved itself, as the claim appidacr has it.
const (
	provedNothing = "0"
	provedSecret  = "1"
	provedKey     = "2"
)

// client is who sent a token request.
type client struct {
	id       string             // as it was sent
	identity directory.Identity // of an application; zero for a public client
	proved   string
}

func isPublicClient(id string) bool {
	return strings.EqualFold(id, clientCLI) || strings.EqualFold(id, clientPowerShell)
}

// authenticate finds out which client sends the request (RFC 6749, section 2.3).
func (p *Provider) authenticate(ctx context.Context, req request, tenant directory.Tenant, t target) (client, error) {
	if !req.assertion.IsZero() || req.assertionType != "" {
		return p.byAssertion(ctx, req, tenant, t)
	}
	if req.clientID == "" {
		return client{}, missing("client_id")
	}
	if isPublicClient(req.clientID) {
		if !req.secret.IsZero() {
			return client{}, fail(codePublicClient, "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.")
		}
		return client{id: req.clientID, proved: provedNothing}, nil
	}
	if req.secret.IsZero() {
		if _, _, err := p.directory.KeysOf(ctx, tenant.ID, req.clientID); err != nil {
			return client{}, refusedClient(err, req.clientID, tenant)
		}
		return client{}, fail(codeNoClientCredential, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
	}
	identity, err := p.directory.BySecret(ctx, tenant.ID, req.clientID, req.secret)
	if err != nil {
		return client{}, refusedClient(err, req.clientID, tenant)
	}
	return client{id: req.clientID, identity: identity, proved: provedSecret}, nil
}

package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/gateway"
	"github.com/twinkey/twinkey/internal/idp"
	"github.com/twinkey/twinkey/internal/sealing"
)

// localGateway is the name of the gateway in this process.
const localGateway = "local"

// openGateway makes the gateway and connects it to the hub.
func (a *App) openGateway(ctx context.Context, ring *sealing.Ring) error {
	secret, err := a.tokenSecret(ctx, ring)
	if err != nil {
		return err
	}
	verifier, err := a.verifier(idp.AudienceCognitiveServices)
	if err != nil {
		return err
	}
	c := a.gatewayConfig()
	c.TokenSecret, c.Tokens = secret, dataTokens{authenticator{verifier, a.directory}, a.accounts}
	a.gateway = gateway.New(c)
	a.feed, err = a.hub.Connect(localGateway)
	return err
}

// gatewayConfig is what a gateway needs apart from the store.
func (a *App) gatewayConfig() gateway.Config {
	return gateway.Config{
		Catalog: a.catalog.Load, Log: a.log, Now: a.config.Now, Snapshot: a.snapshot,
		URL: a.endpoints.Gateway, Domain: a.config.GatewayDomain, Proxies: a.config.TrustedProxies,
		DrainRevoked: a.config.DrainRevoked,
	}
}

// tokenSecret is what gateways sign the tokens of issueToken with, made once and
// kept sealed.
func (a *App) tokenSecret(ctx context.Context, ring *sealing.Ring) ([]byte, error) {
	const name = "key-tokens"
	sealed, err := a.store.SealedSecret(ctx, name)
	if err != nil {
		return nil, err
	}
	if sealed == nil {
		secret := make([]byte, 32)
		_, _ = rand.Read(secret) // never fails: crypto/rand ends the process instead
		if sealed, err = ring.SealBlob(name, secret); err != nil {
			return nil, fmt.Errorf("sealing the secret for key tokens: %w", err)
		}
		if sealed, err = a.store.AddSealedSecret(ctx, name, sealed); err != nil {
			return nil, err
		}
	}
	secret, err := ring.OpenBlob(name, sealed)
	if err == nil && len(secret) != 32 {
		err = errors.New("the secret for key tokens has the wrong length")
	}
	return secret, err
}

// endpointOf is the URL of an account, by the sub-domain it has or has not.
func (a *App) endpointOf(subdomain string) string {
	if subdomain == "" || a.config.GatewayDomain == "" {
		return a.endpoints.Gateway
	}
	return gateway.OwnURL(a.endpoints.Gateway, twinkey.Fold(subdomain), a.config.GatewayDomain)
}

// dataTokens answers the gateway for access tokens.
type dataTokens struct {
	authenticator
	accounts *accounts.Service
}

// Allowed implements gateway.Tokens.
func (d dataTokens) Allowed(ctx context.Context, bearer, dataAction string, account twinkey.ResourceID) error {
	who, err := d.Authenticate(ctx, bearer)
	if err != nil {
		return err
	}
	return d.accounts.MayCall(ctx, who, dataAction, account)
}

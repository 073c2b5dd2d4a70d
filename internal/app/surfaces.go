package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/arm"
	"github.com/twinkey/twinkey/internal/arm/authorization"
	"github.com/twinkey/twinkey/internal/arm/cognitive"
	"github.com/twinkey/twinkey/internal/arm/insights"
	"github.com/twinkey/twinkey/internal/arm/resources"
	"github.com/twinkey/twinkey/internal/arm/subscription"
	"github.com/twinkey/twinkey/internal/directory"
	"github.com/twinkey/twinkey/internal/graph"
	"github.com/twinkey/twinkey/internal/idp"
	"github.com/twinkey/twinkey/internal/token"
	"github.com/twinkey/twinkey/internal/web"
)

// The names of the surfaces, in the log and in metrics; ops has its own file.
const (
	managementSurface = "management"
	gatewaySurface    = "gateway"
)

// openCertificates opens the local authority, which exists even where the
// operator brings a certificate: what is signed by it can be told from the rest.
func (a *App) openCertificates(context.Context) error {
	if err := os.MkdirAll(a.config.ConfigDir, 0o700); err != nil {
		return twinkey.Wrap(err, twinkey.Invalid, "The configuration directory %s cannot be made: %v. Name another with --config-dir.", a.config.ConfigDir, err)
	}
	authority, err := web.OpenAuthority(a.config.ConfigDir, a.config.Now)
	if err != nil {
		return err
	}
	a.authority = authority
	if a.endpoints.CAFile, err = filepath.Abs(authority.Path()); err != nil {
		return fmt.Errorf("finding the CA certificate: %w", err)
	}
	a.certificates, err = a.chooseCertificates()
	return err
}

// openSurfaces makes a server for each listener.
func (a *App) openSurfaces(context.Context) error {
	management, err := a.management()
	if err != nil {
		return err
	}
	a.serveSurfaces(management)
	return nil
}

func (a *App) serveSurfaces(management http.Handler) {
	a.serve(a.listeners.management, web.Config{Name: managementSurface, Handler: management, TLS: a.certificates.TLS(), OnPanic: arm.WriteError, RequestTimeout: 2 * time.Minute})
	a.serve(a.listeners.gateway, web.Config{Name: gatewaySurface, Handler: a.gateway, Conns: a.gateway, TLS: a.certificates.TLS(), Quiet: true})
	a.serve(a.listeners.gatewayHTTP, web.Config{Name: gatewaySurface, Handler: a.gateway, Conns: a.gateway, Quiet: true})
	a.serve(a.listeners.ops, web.Config{Name: opsSurface, Handler: a.ops(), Quiet: true})
}

func (a *App) serve(l net.Listener, c web.Config) {
	if l == nil {
		return
	}
	c.Log = a.log
	a.servers = append(a.servers, served{web.NewServer(c), l})
}

// chooseCertificates returns the operator's, or the local authority's for every name
// clients are told.
func (a *App) chooseCertificates() (*web.Certificates, error) {
	if a.config.TLSCert != "" || a.config.TLSKey != "" {
		if a.config.TLSCert == "" || a.config.TLSKey == "" {
			return nil, twinkey.Errorf(twinkey.Invalid, "--tls-cert and --tls-key go together.")
		}
		return web.OpenPair(a.config.TLSCert, a.config.TLSKey, a.log)
	}
	var names []string
	for _, at := range []string{a.endpoints.Endpoint, a.endpoints.Gateway} {
		if u, err := url.Parse(at); err == nil {
			names = append(names, u.Hostname())
		}
	}
	if domain := a.config.GatewayDomain; domain != "" {
		names = append(names, domain, "*."+domain)
	}
	return a.authority.Issue(names, a.log)
}

// management is the identity provider, the directory and ARM on one listener.
func (a *App) management() (http.Handler, error) {
	verifier, err := a.verifier(a.endpoints.Endpoint, idp.AudienceManagement, idp.AudienceClassic)
	if err != nil {
		return nil, err
	}
	tables := [][]arm.Route{
		resources.Routes(resources.Config{Service: a.accounts, Tenants: tenants{a.directory}, Catalog: a.catalog.Load}),
		authorization.Routes(authorization.Config{Service: a.accounts}),
		subscription.Routes(subscription.Config{Service: a.accounts}),
		cognitive.Routes(cognitive.Config{Service: a.accounts, Catalog: a.catalog.Load, Endpoint: a.endpointOf}),
	}
	tables = append(tables, insights.Routes(insights.Config{Service: a.accounts, Log: a.store, Now: a.config.Now, Tables: tables}))
	resourceManager := arm.New(arm.Config{
		PublicURL: a.endpoints.Endpoint, GatewayURL: a.endpoints.Gateway,
		Authenticator: &authenticator{verifier, a.directory}, Subscriptions: a.accounts,
	}, tables...)
	people := graph.New(graph.Config{
		PublicURL: a.endpoints.Endpoint, Authenticator: &authenticator{verifier, a.directory},
		Permissions: a.accounts, Directory: a.directory, Now: a.config.Now,
	})
	identity := a.provider.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case graph.Matches(r.URL.Path):
			people.ServeHTTP(w, r)
		case idp.Matches(r.URL.Path):
			identity.ServeHTTP(w, r)
		default:
			resourceManager.ServeHTTP(w, r)
		}
	}), nil
}

// verifier checks the tokens our provider issues for some audiences.
func (a *App) verifier(audiences ...string) (*token.Verifier, error) {
	v, err := token.NewVerifier(token.Config{PublicURL: a.endpoints.Endpoint, Audiences: audiences, Keys: a.provider.PublicKeys, Now: a.config.Now})
	if err != nil {
		return nil, fmt.Errorf("preparing token checks: %w", err)
	}
	return v, nil
}

// authenticator reads a token and asks the directory whether what it says still
// holds, on every call.
type authenticator struct {
	verifier  *token.Verifier
	directory *directory.Service
}

// Authenticate implements arm.Authenticator.
func (a *authenticator) Authenticate(ctx context.Context, bearer string) (twinkey.Principal, error) {
	claims, err := a.verifier.Verify(bearer)
	if err != nil {
		return twinkey.Principal{}, err
	}
	return a.directory.Resolve(ctx, claims.Tenant, claims.ObjectID, claims.Credential)
}

// tenants shows the directory's tenants the way ARM lists them.
type tenants struct{ directory *directory.Service }

// Tenants implements resources.Tenants.
func (t tenants) Tenants(ctx context.Context) ([]resources.Tenant, error) {
	all, err := t.directory.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	var list []resources.Tenant
	for _, tenant := range all {
		list = append(list, resources.Tenant{ID: tenant.ID, Name: tenant.Name, Domain: tenant.Domains[0]})
	}
	return list, nil
}

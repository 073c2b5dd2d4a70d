// Package idp is the identity provider that command line tools and SDKs log in
// to: discovery, public keys, and the token endpoint in Entra's dialect of
// OAuth 2.0, under Entra's paths and under those of AD FS.
//
// It refuses to keep a password, client secret or refresh token it could read
// back, to learn its own address from a request, to say whether it was the user
// name or the password that was wrong, and to decide what a principal may do.
package idp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/twinkey/twinkey/internal/directory"
	"github.com/twinkey/twinkey/internal/token"
	"github.com/twinkey/twinkey/internal/web"
)

// The audiences of Azure's public cloud that clients ask for by name (Microsoft
// Learn, "Azure Resource Manager" and "Authenticate with Microsoft Entra ID"
// for Azure AI services).
const (
	AudienceManagement        = "https://management.azure.com"
	AudienceClassic           = "https://management.core.windows.net"
	AudienceCognitiveServices = "https://cognitiveservices.azure.com"
)

// What zero durations in a Config stand for.
const (
	accessLifetime  = time.Hour
	refreshLifetime = 30 * 24 * time.Hour
	refreshGrace    = 2 * time.Minute
)

// Sealer encrypts the signing keys for the store.
type Sealer interface {
	SealBlob(purpose string, plain []byte) ([]byte, error)
	OpenBlob(purpose string, sealed []byte) ([]byte, error)
}

// Config is what a Provider needs. The first four fields are required.
type Config struct {
	PublicURL string // scheme, host and port under which clients reach the provider
	Directory *directory.Service
	Store     Store
	Sealer    Sealer

	Now             func() time.Time // zero: time.Now
	AccessLifetime  time.Duration    // of access tokens; zero: 1 hour
	RefreshLifetime time.Duration    // from signing in to signing in again; zero: 30 days
	RefreshGrace    time.Duration    // a used refresh token still works; zero: 2 minutes
}

// Provider is the identity provider.
type Provider struct {
	publicURL  string
	host       string // of publicURL, with the port
	directory  *directory.Service
	store      Store
	sealer     Sealer
	now        func() time.Time
	access     time.Duration
	refresh    time.Duration
	grace      time.Duration
	audiences  map[string]string // folded -> as it is put into tokens
	grants     map[string]grant
	replays    *replays
	keys       atomic.Pointer[keys]
	ready      chan struct{} // closed when keys are there
	announce   sync.Once
	keyChanges sync.Mutex
	counts     tokenCounts
}

// New makes a Provider. It has no signing keys until Prepare has returned;
// requests that need one wait for it.
func New(c Config) (*Provider, error) {
	u, err := url.Parse(strings.TrimRight(c.PublicURL, "/"))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, errors.New("the public URL must be a scheme and a host, such as https://host:8443")
	}
	if c.Directory == nil || c.Store == nil || c.Sealer == nil {
		return nil, errors.New("directory, store and sealer are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	p := &Provider{
		publicURL: u.String(), host: u.Host,
		directory: c.Directory, store: c.Store, sealer: c.Sealer, now: c.Now,
		access:    orDefault(c.AccessLifetime, accessLifetime),
		refresh:   orDefault(c.RefreshLifetime, refreshLifetime),
		grace:     orDefault(c.RefreshGrace, refreshGrace),
		audiences: map[string]string{},
		replays:   newReplays(c.Now),
		ready:     make(chan struct{}),
	}
	for _, a := range []string{p.publicURL, AudienceManagement, AudienceClassic, AudienceCognitiveServices} {
		p.audiences[token.FoldAudience(a)] = a
	}
	p.grants = p.grantTable()
	return p, nil
}

// Handler answers every path that Matches.
func (p *Provider) Handler() http.Handler { return web.Handle(p.serve, p.answerError) }

// Closed answers those paths where there is no store to ask: 503 with a sentence.
func Closed(publicURL, sentence string, now func() time.Time) http.Handler {
	p := &Provider{publicURL: publicURL, now: now}
	return web.Handle(func(http.ResponseWriter, *http.Request) error { return fail(codeTransient, "%s", sentence) }, p.answerError)
}

// Matches reports whether a path, as in URL.Path, is a provider's to answer.
func Matches(path string) bool {
	_, ok := parsePath(path)
	return ok
}

// PublicKeys returns the keys tokens can be checked with: none before Prepare
// has returned.
func (p *Provider) PublicKeys() []jose.JSONWebKey {
	if k := p.keys.Load(); k != nil {
		return k.public
	}
	return nil
}

// serve finds the endpoint for a request.
func (p *Provider) serve(w http.ResponseWriter, r *http.Request) error {
	at, ok := parsePath(r.URL.Path)
	if !ok {
		return fail(codeNoSuchPath, "There is nothing at this path. The token endpoint is %s.", p.tokenEndpoint("organizations"))
	}
	if want := at.method(); r.Method != want && !(want == http.MethodGet && r.Method == http.MethodHead) {
		w.Header().Set("Allow", want)
		return fail(codeMethod, "The endpoint only accepts %s requests. Received a %.10s request.", want, r.Method)
	}
	switch at.endpoint {
	case endpointToken:
		return p.serveToken(w, r, at)
	case endpointDiscovery:
		return p.serveDiscovery(w, r, at)
	case endpointKeys:
		return p.serveKeys(w, r)
	case endpointInstance:
		return p.serveInstance(w, r)
	}
	return p.serveRealm(w, at)
}

// waitReady waits for the signing keys.
func (p *Provider) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	select {
	case <-p.ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the signing key: %w", ctx.Err())
	}
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

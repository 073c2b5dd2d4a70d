// Package gateway demands a key on every call and forwards the call to the
// service behind it. What it knows of accounts is digests, fed to it in the
// order of the store's revisions.
//
// It refuses to hold or produce a key, to let a caller choose where it
// connects, to ask anybody while it decides, and to pass a credential on.
package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/catalog"
	"github.com/twinkey/twinkey/internal/http1"
	"github.com/twinkey/twinkey/internal/snapshot"
)

// Feed is where changes come from and acknowledgements go.
type Feed interface {
	Receive(ctx context.Context) (twinkey.FromHub, error)
	Send(ctx context.Context, m twinkey.FromGateway) error
}

// Tokens checks access tokens, which only the control plane can.
type Tokens interface {
	// Allowed fails with kind Unauthenticated, TokenExpired or WrongAudience if
	// the token is not good, and Forbidden if its principal may not do this.
	Allowed(ctx context.Context, bearer, dataAction string, account twinkey.ResourceID) error
}

// Config is what a Gateway needs; Catalog and Log are required.
type Config struct {
	Catalog func() *catalog.Catalog // the one in force now
	Log     *slog.Logger

	URL          string           // the shared address clients are told, for addresses in answers
	Domain       string           // below it each account has a host of its own; zero: none has
	Proxies      []netip.Prefix   // peers whose X-Forwarded-* is believed
	DrainRevoked time.Duration    // how long an answer may go on streaming after its key has died; zero: 10 s
	Tokens       Tokens           // zero: access tokens are refused
	TokenSecret  []byte           // 32 bytes shared by all gateways; zero: issueToken is off
	Now          func() time.Time // zero: time.Now
	Snapshot     *snapshot.File   // where a start without the store finds the accounts; zero: nowhere
}

// drainRevoked is what a zero DrainRevoked stands for.
const drainRevoked = 10 * time.Second

// Gateway is the data plane's http.Handler.
type Gateway struct {
	config    Config
	log       *slog.Logger
	table     atomic.Pointer[Table]
	upstreams *upstreams
	proxy     *httputil.ReverseProxy
	pool      *http1.Pool
	calls     inflight
	keyTokens keyTokens
	counters  *counters

	mu      sync.Mutex
	granted uint64
	waiting map[uint64]chan struct{}
}

// New makes a Gateway that admits nothing until it has followed a feed.
func New(c Config) *Gateway {
	if c.DrainRevoked == 0 {
		c.DrainRevoked = drainRevoked
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	g := &Gateway{config: c, log: c.Log, keyTokens: keyTokens{secret: c.TokenSecret, now: c.Now}, counters: newCounters(), waiting: map[uint64]chan struct{}{}}
	g.table.Store(NewTable())
	g.upstreams = &upstreams{transport: newTransport(), log: c.Log, now: c.Now}
	g.proxy = g.newProxy()
	g.pool = http1.NewPool()
	return g
}

// Follow applies what comes from the feed, and acknowledges it, until ctx ends
// or the feed breaks. What has been applied stays in force afterwards.
func (g *Gateway) Follow(ctx context.Context, feed Feed) error {
	fresh := NewTable()
	for {
		m, err := feed.Receive(ctx)
		if err != nil {
			return fmt.Errorf("following the hub: %w", err)
		}
		switch {
		case m.Chunk != nil:
			fresh.Add(m.Chunk.Accounts)
			if !m.Chunk.Last {
				continue
			}
			fresh.revision.Store(int64(m.Chunk.Revision))
			g.table.Store(fresh)
			fresh = NewTable()
			g.calls.sweep(g.table.Load(), g.config.DrainRevoked)
		case m.Change != nil:
			table := g.table.Load()
			table.Apply(*m.Change)
			g.calls.sweep(table, g.config.DrainRevoked)
		case m.Grant != nil:
			g.grant(m.Grant.Ping)
			continue
		}
		if !g.keep(m) {
			continue
		}
		if err := acknowledge(ctx, feed, g.Revision()); err != nil {
			return err
		}
	}
}

// Sync returns when everything that was in the store at the time of the call
// has been applied. Follow must be running on the same feed.
func (g *Gateway) Sync(ctx context.Context, feed Feed) error {
	g.mu.Lock()
	number := g.granted + uint64(len(g.waiting)) + 1
	done := make(chan struct{})
	g.waiting[number] = done
	g.mu.Unlock()
	if err := feed.Send(ctx, twinkey.FromGateway{Ping: &twinkey.Ping{Number: number}}); err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close lets go of the connections to upstreams that are not in use.
func (g *Gateway) Close() {
	g.pool.Close()
	g.upstreams.transport.CloseIdleConnections()
}

// Revision is the newest revision the gateway decides by.
func (g *Gateway) Revision() twinkey.Revision { return g.table.Load().Revision() }

// ServeHTTP admits and forwards one call, or refuses it. It takes every form of
// HTTP; ServeConn takes the plain one for less.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if preflight(w, r, g.config.Catalog()) {
		return
	}
	peer := peerAddress(r.RemoteAddr)
	call := Call{
		Method:    r.Method,
		Target:    target(r),
		Subdomain: Subdomain(r.Host, g.config.Domain),
		Address:   clientAddress(peer, r.Header[forwardedFor], g.config.Proxies),
		Presented: Extract(r.Header, r.URL.RawQuery),
	}
	admission, refusal := g.decide(r.Context(), call)
	switch {
	case refusal != nil:
		refusal.write(w)
	case admission.IssueToken:
		token, refusal := g.issueToken(r.Method, admission)
		if refusal != nil {
			refusal.write(w)
			return
		}
		for _, f := range keyTokenHeader() {
			w.Header().Set(f.Name, f.Value)
		}
		_, _ = w.Write([]byte(token)) // a peer that has gone needs no answer
	default:
		g.forward(w, r, &exchange{admission: admission, fromProxy: within(peer, g.config.Proxies), gateway: g.addressOf(call.Subdomain)})
	}
}

// decide admits a call or refuses it, by what the table and the catalog say now,
// and counts it.
func (g *Gateway) decide(ctx context.Context, call Call) (Admission, *Refusal) {
	if call.Presented.Key == "" && call.Presented.Token != "" {
		if claims, ok := g.keyTokens.read(call.Presented.Token); ok {
			call.Presented.keyToken = &claims
		}
	}
	admission, refusal := Decide(g.table.Load(), g.config.Catalog(), call)
	if refusal == nil && admission.Slot == 0 {
		refusal = g.checkToken(ctx, call, admission)
	}
	if refusal == nil && admission.PerMinute > 0 {
		if seconds, ok := admission.account.rate.take(g.config.Now(), admission.PerMinute); !ok {
			exceeded := rateExceeded(admission, seconds)
			refusal = &exceeded
		}
	}
	if refusal != nil {
		g.counters.refuse(refusal)
		return Admission{}, refusal
	}
	if admission.IssueToken {
		g.counters.admitted.Add(1)
	}
	return admission, nil
}

// checkToken asks whether the principal of an access token may make the call.
func (g *Gateway) checkToken(ctx context.Context, call Call, a Admission) *Refusal {
	if g.config.Tokens == nil {
		return &tokenRefused
	}
	err := g.config.Tokens.Allowed(ctx, call.Presented.Token, a.DataAction(call.Method), a.Account.ID)
	switch twinkey.KindOf(err) {
	case twinkey.Forbidden:
		return &noDataAction
	case twinkey.Unauthenticated, twinkey.TokenExpired, twinkey.WrongAudience:
		return &tokenRefused
	}
	if err != nil {
		g.log.Warn("checking an access token", "error", err)
		return &tokenUnchecked
	}
	return nil
}

// issueToken makes the answer to POST /sts/v1.0/issueToken, a bare token.
func (g *Gateway) issueToken(method string, a Admission) (string, *Refusal) {
	if method != http.MethodPost || len(g.config.TokenSecret) == 0 {
		return "", &notFound
	}
	token, err := g.keyTokens.issue(a)
	if err != nil {
		g.log.Error("issuing a key token", "error", err)
		return "", &internalError
	}
	return token, nil
}

// addressOf is the URL of the shared address, or of an account's own host.
func (g *Gateway) addressOf(subdomain string) string {
	if subdomain == "" {
		return g.config.URL
	}
	return OwnURL(g.config.URL, subdomain, g.config.Domain)
}

// grant wakes everyone who waits for this ping or one before it.
func (g *Gateway) grant(ping uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.granted = max(g.granted, ping)
	for number, done := range g.waiting {
		if number <= ping {
			close(done)
			delete(g.waiting, number)
		}
	}
}

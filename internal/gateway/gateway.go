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
}

// drainRevoked is what a zero DrainRevoked stands for.
const drainRevoked = 10 * time.Second

// Gateway is the data plane's http.Handler.
type Gateway struct {
	config    Config
	log       *slog.Logger
	table     atomic.Pointer[Table]
	proxy     *httputil.ReverseProxy
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
	g.proxy = newProxy(c.Log, c.Now, g.counters)
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
		var applied twinkey.Revision
		switch {
		case m.Chunk != nil:
			fresh.Add(m.Chunk.Accounts)
			if !m.Chunk.Last {
				continue
			}
			fresh.revision.Store(int64(m.Chunk.Revision))
			g.table.Store(fresh)
			applied, fresh = m.Chunk.Revision, NewTable()
			g.calls.sweep(g.table.Load(), g.config.DrainRevoked)
		case m.Change != nil:
			table := g.table.Load()
			table.Apply(*m.Change)
			applied = m.Change.Revision
			g.calls.sweep(table, g.config.DrainRevoked)
		case m.Grant != nil:
			g.grant(m.Grant.Ping)
			continue
		}
		if err := feed.Send(ctx, twinkey.FromGateway{Ack: &twinkey.Ack{Revision: applied}}); err != nil {
			return fmt.Errorf("acknowledging revision %d: %w", applied, err)
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

// Revision is the newest revision the gateway decides by.
func (g *Gateway) Revision() twinkey.Revision { return g.table.Load().Revision() }

// ServeHTTP admits and forwards one call, or refuses it.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	services := g.config.Catalog()
	if preflight(w, r, services) {
		return
	}
	call := Call{
		Target:    target(r),
		Subdomain: Subdomain(r.Host, g.config.Domain),
		Address:   clientAddress(r, g.config.Proxies),
		Presented: Extract(r.Header, r.URL.RawQuery),
	}
	if call.Presented.Key == "" && call.Presented.Token != "" {
		if claims, ok := g.keyTokens.read(call.Presented.Token); ok {
			call.Presented.keyToken = &claims
		}
	}
	admission, refusal := Decide(g.table.Load(), services, call)
	if refusal == nil && admission.Slot == 0 {
		refusal = g.checkToken(r, call, admission)
	}
	if refusal == nil {
		if seconds, ok := admission.account.rate.take(g.config.Now(), admission.PerMinute); !ok {
			exceeded := rateExceeded(admission, seconds)
			refusal = &exceeded
		}
	}
	switch {
	case refusal != nil:
		g.counters.refuse(refusal)
		refusal.write(w)
	case admission.IssueToken:
		g.counters.admitted.Add(1)
		g.issueToken(w, r, admission)
	default:
		g.counters.admitted.Add(1)
		g.forward(w, r, &exchange{admission: admission, fromProxy: within(peerAddress(r), g.config.Proxies), gateway: g.addressOf(call.Subdomain)})
	}
}

// checkToken asks whether the principal of an access token may make the call.
func (g *Gateway) checkToken(r *http.Request, call Call, a Admission) *Refusal {
	if g.config.Tokens == nil {
		return &tokenRefused
	}
	err := g.config.Tokens.Allowed(r.Context(), call.Presented.Token, a.DataAction(r.Method), a.Account.ID)
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

// issueToken answers POST /sts/v1.0/issueToken with a bare token.
func (g *Gateway) issueToken(w http.ResponseWriter, r *http.Request, a Admission) {
	if r.Method != http.MethodPost || len(g.config.TokenSecret) == 0 {
		notFound.write(w)
		return
	}
	token, err := g.keyTokens.issue(a)
	if err != nil {
		g.log.Error("issuing a key token", "error", err)
		internalError.write(w)
		return
	}
	w.Header().Set("Content-Type", "application/jwt; charset=us-ascii")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(token)) // a peer that has gone needs no answer
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

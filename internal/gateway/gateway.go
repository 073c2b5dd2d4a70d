// Package gateway demands a key on every call and forwards the call to the
// service behind it. What it knows of accounts is digests, fed to it in the
// order of the store's revisions.
//
// It refuses to hold or produce a key, to let a caller choose where it
// connects, to ask anybody while it decides, and to pass a credential on.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
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

// Config is what a Gateway needs; every field is required.
type Config struct {
	Catalog func() *catalog.Catalog // the one in force now
	Log     *slog.Logger
}

// Gateway is the data plane's http.Handler.
type Gateway struct {
	catalog func() *catalog.Catalog
	log     *slog.Logger
	table   atomic.Pointer[Table]
	proxy   *httputil.ReverseProxy

	mu      sync.Mutex
	granted uint64
	waiting map[uint64]chan struct{}
}

// New makes a Gateway that admits nothing until it has followed a feed.
func New(c Config) *Gateway {
	g := &Gateway{catalog: c.Catalog, log: c.Log, waiting: map[uint64]chan struct{}{}}
	g.table.Store(NewTable())
	g.proxy = newProxy(c.Log)
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
		case m.Change != nil:
			g.table.Load().Apply(*m.Change)
			applied = m.Change.Revision
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
	presented := Extract(r.Header, r.URL.RawQuery)
	call := Call{Target: target(r), Presented: presented}
	admission, refusal := Decide(g.table.Load(), g.catalog(), call)
	if refusal != nil {
		refusal.write(w)
		return
	}
	g.forward(w, r, admission)
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

// newProxy is the road to upstreams: connections are reused, nothing is
// buffered, and answers pass as they come.
func newProxy(log *slog.Logger) *httputil.ReverseProxy {
	transport := &http.Transport{
		MaxIdleConnsPerHost:   256,
		IdleConnTimeout:       90 * time.Second,
		DisableCompression:    true,
		ResponseHeaderTimeout: 5 * time.Minute,
		TLSHandshakeTimeout:   10 * time.Second,
	}
	return &httputil.ReverseProxy{
		Transport:     transport,
		FlushInterval: -1,
		Rewrite:       rewrite,
		ErrorLog:      slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if errors.Is(err, context.Canceled) {
				return
			}
			log.Warn("calling upstream", "error", err, "method", r.Method)
			upstreamDown.write(w)
		},
	}
}

// Package app wires the parts into a server and gives it a life: New, Start,
// Stop. It is the one place that knows everything.
//
// It refuses to hold rules of its own, and to start where it cannot keep what
// the rest promises: without the outer key, beside another server, on data of a
// newer version.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/catalog"
	"github.com/twinkey/twinkey/internal/directory"
	"github.com/twinkey/twinkey/internal/etcdnode"
	"github.com/twinkey/twinkey/internal/etcdstore"
	"github.com/twinkey/twinkey/internal/gateway"
	"github.com/twinkey/twinkey/internal/hub"
	"github.com/twinkey/twinkey/internal/idp"
	"github.com/twinkey/twinkey/internal/snapshot"
	"github.com/twinkey/twinkey/internal/web"
)

// Config says how to run a server. Only DataDir and Services are required.
type Config struct {
	DataDir   string // the store; made if absent
	ConfigDir string // outer key, certificates, first credentials; zero: DataDir + "-config"
	Services  string // path of services.yaml

	Upstreams []Upstream       // what to offer where there is no services.yaml
	Reload    <-chan os.Signal // each signal reads services.yaml again; a change of the file does in any case

	Listen        string // management; zero: 127.0.0.1:8443
	GatewayListen string // gateway over TLS; zero: 127.0.0.1:8444
	GatewayHTTP   string // gateway without TLS as well; zero: off
	OpsListen     string // health, readiness and metrics; zero: off
	PublicURL     string // where clients reach management; zero: from the listener
	GatewayURL    string // where clients reach the gateway; zero: from the listener

	GatewayDomain  string         // below it each account with a sub-domain has a host of its own; zero: none
	TrustedProxies []netip.Prefix // peers of the gateway whose X-Forwarded-* is believed
	DrainRevoked   time.Duration  // how long an answer may go on after its key has died; zero: 10 s

	ActivityDays    int    // hours of the activity log that are older go; zero: 90
	ActivityEntries int64  // and the oldest beyond so many; zero: 1 000 000
	ActivityExport  string // file that the activity log is appended to as JSON lines; zero: none

	TLSCert string // operator's chain and key, PEM; zero: issued by the local authority
	TLSKey  string

	Version string // of the program, for the metrics

	Log *slog.Logger     // zero: slog's default
	Now func() time.Time // zero: time.Now
}

// App is a server.
type App struct {
	config    Config
	log       *slog.Logger
	listeners listeners
	endpoints Endpoints

	claim        *etcdnode.Claim
	closed       error // why the store could not be opened; nil: it is open
	node         *etcdnode.Node
	store        *etcdstore.Store
	directory    *directory.Service
	accounts     *accounts.Service
	catalog      *catalog.Holder
	services     *Reloader // nil: the catalog does not come from a file
	hub          *hub.Hub
	feed         *hub.Feed
	snapshot     *snapshot.File
	gateway      *gateway.Gateway
	provider     *idp.Provider
	authority    *web.Authority
	certificates *web.Certificates
	trimmer      *trimmer
	exporter     *exporter // nil: the activity log is not exported
	metrics      *metrics
	servers      []served

	started    atomic.Bool
	background sync.WaitGroup
	cancel     context.CancelFunc
	undo       []func() // what New has begun, undone in reverse by Stop
	stopped    sync.Once
	failed     chan error
}

// served is a server and the listener it will serve.
type served struct {
	server   *web.Server
	listener net.Listener
}

// New opens everything and changes nothing that was there: the store, the keys,
// the listeners. Where the store cannot be opened but the gateway has a snapshot,
// the server is one that only admits calls. An error is one sentence that says
// what to do; nothing is left open then.
func New(ctx context.Context, c Config) (*App, error) {
	a := &App{config: c.withDefaults(), failed: make(chan error, 8)}
	a.log = a.config.Log
	for _, step := range []func(context.Context) error{a.checkPlaces, a.openCatalog, a.listen, a.openCertificates, a.claimData, a.openParts} {
		if err := step(ctx); err != nil {
			a.undoAll()
			return nil, err
		}
	}
	return a, nil
}

// Start serves. It returns when the gateway decides by everything the store
// holds and every listener answers.
func (a *App) Start(ctx context.Context) error {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	a.cancel = cancel
	a.goServeOps() // whoever watches can see the server start
	if a.services != nil {
		a.goRun(func() { a.services.Run(run, a.config.Reload) })
	}
	if a.closed == nil {
		if err := a.startParts(ctx, run); err != nil {
			return err
		}
	}
	a.endOpening()
	a.goServeOthers()
	a.started.Store(true)
	return nil
}

// startParts starts what lives on the store, and returns when the gateway
// decides by everything in it. A store that dies meanwhile is as good as one that
// cannot be opened.
func (a *App) startParts(ctx, run context.Context) error {
	run, stop := context.WithCancel(run)
	a.undo = append(a.undo, stop)
	a.goRun(func() { a.hub.Run(run) })
	followed := make(chan struct{})
	a.goRun(func() {
		defer close(followed)
		var both sync.WaitGroup
		both.Go(func() { a.followHub(run) })
		both.Go(func() { a.keepSnapshot(run) })
		both.Wait()
	})
	a.goRun(func() { a.prepareIdentity(run) })
	a.goRun(func() { a.runDeletions(run) })
	a.goRun(func() { a.watchStore(run) })
	a.startOps(run)
	err := a.syncGateway(ctx)
	if err == nil {
		err = a.provide(ctx)
	}
	if err == nil {
		err = a.endpoints.write(a.config.DataDir) // before anybody is answered, who might look there
	}
	if err == nil || a.node.Err() == nil {
		return err
	}
	stop() // there is nothing to follow
	<-followed
	if a.gateway.Revision() > 0 {
		return nil // it has read everything
	}
	if !a.restoreGateway(a.node.Err()) {
		return err
	}
	return nil
}

// syncGateway waits for the gateway, unless the store dies.
func (a *App) syncGateway(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-a.node.Dead():
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := a.gateway.Sync(ctx, a.feed); err != nil {
		return fmt.Errorf("waiting for the gateway: %w", err)
	}
	return nil
}

// Endpoints says where the server is.
func (a *App) Endpoints() Endpoints { return a.endpoints }

// StoreErr is why the server can only admit calls, nil if it can do everything.
func (a *App) StoreErr() error {
	switch {
	case a.closed != nil:
		return a.closed
	case a.node != nil:
		return a.node.Err()
	}
	return nil
}

// Failed receives the error of a listener that has broken while serving.
func (a *App) Failed() <-chan error { return a.failed }

// Stop drains: listeners close, calls under way finish, then the store stops.
// When ctx ends, what is left is cut off.
func (a *App) Stop(ctx context.Context) error {
	var err error
	a.stopped.Do(func() {
		for _, s := range a.servers {
			err = errors.Join(err, s.server.Shutdown(ctx))
		}
		if a.cancel != nil {
			a.cancel()
		}
		a.background.Wait()
		a.gateway.Close()
		a.snapshot.Close()
		if a.node != nil && a.node.Err() == nil {
			err = errors.Join(err, a.node.Stop(ctx))
		}
		a.undoAll()
	})
	return err
}

// goRun starts a part that Stop waits for.
func (a *App) goRun(part func()) { a.background.Go(part) }

func (a *App) undoAll() {
	for i := len(a.undo) - 1; i >= 0; i-- {
		a.undo[i]()
	}
	a.undo = nil
}

// claimData takes the data directory, for the store or for the snapshot alone.
func (a *App) claimData(context.Context) error {
	if err := checkOuterKey(a.config); err != nil {
		return err
	}
	claim, err := etcdnode.NewClaim(a.config.DataDir)
	if err != nil {
		return err
	}
	a.claim = claim
	a.undo = append(a.undo, func() { _ = claim.Close() })
	a.snapshot = snapshot.New(filepath.Join(a.config.DataDir, snapshotFile), a.log)
	a.snapshot.Tidy()
	return nil
}

// openStore starts the node and opens the database in it.
func (a *App) openStore(ctx context.Context) error {
	node, err := etcdnode.Start(ctx, etcdnode.Config{Dir: a.config.DataDir, Log: a.log, Claim: a.claim})
	if err != nil {
		return err
	}
	a.node = node
	a.store, err = etcdstore.Open(ctx, node.Client())
	return err
}

// wire makes the parts that live on the store.
func (a *App) wire(ctx context.Context) error {
	ring, err := openRing(ctx, a.config, a.store)
	if err != nil {
		return err
	}
	a.hub = hub.New(hub.Config{Source: a.store, Log: a.log})
	a.openOps()
	a.directory = directory.New(directory.Config{Store: a.store, Now: a.config.Now})
	a.accounts = accounts.New(accounts.Config{Store: a.store, Ring: ring, Confirmer: a.metrics.timed(a.hub), Principals: a.directory, Catalog: a.catalog.Load, Now: a.config.Now})
	a.provider, err = idp.New(idp.Config{PublicURL: a.endpoints.Endpoint, Directory: a.directory, Store: a.store, Sealer: ring, Now: a.config.Now})
	if err != nil {
		return err
	}
	return a.openGateway(ctx, ring)
}

// followHub keeps the gateway on its feed. What it has applied stays in force
// while the feed is broken.
func (a *App) followHub(ctx context.Context) {
	for ctx.Err() == nil {
		if err := a.gateway.Follow(ctx, a.feed); err != nil && ctx.Err() == nil {
			a.log.Warn("the gateway lost its feed", "error", err)
			pause(ctx, 100*time.Millisecond)
		}
	}
}

// prepareIdentity makes the signing keys ready; the first are made here.
func (a *App) prepareIdentity(ctx context.Context) {
	for ctx.Err() == nil {
		err := a.provider.Prepare(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		a.log.Warn("preparing signing keys", "error", err)
		pause(ctx, time.Second)
	}
}

func (a *App) runDeletions(ctx context.Context) {
	retry := time.NewTicker(10 * time.Second)
	defer retry.Stop()
	a.accounts.RunDeletions(ctx, retry.C, func(err error) { a.log.Warn("deleting a resource group", "error", err) })
}

// watchStore says once why the store has died. The gateway goes on with what it
// has.
func (a *App) watchStore(ctx context.Context) {
	select {
	case <-a.node.Dead():
		a.log.Error("the store cannot go on: no change can be made, and keys keep working; make room on the disk of the data directory if it is full, then restart the server", "data-dir", a.config.DataDir, "cause", a.node.Err())
	case <-ctx.Done():
	}
}

func (c Config) withDefaults() Config {
	if c.ConfigDir == "" {
		c.ConfigDir = filepath.Clean(c.DataDir) + "-config"
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:8443"
	}
	if c.GatewayListen == "" {
		c.GatewayListen = "127.0.0.1:8444"
	}
	if c.Services == "" {
		c.Services = filepath.Join(c.ConfigDir, "services.yaml")
	}
	if c.ActivityDays == 0 {
		c.ActivityDays = activityDays
	}
	if c.ActivityEntries == 0 {
		c.ActivityEntries = activityEntries
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// ForbidCore keeps keys out of core files and from other processes of the same
// user: no core is written, and nobody may trace the process.
func ForbidCore() error {
	return errors.Join(
		unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}),
		unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0),
	)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

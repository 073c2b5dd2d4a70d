package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/catalog"
	"github.com/twinkey/twinkey/internal/etcdnode"
	"github.com/twinkey/twinkey/internal/etcdstore"
	"github.com/twinkey/twinkey/internal/gateway"
	"github.com/twinkey/twinkey/internal/hub"
	"github.com/twinkey/twinkey/internal/sealing"
)

// world is the rules on a real store with a real gateway behind a real hub.
type world struct {
	t       *testing.T
	node    *etcdnode.Node
	store   *etcdstore.Store
	service *accounts.Service
	gateway *gateway.Gateway
	ring    *sealing.Ring
	hub     *hub.Hub
	catalog *catalog.Catalog
	sub     string
	owner   twinkey.Principal
	now     atomic.Pointer[time.Time]
	ticks   atomic.Int64
}

func newWorld(t *testing.T, wrap func(accounts.Store) accounts.Store) *world {
	t.Helper()
	ctx := t.Context()
	log := slog.New(slog.DiscardHandler)
	node := startNode(t, t.TempDir())
	var err error
	w := &world{t: t, node: node, sub: uuid.NewString(), owner: twinkey.Principal{ObjectID: uuid.NewString(), Type: twinkey.User, Name: "owner@example.test"}}
	if w.store, err = etcdstore.Open(ctx, node.Client()); err != nil {
		t.Fatal(err)
	}
	w.ring = newRing(t)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "ok") }))
	t.Cleanup(upstream.Close)
	w.catalog, err = catalog.Parse("services.yaml", fmt.Appendf(nil, "services:\n  - kind: TextAnalytics\n    locations: [westeurope, local]\n    skus: [{name: S}]\n    routes: [{path: /text/, upstream: '%s'}]\n", upstream.URL))
	if err != nil {
		t.Fatal(err)
	}
	w.hub = hub.New(hub.Config{Source: w.store, Log: log})
	w.gateway = gateway.New(gateway.Config{Catalog: func() *catalog.Catalog { return w.catalog }, Log: log})
	w.follow(ctx)
	var store accounts.Store = w.store
	if wrap != nil {
		store = wrap(store)
	}
	now := time.Now()
	w.now.Store(&now)
	w.service = accounts.New(accounts.Config{Store: store, Ring: w.ring, Confirmer: w.hub,
		Catalog: func() *catalog.Catalog { return w.catalog }, Now: w.clock})
	owner := access.Assignment{ID: uuid.NewString(), RoleID: ownerRole, PrincipalID: w.owner.ObjectID, PrincipalType: twinkey.User}
	if err := w.service.Bootstrap(ctx, accounts.Subscription{ID: w.sub, Name: "Test", State: accounts.SubscriptionEnabled}, owner); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.service.PutGroup(ctx, w.who(), w.groupID("g"), accounts.GroupSpec{Location: "westeurope"}, accounts.Precondition{}); err != nil {
		t.Fatal(err)
	}
	return w
}

const ownerRole = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"

// follow runs the hub and the gateway until the test ends.
func (w *world) follow(ctx context.Context) {
	feed, err := w.hub.Connect("local")
	if err != nil {
		w.t.Fatal(err)
	}
	done := make(chan struct{}, 2)
	ctx, cancel := context.WithCancel(ctx)
	go func() { w.hub.Run(ctx); done <- struct{}{} }()
	go func() { _ = w.gateway.Follow(ctx, feed); done <- struct{}{} }()
	w.t.Cleanup(func() { cancel(); <-done; <-done })
	if err := w.gateway.Sync(ctx, feed); err != nil {
		w.t.Fatal(err)
	}
}

// clock goes on by a microsecond whenever it is read.
func (w *world) clock() time.Time {
	return w.now.Load().Add(time.Duration(w.ticks.Add(1)) * time.Microsecond)
}

func (w *world) who() twinkey.Caller {
	return twinkey.Caller{Principal: w.owner, RequestID: uuid.NewString(), CorrelationID: uuid.NewString()}
}

func (w *world) groupID(g string) twinkey.ResourceID {
	return twinkey.ResourceID{Subscription: w.sub, Group: g}
}

func (w *world) id(name string) twinkey.ResourceID {
	return twinkey.ResourceID{Subscription: w.sub, Group: "g", Account: name}
}

func (w *world) create(name string) twinkey.ResourceID {
	w.t.Helper()
	spec := accounts.AccountSpec{Kind: "TextAnalytics", SKU: "S", Location: "westeurope"}
	if _, _, _, err := w.service.PutAccount(w.t.Context(), w.who(), w.id(name), spec, accounts.Precondition{}); err != nil {
		w.t.Fatal(err)
	}
	return w.id(name)
}

func (w *world) keys(id twinkey.ResourceID) accounts.Keys {
	w.t.Helper()
	keys, out, err := w.service.Keys(w.t.Context(), w.who(), id)
	if err != nil || len(out.Pending) > 0 {
		w.t.Fatalf("listing keys: %v, pending %v", err, out.Pending)
	}
	return keys
}

// call presents a key at the gateway and returns the status.
func (w *world) call(key twinkey.Secret) int {
	r := httptest.NewRequest("POST", "http://gateway/text/x", nil)
	r.Header.Set("Ocp-Apim-Subscription-Key", key.Reveal())
	rec := httptest.NewRecorder()
	w.gateway.ServeHTTP(rec, r)
	return rec.Code
}

func startNode(t *testing.T, dir string) *etcdnode.Node {
	t.Helper()
	node, err := etcdnode.Start(t.Context(), etcdnode.Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Stop(context.Background()) })
	return node
}

func newRing(t *testing.T) *sealing.Ring {
	t.Helper()
	outer, err := sealing.CreateOuterKey(filepath.Join(t.TempDir(), "outer.key"))
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := outer.NewDataKey(1)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := outer.Open(map[uint32][]byte{1: wrapped})
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// deleteGroup deletes a group and waits until it is done.
func (w *world) deleteGroup(name string) {
	w.t.Helper()
	operation, err := w.service.DeleteGroup(w.t.Context(), w.who(), w.groupID(name), accounts.Precondition{})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	go w.service.RunDeletions(ctx, nil, func(err error) { w.t.Error(err) })
	for {
		now, err := w.service.Deletion(ctx, w.who(), w.sub, operation.Name)
		if err != nil {
			w.t.Fatal(err)
		}
		if now.Done() {
			return
		}
		runtime.Gosched()
	}
}

var errStoreFails = errors.New("the store fails as the test has it")

// failing is a real store whose commits fail after some more.
type failing struct {
	accounts.Store
	left atomic.Int64 // commits that still work; negative: all
	set  atomic.Bool
}

func (s *failing) after(n int64) {
	s.left.Store(n)
	s.set.Store(n >= 0)
}

func (s *failing) Commit(ctx context.Context, w accounts.Write) (twinkey.Revision, error) {
	if s.set.Load() && s.left.Add(-1) < 0 {
		return 0, errStoreFails
	}
	return s.Store.Commit(ctx, w)
}

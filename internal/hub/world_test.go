package hub_test

import (
	"context"
	"iter"
	"log/slog"
	"runtime"
	"testing"

	"github.com/google/uuid"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/etcdnode"
	"github.com/twinkey/twinkey/internal/etcdstore"
	"github.com/twinkey/twinkey/internal/hub"
)

// source is a real store, of which a test may take over a part to make it fail
// as no store can be made to.
type source struct {
	*etcdstore.Store
	watch    func(ctx context.Context, after twinkey.Revision) iter.Seq2[twinkey.Change, error]
	snapshot func(ctx context.Context) iter.Seq2[twinkey.SnapshotChunk, error]
	revision func(ctx context.Context) (twinkey.Revision, error)
}

func (s *source) Watch(ctx context.Context, after twinkey.Revision) iter.Seq2[twinkey.Change, error] {
	if s.watch != nil {
		return s.watch(ctx, after)
	}
	return s.Store.Watch(ctx, after)
}

func (s *source) Snapshot(ctx context.Context) iter.Seq2[twinkey.SnapshotChunk, error] {
	if s.snapshot != nil {
		return s.snapshot(ctx)
	}
	return s.Store.Snapshot(ctx)
}

func (s *source) Revision(ctx context.Context) (twinkey.Revision, error) {
	if s.revision != nil {
		return s.revision(ctx)
	}
	return s.Store.Revision(ctx)
}

// world is a hub on a real store.
type world struct {
	t      *testing.T
	source *source
	etcd   *clientv3.Client
	check  chan struct{}
	hub    *hub.Hub
	sub    string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel() // each has a database of its own
	node, err := etcdnode.Start(t.Context(), etcdnode.Config{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Stop(context.Background()) })
	store, err := etcdstore.Open(t.Context(), node.Client())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, source: &source{Store: store}, etcd: node.Client(), check: make(chan struct{}), sub: uuid.NewString()}
	w.hub = hub.New(hub.Config{Source: w.source, Log: slog.New(slog.DiscardHandler), Check: w.check})
	return w
}

// run runs the hub until the test ends. It waits until the hub knows where it
// begins: what is committed before that would be new to nobody but the
// gateways.
func (w *world) run() *world {
	runHub(w.t, w.hub)
	for w.hub.Stats().Newest == 0 && w.t.Context().Err() == nil {
		runtime.Gosched()
	}
	return w
}

func runHub(t *testing.T, h *hub.Hub) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { h.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
}

func (w *world) newAccount(name string) *accounts.Account {
	a := &accounts.Account{ID: twinkey.ResourceID{Subscription: w.sub, Group: "g", Account: name}, UID: twinkey.UID(uuid.NewString()), Kind: "TextAnalytics", SKU: "S"}
	for i := range a.Slots {
		a.Slots[i] = accounts.Slot{Generation: 1, Digest: twinkey.DigestOf(uuid.NewString())}
	}
	return a
}

func (w *world) commit(write accounts.Write) twinkey.Revision {
	w.t.Helper()
	revision, err := w.source.Commit(w.t.Context(), write)
	if err != nil {
		w.t.Fatal(err)
	}
	return revision
}

// create commits a new account.
func (w *world) create(name string) twinkey.Revision {
	w.t.Helper()
	return w.commit(accounts.Write{Put: []accounts.Document{w.newAccount(name)}})
}

// aside commits something that is nothing to a gateway.
func (w *world) aside() twinkey.Revision {
	w.t.Helper()
	g := &accounts.Group{ID: twinkey.ResourceID{Subscription: w.sub, Group: uuid.NewString()}}
	return w.commit(accounts.Write{Put: []accounts.Document{g}})
}

func connect(t *testing.T, h *hub.Hub, name string) *hub.Feed {
	t.Helper()
	f, err := h.Connect(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func receive(t *testing.T, f *hub.Feed) twinkey.FromHub {
	t.Helper()
	m, err := f.Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// connected is a feed that has received and acknowledged a first snapshot.
func connected(t *testing.T, h *hub.Hub, name string) *hub.Feed {
	t.Helper()
	f := connect(t, h, name)
	synced(t, f, 1)
	return f
}

// synced pings, receives all up to the grant, acknowledges it, and returns it
// without the grant.
func synced(t *testing.T, f *hub.Feed, number uint64) (all []twinkey.FromHub) {
	t.Helper()
	if err := f.Send(t.Context(), twinkey.FromGateway{Ping: &twinkey.Ping{Number: number}}); err != nil {
		t.Fatal(err)
	}
	for {
		m := receive(t, f)
		if m.Grant != nil {
			if m.Grant.Ping != number {
				t.Fatalf("ping %d is granted as %d", number, m.Grant.Ping)
			}
			return all
		}
		all = append(all, m)
		if revision, complete := revisionOf(m); complete {
			ack(t, f, revision)
		}
	}
}

// revisionOf is what a gateway that has applied a message is at.
func revisionOf(m twinkey.FromHub) (twinkey.Revision, bool) {
	switch {
	case m.Change != nil:
		return m.Change.Revision, true
	case m.Chunk != nil:
		return m.Chunk.Revision, m.Chunk.Last
	}
	return 0, false
}

func ack(t *testing.T, f *hub.Feed, revision twinkey.Revision) {
	t.Helper()
	if err := f.Send(t.Context(), twinkey.FromGateway{Ack: &twinkey.Ack{Revision: revision}}); err != nil {
		t.Fatal(err)
	}
}

// ended is a context that is over.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

package hub_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"testing"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/catalog"
	"github.com/twinkey/twinkey/internal/gateway"
)

func ping(t *testing.T, f interface {
	Send(context.Context, twinkey.FromGateway) error
}, number uint64) {
	t.Helper()
	if err := f.Send(t.Context(), twinkey.FromGateway{Ping: &twinkey.Ping{Number: number}}); err != nil {
		t.Fatal(err)
	}
}

// A grant lets a gateway go on serving. It is given on a read that begins after
// the ping has come in, and only once everything up to what was read has been
// sent: else a gateway that is cut off would be told that it is not.
func TestGrantComesAfterEverythingBeforeThePing(t *testing.T) {
	w := newWorld(t)
	let := make(chan struct{})
	opened := w.stall(let)
	reads := make(chan twinkey.Revision, 100)
	w.source.revision = func(ctx context.Context) (twinkey.Revision, error) {
		r, err := w.source.Store.Revision(ctx)
		reads <- r
		return r, err
	}
	f := connect(t, w.hub, "a")
	receive(t, f)
	w.run()
	<-opened
	<-reads // where the hub begins

	revision := w.create("aa")
	ping(t, f, 7)
	if len(reads) > 0 {
		t.Error("the store is read before anybody receives")
	}
	ctx, cancel := context.WithCancel(t.Context())
	received := make(chan error, 1)
	go func() { _, err := f.Receive(ctx); received <- err }()
	if read := <-reads; read < revision {
		t.Errorf("read %d after %d was committed", read, revision)
	}
	cancel() // the watch is stalled: there is nothing to receive, and no grant
	if err := <-received; !errors.Is(err, context.Canceled) {
		t.Errorf("received something, or failed: %v", err)
	}
	close(let)
	if m := receive(t, f); m.Change == nil || m.Change.Revision != revision {
		t.Errorf("before the grant comes %+v", m)
	}
	if m := receive(t, f); m.Grant == nil || m.Grant.Ping != 7 || m.Grant.Revision < revision {
		t.Errorf("then comes %+v", m)
	}
}

// Each ping is granted once, pings that have come together by one grant with
// the newest number, and no grant comes without a ping.
func TestPingsAreGrantedOnce(t *testing.T) {
	w := newWorld(t).run()
	f := connected(t, w.hub, "a")
	for _, number := range []uint64{2, 3, 4} {
		ping(t, f, number)
	}
	ping(t, f, 3)
	if m := receive(t, f); m.Grant == nil || m.Grant.Ping != 4 {
		t.Errorf("received %+v", m)
	}
	ping(t, f, 4)
	ping(t, f, 2)
	if m, err := f.Receive(ended()); err == nil {
		t.Errorf("received %+v", m)
	}
	w.aside()
	ping(t, f, 9)
	if m := receive(t, f); m.Grant == nil || m.Grant.Ping != 9 {
		t.Errorf("received %+v", m)
	}
}

// A store that cannot be read grants nothing, and says so; nothing is lost by
// it.
func TestNoGrantWithoutARead(t *testing.T) {
	w := newWorld(t).run()
	f := connected(t, w.hub, "a")
	revision := w.create("aa")
	w.source.revision = func(context.Context) (twinkey.Revision, error) { return 0, errors.New("not now") }
	ping(t, f, 2)
	for range 3 {
		if m, err := f.Receive(t.Context()); err == nil {
			t.Fatalf("received %+v", m)
		}
	}
	w.source.revision = nil
	if m := receive(t, f); m.Change == nil || m.Change.Revision != revision {
		t.Errorf("received %+v", m)
	}
	if m := receive(t, f); m.Grant == nil || m.Grant.Ping != 2 {
		t.Errorf("received %+v", m)
	}
}

// A snapshot that breaks in the middle begins again from its beginning: were it
// to go on, the accounts of the first part would be missing for ever.
func TestSnapshotThatBreaksBeginsAgain(t *testing.T) {
	w := newWorld(t)
	w.create("a1")
	w.create("a2")
	broken := 0
	ends := []func(yield func(twinkey.SnapshotChunk, error) bool){
		func(yield func(twinkey.SnapshotChunk, error) bool) {
			yield(twinkey.SnapshotChunk{}, errors.New("broken"))
		},
		func(func(twinkey.SnapshotChunk, error) bool) {}, // without a last chunk
	}
	w.source.snapshot = func(ctx context.Context) iter.Seq2[twinkey.SnapshotChunk, error] {
		return func(yield func(twinkey.SnapshotChunk, error) bool) {
			for chunk, err := range w.source.Store.Snapshot(ctx) {
				half := chunk
				half.Accounts, half.Last = chunk.Accounts[:1], false
				if !yield(half, err) {
					return
				}
				if broken < len(ends) {
					broken++
					ends[broken-1](yield)
					return
				}
				chunk.Accounts = chunk.Accounts[1:]
				yield(chunk, nil)
			}
		}
	}
	w.run()
	feed := connect(t, w.hub, "a")
	g := gateway.New(gateway.Config{Catalog: func() *catalog.Catalog { return &catalog.Catalog{} }, Log: slog.New(slog.DiscardHandler)})
	for range ends {
		if err := g.Follow(t.Context(), feed); err == nil || g.Revision() != 0 {
			t.Fatalf("follows a broken snapshot to %d: %v", g.Revision(), err)
		}
	}
	w.source.snapshot = recorded(w.source.snapshot, t, 2)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { _ = g.Follow(ctx, feed); close(done) }()
	if err := g.Sync(ctx, feed); err != nil {
		t.Error(err)
	}
	cancel()
	<-done
	if newest, err := w.source.Store.Revision(t.Context()); err != nil || g.Revision() > newest || g.Revision() == 0 {
		t.Errorf("at %d of %d, %v", g.Revision(), newest, err)
	}
}

// recorded checks that a snapshot yields so many accounts in all.
func recorded(snapshot func(context.Context) iter.Seq2[twinkey.SnapshotChunk, error], t *testing.T, want int) func(context.Context) iter.Seq2[twinkey.SnapshotChunk, error] {
	return func(ctx context.Context) iter.Seq2[twinkey.SnapshotChunk, error] {
		return func(yield func(twinkey.SnapshotChunk, error) bool) {
			names := map[string]bool{}
			for chunk, err := range snapshot(ctx) {
				for _, a := range chunk.Accounts {
					names[a.ID.Account] = true
				}
				if chunk.Last && len(names) != want {
					t.Errorf("the whole snapshot has %v", fmt.Sprint(names))
				}
				if !yield(chunk, err) {
					return
				}
			}
		}
	}
}

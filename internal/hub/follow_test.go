package hub_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"testing"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/hub"
)

// expectChanges checks that messages are exactly these changes, in order.
func expectChanges(t *testing.T, got []twinkey.FromHub, want ...twinkey.Revision) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d messages, want %d changes", len(got), len(want))
	}
	for i, m := range got[:min(len(got), len(want))] {
		if m.Change == nil || m.Change.Revision != want[i] {
			t.Errorf("message %d is %+v, want the change of revision %d", i, m, want[i])
		}
	}
}

// Changes come in the order of their revisions, each once, with everything a
// commit did to accounts and nothing that it did beside.
func TestChangesComeInOrderOnce(t *testing.T) {
	w := newWorld(t).run()
	f := connected(t, w.hub, "a")
	var want []twinkey.Revision
	for i := range 20 {
		want = append(want, w.create(fmt.Sprint("a", i)))
		w.aside()
	}
	expectChanges(t, synced(t, f, 2), want...)
	expectChanges(t, synced(t, f, 3))
}

// cuts makes every watch of the store end, by end, after some changes.
func (w *world) cuts(after int, end func(yield func(twinkey.Change, error) bool)) {
	w.source.watch = func(ctx context.Context, from twinkey.Revision) iter.Seq2[twinkey.Change, error] {
		return func(yield func(twinkey.Change, error) bool) {
			n := 0
			for c, err := range w.source.Store.Watch(ctx, from) {
				if n++; !yield(c, err) || err != nil {
					return
				}
				if n == after {
					end(yield)
					return
				}
			}
		}
	}
}

// A watch that simply ends is opened where it was: nothing is lost, repeated or
// turned into a snapshot.
func TestWatchThatEndsIsOpenedWhereItWas(t *testing.T) {
	w := newWorld(t)
	w.cuts(2, func(func(twinkey.Change, error) bool) {})
	w.run()
	f := connected(t, w.hub, "a")
	var want []twinkey.Revision
	for i := range 15 {
		want = append(want, w.create(fmt.Sprint("a", i)))
	}
	expectChanges(t, synced(t, f, 2), want...)
}

// A watch that says it cannot go on may have lost changes: every gateway that
// lacks any gets the state as it is, and then what follows, without a gap.
func TestWatchThatBreaksCostsASnapshotAndNothingElse(t *testing.T) {
	w := newWorld(t)
	w.cuts(3, func(yield func(twinkey.Change, error) bool) { yield(twinkey.Change{}, errors.New("compacted")) })
	w.run()
	f := connected(t, w.hub, "a")
	known := map[string]bool{}
	at := twinkey.Revision(0)
	for i := range 7 {
		name := fmt.Sprint("a", i)
		revision := w.create(name)
		for _, m := range synced(t, f, uint64(i)+2) {
			to, complete := revisionOf(m)
			if to < at || complete && to == at && m.Change != nil {
				t.Errorf("revision %d after %d", to, at)
			}
			if m.Chunk != nil {
				clear(known) // chunks of these few accounts are whole snapshots
				for _, a := range m.Chunk.Accounts {
					known[a.ID.Account] = true
				}
			} else if known[m.Change.Put[0].ID.Account] {
				t.Errorf("%s is put twice", m.Change.Put[0].ID.Account)
			} else {
				known[m.Change.Put[0].ID.Account] = true
			}
			at = to
		}
		if at < revision || len(known) != i+1 {
			t.Errorf("after revision %d: at %d, knows %v", revision, at, known)
		}
	}
}

// stall makes watches show nothing until let is closed; opened receives where
// each was opened.
func (w *world) stall(let <-chan struct{}) (opened chan twinkey.Revision) {
	opened = make(chan twinkey.Revision, 10)
	w.source.watch = func(ctx context.Context, from twinkey.Revision) iter.Seq2[twinkey.Change, error] {
		return func(yield func(twinkey.Change, error) bool) {
			opened <- from
			select {
			case <-let:
			case <-ctx.Done():
				yield(twinkey.Change{}, ctx.Err())
				return
			}
			for c, err := range w.source.Store.Watch(ctx, from) {
				if !yield(c, err) {
					return
				}
			}
		}
	}
	return opened
}

// A watch that stalls without a word is found out by comparing it with the
// store, opened anew where it was, and loses and repeats nothing.
func TestSilentWatchIsFoundOut(t *testing.T) {
	w := newWorld(t)
	let := make(chan struct{})
	opened := w.stall(let)
	w.run()
	f := connected(t, w.hub, "a")
	start := <-opened
	first := w.create("a1")
	w.check <- struct{}{} // reads the store's revision
	w.check <- struct{}{} // finds that the watch has not reached it
	if again := <-opened; again != start {
		t.Errorf("opened at %d, and again at %d", start, again)
	}
	second := w.create("a2")
	w.check <- struct{}{}
	w.check <- struct{}{}
	close(let)
	<-opened
	third := w.create("a3")
	expectChanges(t, synced(t, f, 2), first, second, third)
}

// A store that has dropped what the hub has not seen yet cannot be followed from
// there: a gateway that lacks it is pending until it has the state as it is.
func TestStoreThatHasDroppedWhatIsMissing(t *testing.T) {
	w := newWorld(t)
	let := make(chan struct{})
	opened := w.stall(let)
	w.run()
	a := connected(t, w.hub, "a")
	<-opened
	w.create("a1")
	w.create("a2")
	dropped := w.aside()
	if _, err := w.etcd.Compact(t.Context(), int64(dropped)); err != nil {
		t.Fatal(err)
	}
	close(let)
	<-opened // from where the store is now
	b := connected(t, w.hub, "b")
	later := w.create("a3")
	if m := receive(t, b); m.Change == nil || m.Change.Revision != later {
		t.Errorf("who has the state receives %+v, want change %d", m, later)
	}
	w.expectPending(dropped, "a")
	m := receive(t, a)
	if m.Chunk == nil || m.Chunk.Revision < later || len(m.Chunk.Accounts) != 3 {
		t.Errorf("who lacks something receives %+v", m)
	}
	ack(t, a, m.Chunk.Revision)
	w.expectPending(dropped)
}

// A watch that is up to date is left alone, however often it is looked at.
func TestHealthyWatchIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	let := make(chan struct{})
	close(let)
	opened := w.stall(let)
	w.run()
	f := connected(t, w.hub, "a")
	<-opened
	for i := range 5 {
		revision := w.create(fmt.Sprint("a", i))
		expectChanges(t, synced(t, f, uint64(i)+2), revision)
		w.check <- struct{}{}
		w.check <- struct{}{}
	}
	if len(opened) > 0 {
		t.Error("a healthy watch was opened anew")
	}
}

// A store that does not answer at first is asked until it does.
func TestHubWaitsForItsStore(t *testing.T) {
	w := newWorld(t)
	asked := 0
	failures := make(chan struct{}, 1)
	w.source.revision = func(ctx context.Context) (twinkey.Revision, error) {
		if asked++; asked <= 2 {
			return 0, errors.New("not now")
		}
		w.source.revision = nil
		revision, err := w.source.Store.Revision(ctx)
		failures <- struct{}{} // what is written from now on comes after it
		return revision, err
	}
	w.run()
	<-failures
	f := connected(t, w.hub, "a")
	revision := w.create("aa")
	expectChanges(t, synced(t, f, 2), revision)
}

// many is a source of more changes than are retained, made of functions since a
// store would take seconds to make them.
type many struct {
	until twinkey.Revision
	more  chan twinkey.Revision // the watch goes on until it has reached what it receives
}

func (m *many) Revision(context.Context) (twinkey.Revision, error) { return m.until, nil }

func (m *many) Snapshot(context.Context) iter.Seq2[twinkey.SnapshotChunk, error] {
	return func(yield func(twinkey.SnapshotChunk, error) bool) {
		yield(twinkey.SnapshotChunk{Revision: m.until, Last: true}, nil)
	}
}

func (m *many) Watch(ctx context.Context, after twinkey.Revision) iter.Seq2[twinkey.Change, error] {
	return func(yield func(twinkey.Change, error) bool) {
		for {
			select {
			case to := <-m.more:
				for after < to {
					after++
					if !yield(twinkey.Change{Revision: after, Put: []twinkey.AccountState{{}}}, nil) {
						return
					}
				}
			case <-ctx.Done():
				yield(twinkey.Change{}, ctx.Err())
				return
			}
		}
	}
}

// A gateway that lags gets all it lacks for as long as it is retained, and the
// whole state instead of a gap once it is not.
func TestGatewayThatLagsGetsNoGap(t *testing.T) {
	const retained, start = 4096, 10
	m := &many{until: start, more: make(chan twinkey.Revision)}
	h := hub.New(hub.Config{Source: m, Log: slog.New(slog.DiscardHandler), Check: make(chan struct{})})
	runHub(t, h)
	far, near := connected(t, h, "far"), connected(t, h, "near")
	grow := func(by twinkey.Revision) {
		m.until += by
		m.more <- m.until
	}
	m.more <- start // the watch is open

	grow(retained + 1)
	for want := twinkey.Revision(start + 1); want <= m.until; want++ {
		if got := receive(t, near); got.Change == nil || got.Change.Revision != want {
			t.Fatalf("a gateway within what is retained receives %+v, want change %d", got, want)
		}
	}
	behind := m.until
	grow(retained) // now the oldest are dropped
	for want := behind + 1; want <= m.until; want++ {
		if got := receive(t, near); got.Change == nil || got.Change.Revision != want {
			t.Fatalf("a gateway within what is retained receives %+v, want change %d", got, want)
		}
	}
	if got := receive(t, far); got.Chunk == nil || !got.Chunk.Last || got.Chunk.Revision != m.until {
		t.Fatalf("a gateway beyond what is retained receives %+v", got)
	}
	grow(1)
	for _, f := range []*hub.Feed{far, near} {
		if got := receive(t, f); got.Change == nil || got.Change.Revision != m.until {
			t.Errorf("then it receives %+v, want change %d", got, m.until)
		}
	}
}

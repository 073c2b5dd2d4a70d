package hub_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/hub"
)

func (w *world) expectPending(revision twinkey.Revision, names ...string) {
	w.t.Helper()
	c := w.hub.Confirm(ended(), revision)
	if c.Revision != revision || !slices.Equal(c.Pending, names) {
		w.t.Errorf("at %d pending are %v of revision %d, want %v", revision, c.Pending, c.Revision, names)
	}
}

// A call that takes access away must not return while a gateway may still
// admit, and must name exactly those that may: one that was sent nothing, and
// one that was sent it but has not said that it acts on it.
func TestConfirmWaitsForEveryGateway(t *testing.T) {
	w := newWorld(t).run()
	w.expectPending(w.create("alone"))
	a, b, c := connected(t, w.hub, "a"), connected(t, w.hub, "b"), connected(t, w.hub, "c")
	revision := w.create("aa")
	w.expectPending(revision, "a", "b", "c")

	confirmed := make(chan twinkey.Confirmation, 1)
	go func() { confirmed <- w.hub.Confirm(t.Context(), revision) }()
	if m := receive(t, b); m.Change == nil || m.Change.Revision != revision {
		t.Fatalf("received %+v", m)
	}
	w.expectPending(revision, "a", "b", "c")
	receive(t, a)
	ack(t, a, revision)
	w.expectPending(revision, "b", "c")
	ack(t, b, revision-1)
	w.expectPending(revision, "b", "c")
	ack(t, b, revision)
	ack(t, b, revision-1) // an old acknowledgement takes nothing back
	w.expectPending(revision, "c")
	select {
	case <-confirmed:
		t.Error("confirmed while a gateway is pending")
	default:
	}
	receive(t, c)
	ack(t, c, revision)
	if got := <-confirmed; got.Revision != revision || len(got.Pending) > 0 {
		t.Errorf("confirmed as %+v", got)
	}
}

// A gateway that has connected and knows nothing yet counts; so does one that
// is in the midst of its first snapshot.
func TestNewGatewayIsPendingUntilItHasASnapshot(t *testing.T) {
	w := newWorld(t).run()
	revision := w.create("aa")
	f := connect(t, w.hub, "new")
	w.expectPending(revision, "new")
	m := receive(t, f)
	w.expectPending(revision, "new")
	ack(t, f, m.Chunk.Revision)
	w.expectPending(revision)
}

// What did nothing to accounts keeps nobody waiting, once it is known that it
// did nothing.
func TestCommitsAsideAreConfirmedByThemselves(t *testing.T) {
	w := newWorld(t).run()
	f := connected(t, w.hub, "a")
	first := w.aside()
	if c := w.hub.Confirm(t.Context(), first); len(c.Pending) > 0 {
		t.Errorf("pending: %v", c.Pending)
	}
	change, second := w.create("aa"), w.aside()
	w.expectPending(second, "a")
	w.expectPending(first)
	receive(t, f)
	ack(t, f, change)
	if c := w.hub.Confirm(t.Context(), second); len(c.Pending) > 0 {
		t.Errorf("pending: %v", c.Pending)
	}
}

// Waiting ends with the caller's context or with patience, whichever is first:
// an administrator is told who is pending instead of being left to wait.
func TestConfirmEnds(t *testing.T) {
	w := newWorld(t)
	impatient := hub.New(hub.Config{Source: w.source, Log: slog.New(slog.DiscardHandler), Patience: time.Nanosecond, Check: w.check})
	connect(t, impatient, "a")
	if c := impatient.Confirm(t.Context(), 1); !slices.Equal(c.Pending, []string{"a"}) {
		t.Errorf("after its patience pending are %v", c.Pending)
	}
	connect(t, w.hub, "b")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan twinkey.Confirmation, 1)
	go func() { done <- w.hub.Confirm(ctx, 1) }()
	cancel()
	if c := <-done; !slices.Equal(c.Pending, []string{"b"}) {
		t.Errorf("after its context pending are %v", c.Pending)
	}
}

// A gateway that has left admits nothing and keeps nobody waiting; who waits is
// told at once, its feed is at its end, and its name is free.
func TestClosedFeedNoLongerCounts(t *testing.T) {
	w := newWorld(t).run()
	f := connected(t, w.hub, "a")
	if _, err := w.hub.Connect("a"); err == nil {
		t.Error("two gateways have one name")
	}
	revision := w.create("aa")
	receive(t, f)
	received := make(chan error, 1)
	go func() { _, err := f.Receive(t.Context()); received <- err }()
	confirmed := make(chan twinkey.Confirmation, 1)
	go func() { confirmed <- w.hub.Confirm(t.Context(), revision) }()
	f.Close()
	if c := <-confirmed; len(c.Pending) > 0 {
		t.Errorf("pending: %v", c.Pending)
	}
	if err := <-received; err == nil {
		t.Error("a closed feed delivers")
	}
	if err := f.Send(t.Context(), twinkey.FromGateway{Ack: &twinkey.Ack{Revision: revision}}); err == nil {
		t.Error("a closed feed takes acknowledgements")
	}
	again := connect(t, w.hub, "a")
	f.Close() // the old one again: not the new one's business
	w.expectPending(revision, "a")
	if m := receive(t, again); m.Chunk == nil {
		t.Errorf("a new gateway begins with %+v", m)
	}
}

// A feed that is closed in the midst of a snapshot lets go of it.
func TestClosedFeedEndsItsSnapshot(t *testing.T) {
	w := newWorld(t)
	released := make(chan struct{})
	w.source.snapshot = func(context.Context) iter.Seq2[twinkey.SnapshotChunk, error] {
		return func(yield func(twinkey.SnapshotChunk, error) bool) {
			defer close(released)
			for yield(twinkey.SnapshotChunk{Revision: 1}, nil) {
			}
		}
	}
	f := connect(t, w.hub, "a")
	receive(t, f)
	f.Close()
	if _, err := f.Receive(t.Context()); err == nil {
		t.Error("a closed feed goes on with its snapshot")
	}
	<-released
}

// Gateways come, go and acknowledge while changes are confirmed: nothing is
// named as pending in the end, and nobody waits for ever.
func TestConfirmAmongGatewaysThatComeAndGo(t *testing.T) {
	w := newWorld(t).run()
	ctx, cancel := context.WithCancel(t.Context())
	var gateways sync.WaitGroup
	for i := range 4 {
		gateways.Go(func() {
			for round := 0; ctx.Err() == nil; round++ {
				f, err := w.hub.Connect(fmt.Sprint(i, ".", round))
				if err != nil {
					t.Error(err)
					return
				}
				for range 5 {
					m, err := f.Receive(ctx)
					if err != nil {
						break
					}
					if revision, complete := revisionOf(m); complete {
						ack(t, f, revision)
					}
				}
				f.Close()
			}
		})
	}
	for i := range 40 {
		revision := w.create(fmt.Sprint("a", i))
		if c := w.hub.Confirm(t.Context(), revision); len(c.Pending) > 0 {
			t.Errorf("revision %d: pending are %v", revision, c.Pending)
		}
	}
	cancel()
	gateways.Wait()
}

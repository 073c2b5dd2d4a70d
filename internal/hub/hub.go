// Package hub carries ordered revisions from the store to the gateways and
// their acknowledgements back, and knows when a revision is confirmed: when no
// registered gateway decides on anything older.
//
// It refuses to hold keys or sealed values, to interpret an account's state,
// and to count a gateway as up to date that has not said so itself.
package hub

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/twinkey/twinkey"
)

// retained is how many changes are kept for gateways that lag; one that has
// fallen further behind gets a snapshot.
const retained = 4096

// Source is where revisions come from.
type Source interface {
	// Revision is a linearizable read of the newest revision.
	Revision(ctx context.Context) (twinkey.Revision, error)
	// Watch yields every commit after a revision, in order, also those that did
	// nothing to accounts. It ends with an error when it cannot go on from there.
	Watch(ctx context.Context, after twinkey.Revision) iter.Seq2[twinkey.Change, error]
	// Snapshot yields the whole state at one revision, the last chunk marked.
	Snapshot(ctx context.Context) iter.Seq2[twinkey.SnapshotChunk, error]
}

// Config is what a Hub needs.
type Config struct {
	Source   Source
	Log      *slog.Logger
	Patience time.Duration   // how long Confirm waits before it names who is pending; zero means 10 s
	Check    <-chan struct{} // each receive compares the watch with the store; nil means once a second
}

// Hub distributes one source to many gateways.
type Hub struct {
	source   Source
	log      *slog.Logger
	patience time.Duration
	check    <-chan struct{}

	mu       sync.Mutex
	bell     chan struct{} // closed and replaced whenever anything below changes
	gateways map[string]*Feed
	changes  []twinkey.Change // all since base that touched accounts, in order
	base     twinkey.Revision
	seen     twinkey.Revision // the watch has reached this
	reopened uint64           // how often the watch failed
	damaged  uint64           // how often an account was met that cannot be read
	started  bool
}

// New makes a Hub; Run makes it work.
func New(c Config) *Hub {
	if c.Patience == 0 {
		c.Patience = 10 * time.Second
	}
	return &Hub{source: c.Source, log: c.Log, patience: c.Patience, check: c.Check,
		bell: make(chan struct{}), gateways: map[string]*Feed{}}
}

// Run follows the source until ctx ends. A watch that breaks, or that does not
// reach what the store says is there, is opened anew.
func (h *Hub) Run(ctx context.Context) {
	check := h.check
	if check == nil {
		check = everySecond(ctx)
	}
	for ctx.Err() == nil {
		if err := h.follow(ctx, check); err != nil && ctx.Err() == nil {
			h.log.Warn("following the store", "error", err, "revision", h.reopen())
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
}

// Confirm waits until every registered gateway has applied revision. When ctx
// ends, or patience does, it names those that have not.
func (h *Hub) Confirm(ctx context.Context, revision twinkey.Revision) twinkey.Confirmation {
	ctx, cancel := context.WithTimeout(ctx, h.patience)
	defer cancel()
	for {
		pending, bell := h.pending(revision)
		if len(pending) == 0 {
			return twinkey.Confirmation{Revision: revision}
		}
		select {
		case <-bell:
		case <-ctx.Done():
			return twinkey.Confirmation{Revision: revision, Pending: pending}
		}
	}
}

func (h *Hub) pending(revision twinkey.Revision) ([]string, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var names []string
	for name, f := range h.gateways {
		if !h.applied(f, revision) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, h.bell
}

// applied reports whether a gateway decides on nothing older than revision: it
// has said so, or what it lacks did nothing to accounts. h.mu is held.
func (h *Hub) applied(f *Feed, revision twinkey.Revision) bool {
	if f.acked >= revision {
		return true
	}
	if f.acked == 0 || f.acked < h.base || h.seen < revision {
		return false
	}
	at := after(h.changes, f.acked)
	return at == len(h.changes) || h.changes[at].Revision > revision
}

// after is the place of the first change later than a revision.
func after(changes []twinkey.Change, revision twinkey.Revision) int {
	return sort.Search(len(changes), func(i int) bool { return changes[i].Revision > revision })
}

// errBehind says that the store is ahead of what the watch has shown.
var errBehind = errors.New("the watch does not reach the newest revision")

// follow watches from where the hub is until the watch fails or falls behind.
func (h *Hub) follow(ctx context.Context, check <-chan struct{}) error {
	if err := h.begin(ctx); err != nil {
		return err
	}
	watching, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go h.checkUp(watching, stop, check)
	for change, err := range h.source.Watch(watching, h.reached()) {
		if err != nil {
			if cause := context.Cause(watching); cause != nil {
				return cause
			}
			h.rebase()
			return err
		}
		h.complain(change.Unreadable)
		h.add(change)
	}
	return context.Cause(watching)
}

// begin sets the point the hub starts from, once, and again after a rebase.
func (h *Hub) begin(ctx context.Context) error {
	h.mu.Lock()
	started := h.started
	h.mu.Unlock()
	if started {
		return nil
	}
	revision, err := h.source.Revision(ctx)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.base, h.seen, h.changes, h.started = revision, max(h.seen, revision), nil, true
	h.ring()
	return nil
}

// rebase forgets what is retained: the source could not go on from here, so
// gateways that lack anything need a snapshot.
func (h *Hub) rebase() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.started = false
}

// checkUp ends the watch when two checks in a row find it behind the same
// revision of the store.
func (h *Hub) checkUp(ctx context.Context, stop context.CancelCauseFunc, check <-chan struct{}) {
	var expected twinkey.Revision
	for {
		select {
		case <-ctx.Done():
			return
		case <-check:
		}
		if h.reached() < expected {
			stop(errBehind)
			return
		}
		if revision, err := h.source.Revision(ctx); err == nil {
			expected = revision
		}
	}
}

func (h *Hub) add(change twinkey.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if change.Revision <= h.seen {
		return
	}
	h.seen = change.Revision
	if len(change.Put)+len(change.Removed) > 0 {
		h.changes = append(h.changes, change)
	}
	if len(h.changes) > 2*retained {
		h.base = h.changes[retained-1].Revision
		h.changes = slices.Clone(h.changes[retained:])
	}
	h.ring()
}

// complain logs and counts accounts that gateways are not told of.
func (h *Hub) complain(unreadable []twinkey.UnreadableAccount) {
	if len(unreadable) == 0 {
		return
	}
	for _, u := range unreadable {
		h.log.Error("an account's stored document cannot be read: its keys are refused until it is repaired", "account", u.ID.String(), "cause", u.Cause)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.damaged += uint64(len(unreadable))
}

func (h *Hub) reached() twinkey.Revision {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.seen
}

// reopen counts a watch that failed and returns how far it came.
func (h *Hub) reopen() twinkey.Revision {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reopened++
	return h.seen
}

// ring wakes everyone who waits for something to change. h.mu is held.
func (h *Hub) ring() {
	close(h.bell)
	h.bell = make(chan struct{})
}

func everySecond(ctx context.Context) <-chan struct{} {
	tick := make(chan struct{})
	go func() {
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				select {
				case tick <- struct{}{}:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return tick
}

package hub

import (
	"context"
	"fmt"
	"iter"

	"github.com/twinkey/twinkey"
)

// Feed is one gateway's connection: what it receives is pulled, so a slow
// gateway holds up nobody. One goroutine receives; any may send.
type Feed struct {
	hub  *Hub
	name string

	// Guarded by hub.mu.
	acked  twinkey.Revision
	ping   uint64
	closed bool

	// Used by the receiving goroutine alone.
	cursor  twinkey.Revision // sent up to here; 0 means a snapshot is due
	chunks  func() (twinkey.SnapshotChunk, error, bool)
	stop    func()
	granted uint64
	asked   uint64 // the ping for which target was read
	target  twinkey.Revision
}

// Connect registers a gateway under a name and returns its feed. From now on
// nothing is confirmed that this gateway has not acknowledged.
func (h *Hub) Connect(name string) (*Feed, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, taken := h.gateways[name]; taken {
		return nil, fmt.Errorf("a gateway named %q is connected already", name)
	}
	f := &Feed{hub: h, name: name}
	h.gateways[name] = f
	return f, nil
}

// Receive returns the next message: snapshot chunks first, then changes in
// order, and grants between them. An error in the midst of a snapshot means that
// the next call begins another.
func (f *Feed) Receive(ctx context.Context) (twinkey.FromHub, error) {
	for {
		if err := f.open(); err != nil {
			f.endSnapshot()
			return twinkey.FromHub{}, err
		}
		if f.cursor == 0 {
			return f.chunk(ctx)
		}
		if err := f.readTarget(ctx); err != nil {
			return twinkey.FromHub{}, err
		}
		message, ok, bell := f.next()
		if ok {
			return message, nil
		}
		if f.cursor == 0 {
			continue
		}
		select {
		case <-bell:
		case <-ctx.Done():
			return twinkey.FromHub{}, ctx.Err()
		}
	}
}

// Send takes an acknowledgement or a ping from the gateway.
func (f *Feed) Send(_ context.Context, m twinkey.FromGateway) error {
	if err := f.open(); err != nil {
		return err
	}
	f.hub.mu.Lock()
	defer f.hub.mu.Unlock()
	if m.Ack != nil {
		f.acked = max(f.acked, m.Ack.Revision)
	}
	if m.Ping != nil {
		f.ping = max(f.ping, m.Ping.Number)
	}
	f.hub.ring()
	return nil
}

// Close takes the gateway off the register. It must admit nothing any more.
func (f *Feed) Close() {
	f.hub.mu.Lock()
	defer f.hub.mu.Unlock()
	f.closed = true
	if f.hub.gateways[f.name] == f {
		delete(f.hub.gateways, f.name)
	}
	f.hub.ring()
}

// open fails once the feed is closed.
func (f *Feed) open() error {
	f.hub.mu.Lock()
	defer f.hub.mu.Unlock()
	if f.closed {
		return fmt.Errorf("the feed of gateway %q is closed", f.name)
	}
	return nil
}

// chunk sends the next part of a snapshot.
func (f *Feed) chunk(ctx context.Context) (twinkey.FromHub, error) {
	if f.chunks == nil {
		f.chunks, f.stop = iter.Pull2(f.hub.source.Snapshot(ctx))
	}
	chunk, err, ok := f.chunks()
	if err == nil && !ok {
		err = fmt.Errorf("the snapshot ended without a last chunk")
	}
	if err != nil || chunk.Last {
		f.endSnapshot()
	}
	if err != nil {
		return twinkey.FromHub{}, fmt.Errorf("reading a snapshot: %w", err)
	}
	f.hub.complain(chunk.Unreadable)
	if chunk.Last {
		f.cursor = chunk.Revision
	}
	return twinkey.FromHub{Chunk: &chunk}, nil
}

// endSnapshot lets go of a snapshot, whether or not it has come to its end.
func (f *Feed) endSnapshot() {
	if f.chunks != nil {
		f.stop()
		f.chunks, f.stop = nil, nil
	}
}

// readTarget reads the store's newest revision for a ping that has come in.
func (f *Feed) readTarget(ctx context.Context) error {
	f.hub.mu.Lock()
	ping := f.ping
	f.hub.mu.Unlock()
	if ping == f.asked {
		return nil
	}
	revision, err := f.hub.source.Revision(ctx)
	if err != nil {
		return fmt.Errorf("reading the newest revision for a grant: %w", err)
	}
	f.asked, f.target = ping, revision
	return nil
}

// next finds what to send after the cursor, or the bell to wait for.
func (f *Feed) next() (twinkey.FromHub, bool, <-chan struct{}) {
	h := f.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if f.cursor < h.base {
		f.cursor = 0 // what it lacks is not retained any more
		return twinkey.FromHub{}, false, h.bell
	}
	if at := after(h.changes, f.cursor); at < len(h.changes) {
		change := h.changes[at]
		f.cursor = change.Revision
		return twinkey.FromHub{Change: &change}, true, h.bell
	}
	if f.asked != f.granted && max(h.seen, f.cursor) >= f.target {
		f.granted = f.asked
		return twinkey.FromHub{Grant: &twinkey.Grant{Ping: f.asked, Revision: f.target}}, true, h.bell
	}
	return twinkey.FromHub{}, false, h.bell
}

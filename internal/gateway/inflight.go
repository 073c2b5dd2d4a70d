package gateway

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// inflight knows the calls being forwarded, so that what must die with a key
// can be found: upgraded connections at once, answers still streaming after a
// while.
type inflight struct {
	next   atomic.Uint32
	shards [16]struct {
		sync.Mutex
		calls map[*forwarded]struct{}
		_     [40]byte // keeps neighbours off one cache line
	}
}

// forwarded is one call under way.
type forwarded struct {
	admission Admission
	upgraded  bool
	cancel    context.CancelFunc
}

// begin registers a call; the returned function takes it off again.
func (f *inflight) begin(r *http.Request, a Admission) (*http.Request, func()) {
	if a.Slot == 0 { // admitted by an access token: no key can take it away
		return r, func() {}
	}
	ctx, cancel := context.WithCancel(r.Context())
	call := &forwarded{admission: a, upgraded: r.Header.Get("Upgrade") != "", cancel: cancel}
	shard := &f.shards[f.next.Add(1)%uint32(len(f.shards))]
	shard.Lock()
	if shard.calls == nil {
		shard.calls = map[*forwarded]struct{}{}
	}
	shard.calls[call] = struct{}{}
	shard.Unlock()
	return r.WithContext(ctx), func() {
		shard.Lock()
		delete(shard.calls, call)
		shard.Unlock()
		cancel()
	}
}

// sweep ends the calls that the table admits no longer: upgraded ones now, the
// others when drain has passed and they are still going.
func (f *inflight) sweep(t *Table, drain time.Duration) {
	var later []*forwarded
	for i := range f.shards {
		shard := &f.shards[i]
		shard.Lock()
		for call := range shard.calls {
			if t.stillAdmits(&call.admission) {
				continue
			}
			if call.upgraded || drain <= 0 {
				call.cancel()
			} else {
				later = append(later, call)
			}
		}
		shard.Unlock()
	}
	if len(later) > 0 {
		time.AfterFunc(drain, func() {
			for _, call := range later {
				call.cancel() // does nothing to a call that has ended
			}
		})
	}
}

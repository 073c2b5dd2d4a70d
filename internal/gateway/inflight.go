package gateway

import (
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
		first *forwarded
		_     [48]byte // keeps neighbours off one cache line
	}
}

// forwarded is one call under way, in the list of its shard.
type forwarded struct {
	admission *Admission
	upgraded  bool

	shard          uint8
	listed         bool
	condemned      bool // its end is settled
	before, behind *forwarded

	mu  sync.Mutex
	cut func() // ends the call; nil once it has ended by itself
}

// begin registers a call; end takes it off again. A call admitted by an access
// token is not registered: no key can take it away.
func (f *inflight) begin(call *forwarded) {
	if call.admission.Slot == 0 {
		return
	}
	call.listed, call.shard = true, uint8(f.next.Add(1)%uint32(len(f.shards)))
	shard := &f.shards[call.shard]
	shard.Lock()
	defer shard.Unlock()
	if call.behind = shard.first; call.behind != nil {
		call.behind.before = call
	}
	shard.first = call
}

func (f *inflight) end(call *forwarded) {
	if !call.listed {
		return
	}
	shard := &f.shards[call.shard]
	shard.Lock()
	if call.behind != nil {
		call.behind.before = call.before
	}
	if call.before != nil {
		call.before.behind = call.behind
	} else {
		shard.first = call.behind
	}
	shard.Unlock()
	call.mu.Lock()
	call.cut = nil
	call.mu.Unlock()
}

// sweep ends the calls that the table admits no longer: upgraded ones now, the
// others when drain has passed and they are still going.
func (f *inflight) sweep(t *Table, drain time.Duration) {
	var later []*forwarded
	for i := range f.shards {
		shard := &f.shards[i]
		shard.Lock()
		for call := shard.first; call != nil; call = call.behind {
			if call.condemned || t.stillAdmits(call.admission) {
				continue
			}
			call.condemned = true
			if call.upgraded || drain <= 0 {
				call.abort()
			} else {
				later = append(later, call)
			}
		}
		shard.Unlock()
	}
	if len(later) > 0 {
		time.AfterFunc(drain, func() {
			for _, call := range later {
				call.abort()
			}
		})
	}
}

func (c *forwarded) abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut != nil {
		c.cut()
	}
}

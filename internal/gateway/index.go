package gateway

import (
	"iter"
	"sync/atomic"
)

// shardCount keeps a shard of a million accounts at about 500 entries, cheap to
// copy when one changes.
const shardCount = 4096

// index says which accounts of a Table may have something, by its hash. It holds
// neither what was hashed nor a pointer, so that millions of entries take little
// memory and nothing of the garbage collector's time. Who looks compares what is
// found.
//
// Look-ups take no lock: a shard that others can see is replaced whole.
type index struct {
	shards [shardCount]atomic.Pointer[shard]
}

// shard is a hash table with linear probing.
type shard struct {
	held    int
	entries []entry // never full
}

// entry is the lower half of a hash above the account's number plus one; zero is
// a free place.
type entry uint64

func newEntry(hash uint64, number uint32) entry { return entry(hash<<32 | uint64(number) + 1) }

func (e entry) number() uint32 { return uint32(e) - 1 }
func (e entry) tag() uint32    { return uint32(e >> 32) }

// of yields the numbers of the accounts that may have what has this hash.
func (x *index) of(hash uint64) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		s := x.shards[hash>>32%shardCount].Load()
		if s == nil {
			return
		}
		for at := s.home(uint32(hash)); s.entries[at] != 0; at = s.after(at) {
			if e := s.entries[at]; e.tag() == uint32(hash) && !yield(e.number()) {
				return
			}
		}
	}
}

// add makes an account findable by a hash.
func (x *index) add(hash uint64, number uint32) {
	x.replace(hash, newEntry(hash, number), 0)
}

// drop undoes add.
func (x *index) drop(hash uint64, number uint32) {
	x.replace(hash, 0, newEntry(hash, number))
}

// replace swaps in a copy of a shard with one entry more, or one less.
func (x *index) replace(hash uint64, more, less entry) {
	at := &x.shards[hash>>32%shardCount]
	old := at.Load()
	if old == nil {
		old = &shard{}
	}
	next := newShard(old.held + 1)
	for _, e := range old.entries {
		if e != 0 && e != less {
			next.insert(e)
		}
	}
	if more != 0 {
		next.insert(more)
	}
	at.Store(next)
}

// fill is add for an index that nobody looks into yet: in place.
func (x *index) fill(hash uint64, number uint32) {
	at := &x.shards[hash>>32%shardCount]
	s := at.Load()
	if s == nil || s.held+1 > len(s.entries)/4*3 {
		s = s.grown()
		at.Store(s)
	}
	s.insert(newEntry(hash, number))
}

// newShard has room for some entries, and a third of its places free then.
func newShard(held int) *shard { return &shard{entries: make([]entry, held+held/2+1)} }

// grown is a copy that has room for many more.
func (s *shard) grown() *shard {
	if s == nil {
		return newShard(8)
	}
	next := newShard(s.held + s.held/3 + 1)
	for _, e := range s.entries {
		if e != 0 {
			next.insert(e)
		}
	}
	return next
}

func (s *shard) insert(e entry) {
	at := s.home(e.tag())
	for ; s.entries[at] != 0; at = s.after(at) {
		if s.entries[at] == e {
			return
		}
	}
	s.entries[at] = e
	s.held++
}

// home is where an entry belongs if the place is free.
func (s *shard) home(tag uint32) int { return int(uint64(tag) * uint64(len(s.entries)) >> 32) }

func (s *shard) after(at int) int {
	if at++; at == len(s.entries) {
		return 0
	}
	return at
}

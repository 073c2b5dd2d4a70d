package gateway

import (
	"slices"
	"sync"
	"sync/atomic"
	"unique"

	"github.com/twinkey/twinkey"
)

// shardCount keeps a shard of a million accounts at about 500 digests, cheap to
// copy when one changes.
const shardCount = 4096

// Table finds the account a digest opens. Look-ups take no lock and never wait
// for a change.
//
// The shards only say where to look. What counts is the account's one pointer
// to its state: a digest is admitted if that state has it in a slot, so storing
// the pointer is the one instant at which everything about an account changes.
type Table struct {
	shards   [shardCount]atomic.Pointer[map[twinkey.Digest]*account]
	revision atomic.Int64

	byDomain sync.Map // folded sub-domain -> *account

	mu   sync.RWMutex // serialises changes
	byID map[twinkey.ResourceID]*account
}

// account is nil inside once the account is gone.
type account struct {
	state atomic.Pointer[twinkey.AccountState]
	rate  rate
}

// NewTable makes an empty table, which admits nothing.
func NewTable() *Table {
	t := &Table{byID: map[twinkey.ResourceID]*account{}}
	empty := map[twinkey.Digest]*account{}
	for i := range t.shards {
		t.shards[i].Store(&empty)
	}
	return t
}

// Find returns the state of the account that d opens, and by which slot.
func (t *Table) Find(d twinkey.Digest) (*twinkey.AccountState, twinkey.KeyName, bool) {
	state, name, _ := t.open(d)
	return state, name, state != nil
}

func (t *Table) open(d twinkey.Digest) (*twinkey.AccountState, twinkey.KeyName, *account) {
	a := (*t.shard(d).Load())[d]
	if a == nil {
		return nil, 0, nil
	}
	state := a.state.Load()
	if state == nil {
		return nil, 0, nil
	}
	for _, name := range twinkey.KeyNames() {
		if state.Digests[name.Index()] == d {
			return state, name, a
		}
	}
	return nil, 0, nil
}

// lives reports whether what a key of this generation opened may go on: the
// account is there and the same, takes keys, and has not regenerated the slot.
func lives(state *twinkey.AccountState, uid twinkey.UID, slot twinkey.KeyName, g twinkey.Generation) bool {
	return state != nil && state.UID == uid && !state.KeysDisabled && state.Generations[slot.Index()] == g
}

// stillAdmits asks the same of an admission made by this table, or by one that
// it has replaced.
func (t *Table) stillAdmits(a *Admission) bool {
	account := a.account
	if a.table != t {
		_, account = t.named(a.Account.ID)
	}
	return account != nil && lives(account.state.Load(), a.Account.UID, a.Slot, a.Generation)
}

// named finds an account by its id. It waits for a change under way, so it is
// not for every call.
func (t *Table) named(id twinkey.ResourceID) (*twinkey.AccountState, *account) {
	t.mu.RLock()
	a := t.byID[id.Folded()]
	t.mu.RUnlock()
	if a == nil {
		return nil, nil
	}
	return a.state.Load(), a
}

// atHost finds the account that has a sub-domain.
func (t *Table) atHost(subdomain string) (*twinkey.AccountState, *account) {
	found, ok := t.byDomain.Load(subdomain)
	if !ok {
		return nil, nil
	}
	a := found.(*account)
	return a.state.Load(), a
}

// Revision is the newest revision applied.
func (t *Table) Revision() twinkey.Revision { return twinkey.Revision(t.revision.Load()) }

// Add puts many accounts into a table nobody looks into yet: shards are filled
// in place.
func (t *Table) Add(states []twinkey.AccountState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	grown := map[int]map[twinkey.Digest]*account{}
	for i := range states {
		s := shared(states[i])
		a := &account{}
		a.state.Store(&s)
		t.byID[s.ID.Folded()] = a
		t.index(a, nil, &s)
		for _, d := range s.Digests {
			at := shardOf(d)
			if grown[at] == nil {
				grown[at] = copyOf(*t.shards[at].Load())
			}
			grown[at][d] = a
		}
	}
	for at, shard := range grown {
		t.shards[at].Store(&shard)
	}
}

// Apply makes one commit's change. When it returns, no look-up that begins
// finds anything older.
func (t *Table) Apply(c twinkey.Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range c.Removed {
		t.remove(id.Folded())
	}
	for i := range c.Put {
		t.put(shared(c.Put[i]))
	}
	t.revision.Store(int64(c.Revision))
}

// put makes the new digests findable, then swaps the state, then drops the old
// digests: at every instant either slot's good key is found.
func (t *Table) put(s twinkey.AccountState) {
	id := s.ID.Folded()
	a, old := t.byID[id], [2]twinkey.Digest{}
	var before *twinkey.AccountState
	if a != nil {
		before = a.state.Load()
		old = before.Digests
	} else {
		a = &account{}
		t.byID[id] = a
	}
	for i, d := range s.Digests {
		if d != old[i] {
			t.set(d, a)
		}
	}
	a.state.Store(&s)
	t.index(a, before, &s)
	for _, d := range old {
		if !slices.Contains(s.Digests[:], d) { // it may have moved to the other slot
			t.drop(d, a)
		}
	}
}

// shared is s with one copy of the texts that many accounts have.
func shared(s twinkey.AccountState) twinkey.AccountState {
	for _, text := range []*string{&s.ID.Subscription, &s.ID.Group, &s.Kind, &s.Location, &s.SKU} {
		*text = unique.Make(*text).Value()
	}
	return s
}

func (t *Table) remove(id twinkey.ResourceID) {
	a := t.byID[id]
	if a == nil {
		return
	}
	old := a.state.Swap(nil)
	delete(t.byID, id)
	t.index(a, old, nil)
	for _, d := range old.Digests {
		t.drop(d, a)
	}
}

// index keeps the account findable by its sub-domain.
func (t *Table) index(a *account, before, now *twinkey.AccountState) {
	if before != nil && before.Subdomain != "" && (now == nil || before.Subdomain != now.Subdomain) {
		t.byDomain.CompareAndDelete(before.Subdomain, a)
	}
	if now != nil && now.Subdomain != "" {
		t.byDomain.Store(now.Subdomain, a)
	}
}

func (t *Table) set(d twinkey.Digest, a *account) {
	next := copyOf(*t.shard(d).Load())
	next[d] = a
	t.shard(d).Store(&next)
}

func (t *Table) drop(d twinkey.Digest, a *account) {
	current := *t.shard(d).Load()
	if current[d] != a {
		return
	}
	next := copyOf(current)
	delete(next, d)
	t.shard(d).Store(&next)
}

func (t *Table) shard(d twinkey.Digest) *atomic.Pointer[map[twinkey.Digest]*account] {
	return &t.shards[shardOf(d)]
}

func shardOf(d twinkey.Digest) int { return (int(d[0])<<8 | int(d[1])) & (shardCount - 1) }

func copyOf(m map[twinkey.Digest]*account) map[twinkey.Digest]*account {
	next := make(map[twinkey.Digest]*account, len(m)+1)
	for d, a := range m {
		next[d] = a
	}
	return next
}

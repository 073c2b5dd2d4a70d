package gateway

import (
	"encoding/binary"
	"hash/maphash"
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/twinkey/twinkey"
)

// Table finds the account a digest opens. Look-ups take no lock and never wait
// for a change.
//
// The indexes only say where to look. What counts is the account's one pointer
// to its record: a digest is admitted if that record has it in a slot, so storing
// the pointer is the one instant at which everything about an account changes.
type Table struct {
	byDigest, byID, byDomain index

	blocks   atomic.Pointer[[]*block]
	revision atomic.Int64
	seed     maphash.Seed
	identity *byte // tells one table from another

	mu   sync.Mutex // serialises changes
	used uint32     // accounts handed out, those that are free again included
	free []uint32
	pack packer
}

// blockSize is how many accounts are allocated at once. An account never moves.
const blockSize = 1024

type block [blockSize]account

// account is nil inside while nobody has it. A number that has become free is
// given to another account later: whoever holds on to one compares uids.
type account struct {
	record atomic.Pointer[record]
	rate   rate
}

// NewTable makes an empty table, which admits nothing.
func NewTable() *Table {
	t := &Table{seed: maphash.MakeSeed(), identity: new(byte)}
	t.blocks.Store(&[]*block{})
	return t
}

// Find returns the state of the account that d opens, and by which slot.
func (t *Table) Find(d twinkey.Digest) (*twinkey.AccountState, twinkey.KeyName, bool) {
	state, name, _ := t.open(d)
	return state, name, state != nil
}

// States yields the state of every account, each as it is when its turn comes.
// It holds no lock: what is changed meanwhile is seen or not, and an account that
// is made anew meanwhile may be seen as it was and as it is. Whoever reads
// Revision first and then applies the changes after it has the table's state.
func (t *Table) States() iter.Seq[*twinkey.AccountState] {
	return func(yield func(*twinkey.AccountState) bool) {
		for _, b := range *t.blocks.Load() {
			for i := range b {
				if r := b[i].record.Load(); r != nil && !yield(r.state()) {
					return
				}
			}
		}
	}
}

// Revision is the newest revision applied.
func (t *Table) Revision() twinkey.Revision { return twinkey.Revision(t.revision.Load()) }

// Len is how many accounts there are.
func (t *Table) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return int(t.used) - len(t.free)
}

// Add puts many accounts into a table nobody looks into yet: indexes are filled
// in place.
func (t *Table) Add(states []twinkey.AccountState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range states {
		folded := states[i].ID.Folded()
		hash := t.hashID(folded)
		r, ok := t.pack.pack(&states[i])
		if _, a := t.numbered(hash, folded); a != nil || !ok {
			t.put(&states[i])
			continue
		}
		number, a := t.take()
		for _, d := range r.digests {
			if d != (twinkey.Digest{}) {
				t.byDigest.fill(hashOf(d), number)
			}
		}
		t.byID.fill(hash, number)
		if name := r.subdomain(); name != "" {
			t.byDomain.fill(t.hashDomain(name), number)
		}
		a.record.Store(r)
	}
}

// Apply makes one commit's change. When it returns, no look-up that begins
// finds anything older.
func (t *Table) Apply(c twinkey.Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range c.Removed {
		t.remove(id)
	}
	for i := range c.Put {
		t.put(&c.Put[i])
	}
	t.revision.Store(int64(c.Revision))
}

func (t *Table) open(d twinkey.Digest) (*twinkey.AccountState, twinkey.KeyName, *account) {
	for number := range t.byDigest.of(hashOf(d)) {
		a := t.account(number)
		r := a.record.Load()
		if r == nil {
			continue
		}
		for _, name := range twinkey.KeyNames() {
			if r.digests[name.Index()] == d {
				return r.state(), name, a
			}
		}
	}
	return nil, 0, nil
}

// stillAdmits reports whether what an admission opened may go on, whether it was
// made by this table or by one that it has replaced.
func (t *Table) stillAdmits(a *Admission) bool {
	account := a.account
	if a.asked != t.identity {
		folded := a.Account.ID.Folded()
		_, account = t.numbered(t.hashID(folded), folded)
	}
	return account != nil && account.record.Load().lives(a.Account.UID, a.Slot, a.Generation)
}

// named finds an account by its id.
func (t *Table) named(id twinkey.ResourceID) (*twinkey.AccountState, *account) {
	folded := id.Folded()
	_, a := t.numbered(t.hashID(folded), folded)
	return a.state(), a
}

// atHost finds the account that has a sub-domain.
func (t *Table) atHost(subdomain string) (*twinkey.AccountState, *account) {
	for number := range t.byDomain.of(t.hashDomain(subdomain)) {
		a := t.account(number)
		if r := a.record.Load(); r != nil && r.subdomain() == subdomain {
			return r.state(), a
		}
	}
	return nil, nil
}

// put makes everything new findable, then swaps the record, then drops what is
// old: at every instant either slot's good key is found.
func (t *Table) put(s *twinkey.AccountState) {
	next, ok := t.pack.pack(s)
	if !ok {
		t.remove(s.ID)
		return
	}
	folded := s.ID.Folded()
	hash := t.hashID(folded)
	number, a := t.numbered(hash, folded)
	if a == nil {
		number, a = t.take()
		t.byID.add(hash, number)
	}
	old := a.record.Load()
	if old == nil {
		old = &record{}
	}
	for _, d := range next.digests {
		if d != (twinkey.Digest{}) && !slices.Contains(old.digests[:], d) {
			t.byDigest.add(hashOf(d), number)
		}
	}
	if name := next.subdomain(); name != "" && name != old.subdomain() {
		t.byDomain.add(t.hashDomain(name), number)
	}
	a.record.Store(next)
	t.forget(old, next, number)
}

func (t *Table) remove(id twinkey.ResourceID) {
	folded := id.Folded()
	hash := t.hashID(folded)
	number, a := t.numbered(hash, folded)
	if a == nil {
		return
	}
	old := a.record.Swap(nil)
	t.forget(old, &record{}, number)
	t.byID.drop(hash, number)
	a.rate.packed.Store(0)
	t.free = append(t.free, number)
}

// forget drops what only the old record of an account had.
func (t *Table) forget(old, now *record, number uint32) {
	for _, d := range old.digests {
		if d != (twinkey.Digest{}) && !slices.Contains(now.digests[:], d) { // it may have moved to the other slot
			t.byDigest.drop(hashOf(d), number)
		}
	}
	if name := old.subdomain(); name != "" && name != now.subdomain() {
		t.byDomain.drop(t.hashDomain(name), number)
	}
}

// take hands out an account that nobody has.
func (t *Table) take() (uint32, *account) {
	if last := len(t.free) - 1; last >= 0 {
		number := t.free[last]
		t.free = t.free[:last]
		return number, t.account(number)
	}
	number := t.used
	t.used++
	if number%blockSize == 0 {
		more := append(slices.Clip(*t.blocks.Load()), new(block))
		t.blocks.Store(&more)
	}
	return number, t.account(number)
}

// numbered finds an account by its folded id and the hash of it.
func (t *Table) numbered(hash uint64, folded twinkey.ResourceID) (uint32, *account) {
	for number := range t.byID.of(hash) {
		a := t.account(number)
		if r := a.record.Load(); r != nil && r.id().Folded() == folded {
			return number, a
		}
	}
	return 0, nil
}

func (t *Table) account(number uint32) *account {
	return &(*t.blocks.Load())[number/blockSize][number%blockSize]
}

func (t *Table) hashID(folded twinkey.ResourceID) uint64 {
	return maphash.Comparable(t.seed, folded)
}

func (t *Table) hashDomain(name string) uint64 { return maphash.String(t.seed, name) }

// hashOf is a part of a digest, which is as good as random.
func hashOf(d twinkey.Digest) uint64 { return binary.LittleEndian.Uint64(d[:]) }

// state is nil if nobody has the account.
func (a *account) state() *twinkey.AccountState {
	if a == nil {
		return nil
	}
	r := a.record.Load()
	if r == nil {
		return nil
	}
	return r.state()
}

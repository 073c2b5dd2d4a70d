package hub_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/gateway"
	"github.com/twinkey/twinkey/internal/hub"
)

// opens says what each key of a pool opens: by the key's number, the account's
// uid, the slot and whether keys are refused. Keys that open nothing are absent.
type opens map[int]string

func entry(uid twinkey.UID, slot twinkey.KeyName, disabled bool) string {
	return fmt.Sprint(uid, slot, disabled)
}

// writer changes accounts at random and knows what each revision implies.
type writer struct {
	*world
	random *rand.Rand
	pool   []twinkey.Digest
	used   int
	live   map[string]*accounts.Account
	keys   map[string][2]int // the numbers of the live accounts' keys

	mu      sync.Mutex
	implied map[twinkey.Revision]opens
}

func newWriter(w *world, keys int) *writer {
	wr := &writer{world: w, random: rand.New(rand.NewPCG(11, 11)), live: map[string]*accounts.Account{}, keys: map[string][2]int{}, implied: map[twinkey.Revision]opens{}}
	for range keys {
		wr.pool = append(wr.pool, twinkey.DigestOf(uuid.NewString()))
	}
	return wr
}

// step commits one random change, of one account or of two.
func (wr *writer) step() {
	var write accounts.Write
	var changed []string
	for range 1 + wr.random.IntN(2) {
		name := fmt.Sprint("acc", wr.random.IntN(6))
		if slices.Contains(changed, name) {
			continue
		}
		changed = append(changed, name)
		switch a := wr.live[name]; {
		case a == nil:
			a = wr.newAccount(name)
			wr.live[name], wr.keys[name] = a, [2]int{wr.give(a, 0), wr.give(a, 1)}
			write.Put = append(write.Put, a)
		case wr.random.IntN(4) == 0:
			write.Remove = append(write.Remove, a)
			delete(wr.live, name)
			delete(wr.keys, name)
		case wr.random.IntN(4) == 0:
			off := !a.KeysDisabled()
			a.Properties.DisableLocalAuth = &off
			write.Put = append(write.Put, a)
		default:
			slot := wr.random.IntN(2)
			keys := wr.keys[name]
			keys[slot] = wr.give(a, slot)
			wr.keys[name] = keys
			write.Put = append(write.Put, a)
		}
	}
	revision := wr.commit(write)
	now := opens{}
	for name, a := range wr.live {
		if slices.Contains(changed, name) {
			a.Revision = revision
		}
		for i, slot := range twinkey.KeyNames() {
			now[wr.keys[name][i]] = entry(a.UID, slot, a.KeysDisabled())
		}
	}
	wr.mu.Lock()
	defer wr.mu.Unlock()
	wr.implied[revision] = now
}

// give puts the next key of the pool into a slot and returns its number.
func (wr *writer) give(a *accounts.Account, slot int) int {
	a.Slots[slot].Digest = wr.pool[wr.used]
	a.Slots[slot].Generation++
	wr.used++
	return wr.used - 1
}

// at is what the store implies at a revision, which may have done nothing.
func (wr *writer) at(revision twinkey.Revision) opens {
	var newest twinkey.Revision
	for r := range wr.implied {
		if r <= revision {
			newest = max(newest, r)
		}
	}
	return wr.implied[newest]
}

// follower is a gateway's table, and what it opened at each revision it was at.
type follower struct {
	table   *gateway.Table
	changes int
	seen    map[twinkey.Revision]opens
}

// follow applies everything until ping 1 is granted.
func (f *follower) follow(ctx context.Context, feed *hub.Feed, pool []twinkey.Digest) error {
	fresh := gateway.NewTable()
	for {
		m, err := feed.Receive(ctx)
		if err != nil {
			return err
		}
		switch {
		case m.Grant != nil:
			return nil
		case m.Change != nil:
			f.changes++
			f.table.Apply(*m.Change)
		case m.Chunk != nil:
			fresh.Add(m.Chunk.Accounts)
			if !m.Chunk.Last {
				continue
			}
			f.table, fresh = fresh, gateway.NewTable()
		}
		revision, _ := revisionOf(m)
		if _, again := f.seen[revision]; again {
			return fmt.Errorf("revision %d comes twice", revision)
		}
		now := opens{}
		for i, d := range pool {
			if state, slot, ok := f.table.Find(d); ok {
				now[i] = entry(state.UID, slot, state.KeysDisabled)
			}
		}
		f.seen[revision] = now
	}
}

// Whenever a gateway connects, and whatever is written meanwhile, after every
// revision it is told of its table opens exactly what the store held then: no
// change is missed, doubled or out of order.
func TestTableEqualsTheStoreAtEveryRevision(t *testing.T) {
	for name, prepare := range map[string]func(w *world){
		"steady watch": func(*world) {},
		"watch that ends again and again": func(w *world) {
			w.cuts(60, func(func(twinkey.Change, error) bool) {})
		},
		"watch that breaks again and again": func(w *world) {
			w.cuts(60, func(yield func(twinkey.Change, error) bool) { yield(twinkey.Change{}, context.DeadlineExceeded) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			prepare(w)
			w.run()
			const steps = 200
			wr := newWriter(w, 4*steps)
			var all sync.WaitGroup
			var followers []*follower
			var feeds []*hub.Feed
			for i := range steps {
				if i%40 == 0 {
					f, feed := &follower{seen: map[twinkey.Revision]opens{}}, connect(t, w.hub, fmt.Sprint("g", i))
					followers, feeds = append(followers, f), append(feeds, feed)
					all.Go(func() {
						if err := f.follow(t.Context(), feed, wr.pool); err != nil {
							t.Error(err)
						}
					})
				}
				wr.step()
			}
			for _, feed := range feeds {
				ping(t, feed, 1)
			}
			all.Wait()
			last := slices.Max(slices.Collect(maps.Keys(wr.implied)))
			for i, f := range followers {
				for revision, got := range f.seen {
					if want := wr.at(revision); !maps.Equal(got, want) {
						t.Fatalf("gateway %d at revision %d opens %v, the store %v", i, revision, got, want)
					}
				}
				if newest := slices.Max(slices.Collect(maps.Keys(f.seen))); newest < last {
					t.Errorf("gateway %d ends at %d of %d", i, newest, last)
				}
			}
			if followers[0].changes == 0 {
				t.Error("no change was ever sent; the test is blind")
			}
		})
	}
}

package gateway_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/gateway"
)

// digest is the digest of the n-th key.
func digest(n int) twinkey.Digest { return twinkey.DigestOf(fmt.Sprint("key ", n)) }

func state(name string, key1, key2 int) twinkey.AccountState {
	return twinkey.AccountState{ID: twinkey.ResourceID{Subscription: "s", Group: "g", Account: name}, UID: twinkey.UID("uid of " + name),
		Digests: [2]twinkey.Digest{digest(key1), digest(key2)}, Generations: [2]twinkey.Generation{1, 1}}
}

// found describes what a key opens.
func found(t *gateway.Table, key int) string {
	s, slot, ok := t.Find(digest(key))
	if !ok {
		return ""
	}
	return fmt.Sprint(s.ID.Account, " ", slot, " ", s.UID)
}

// While keys are regenerated, calls with a good key go on: the other slot's key
// is found at every instant, of the slot's own either the old or the new; and
// once a change has returned, the key it took away is found by nobody any more.
func TestLookUpsWhileKeysAreRegenerated(t *testing.T) {
	const regenerations = 3000
	table := gateway.NewTable()
	table.Apply(twinkey.Change{Revision: 1, Put: []twinkey.AccountState{state("a", 0, 1)}})
	// Key n is put into slot n%2 in the place of key n-2.
	var begun, done atomic.Int64
	begun.Store(1)
	done.Store(1)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for done.Load() < regenerations {
				ended := int(done.Load())
				for dead := max(0, ended-4); dead < ended-1; dead++ {
					if what := found(table, dead); what != "" {
						t.Errorf("key %d opens %s after it was replaced by key %d", dead, what, dead+2)
						return
					}
				}
				now := int(begun.Load())
				other, old, next := found(table, now-1) != "", found(table, now-2) != "", false
				if !old {
					next = found(table, now) != ""
				}
				if int(begun.Load()) == now && (!other || !old && !next) {
					t.Errorf("while key %d is put: the other slot's key is found: %v, the old one: %v, the new one: %v", now, other, old, next)
					return
				}
			}
		})
	}
	for n := 2; n <= regenerations; n++ {
		s := state("a", n, n-1)
		if n%2 == 1 {
			s = state("a", n-1, n)
		}
		begun.Store(int64(n))
		table.Apply(twinkey.Change{Revision: twinkey.Revision(n), Put: []twinkey.AccountState{s}})
		done.Store(int64(n))
	}
	readers.Wait()
}

// A removed account's keys open nothing, nor do they once another account has
// its name; and the names of accounts do not depend on their casing.
func TestRemovedAndMadeAnew(t *testing.T) {
	table := gateway.NewTable()
	expect := func(what string, want map[int]string) {
		t.Helper()
		for key := range 8 {
			if got := found(table, key); got != want[key] {
				t.Errorf("%s: key %d opens %q, want %q", what, key, got, want[key])
			}
		}
	}
	old, anew, other := state("Acc", 0, 1), state("acc", 2, 3), state("other", 4, 5)
	anew.UID = "another uid"
	table.Apply(twinkey.Change{Revision: 1, Put: []twinkey.AccountState{old, other}})
	kept := map[int]string{4: "other Key1 uid of other", 5: "other Key2 uid of other"}
	with := func(more map[int]string) map[int]string {
		for k, v := range kept {
			more[k] = v
		}
		return more
	}
	expect("created", with(map[int]string{0: "Acc Key1 uid of Acc", 1: "Acc Key2 uid of Acc"}))
	table.Apply(twinkey.Change{Revision: 2, Removed: []twinkey.ResourceID{{Subscription: "S", Group: "G", Account: "ACC"}}})
	expect("removed", kept)
	table.Apply(twinkey.Change{Revision: 3, Removed: []twinkey.ResourceID{old.ID}})
	expect("removed twice", kept)
	table.Apply(twinkey.Change{Revision: 4, Put: []twinkey.AccountState{anew}})
	expect("made anew", with(map[int]string{2: "acc Key1 another uid", 3: "acc Key2 another uid"}))
	table.Apply(twinkey.Change{Revision: 5, Removed: []twinkey.ResourceID{anew.ID}, Put: []twinkey.AccountState{old}})
	expect("replaced in one commit", with(map[int]string{0: "Acc Key1 uid of Acc", 1: "Acc Key2 uid of Acc"}))
	if table.Revision() != 5 {
		t.Errorf("at revision %d", table.Revision())
	}
}

// statesOf is everything in a table, by the accounts' names.
func statesOf(t *gateway.Table) map[string]twinkey.AccountState {
	all := map[string]twinkey.AccountState{}
	for s := range t.States() {
		all[s.ID.Account] = *s
	}
	return all
}

func sameState(a, b twinkey.AccountState) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

// What a table is told of an account comes back as it was told, and an account
// that is told twice in a snapshot is there once, as it was told last: the keys
// it had before open nothing.
func TestStatesComeBackWhole(t *testing.T) {
	rules := &twinkey.NetworkRules{DefaultDeny: true, Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	full := twinkey.AccountState{ID: twinkey.ResourceID{Subscription: "Sub", Group: "Gröup", Account: "Name"}, UID: "uid", Kind: "K", Location: "West Europe", SKU: "S0",
		Subdomain: "sub-domain", Digests: [2]twinkey.Digest{digest(0), digest(1)}, Generations: [2]twinkey.Generation{1 << 40, 7},
		KeysDisabled: true, PublicAccessDisabled: true, Network: rules}
	table := gateway.NewTable()
	table.Add([]twinkey.AccountState{full, state("other", 2, 3)})
	again := full
	again.ID.Group, again.Digests[0] = "GRÖUP", digest(4)
	table.Add([]twinkey.AccountState{again})
	if got := statesOf(table); table.Len() != 2 || !sameState(got["Name"], again) || !sameState(got["other"], state("other", 2, 3)) {
		t.Errorf("%d states, %+v, want %+v", table.Len(), got, again)
	}
	for key, want := range []string{"", "Name Key2 uid", "other Key1 uid of other", "other Key2 uid of other", "Name Key1 uid"} {
		if got := found(table, key); got != want {
			t.Errorf("key %d opens %q, want %q", key, got, want)
		}
	}
	keyless := twinkey.AccountState{ID: twinkey.ResourceID{Subscription: "s", Group: "g", Account: "keyless"}}
	table.Apply(twinkey.Change{Revision: 1, Put: []twinkey.AccountState{keyless, {ID: full.ID, UID: twinkey.UID(strings.Repeat("x", 1<<16))}}})
	if _, _, ok := table.Find(twinkey.Digest{}); ok || table.Len() != 2 || found(table, 1) != "" {
		t.Errorf("no key opens something: %v; %d accounts; an account of absurd length opens %q", ok, table.Len(), found(table, 1))
	}
}

// However the table came to its state, by a snapshot in chunks or by changes one
// by one, it opens the same: keys that are given, moved between slots, taken
// away and given back.
func TestSnapshotEqualsChanges(t *testing.T) {
	const names, keys = 12, 60
	random := rand.New(rand.NewPCG(13, 13))
	changed := gateway.NewTable()
	now := map[string]twinkey.AccountState{}
	free := random.Perm(keys)
	held := map[string][2]int{}
	for step := range 600 {
		name := fmt.Sprint("a", random.IntN(names))
		change := twinkey.Change{Revision: twinkey.Revision(step + 1)}
		pair, there := held[name]
		switch {
		case !there:
			pair, free = [2]int{free[0], free[1]}, free[2:]
		case random.IntN(3) == 0:
			free = append(free, pair[0], pair[1])
			change.Removed = []twinkey.ResourceID{now[name].ID}
		case random.IntN(4) == 0:
			pair[0], pair[1] = pair[1], pair[0]
		default:
			slot := random.IntN(2)
			free = append(free, pair[slot])
			pair[slot], free = free[0], free[1:]
		}
		if change.Removed != nil {
			delete(held, name)
			delete(now, name)
		} else {
			held[name], now[name] = pair, state(name, pair[0], pair[1])
			change.Put = []twinkey.AccountState{now[name]}
		}
		changed.Apply(change)

		bulk := gateway.NewTable()
		var chunk []twinkey.AccountState
		for _, s := range now {
			if chunk = append(chunk, s); random.IntN(3) == 0 {
				bulk.Add(chunk)
				chunk = nil
			}
		}
		bulk.Add(chunk)
		for _, table := range []*gateway.Table{changed, bulk} {
			if got := statesOf(table); table.Len() != len(now) || !maps.EqualFunc(got, now, sameState) {
				t.Fatalf("step %d: %d states, %v, want %v", step, table.Len(), got, now)
			}
		}
		for key := range keys {
			want := ""
			for name, pair := range held {
				for i, slot := range twinkey.KeyNames() {
					if pair[i] == key {
						want = fmt.Sprint(name, " ", slot, " ", now[name].UID)
					}
				}
			}
			if a, b := found(changed, key), found(bulk, key); a != want || b != want {
				t.Fatalf("step %d: key %d opens %q after changes and %q after a snapshot, want %q", step, key, a, b, want)
			}
		}
	}
}

// Ids that come twice in one snapshot, with other keys the second time, cost
// nobody an endless look-up: the last one counts.
func TestAccountsThatComeTwiceInASnapshot(t *testing.T) {
	const n = 2000
	table := gateway.NewTable()
	var states []twinkey.AccountState
	for i := range n { // each twice, one after the other: between them others come to the same places
		states = append(states, state(fmt.Sprint("a", i), 4*i, 4*i+1), state(fmt.Sprint("a", i), 4*i+2, 4*i+3))
	}
	for i := range 5 * n {
		states = append(states, state(fmt.Sprint("b", i), 4*n+2*i, 4*n+2*i+1))
	}
	table.Add(states)
	for i := range n {
		if found(table, 4*i) != "" || found(table, 4*i+1) != "" {
			t.Fatalf("a key of the first a%d is found", i)
		}
		if found(table, 4*i+2) == "" || found(table, 4*i+3) == "" {
			t.Fatalf("a key of the second a%d is not found", i)
		}
	}
	if found(table, -1) != "" {
		t.Fatal("an absent key is found")
	}
}

package etcdstore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
)

// The watch shows every commit once and in order, from any revision on, also
// those that did nothing to accounts: whoever follows it knows how far it is.
func TestWatchShowsEveryCommitOnceInOrder(t *testing.T) {
	w := newWorld(t)
	random := rand.New(rand.NewPCG(5, 5))
	start, err := w.store.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var want []twinkey.Change
	for i := range 40 {
		switch a, _ := w.store.Account(t.Context(), w.id("G", fmt.Sprint("Acc", i%5))); {
		case a == nil:
			a = w.newAccount("G", fmt.Sprint("Acc", i%5))
			b := w.newAccount("G", fmt.Sprint("Bcc", i))
			want = append(want, twinkey.Change{Revision: w.put(w.newGroup(fmt.Sprint("g", i)), a, b), Put: []twinkey.AccountState{a.State(), b.State()}})
		case random.IntN(3) == 0:
			want = append(want, twinkey.Change{Revision: w.commit(accounts.Write{Remove: []accounts.Document{a}}), Removed: []twinkey.ResourceID{a.ID.Folded()}})
		case random.IntN(2) == 0:
			want = append(want, twinkey.Change{Revision: w.put(w.newGroup(fmt.Sprint("h", i)))})
		default:
			a.Slots[1].Digest, a.Slots[1].Generation = twinkey.DigestOf(uuid.NewString()), a.Slots[1].Generation+1
			want = append(want, twinkey.Change{Revision: w.put(a), Put: []twinkey.AccountState{a.State()}})
		}
	}
	for _, after := range []twinkey.Revision{start, want[0].Revision, want[17].Revision, want[len(want)-2].Revision} {
		rest := slices.DeleteFunc(slices.Clone(want), func(c twinkey.Change) bool { return c.Revision <= after })
		var got []twinkey.Change
		for c, err := range w.store.Watch(t.Context(), after) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, c); len(got) == len(rest) {
				break
			}
		}
		if a, b := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", rest); a != b {
			t.Errorf("after %d:\ngot  %s\nwant %s", after, a, b)
		}
	}
}

// A watch that cannot go on from where it should says so; it never goes on from
// somewhere else. A watch whose context ends, ends.
func TestWatchEndsWithAnErrorWhenItHasLostItsPlace(t *testing.T) {
	w := newWorld(t)
	first := w.put(w.newGroup("a"))
	last := w.put(w.newGroup("b"))
	if _, err := w.etcd.Compact(t.Context(), int64(last)); err != nil {
		t.Fatal(err)
	}
	ended := false
	for c, err := range w.store.Watch(t.Context(), first-1) {
		if ended = err != nil; !ended {
			t.Fatalf("the watch goes on at %d", c.Revision)
		}
	}
	if !ended {
		t.Error("the watch ends without an error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended = false
	for c, err := range w.store.Watch(ctx, last-1) {
		if err == nil && c.Revision == last {
			cancel()
			continue
		}
		ended = true
	}
	if !ended {
		t.Error("a cancelled watch ends without an error")
	}
}

// A snapshot is the state at one revision, every account once, whatever is
// written while it is read: a gateway that is told the revision must hold
// exactly what there was.
func TestSnapshotIsAtOneRevision(t *testing.T) {
	w := newWorld(t)
	const many = 50_300 // more than a chunk
	var writers sync.WaitGroup
	for from := 0; from < many; from += 1000 {
		writers.Go(func() { w.fill(from, min(from+1000, many)) })
	}
	writers.Wait()
	last, err := w.store.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[twinkey.UID]bool{}
	chunks, ended := 0, false
	for chunk, err := range w.store.Snapshot(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if chunk.Revision != last || ended {
			t.Errorf("chunk %d is at revision %d, want %d; after the last: %v", chunks, chunk.Revision, last, ended)
		}
		for _, a := range chunk.Accounts {
			if seen[a.UID] || !strings.HasPrefix(a.ID.Account, "acc-") {
				t.Errorf("%s twice, or made later", a.ID)
			}
			seen[a.UID] = true
		}
		chunks, ended = chunks+1, chunk.Last
		// What comes behind the part that has been read, and what goes from it.
		w.put(w.newAccount("g", "zzz"+uuid.NewString()[:8]))
		if _, err := w.etcd.Delete(t.Context(), fmt.Sprintf("/tk/a/%s/g/acc-%06d", w.sub, many-chunks)); err != nil {
			t.Fatal(err)
		}
	}
	if !ended || chunks < 2 || len(seen) != many {
		t.Errorf("%d accounts in %d chunks, ended: %v", len(seen), chunks, ended)
	}
}

// fill writes accounts by their numbers.
func (w *world) fill(from, to int) {
	for ; from < to; from += 100 {
		var puts []clientv3.Op
		for i := from; i < from+100; i++ {
			name := fmt.Sprintf("acc-%06d", i)
			puts = append(puts, clientv3.OpPut("/tk/a/"+w.sub+"/g/"+name, fmt.Sprintf(`{"id":{"subscription":%q,"group":"g","account":%q},"uid":%q}`, w.sub, name, name)))
		}
		if _, err := w.etcd.Txn(w.t.Context()).Then(puts...).Commit(); err != nil {
			w.t.Error(err)
		}
	}
}

// An empty store has a snapshot, too: otherwise its gateways would wait for
// ever.
func TestSnapshotOfNothing(t *testing.T) {
	w := newWorld(t)
	revision, err := w.store.Revision(t.Context())
	if err != nil || revision == 0 {
		t.Fatalf("revision %d, %v", revision, err)
	}
	n := 0
	for chunk, err := range w.store.Snapshot(t.Context()) {
		if n++; err != nil || !chunk.Last || chunk.Revision != revision || len(chunk.Accounts) > 0 {
			t.Errorf("%+v, %v", chunk, err)
		}
	}
	if n != 1 {
		t.Errorf("%d chunks", n)
	}
}

// The revision that is read includes every commit that has returned.
func TestRevisionIncludesWhatHasReturned(t *testing.T) {
	w := newWorld(t)
	for i := range 20 {
		committed := w.put(w.newGroup(fmt.Sprint("g", i)))
		if read, err := w.store.Revision(t.Context()); err != nil || read != committed {
			t.Errorf("committed %d, then read %d, %v", committed, read, err)
		}
	}
}

// One damaged document closes its account and holds up no other: the watch takes
// the account from the gateways, a snapshot leaves it out, both name it without a
// word of what is in the document, and both go on. Management says that it cannot
// read it.
func TestUnreadableAccountIsTakenAway(t *testing.T) {
	for name, c := range map[string]struct{ text, cause string }{
		"not JSON":         {"{\"uid\":\"planted", "not JSON"},
		"empty":            {"", "not JSON"},
		"a field's type":   {`{"uid":{"planted":1}}`, `"uid"`},
		"a digest":         {`{"slots":[{"digest":"planted"},{}]}`, "a value"},
		"number for a bag": {`{"tags":424242,"uid":"\u0061"}`, `"tags"`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			before, bad, after := w.newAccount("g", "before"), w.newAccount("g", "bad"), w.newAccount("h", "after")
			start := w.put(before, bad)
			if _, err := w.etcd.Put(t.Context(), "/tk/a/"+w.sub+"/g/bad", c.text); err != nil {
				t.Fatal(err)
			}
			last := w.put(w.newGroup("g"), w.newGroup("h"), after)
			var changes []twinkey.Change
			for change, err := range w.store.Watch(t.Context(), start) {
				if err != nil {
					t.Fatal(err)
				}
				if changes = append(changes, change); change.Revision == last {
					break
				}
			}
			if len(changes) != 2 || len(changes[1].Put) != 1 {
				t.Fatalf("the watch shows %+v", changes)
			}
			expectNamed := func(where string, list []twinkey.UnreadableAccount) {
				if len(list) != 1 || list[0].ID != w.id("g", "bad") || !strings.Contains(list[0].Cause, c.cause) ||
					strings.Contains(list[0].Cause, "planted") || strings.Contains(list[0].Cause, "424242") {
					t.Errorf("%s says %v", where, list)
				}
			}
			expectNamed("the watch", changes[0].Unreadable)
			if len(changes[0].Put) > 0 || !slices.Equal(changes[0].Removed, []twinkey.ResourceID{w.id("g", "bad")}) {
				t.Errorf("the watch shows %+v", changes[0])
			}
			var whole twinkey.SnapshotChunk
			for chunk, err := range w.store.Snapshot(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				whole.Accounts, whole.Unreadable = append(whole.Accounts, chunk.Accounts...), append(whole.Unreadable, chunk.Unreadable...)
			}
			expectNamed("the snapshot", whole.Unreadable)
			if got, want := fmt.Sprint(whole.Accounts), fmt.Sprint([]twinkey.AccountState{before.State(), after.State()}); got != want {
				t.Errorf("the snapshot holds\n%s, want\n%s", got, want)
			}
			if _, err := w.store.Account(t.Context(), w.id("g", "bad")); twinkey.KindOf(err) != twinkey.Internal || !strings.Contains(fmt.Sprint(err), "/g/bad") {
				t.Errorf("management reads it: %v", err)
			}
		})
	}
}

// A snapshot that is cut off says so, wherever it is cut: it never has a last
// chunk while one before it is missing.
func TestSnapshotThatIsCutOffHasNoEnd(t *testing.T) {
	w := newWorld(t)
	const groups = 12
	for i := range groups {
		w.put(w.newGroup(fmt.Sprint("g", i)), w.newAccount(fmt.Sprint("g", i), "acc"))
	}
	for cut := range 40 {
		ctx, cancel := context.WithCancel(t.Context())
		accounts, ended, failed := 0, false, false
		for chunk, err := range w.store.Snapshot(ctx) {
			if failed = err != nil; !failed {
				accounts, ended = accounts+len(chunk.Accounts), chunk.Last
			}
			if cut%4 == 0 || accounts > cut%groups {
				cancel()
			}
		}
		cancel()
		if ended == failed || ended && accounts != groups {
			t.Errorf("cut %d: %d accounts, ended: %v, failed: %v", cut, accounts, ended, failed)
		}
	}
}

// A snapshot holds each account once however the groups are cut: with groups whose
// names sort otherwise than their accounts' keys do, without groups, with groups
// that are empty, and with very many.
func TestSnapshotCrossesGroups(t *testing.T) {
	w := newWorld(t)
	want := map[twinkey.ResourceID]bool{}
	var docs []accounts.Document
	for _, group := range []string{"a", "a-b", "a.b", "a(b", "a_", "ab", "z", "é"} {
		docs = append(docs, w.newGroup(group), w.newGroup(group+"-empty"))
		for _, account := range []string{"one", "two"} {
			docs = append(docs, w.newAccount(group, account), w.newAccount(group+".orphan", account))
			want[w.id(group, account)], want[w.id(group+".orphan", account)] = true, true
		}
	}
	w.put(docs...)
	chunks := 0
	for chunk, err := range w.store.Snapshot(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		chunks++
		for _, a := range chunk.Accounts {
			if !want[a.ID] {
				t.Errorf("%s comes twice, or is none", a.ID)
			}
			delete(want, a.ID)
		}
	}
	if len(want) > 0 || chunks < 3 {
		t.Errorf("%d chunks leave out %v", chunks, want)
	}
}

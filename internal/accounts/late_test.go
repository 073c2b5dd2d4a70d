package accounts_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
)

// fate is what becomes of one commit.
type fate int

const (
	prompt fate = iota // as it should be
	lost               // committed, but the answer never comes
	late               // not committed now; it lands after the next commit or read
	never              // not committed at all, and nobody can tell
)

// lateStore is a real store whose commits have fates.
type lateStore struct {
	accounts.Store
	mu      sync.Mutex
	fates   func() fate
	pending []accounts.Write
}

func (s *lateStore) Commit(ctx context.Context, w accounts.Write) (twinkey.Revision, error) {
	s.mu.Lock()
	f := prompt
	if len(w.Put)+len(w.Remove) > 0 && s.fates != nil {
		f = s.fates()
	}
	if f == late {
		s.pending = append(s.pending, w)
	}
	s.mu.Unlock()
	switch f {
	case late, never:
		return 0, fmt.Errorf("%w: held back by the test", accounts.ErrUnknown)
	case lost:
		if _, err := s.Store.Commit(ctx, w); err != nil {
			return 0, err
		}
		return 0, fmt.Errorf("%w: the answer was lost by the test", accounts.ErrUnknown)
	}
	revision, err := s.Store.Commit(ctx, w)
	s.land(ctx)
	return revision, err
}

// land lets what is late arrive at last.
func (s *lateStore) land(ctx context.Context) {
	s.mu.Lock()
	pending := s.pending
	s.pending = nil
	s.mu.Unlock()
	for _, w := range pending {
		_, _ = s.Store.Commit(ctx, w) // whether it still can is what is tested
	}
}

func scripted(fates ...fate) func() fate {
	return func() fate {
		if len(fates) == 0 {
			return prompt
		}
		f := fates[0]
		fates = fates[1:]
		return f
	}
}

// An answer that comes late, or never, must not make one call regenerate twice:
// the key that is handed out must be the one that counts.
func TestOneCallRegeneratesOnceHoweverTheStoreAnswers(t *testing.T) {
	for name, fates := range map[string][]fate{
		"prompt":                   {prompt},
		"answer lost":              {lost},
		"lands after the retry":    {late, prompt},
		"lost after a late one":    {late, lost},
		"several late":             {late, late, late, prompt},
		"never, then lost":         {never, never, lost},
		"late, never, lost, lost ": {late, never, lost, lost},
	} {
		t.Run(name, func(t *testing.T) {
			var store *lateStore
			w := newWorld(t, func(s accounts.Store) accounts.Store { store = &lateStore{Store: s}; return store })
			id := w.create("acct")
			before := w.keys(id)
			store.fates = scripted(fates...)
			after, out, err := w.service.Regenerate(t.Context(), w.who(), id, twinkey.Key1, accounts.Precondition{})
			if err != nil {
				t.Fatal(err)
			}
			store.land(t.Context())
			if out.Generation != 2 || out.Joined {
				t.Errorf("generation %d, joined %v", out.Generation, out.Joined)
			}
			if now := w.keys(id); now != after {
				t.Error("the keys handed out are not the keys of the account")
			}
			if w.call(before.Key1) != 401 || w.call(after.Key1) != 200 || w.call(after.Key2) != 200 {
				t.Error("the gateway does not agree with what was handed out")
			}
		})
	}
}

// Many callers on one slot, with a store that answers as it likes: whoever is
// handed a key that is dead by then was overtaken by a regenerate that began
// after its own commit, or is told that it joined another's; nobody's key of the
// newest generation differs from the account's; and no generation is made twice.
func TestNobodyIsHandedADeadKeyUnnoticed(t *testing.T) {
	const callers, calls = 6, 25
	var store *lateStore
	w := newWorld(t, func(s accounts.Store) accounts.Store { store = &lateStore{Store: s}; return store })
	id := w.create("acct")
	random := rand.New(rand.NewPCG(1, 2)) // guarded by store.mu
	store.mu.Lock()
	store.fates = func() fate { return []fate{prompt, prompt, prompt, lost, late, never}[random.IntN(6)] }
	store.mu.Unlock()

	var mu sync.Mutex
	handed := map[twinkey.Generation]twinkey.Secret{}
	makers := map[twinkey.Generation]int{}
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for range calls {
				keys, out, err := w.service.Regenerate(t.Context(), w.who(), id, twinkey.Key1, accounts.Precondition{})
				if err != nil {
					if kind := twinkey.KindOf(err); kind != twinkey.Conflict && kind != twinkey.Unavailable {
						t.Error(err)
					}
					continue
				}
				mu.Lock()
				if known, seen := handed[out.Generation]; seen && known != keys.Key1 {
					t.Errorf("generation %d was handed out with two keys", out.Generation)
				}
				handed[out.Generation] = keys.Key1
				if !out.Joined {
					if makers[out.Generation]++; makers[out.Generation] > 1 {
						t.Errorf("generation %d was made by two calls", out.Generation)
					}
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	store.mu.Lock()
	store.fates = nil
	store.mu.Unlock()
	store.land(t.Context())
	if len(handed) < callers*calls/4 {
		t.Fatalf("only %d generations were handed out: the test did not do its work", len(handed))
	}
	final, err := store.Account(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	keys := w.keys(id)
	if known, ok := handed[final.Slots[0].Generation]; ok && known != keys.Key1 {
		t.Error("the newest generation was handed out with another key than the account's")
	}
	for g, key := range handed {
		want := 401
		if g == final.Slots[0].Generation {
			want = 200
		}
		if got := w.call(key); got != want {
			t.Errorf("the key of generation %d of %d is answered %d", g, final.Slots[0].Generation, got)
		}
	}
}

// A caller that lost the race is told so, changes nothing, and is handed the
// winner's key, which works.
func TestOvertakenCallerJoinsAndChangesNothing(t *testing.T) {
	var store *lateStore
	w := newWorld(t, func(s accounts.Store) accounts.Store { store = &lateStore{Store: s}; return store })
	id := w.create("acct")
	overtaken := make(chan accounts.Keys, 1)
	first := true
	store.fates = func() fate {
		if !first {
			return prompt
		}
		first = false
		store.mu.Unlock() // let another caller through while this commit is under way
		defer store.mu.Lock()
		keys, _, err := w.service.Regenerate(t.Context(), w.who(), id, twinkey.Key1, accounts.Precondition{})
		if err != nil {
			t.Error(err)
		}
		overtaken <- keys
		return prompt
	}
	keys, out, err := w.service.Regenerate(t.Context(), w.who(), id, twinkey.Key1, accounts.Precondition{})
	if err != nil {
		t.Fatal(err)
	}
	if winner := <-overtaken; !out.Joined || out.Generation != 2 || keys != winner {
		t.Errorf("joined %v at generation %d", out.Joined, out.Generation)
	}
	if w.call(keys.Key1) != 200 {
		t.Error("the key handed to the overtaken caller is refused")
	}
}

// A caller that lost the race and has named the state it meant is refused, and is
// shown nothing; one whose own answer was lost is not.
func TestOvertakenCallerIsHeldToItsCondition(t *testing.T) {
	var store *lateStore
	w := newWorld(t, func(s accounts.Store) accounts.Store { store = &lateStore{Store: s}; return store })
	id := w.create("acct")
	account := func() accounts.Account {
		t.Helper()
		a, err := w.service.Account(t.Context(), w.who(), id)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	read, first := account().Revision, true
	store.fates = func() fate {
		if !first {
			return prompt
		}
		first = false
		store.mu.Unlock() // let another caller through while this commit is under way
		defer store.mu.Lock()
		if _, _, err := w.service.Regenerate(t.Context(), w.who(), id, twinkey.Key1, accounts.Precondition{}); err != nil {
			t.Error(err)
		}
		return prompt
	}
	keys, _, err := w.service.Regenerate(t.Context(), w.who(), id, twinkey.Key1, accounts.Precondition{Match: &read})
	if twinkey.KindOf(err) != twinkey.PreconditionFailed || keys != (accounts.Keys{}) || account().Slots[0].Generation != 2 {
		t.Errorf("overtaken on a condition: %v, generation %d", err, account().Slots[0].Generation)
	}
	read = account().Revision
	store.fates = scripted(late, lost)
	if _, out, err := w.service.Regenerate(t.Context(), w.who(), id, twinkey.Key1, accounts.Precondition{Match: &read}); err != nil || out.Generation != 3 {
		t.Errorf("on a condition, the answer lost: %v, generation %d", err, out.Generation)
	}
}

// An SDK that sends the same request again after a 5xx gets the same answer, for
// as long as it keeps trying; another request, principal or time regenerates.
func TestTheSameRequestAgainGetsTheSameAnswer(t *testing.T) {
	w := newWorld(t, nil)
	id := w.create("acct")
	who := w.who()
	who.ClientRequestID = "one-request"
	first, _, err := w.service.Regenerate(t.Context(), who, id, twinkey.Key1, accounts.Precondition{})
	if err != nil {
		t.Fatal(err)
	}
	who.RequestID = "another of ours"
	again, out, err := w.service.Regenerate(t.Context(), who, id, twinkey.Key1, accounts.Precondition{})
	if err != nil || !out.Repeated || again != first {
		t.Fatalf("the same request again: %v, repeated %v", err, out.Repeated)
	}
	other, out, err := w.service.Regenerate(t.Context(), who, id, twinkey.Key2, accounts.Precondition{})
	if err != nil || out.Repeated || other.Key2 == first.Key2 {
		t.Errorf("the other slot under the same request id: %v, repeated %v", err, out.Repeated)
	}
	later := w.now.Load().Add(31e9)
	w.now.Store(&later)
	third, out, err := w.service.Regenerate(t.Context(), who, id, twinkey.Key1, accounts.Precondition{})
	if err != nil || out.Repeated || third.Key1 == first.Key1 {
		t.Errorf("after the window: %v, repeated %v", err, out.Repeated)
	}
}

// A group is written once, too, and a condition that held does not turn into a
// refusal because the answer was lost.
func TestGroupChangesHappenOnceHoweverTheStoreAnswers(t *testing.T) {
	var store *lateStore
	w := newWorld(t, func(s accounts.Store) accounts.Store { store = &lateStore{Store: s}; return store })
	id := w.groupID("fresh")
	for name, fates := range map[string][]fate{"lost": {lost}, "late, then lost": {late, lost}, "twice in doubt": {never, late, lost}} {
		store.fates = scripted(fates...)
		g, created, err := w.service.PutGroup(t.Context(), w.who(), id, accounts.GroupSpec{Location: "westeurope"}, accounts.Precondition{Absent: true})
		if err != nil || !created {
			t.Fatalf("%s: creating on the condition that there is none: created %v, %v", name, created, err)
		}
		store.fates = scripted(fates...)
		changed, err := w.service.PatchGroup(t.Context(), w.who(), id, accounts.GroupSpec{Tags: map[string]string{"a": name}}, accounts.Precondition{Match: &g.Revision})
		if err != nil || changed.Tags["a"] != name || changed.Revision <= g.Revision {
			t.Fatalf("%s: changing on a condition: %+v, %v", name, changed, err)
		}
		store.fates = scripted(fates...)
		if _, err := w.service.DeleteGroup(t.Context(), w.who(), id, accounts.Precondition{Match: &changed.Revision}); err != nil {
			t.Fatalf("%s: deleting on a condition: %v", name, err)
		}
		store.land(t.Context())
		w.deleteGroup("fresh")
	}
}

// Creating, changing and deleting an account happen once too, however the store
// answers: one entry each, the right word for whether it was there, and in force
// at the gateway when the call returns.
func TestAccountChangesHappenOnceHoweverTheStoreAnswers(t *testing.T) {
	var store *lateStore
	w := newWorld(t, func(s accounts.Store) accounts.Store { store = &lateStore{Store: s}; return store })
	spec := accounts.AccountSpec{Kind: "TextAnalytics", SKU: "S", Location: "westeurope"}
	id := w.id("acct")

	store.fates = scripted(lost)
	a, created, out, err := w.service.PutAccount(t.Context(), w.who(), id, spec, accounts.Precondition{})
	if err != nil || !created || len(out.Pending) > 0 {
		t.Fatalf("creating, the answer lost: created %v, %v", created, err)
	}
	keys := w.keys(id)
	if w.call(keys.Key1) != 200 {
		t.Error("a key of the new account is refused")
	}

	store.fates = scripted(lost)
	changed, created, _, err := w.service.PutAccount(t.Context(), w.who(), id, accounts.AccountSpec{Tags: map[string]string{"a": "b"}}, accounts.Precondition{Match: &a.Revision})
	if err != nil || created || changed.Tags["a"] != "b" {
		t.Fatalf("changing on a condition, the answer lost: created %v, %v", created, err)
	}

	store.fates = scripted(late, lost)
	existed, out, err := w.service.DeleteAccount(t.Context(), w.who(), id, accounts.Precondition{})
	if err != nil || !existed || len(out.Pending) > 0 {
		t.Fatalf("deleting, the answer lost: existed %v, %v", existed, err)
	}
	if got := w.call(keys.Key1); got != 401 {
		t.Errorf("a key of the deleted account is answered %d", got)
	}
	store.land(t.Context())
	entries, _, err := w.store.Activity(t.Context(), w.sub, accounts.Page{})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, e := range entries {
		counts[e.Action]++
	}
	if counts[accounts.ActionWrite] != 2 || counts[accounts.ActionDelete] != 1 {
		t.Errorf("recorded: %v", counts)
	}
}

package etcdstore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/audit"
)

// named is the account with a sub-domain.
func named(a *accounts.Account, subdomain string) *accounts.Account {
	a.Properties.CustomSubDomainName = subdomain
	return a
}

// A write whose ground has changed since it was read does nothing at all: no
// document, no name, no activity entry.
func TestWriteOnChangedGroundDoesNothing(t *testing.T) {
	w := newWorld(t)
	w.put(w.newGroup("g"), w.newAccount("g", "old"), w.newAccount("g", "new"))
	w.commit(accounts.Write{Put: []accounts.Document{named(w.newAccount("g", "holder"), "taken")}, Claim: "taken"})
	stale, staleGroup, staleHolder := w.account(w.id("g", "old")), w.group("g"), w.account(w.id("g", "holder"))
	w.put(w.account(stale.ID), w.group("g"), w.account(staleHolder.ID)) // the same again, at a later revision
	group := w.group("g")
	gone := w.newGroup("gone")
	gone.Revision = 1

	for what, c := range map[string]struct {
		write accounts.Write
		want  error
	}{
		"put what is there already":      {accounts.Write{Put: []accounts.Document{w.newAccount("g", "OLD")}}, accounts.ErrConflict},
		"put at an old revision":         {accounts.Write{Put: []accounts.Document{stale}}, accounts.ErrConflict},
		"remove at an old revision":      {accounts.Write{Remove: []accounts.Document{stale}}, accounts.ErrConflict},
		"in a group that changed":        {accounts.Write{Require: []accounts.Document{staleGroup}, Put: []accounts.Document{w.newAccount("g", "x1")}}, accounts.ErrConflict},
		"in a group that has gone":       {accounts.Write{Require: []accounts.Document{gone}, Put: []accounts.Document{w.newAccount("gone", "x1")}}, accounts.ErrConflict},
		"one of two":                     {accounts.Write{Require: []accounts.Document{group}, Put: []accounts.Document{w.newAccount("g", "x1"), stale}}, accounts.ErrConflict},
		"sub-domain of another":          {accounts.Write{Put: []accounts.Document{named(w.newAccount("g", "x1"), "TAKEN")}, Claim: "TAKEN"}, errTaken},
		"sub-domain of another, changed": {accounts.Write{Put: []accounts.Document{named(stale, "taken")}, Claim: "taken"}, errTaken},
		"its own sub-domain, changed":    {accounts.Write{Put: []accounts.Document{staleHolder}, Claim: "taken"}, accounts.ErrConflict},
	} {
		c.write.Activity = []audit.Entry{audit.New(twinkey.Caller{}, time.Now(), "test", w.groupID("g"))}
		before := w.raw("/tk/")
		revision, err := w.store.Commit(t.Context(), c.write)
		if c.want == errTaken && twinkey.KindOf(err) != twinkey.NameTaken || c.want != errTaken && !errors.Is(err, c.want) || revision != 0 {
			t.Errorf("%s: revision %d, %v", what, revision, err)
		}
		if !maps.Equal(before, w.raw("/tk/")) {
			t.Errorf("%s: something was written", what)
		}
	}
}

var errTaken = errors.New("kind NameTaken")

// A sub-domain is free again once its account has given it up, or has gone, and
// not before; changing its casing keeps it.
func TestSubDomainsAreTakenAndGivenUp(t *testing.T) {
	w := newWorld(t)
	claim := func(a *accounts.Account, claim, release string) error {
		_, err := w.store.Commit(t.Context(), accounts.Write{Put: []accounts.Document{named(a, claim)}, Claim: claim, Release: release})
		return err
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	taken := func(err error) {
		t.Helper()
		if twinkey.KindOf(err) != twinkey.NameTaken {
			t.Fatalf("not taken: %v", err)
		}
	}
	one, two := w.id("g", "one"), w.id("g", "two")
	must(claim(w.newAccount("g", "one"), "First", ""))
	taken(claim(w.newAccount("g", "two"), "fIRST", ""))
	must(claim(w.newAccount("g", "two"), "second", ""))
	taken(claim(w.account(two), "first", "second"))
	must(claim(w.account(one), "FIRST", "First"))
	taken(claim(w.account(two), "first", "second"))
	must(claim(w.account(one), "third", "FIRST"))
	must(claim(w.account(two), "first", "second"))
	must(claim(w.newAccount("g", "three"), "second", ""))
	w.commit(accounts.Write{Remove: []accounts.Document{w.account(two)}})
	must(claim(w.account(one), "first", "third"))
	taken(claim(w.newAccount("g", "two"), "first", ""))
}

// Of many that want one name at once one gets it, and each of the others is
// told that it is taken, not that something has changed.
func TestOneOfManyGetsAName(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	var won, lost atomic.Int32
	for i := range 16 {
		all.Go(func() {
			a := named(w.newAccount("g", fmt.Sprint("a", i)), "wanted")
			switch _, err := w.store.Commit(t.Context(), accounts.Write{Put: []accounts.Document{a}, Claim: "wanted"}); {
			case err == nil:
				won.Add(1)
			case twinkey.KindOf(err) == twinkey.NameTaken:
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 || lost.Load() != 15 {
		t.Errorf("%d won, %d lost", won.Load(), lost.Load())
	}
}

// The same account created by several calls at once, name and all, is one
// account; whoever comes late finds a conflict, reads again and goes on.
func TestSameAccountCreatedAtOnceIsAConflict(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	var won, lost atomic.Int32
	for range 16 {
		all.Go(func() {
			a := named(w.newAccount("g", "same"), "own")
			switch _, err := w.store.Commit(t.Context(), accounts.Write{Put: []accounts.Document{a}, Claim: "own"}); {
			case err == nil:
				won.Add(1)
			case errors.Is(err, accounts.ErrConflict):
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 || lost.Load() != 15 {
		t.Errorf("%d won, %d lost", won.Load(), lost.Load())
	}
}

// No change is lost under any others: each writer counts up, and trying again
// on a conflict is enough.
func TestNoUpdateIsLost(t *testing.T) {
	w := newWorld(t)
	w.put(w.newAccount("g", "counter"))
	var all sync.WaitGroup
	const writers, each = 6, 10
	for range writers {
		all.Go(func() {
			for done := 0; done < each; {
				a, err := w.store.Account(t.Context(), w.id("g", "counter"))
				if err != nil {
					t.Error(err)
					return
				}
				a.Slots[0].Generation++
				switch revision, err := w.store.Commit(t.Context(), accounts.Write{Put: []accounts.Document{a}}); {
				case err == nil && revision > a.Revision:
					done++
				case !errors.Is(err, accounts.ErrConflict):
					t.Errorf("revision %d after %d, %v", revision, a.Revision, err)
					return
				}
			}
		})
	}
	all.Wait()
	if g := w.account(w.id("g", "counter")).Slots[0].Generation; g != 1+writers*each {
		t.Errorf("counted to %d", g)
	}
}

// What is removed takes its role assignments with it, and nobody else's: a
// resource made anew under the name must not be open to who had the old one.
func TestRemovingTakesItsAssignmentsAlong(t *testing.T) {
	w := newWorld(t)
	scopes := []twinkey.ResourceID{{}, {Subscription: w.sub}, w.groupID("g"), w.groupID("g2"), w.id("g", "aa"), w.id("g", "aab"), w.id("g2", "aa")}
	var held []access.Assignment
	for _, s := range scopes {
		held = append(held, access.Assignment{ID: uuid.NewString(), Scope: s, RoleID: "r", PrincipalID: "p"})
	}
	if err := w.store.Bootstrap(t.Context(), accounts.Subscription{ID: w.sub}, held); err != nil {
		t.Fatal(err)
	}
	expect := func(at twinkey.ResourceID, want ...twinkey.ResourceID) {
		t.Helper()
		grants, err := w.store.Grants(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		got := grants.Assignments
		found := map[twinkey.ResourceID]bool{}
		for _, a := range got {
			found[a.Scope] = true
		}
		wanted := map[twinkey.ResourceID]bool{}
		for _, s := range want {
			wanted[s] = true
		}
		if !maps.Equal(found, wanted) || len(got) != len(want) {
			t.Errorf("at %s hold %v, want %v", at, found, wanted)
		}
	}
	expect(twinkey.ResourceID{}, scopes[0])
	expect(w.groupID("G"), scopes[:3]...)
	expect(w.id("g", "AA"), scopes[0], scopes[1], scopes[2], scopes[4])
	expect(w.id("g", "aaa"), scopes[:3]...)

	w.put(w.newGroup("g"), w.newAccount("g", "aa"))
	w.commit(accounts.Write{Remove: []accounts.Document{w.account(w.id("g", "aa"))}})
	expect(w.id("g", "aa"), scopes[:3]...)
	expect(w.id("g", "aab"), scopes[0], scopes[1], scopes[2], scopes[5])
	w.commit(accounts.Write{Remove: []accounts.Document{w.group("g")}})
	expect(w.id("g", "aab"), scopes[0], scopes[1], scopes[5])
	expect(w.id("g2", "aa"), scopes[0], scopes[1], scopes[3], scopes[6])
	if all, _, err := w.store.AssignmentsWithin(t.Context(), twinkey.ResourceID{}, accounts.Page{}); err != nil || len(all) != len(scopes)-2 {
		t.Errorf("%d assignments in all, %v", len(all), err)
	}
}

// A write that got no answer is neither done nor refused: claiming either would
// make a caller repeat it, or not look.
func TestWriteWithoutAnAnswerIsUnknown(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.store.Commit(ctx, accounts.Write{Put: []accounts.Document{w.newGroup("g")}}); !errors.Is(err, accounts.ErrUnknown) || errors.Is(err, accounts.ErrConflict) {
		t.Errorf("%v", err)
	}
	if _, err := w.store.Group(ctx, w.groupID("g")); twinkey.KindOf(err) != twinkey.Unavailable {
		t.Errorf("reading: %v", err)
	}
}

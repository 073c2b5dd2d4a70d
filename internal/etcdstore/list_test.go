package etcdstore_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
)

// Every character a name may have, and names that begin one another.
const (
	accountBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
	groupBytes   = accountBytes + "()"
)

func legalNames() (groups, names []string) {
	groups = []string{"a", "a-b", "a.b", "a(b)", "a_", "A0", "aa", "z", "Straße", "ÄÖ", "日本"}
	for _, c := range groupBytes {
		groups = append(groups, "g"+string(c)+"g")
	}
	names = []string{"aa", "aaa", "aa-", "aa.a"}
	for _, c := range accountBytes {
		names = append(names, "n"+string(c))
	}
	return groups, names
}

// A list that is read page by page has every account exactly once, in order,
// and nothing of another scope, whatever the names and the sizes of pages.
func TestListPagesAreComplete(t *testing.T) {
	w := newWorld(t)
	groups, names := legalNames()
	random := rand.New(rand.NewPCG(7, 7))
	want := map[string][]twinkey.ResourceID{} // by folded group
	var all []twinkey.ResourceID
	for _, g := range unique(groups) {
		docs := []accounts.Document{w.newGroup(g)}
		for _, n := range unique(names) {
			if random.IntN(12) == 0 && g != "z" { // z stays empty
				docs = append(docs, w.newAccount(g, n))
				want[g], all = append(want[g], w.id(g, n)), append(all, w.id(g, n))
			}
		}
		w.put(docs...)
	}
	other := &world{t: t, store: w.store, etcd: w.etcd, sub: uuid.NewString()}
	other.put(other.newGroup("a"), other.newAccount("a", "aa"))

	var groupIDs []twinkey.ResourceID
	for _, g := range unique(groups) {
		groupIDs = append(groupIDs, w.groupID(g))
	}
	for _, limit := range []int{0, 1, 2, 3, 7, 50, 1000} {
		expectOrdered(t, fmt.Sprint("groups by ", limit), groupIDs, w.allGroups(limit))
		expectOrdered(t, fmt.Sprint("subscription by ", limit), all, w.allAccounts(twinkey.ResourceID{Subscription: w.sub}, limit))
	}
	for _, g := range unique(groups) {
		for _, limit := range []int{0, 1, 5} {
			expectOrdered(t, fmt.Sprintf("group %s by %d", g, limit), want[g], w.allAccounts(w.groupID(g), limit))
		}
	}
}

// A list goes on where it was when what its last page ended with has gone
// meanwhile: neither does it repeat an account, nor leave one out.
func TestListGoesOnAfterWhatHasGone(t *testing.T) {
	w := newWorld(t)
	for _, g := range []string{"g1", "g2", "g3"} {
		w.put(w.newGroup(g), w.newAccount(g, "a1"), w.newAccount(g, "a2"), w.newAccount(g, "a3"))
	}
	scope := twinkey.ResourceID{Subscription: w.sub}
	var seen []string
	after := ""
	for {
		page, next, err := w.store.Accounts(t.Context(), scope, accounts.Page{After: after, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page {
			seen = append(seen, a.ID.Group+a.ID.Account)
			w.commit(accounts.Write{Remove: []accounts.Document{&a}})
			if a.ID.Account == "a3" {
				w.commit(accounts.Write{Remove: []accounts.Document{w.group(a.ID.Group)}})
			}
		}
		if after = next; next == "" {
			break
		}
	}
	if want := []string{"g1a1", "g1a2", "g1a3", "g2a1", "g2a2", "g2a3", "g3a1", "g3a2", "g3a3"}; !slices.Equal(seen, want) {
		t.Errorf("listed %v", seen)
	}
}

// A page is never longer than the store's own limit, which is 1000, nor than 250
// for who does not say how long it may be.
func TestPagesAreBounded(t *testing.T) {
	w := newWorld(t)
	w.put(w.newGroup("g"))
	const n = 1040
	for from := 0; from < n; from += 40 {
		var docs []accounts.Document
		for i := range 40 {
			docs = append(docs, w.newAccount("g", fmt.Sprintf("a%05d", from+i)))
		}
		w.put(docs...)
	}
	for limit, most := range map[int]int{0: 250, 1 << 40: 1000} {
		for _, scope := range []twinkey.ResourceID{{Subscription: w.sub}, w.groupID("g")} {
			after := ""
			for left := n; left > 0; left -= most {
				page, next, err := w.store.Accounts(t.Context(), scope, accounts.Page{After: after, Limit: limit})
				if err != nil || len(page) != min(most, left) || (next != "") != (left > most) {
					t.Fatalf("limit %d in %s: %d accounts of %d, next %q, %v", limit, scope, len(page), left, next, err)
				}
				after = next
			}
		}
	}
}

func (w *world) allAccounts(scope twinkey.ResourceID, limit int) (ids []twinkey.ResourceID) {
	w.t.Helper()
	page := accounts.Page{Limit: limit}
	for {
		list, next, err := w.store.Accounts(w.t.Context(), scope, page)
		if err != nil || limit > 0 && len(list) > limit {
			w.t.Fatalf("a page of %d accounts, %v", len(list), err)
		}
		for _, a := range list {
			ids = append(ids, a.ID)
		}
		if page.After = next; next == "" {
			return ids
		}
	}
}

func (w *world) allGroups(limit int) (ids []twinkey.ResourceID) {
	w.t.Helper()
	page := accounts.Page{Limit: limit}
	for {
		list, next, err := w.store.Groups(w.t.Context(), w.sub, page)
		if err != nil || limit > 0 && len(list) > limit {
			w.t.Fatalf("a page of %d groups, %v", len(list), err)
		}
		for _, g := range list {
			ids = append(ids, g.ID)
		}
		if page.After = next; next == "" {
			return ids
		}
	}
}

// expectOrdered checks that got is want in the order of the keys.
func expectOrdered(t *testing.T, what string, want, got []twinkey.ResourceID) {
	t.Helper()
	want = slices.SortedFunc(slices.Values(want), func(a, b twinkey.ResourceID) int {
		a, b = a.Folded(), b.Folded()
		if a.Account == "" {
			return cmp.Compare(a.Group, b.Group)
		}
		return cmp.Compare(a.Group+"/"+a.Account, b.Group+"/"+b.Account)
	})
	if !slices.Equal(want, got) {
		t.Errorf("%s:\ngot  %v\nwant %v", what, got, want)
	}
}

// unique drops names that differ from one before in their casing alone.
func unique(names []string) (kept []string) {
	seen := map[string]bool{}
	for _, n := range names {
		if !seen[twinkey.Fold(n)] {
			seen[twinkey.Fold(n)] = true
			kept = append(kept, n)
		}
	}
	return kept
}

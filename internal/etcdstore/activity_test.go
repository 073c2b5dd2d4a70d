package etcdstore_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/audit"
)

// The log of a subscription reads in the order of what happened, in whatever
// order it was written and however it is paged, and tells nothing of another
// subscription or of what happened above all of them.
func TestActivityIsInTimeOrder(t *testing.T) {
	w := newWorld(t)
	random := rand.New(rand.NewPCG(3, 3))
	start := time.Date(2026, 2, 28, 21, 30, 0, 0, time.FixedZone("", 3*60*60))
	other := uuid.NewString()
	var want []string
	for _, i := range random.Perm(60) {
		at := start.Add(time.Duration(i) * 7 * time.Minute).Add(time.Duration(random.IntN(1000)))
		scope := []twinkey.ResourceID{{Subscription: strings.ToUpper(w.sub)}, w.groupID("g"), w.id("g", "aa")}[i%3]
		entries := []audit.Entry{audit.New(twinkey.Caller{}, at, fmt.Sprintf("%02d", i), scope)}
		if i%10 == 0 {
			entries = append(entries, audit.New(twinkey.Caller{}, at, "other", twinkey.ResourceID{Subscription: other}), audit.New(twinkey.Caller{}, at, "root", twinkey.ResourceID{}))
		}
		w.commit(accounts.Write{Activity: entries})
	}
	for i := range 60 {
		want = append(want, fmt.Sprintf("%02d", i))
	}
	for _, limit := range []int{0, 1, 7, 59, 60, 61} {
		if got := w.actions(w.sub, limit); !slices.Equal(got, want) {
			t.Errorf("pages of %d: %v", limit, got)
		}
	}
	if got := w.actions(strings.ToUpper(other), 4); len(got) != 6 || got[0] != "other" {
		t.Errorf("the other subscription: %v", got)
	}
}

func (w *world) actions(sub string, limit int) (actions []string) {
	w.t.Helper()
	page := accounts.Page{Limit: limit}
	for {
		entries, next, err := w.store.Activity(w.t.Context(), sub, page)
		if err != nil || limit > 0 && len(entries) > limit {
			w.t.Fatalf("a page of %d entries, %v", len(entries), err)
		}
		for _, e := range entries {
			actions = append(actions, e.Action)
		}
		if page.After = next; next == "" {
			return actions
		}
	}
}

package etcdstore_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/audit"
)

// noon is a moment in the middle of an hour.
func noon() time.Time { return time.Date(2031, 5, 4, 12, 30, 0, 0, time.UTC) }

// record writes entries at these moments, a transaction each, and returns their
// ids and the last revision.
func (w *world) record(sub string, moments ...time.Time) ([]string, twinkey.Revision) {
	w.t.Helper()
	var ids []string
	var revision twinkey.Revision
	for _, at := range moments {
		e := audit.New(twinkey.Caller{Principal: twinkey.Principal{Name: "ada"}}, at, accounts.ActionListKeys, twinkey.ResourceID{Subscription: sub, Group: "g", Account: "acct"})
		revision = w.commit(accounts.Write{Activity: []audit.Entry{e}})
		ids = append(ids, e.ID)
	}
	return ids, revision
}

// recent walks all pages.
func (w *world) recent(sub string, from, to time.Time, limit int) []string {
	w.t.Helper()
	var ids []string
	for page := (accounts.Page{Limit: limit}); ; {
		entries, next, err := w.store.RecentActivity(w.t.Context(), sub, from, to, page)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(entries) > limit {
			w.t.Fatalf("a page of %d entries instead of %d", len(entries), limit)
		}
		for _, e := range entries {
			ids = append(ids, e.ID)
		}
		if page.After = next; next == "" {
			return ids
		}
	}
}

// The log reads backwards without a gap or a repetition, whatever the size of
// the pages and however the entries are spread over time, and both ends of the
// range belong to it.
func TestRecentActivityIsWhole(t *testing.T) {
	w := newWorld(t)
	var moments []time.Time
	for i := range 120 { // a busy moment, with several entries at the same time
		moments = append(moments, noon().Add(time.Duration(i/5)*time.Microsecond))
	}
	for i := range 30 { // and a quiet year
		moments = append(moments, noon().AddDate(0, 0, -12*(i+1)))
	}
	ids, _ := w.record(w.sub, moments...)
	w.record(uuid.NewString(), noon())
	slices.Sort(ids)
	slices.Reverse(ids)
	for _, limit := range []int{1, 7, 100, 1000} {
		if got := w.recent(w.sub, time.Time{}, noon().AddDate(50, 0, 0), limit); !slices.Equal(got, ids) {
			t.Fatalf("pages of %d: %d entries of %d, or in another order", limit, len(got), len(ids))
		}
	}
	if got := w.recent(w.sub, noon().AddDate(0, 0, -24), noon().AddDate(0, 0, -12), 10); len(got) != 2 {
		t.Errorf("between two entries, both included, there are %d", len(got))
	}
	if got := w.recent(w.sub, noon().AddDate(0, 0, -24).Add(1), noon().AddDate(0, 0, -12).Add(-1), 10); len(got) != 0 {
		t.Errorf("between two entries, both excluded, there are %d", len(got))
	}
}

// A place in the log that nobody was given does not lead anywhere else.
func TestRecentActivityRefusesForeignPlaces(t *testing.T) {
	w := newWorld(t)
	mine, _ := w.record(w.sub, noon())
	w.record(uuid.NewString(), noon())
	for _, after := range []string{"x", "/", "2031050412/", "2031050412/zz", strings.Repeat("9", 40)} {
		if _, _, err := w.store.RecentActivity(t.Context(), w.sub, noon(), noon(), accounts.Page{After: after}); twinkey.KindOf(err) != twinkey.Invalid {
			t.Errorf("%q: %v", after, err)
		}
	}
	after := "9999999999/" + fmt.Sprintf("%016x", noon().UnixNano()-1) + "ffffffffffffffff"
	entries, _, err := w.store.RecentActivity(t.Context(), w.sub, noon().Add(-time.Hour), noon(), accounts.Page{After: after})
	if err != nil || len(entries) > 1 || len(entries) == 1 && entries[0].ID != mine[0] {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

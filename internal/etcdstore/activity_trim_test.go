package etcdstore_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey/internal/etcdstore"
)

// Hours go as a whole: those too old, then the oldest beyond the limit; never
// the one in progress, nor what a clock that was ahead has left in the future;
// and not one entry that has not been exported.
func TestTrimActivity(t *testing.T) {
	hours := func(from, n int) []time.Time {
		var all []time.Time
		for i := range n {
			for range 3 {
				all = append(all, noon().Add(time.Duration(from+i)*time.Hour))
			}
		}
		return all
	}
	for _, tt := range []struct {
		name    string
		limit   etcdstore.ActivityLimit
		removed int64
	}{
		{"nothing is too old or too much", etcdstore.ActivityLimit{Since: noon().Add(-5 * time.Hour), Entries: 100, Until: -1}, 0},
		{"by age, the hour of the limit stays", etcdstore.ActivityLimit{Since: noon().Add(-2 * time.Hour), Entries: 100, Until: -1}, 12},
		{"by number, whole hours", etcdstore.ActivityLimit{Since: noon().Add(-50 * time.Hour), Entries: 20, Until: -1}, 3 + 3},
		{"the hour in progress stays", etcdstore.ActivityLimit{Since: noon().AddDate(1, 0, 0), Entries: 0, Until: -1}, 18},
		{"what is not exported stays", etcdstore.ActivityLimit{Since: noon().Add(-2 * time.Hour), Entries: 0, Until: 0}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.record(w.sub, hours(-5, 7)...) // five hours, the one in progress, and one that has not come yet
			w.record(uuid.NewString(), hours(-5, 1)...)
			tt.limit.Now = noon()
			removed, left, err := w.store.TrimActivity(t.Context(), tt.limit)
			if err != nil || removed != tt.removed {
				t.Errorf("removed %d instead of %d, %v", removed, tt.removed, err)
			}
			if count, err := w.store.CountActivity(t.Context()); err != nil || count != 24-removed || left != count {
				t.Errorf("there are %d left, it says %d, %v", count, left, err)
			}
			if kept := w.recent(w.sub, time.Time{}, noon().AddDate(1, 0, 0), 100); len(kept)%3 != 0 || len(kept) < 6 {
				t.Errorf("%d entries are no whole hours", len(kept))
			}
		})
	}
}

// An entry committed after the cursor stays though its hour is old; those before
// it may go.
func TestTrimActivityStopsAtTheExport(t *testing.T) {
	w := newWorld(t)
	old := noon().AddDate(0, 0, -100)
	_, exported := w.record(w.sub, old.Add(-time.Hour), old.Add(-time.Hour), old)
	ids, _ := w.record(w.sub, old.Add(time.Minute))
	removed, left, err := w.store.TrimActivity(t.Context(), etcdstore.ActivityLimit{Now: noon(), Since: noon(), Entries: 0, Until: exported})
	if err != nil || removed != 3 || left != 1 {
		t.Errorf("removed %d, left %d, %v", removed, left, err)
	}
	if got := w.recent(w.sub, time.Time{}, noon(), 10); !slices.Equal(got, ids) {
		t.Errorf("%v is left instead of %v", got, ids)
	}
}

// More entries than one transaction can remove are removed all the same.
func TestTrimActivityInBatches(t *testing.T) {
	w := newWorld(t)
	w.record(w.sub, slices.Repeat([]time.Time{noon().AddDate(0, 0, -100)}, 303)...)
	if removed, left, err := w.store.TrimActivity(t.Context(), etcdstore.ActivityLimit{Now: noon(), Since: noon(), Entries: 10, Until: -1}); err != nil || removed != 303 || left != 0 {
		t.Errorf("removed %d, left %d, %v", removed, left, err)
	}
}

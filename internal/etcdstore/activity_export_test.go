package etcdstore_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
)

// Whoever follows the log gets every entry committed after a revision, and each
// once: those whose clock was behind, those written while it looks away, and
// those of revisions that have been compacted.
func TestFollowActivity(t *testing.T) {
	w := newWorld(t)
	first, _ := w.record(w.sub, noon(), noon().AddDate(0, 0, 1))
	cursor := w.follow(0, first)
	second, last := w.record(uuid.NewString(), noon().AddDate(0, 0, -1), noon().AddDate(-20, 0, 0)) // the clock goes back
	if got := w.follow(cursor, second); got != last {
		t.Errorf("the cursor is %d and not %d", got, last)
	}
	third, last := w.record(w.sub, noon().AddDate(0, 0, -2))
	if _, err := w.etcd.Compact(t.Context(), int64(last)); err != nil {
		t.Fatal(err)
	}
	if got := w.follow(cursor, slices.Concat(second, third)); got < last {
		t.Errorf("the cursor is %d, and the last entry %d", got, last)
	}
	w.follow(0, slices.Concat(first, second, third))
}

// follow reads until it has so many entries, compares them, and returns the
// cursor.
func (w *world) follow(after twinkey.Revision, want []string) twinkey.Revision {
	w.t.Helper()
	var got []string
	var cursor twinkey.Revision
	for batch, err := range w.store.FollowActivity(w.t.Context(), after) {
		if err != nil {
			w.t.Fatal(err)
		}
		for _, line := range batch.Entries {
			if strings.ContainsAny(string(line), "\n\r") {
				w.t.Errorf("%q is not one line", line)
			}
			_, rest, _ := strings.Cut(string(line), `"id":"`)
			id, _, _ := strings.Cut(rest, `"`)
			got = append(got, id)
		}
		if cursor = max(cursor, batch.Revision); len(got) >= len(want) && batch.Revision > 0 {
			break
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		w.t.Errorf("got %d entries, want %d, or others", len(got), len(want))
	}
	return cursor
}

// How far the export has come is kept.
func TestExportCursor(t *testing.T) {
	w := newWorld(t)
	for _, want := range []twinkey.Revision{0, 7, 9} {
		if want > 0 {
			if err := w.store.SetExportCursor(t.Context(), want); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := w.store.ExportCursor(t.Context()); err != nil || got != want {
			t.Errorf("the cursor is %d, %v", got, err)
		}
	}
}

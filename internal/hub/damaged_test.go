package hub_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/gateway"
	"github.com/twinkey/twinkey/internal/hub"
)

// lines is a log that several goroutines write.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// An account whose document is damaged loses its keys, also those it had before,
// with a line in the log and a count; every other account goes on, for gateways
// that are connected and for those that come later; and it is back when its
// document is.
func TestDamagedAccountHoldsUpNoOther(t *testing.T) {
	w := newWorld(t)
	log := &lines{}
	w.hub = hub.New(hub.Config{Source: w.source, Log: slog.New(slog.NewTextHandler(log, nil)), Check: w.check})
	w.run()
	bad, good := w.newAccount("bad"), w.newAccount("good")
	key := "/tk/a/" + w.sub + "/g/bad"
	w.commit(accounts.Write{Put: []accounts.Document{bad}})
	early, feed := &follower{table: gateway.NewTable(), seen: map[twinkey.Revision]opens{}}, connect(t, w.hub, "early")
	pool := []twinkey.Digest{bad.Slots[0].Digest, good.Slots[0].Digest}
	expect := func(f *follower, feed *hub.Feed, number uint64, what string, want ...bool) {
		t.Helper()
		ping(t, feed, number)
		if err := f.follow(t.Context(), feed, pool); err != nil {
			t.Fatal(err)
		}
		var got []bool
		for _, d := range pool {
			_, _, ok := f.table.Find(d)
			got = append(got, ok)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: the keys of bad and good are admitted: %v, want %v", what, got, want)
		}
	}
	expect(early, feed, 1, "at first", true, false)
	whole, err := w.etcd.Get(t.Context(), key)
	if err != nil || len(whole.Kvs) != 1 {
		t.Fatal(whole, err)
	}
	if _, err := w.etcd.Put(t.Context(), key, "planted"); err != nil {
		t.Fatal(err)
	}
	w.commit(accounts.Write{Put: []accounts.Document{good}})
	expect(early, feed, 2, "damaged", false, true)
	late, lateFeed := &follower{table: gateway.NewTable(), seen: map[twinkey.Revision]opens{}}, connect(t, w.hub, "late")
	expect(late, lateFeed, 1, "connected later", false, true)
	if text := log.String(); strings.Count(text, "account="+bad.ID.String()) != 2 || strings.Contains(text, "planted") || w.hub.Stats().Damaged != 2 {
		t.Errorf("counted %d, logged\n%s", w.hub.Stats().Damaged, text)
	}
	if _, err := w.etcd.Put(t.Context(), key, string(whole.Kvs[0].Value)); err != nil {
		t.Fatal(err)
	}
	expect(early, feed, 3, "repaired", true, true)
	expect(late, lateFeed, 2, "repaired", true, true)
}

package snapshot_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/snapshot"
)

// world is a gateway's knowledge, and the file it is kept in.
type world struct {
	t        testing.TB
	path     string
	file     *snapshot.File
	revision twinkey.Revision
	accounts map[string]twinkey.AccountState
	random   *rand.Rand
}

func newWorld(t testing.TB, dir string) *world {
	w := &world{t: t, path: filepath.Join(dir, "gateway", "snapshot"), accounts: map[string]twinkey.AccountState{}, random: rand.New(rand.NewPCG(7, 7))}
	w.file = snapshot.New(w.path, slog.New(slog.DiscardHandler))
	t.Cleanup(w.file.Close)
	return w
}

// state is an account with keys nobody had before.
func (w *world) state(name string) twinkey.AccountState {
	s := twinkey.AccountState{ID: twinkey.ResourceID{Subscription: "s", Group: "G", Account: name}, UID: twinkey.UID(fmt.Sprint(w.random.Uint64())), Kind: "K", Location: "l", SKU: "S0"}
	for i := range s.Digests {
		s.Digests[i] = twinkey.DigestOf(fmt.Sprint(w.random.Uint64()))
		s.Generations[i] = twinkey.Generation(w.random.Uint64N(1 << 40))
	}
	switch w.random.IntN(4) {
	case 0:
		s.KeysDisabled, s.Subdomain = true, "sub-"+name
	case 1:
		s.PublicAccessDisabled, s.Network = true, &twinkey.NetworkRules{}
	case 2:
		s.Network = &twinkey.NetworkRules{DefaultDeny: true, Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::1/128")}}
	}
	return s
}

// change is what a commit does to some accounts; it is in force when it returns.
func (w *world) change(puts, removals int) twinkey.Change {
	w.revision += twinkey.Revision(1 + w.random.IntN(3))
	c := twinkey.Change{Revision: w.revision}
	there := slices.Sorted(maps.Keys(w.accounts))
	for range min(removals, len(there)) {
		name := there[w.random.IntN(len(there))]
		c.Removed = append(c.Removed, twinkey.ResourceID{Subscription: "S", Group: "g", Account: name})
		delete(w.accounts, name)
	}
	for range puts {
		name := fmt.Sprint("a", w.random.IntN(200))
		if slices.ContainsFunc(c.Put, func(s twinkey.AccountState) bool { return s.ID.Account == name }) {
			continue
		}
		w.accounts[name] = w.state(name)
		c.Put = append(c.Put, w.accounts[name])
	}
	return c
}

func (w *world) states(yield func(twinkey.AccountState) bool) {
	for _, s := range w.accounts {
		if !yield(s) {
			return
		}
	}
}

func (w *world) replace() {
	w.t.Helper()
	w.file.Outdate(w.revision)
	if at := w.file.Renew(context.Background(), w.states); at != w.revision {
		w.t.Fatalf("renewed up to %d instead of %d", at, w.revision)
	}
}

func (w *world) append(c twinkey.Change) {
	w.t.Helper()
	if err := w.file.Append(c); err != nil {
		w.t.Fatal(err)
	}
}

// found is what a restart finds.
func found(path string) (map[string]twinkey.AccountState, snapshot.Content, error) {
	got := map[string]twinkey.AccountState{}
	twice := false
	content, err := snapshot.New(path, slog.New(slog.DiscardHandler)).Read(func(states []twinkey.AccountState) {
		for _, s := range states {
			_, there := got[s.ID.Account]
			twice = twice || there
			got[s.ID.Account] = s
		}
	})
	if err == nil && (twice || content.Accounts != len(got)) {
		err = fmt.Errorf("%d accounts are given as %d, or one of them twice", len(got), content.Accounts)
	}
	return got, content, err
}

// finds fails unless a restart finds what is known now.
func (w *world) finds(when string) {
	w.t.Helper()
	got, content, err := found(w.path)
	if err != nil || content.Revision != w.revision || !reflect.DeepEqual(got, w.accounts) {
		w.t.Fatalf("%s: at revision %d a restart finds %d accounts of revision %d, want %d, or others: %v", when, w.revision, len(got), content.Revision, len(w.accounts), err)
	}
}

// findsNothing fails unless there is no file for a restart.
func (w *world) findsNothing(when string) {
	w.t.Helper()
	if _, content, err := found(w.path); err == nil {
		w.t.Fatalf("%s: a restart finds revision %d", when, content.Revision)
	}
}

func (w *world) bytes() []byte {
	w.t.Helper()
	data, err := os.ReadFile(w.path)
	if err != nil {
		w.t.Fatal(err)
	}
	return data
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

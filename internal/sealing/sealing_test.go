package sealing_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/sealing"
)

func newRing(t testing.TB, dataKeys ...uint32) (*sealing.Ring, *sealing.OuterKey, map[uint32][]byte) {
	t.Helper()
	outer, err := sealing.CreateOuterKey(filepath.Join(t.TempDir(), "outer.key"))
	if err != nil {
		t.Fatal(err)
	}
	wrapped := map[uint32][]byte{}
	for _, id := range dataKeys {
		if wrapped[id], err = outer.NewDataKey(id); err != nil {
			t.Fatal(err)
		}
	}
	ring, err := outer.Open(wrapped)
	if err != nil {
		t.Fatal(err)
	}
	return ring, outer, wrapped
}

// A sealed key moved to another account, slot or generation must not open:
// otherwise whoever can write the store could hand out an old or foreign key.
func TestSealedKeyOpensOnlyInItsPlace(t *testing.T) {
	ring, _, _ := newRing(t, 1)
	key, uid := sealing.NewKey(), sealing.NewUID()
	place := sealing.Place{UID: uid, Slot: twinkey.Key1, Generation: 7}
	digest := twinkey.DigestOf(key.Reveal())
	sealed, err := ring.Seal(place, key)
	if err != nil {
		t.Fatal(err)
	}
	if opened, err := ring.Open(place, sealed, digest); err != nil || opened.Reveal() != key.Reveal() {
		t.Fatalf("opening in its own place: %v", err)
	}
	for name, other := range map[string]sealing.Place{
		"account":    {UID: sealing.NewUID(), Slot: twinkey.Key1, Generation: 7},
		"slot":       {UID: uid, Slot: twinkey.Key2, Generation: 7},
		"generation": {UID: uid, Slot: twinkey.Key1, Generation: 8},
		"no uid":     {UID: "", Slot: twinkey.Key1, Generation: 7},
		"no slot":    {UID: uid, Generation: 7},
	} {
		if _, err := ring.Open(other, sealed, digest); err == nil {
			t.Errorf("opened in another %s", name)
		}
	}
	if _, err := ring.Open(place, sealed, twinkey.DigestOf("another")); err == nil {
		t.Error("opened although the digest is another key's")
	}
	if _, err := ring.OpenBlob("anything", sealed); err == nil {
		t.Error("a sealed key opened as a blob")
	}
}

// Keys sealed under an older data key stay readable when a newer one is added.
func TestOlderDataKeysStillOpen(t *testing.T) {
	ring, outer, wrapped := newRing(t, 1)
	place, key := sealing.Place{UID: sealing.NewUID(), Slot: twinkey.Key2, Generation: 1}, sealing.NewKey()
	sealed, err := ring.Seal(place, key)
	if err != nil {
		t.Fatal(err)
	}
	if wrapped[2], err = outer.NewDataKey(2); err != nil {
		t.Fatal(err)
	}
	newer, err := outer.Open(wrapped)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newer.Open(place, sealed, twinkey.DigestOf(key.Reveal())); err != nil {
		t.Error(err)
	}
	again, err := newer.Seal(place, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Open(place, again, twinkey.DigestOf(key.Reveal())); err == nil {
		t.Error("sealed under the new data key, yet opened by a ring without it")
	}
}

// Another outer key must be noticed before anything is sealed under it.
func TestWrongOuterKeyIsRefused(t *testing.T) {
	_, _, wrapped := newRing(t, 1, 2)
	_, other, _ := newRing(t, 1)
	if _, err := other.Open(wrapped); err == nil {
		t.Fatal("another outer key opened the data keys")
	}
	swapped := map[uint32][]byte{1: wrapped[2], 2: wrapped[1]}
	if _, err := other.Open(swapped); err == nil {
		t.Fatal("swapped data keys were opened")
	}
}

func TestOuterKeyFileIsPrivateAndNeverOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outer.key")
	if _, err := sealing.ReadOuterKey(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("a missing file reads as %v", err)
	}
	if _, err := sealing.CreateOuterKey(path); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v", info.Mode())
	}
	if _, err := sealing.CreateOuterKey(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("creating it again: %v", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the file was overwritten")
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := sealing.ReadOuterKey(path); err == nil {
		t.Error("a file everybody can read was accepted")
	}
}

// Clients expect 32 lower-case hexadecimal characters.
func TestNewKeyHasAzuresForm(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{32}$`)
	seen := map[string]bool{}
	for range 1000 {
		key := sealing.NewKey().Reveal()
		if !form.MatchString(key) || seen[key] {
			t.Fatalf("a key of wrong form, or seen before")
		}
		seen[key] = true
	}
}

// Whatever is changed in sealed bytes, they do not open.
func FuzzChangedSealedBytesDoNotOpen(f *testing.F) {
	ring, _, _ := newRing(f, 1)
	place, key := sealing.Place{UID: sealing.NewUID(), Slot: twinkey.Key1, Generation: 1}, sealing.NewKey()
	sealed, err := ring.Seal(place, key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(0, byte(1))
	f.Add(len(sealed)-1, byte(0x80))
	f.Fuzz(func(t *testing.T, at int, flip byte) {
		if at < 0 || at >= len(sealed) || flip == 0 {
			return
		}
		changed := bytes.Clone(sealed)
		changed[at] ^= flip
		if _, err := ring.Open(place, changed, twinkey.DigestOf(key.Reveal())); err == nil {
			t.Fatalf("opened after byte %d was changed", at)
		}
		if _, err := ring.Open(place, sealed[:at], twinkey.DigestOf(key.Reveal())); err == nil {
			t.Fatalf("opened after being cut to %d bytes", at)
		}
	})
}

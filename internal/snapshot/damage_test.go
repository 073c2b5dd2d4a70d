package snapshot_test

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/twinkey/twinkey"
)

const sector = 512

// history is a small file with three changes behind its base, the last of them of
// several sectors, and what was known before each.
func history(t testing.TB) (w *world, known []map[string]twinkey.AccountState, used int) {
	w = newWorld(t, t.TempDir())
	w.change(2, 0)
	w.replace()
	for _, puts := range []int{1, 1, 18} {
		known = append(known, maps.Clone(w.accounts))
		w.append(w.change(puts, 1))
	}
	known = append(known, maps.Clone(w.accounts))
	data := w.bytes()
	for used = len(data); data[used-1] == 0; used-- {
	}
	return w, known, (used + sector - 1) / sector * sector
}

// damaged writes a file of some content and says what a restart makes of it.
func damaged(t testing.TB, path string, data []byte) (map[string]twinkey.AccountState, error) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	got, _, err := found(path)
	return got, err
}

// A power cut in the midst of a write leaves some of its sectors written and
// others not: what was acknowledged before it counts, and that write does not.
func TestTornTail(t *testing.T) {
	w, known, used := history(t)
	whole := w.bytes()
	from := used // where the last change begins
	for before := known[2]; ; from -= sector {
		data := bytes.Clone(whole)
		clear(data[from-sector : used])
		got, err := damaged(t, w.path, data)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, before) {
			break
		}
	}
	sectors := (used - from) / sector
	if sectors < 3 || sectors > 12 {
		t.Fatalf("the last change takes %d sectors", sectors)
	}
	for written := range 1<<sectors - 1 {
		data := bytes.Clone(whole[:used+sector])
		for i := range sectors {
			if written&(1<<i) == 0 {
				clear(data[from+i*sector : from+(i+1)*sector])
			}
		}
		data = append(data, whole[len(data):]...)
		if got, err := damaged(t, w.path, data); err != nil || !reflect.DeepEqual(got, known[2]) {
			t.Fatalf("with sectors %b of the last change a restart finds %d accounts, %v", written, len(got), err)
		}
	}
	for at := used - sectors*sector - 2*sector; at < from; at += sector {
		data := bytes.Clone(whole)
		clear(data[at : at+sector])
		if _, err := damaged(t, w.path, data); err == nil {
			t.Errorf("a change is missing at %d, with others behind it, and the file counts", at)
		}
	}
}

// No bit of a file can be another without the file being refused as a whole: not
// in what is written, nor in what is not.
func TestFlippedBits(t *testing.T) {
	w, _, used := history(t)
	f, err := os.OpenFile(w.path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	whole := w.bytes()
	flip := func(at int) {
		bit := byte(1) << rand.N(8)
		if _, err := f.WriteAt([]byte{whole[at] ^ bit}, int64(at)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := found(w.path); err == nil {
			t.Fatalf("byte %d is %02x instead of %02x, and the file counts", at, whole[at]^bit, whole[at])
		}
		if _, err := f.WriteAt(whole[at:at+1], int64(at)); err != nil {
			t.Fatal(err)
		}
	}
	for at := range used {
		flip(at)
	}
	for range 200 {
		flip(used + rand.IntN(len(whole)-used))
	}
	flip(len(whole) - 1)
	w.finds("with every bit as it was")
}

// A file that has lost its end, wherever, is refused, as is one that has grown.
func TestTruncated(t *testing.T) {
	w, _, used := history(t)
	whole := w.bytes()
	refused := func(size int) {
		if err := os.Truncate(w.path, int64(size)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := found(w.path); err == nil {
			t.Fatalf("a file cut to %d of %d bytes counts", size, len(whole))
		}
	}
	refused(len(whole) + 1)
	refused(len(whole) + sector)
	for size := len(whole) - 1; size > used; size -= rand.IntN(2 * sector) {
		refused(size)
	}
	for size := used; size >= 0; size-- {
		refused(size)
	}
}

// Sectors that change places, within a file or from one file to another, are not
// taken for what belongs there.
func TestMisplacedSectors(t *testing.T) {
	w, _, used := history(t)
	whole := w.bytes()
	w.replace() // the same base again, and an empty log
	other := w.bytes()
	for to := 0; to < used; to += sector {
		for from := 0; from < used; from += sector {
			data := bytes.Clone(whole)
			copy(data[to:to+sector], whole[from:])
			if _, err := damaged(t, w.path, data); err == nil && !bytes.Equal(data, whole) {
				t.Errorf("sector %d counts in the place of sector %d", from/sector, to/sector)
			}
		}
		data := bytes.Clone(other)
		copy(data[to:to+sector], whole[to:])
		if _, err := damaged(t, w.path, data); err == nil && !bytes.Equal(data, other) {
			t.Errorf("sector %d of another file counts", to/sector)
		}
	}
}

// However a file is changed, it is refused, or a restart finds what was known at
// one time; never something that was not.
func FuzzDamage(f *testing.F) {
	w, known, _ := history(f)
	whole := w.bytes()
	f.Add(uint32(0), []byte("twinkey"))
	f.Add(uint32(600), []byte{0, 0, 0, 0})
	f.Add(uint32(1024), make([]byte, 4*sector))
	f.Add(uint32(len(whole)), []byte("more"))
	f.Fuzz(func(t *testing.T, at uint32, patch []byte) {
		data := bytes.Clone(whole)
		if place := int(at) % (len(whole) + 1); place+len(patch) <= len(whole) {
			copy(data[place:], patch)
		} else {
			data = append(data[:place], patch...)
		}
		got, err := damaged(t, filepath.Join(t.TempDir(), "snapshot"), data)
		if err != nil {
			return
		}
		for _, k := range known {
			if reflect.DeepEqual(got, k) {
				return
			}
		}
		t.Errorf("a restart finds %v", got)
	})
}

// Whatever is in the place of a file is refused without a panic.
func FuzzGarbage(f *testing.F) {
	w, _, used := history(f)
	f.Add(w.bytes()[:used])
	f.Add(w.bytes()[:sector])
	random := rand.NewChaCha8([32]byte{})
	garbage := make([]byte, 10<<20)
	_, _ = random.Read(garbage)
	f.Add(garbage)
	f.Add(append(w.bytes()[:sector], garbage...))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := damaged(t, filepath.Join(t.TempDir(), "snapshot"), data); err == nil {
			t.Error("garbage counts")
		}
	})
}

package etcdnode_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/twinkey/twinkey/internal/etcdnode"
)

// A process killed at any moment of its first start must not leave a directory
// on which no later start ever comes to its end. The moments are those at which
// etcd logs something.
func TestFirstStartKilledAtAnyMoment(t *testing.T) {
	kills := &killer{t: t, dir: t.TempDir(), into: t.TempDir(), seen: map[string]bool{}}
	node, err := etcdnode.Start(t.Context(), etcdnode.Config{Dir: kills.dir, Log: slog.New(kills)})
	if err != nil {
		t.Fatal(err)
	}
	copies := kills.stop()
	if err := node.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(copies) < 3 {
		t.Fatalf("only %d moments; the test is blind", len(copies))
	}
	for what, dir := range copies {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // ends only when the test fails
		node, err := etcdnode.Start(ctx, quiet(dir))
		cancel()
		if err != nil {
			t.Errorf("killed when etcd said %q, and started again: %v", what, err)
			continue
		}
		put(t, node, "k", "1")
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		again := start(t, dir)
		expect(t, again, "k", "1")
		if err := again.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// killer copies a directory whenever something is logged and the directory is
// not as it was: what a killed process would have left.
type killer struct {
	t         *testing.T
	dir, into string

	mu     sync.Mutex
	seen   map[string]bool
	copies map[string]string
	over   bool
}

func (k *killer) Enabled(context.Context, slog.Level) bool { return true }
func (k *killer) WithAttrs([]slog.Attr) slog.Handler       { return k }
func (k *killer) WithGroup(string) slog.Handler            { return k }

func (k *killer) Handle(_ context.Context, r slog.Record) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over {
		return nil
	}
	if k.copies == nil {
		k.copies = map[string]string{}
	}
	to := filepath.Join(k.into, fmt.Sprint(len(k.copies)))
	state, err := copyTree(k.dir, to)
	if err != nil {
		k.t.Error(err)
	}
	if k.seen[state] {
		return os.RemoveAll(to)
	}
	k.seen[state] = true
	k.copies[fmt.Sprint(len(k.copies), " ", r.Message)] = to
	return nil
}

func (k *killer) stop() map[string]string {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.over = true
	return k.copies
}

// copyTree copies a directory and describes its state: which files there are,
// and how much is in them. A file that goes meanwhile is left out.
func copyTree(from, to string) (state string, err error) {
	err = filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			state += name + "\n"
			return os.MkdirAll(filepath.Join(to, name), 0o700)
		}
		n, err := copyFile(path, filepath.Join(to, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		state += fmt.Sprintln(name, n)
		return err
	})
	return state, err
}

// copyFile copies the parts of a file that hold data and returns how many bytes
// those are: a write-ahead log is mostly room for later.
func copyFile(from, to string) (written int64, err error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	info, err := in.Stat()
	if err != nil {
		return 0, err
	}
	if err := out.Truncate(info.Size()); err != nil {
		return 0, err
	}
	for at := int64(0); ; {
		begin, err := unix.Seek(int(in.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return written, nil
		}
		if err != nil {
			return 0, err
		}
		if at, err = unix.Seek(int(in.Fd()), begin, unix.SEEK_HOLE); err != nil {
			return 0, err
		}
		n, err := io.Copy(io.NewOffsetWriter(out, begin), io.NewSectionReader(in, begin, at-begin))
		if written += n; err != nil {
			return 0, err
		}
	}
}

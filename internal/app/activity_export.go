package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twinkey/twinkey/internal/etcdstore"
)

const (
	exportPace  = 500 * time.Millisecond // between two writes, so that a busy log is written in larger pieces
	exportRetry = 2 * time.Second        // after a write that failed
)

// exporter appends the activity log to a file, one JSON object a line. How far
// it has come is stored after a write has reached the disk: an entry is written
// at least once, and when it is written again it has the same id.
type exporter struct {
	store *etcdstore.Store
	path  string
	log   *slog.Logger

	written  atomic.Int64 // revision up to which everything is in the file
	exported atomic.Int64 // entries since the start
	failures atomic.Int64 // writes since the start
	waiting  atomic.Int64 // time of the oldest entry known and not written, Unix nanoseconds; 0: none

	mu      sync.Mutex
	failing error // what was said last; nil: it works
}

// exportActivity carries the log to the file until ctx ends or the store dies.
func (a *App) exportActivity(ctx context.Context) {
	for ctx.Err() == nil && a.node.Err() == nil {
		if err := a.exporter.follow(ctx); ctx.Err() == nil && a.node.Err() == nil {
			a.log.Warn("following the activity log for its export", "error", err)
		}
		pause(ctx, exportRetry)
	}
}

// follow begins where the cursor is and goes on until the store or ctx fails.
func (e *exporter) follow(ctx context.Context) error {
	cursor, err := e.store.ExportCursor(ctx)
	if err != nil {
		return err
	}
	e.written.Store(int64(cursor))
	for batch, err := range e.store.FollowActivity(ctx, cursor) {
		if err != nil {
			return err
		}
		if err := e.deliver(ctx, batch); err != nil {
			return err
		}
		pause(ctx, exportPace)
	}
	return nil
}

// deliver writes a batch, however often that takes, and then stores how far the
// export has come.
func (e *exporter) deliver(ctx context.Context, batch etcdstore.ActivityBatch) error {
	if len(batch.Entries) > 0 {
		e.waiting.Store(batch.Oldest.UnixNano())
		lines := append(bytes.Join(batch.Entries, []byte("\n")), '\n')
		for {
			err := appendLines(e.path, lines)
			e.say(err)
			if err == nil {
				break
			}
			e.failures.Add(1)
			if pause(ctx, exportRetry); ctx.Err() != nil {
				return ctx.Err()
			}
		}
		e.waiting.Store(0)
		e.exported.Add(int64(len(batch.Entries)))
	}
	if batch.Revision == 0 {
		return nil
	}
	ctx = context.WithoutCancel(ctx) // what is written is noted also while the server is stopped
	if err := e.store.SetExportCursor(ctx, batch.Revision); err != nil {
		return fmt.Errorf("storing how far the export has come: %w", err)
	}
	e.written.Store(int64(batch.Revision))
	return nil
}

// say logs when writing begins to fail and when it works again, once each.
func (e *exporter) say(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case err != nil && e.failing == nil:
		e.log.Error("the activity log cannot be exported: entries wait in the store until it works again", "file", e.path, "error", err)
	case err == nil && e.failing != nil:
		e.log.Info("the activity log is exported again", "file", e.path)
	}
	e.failing = err
}

// works reports whether the last attempt did.
func (e *exporter) works() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.failing == nil
}

// lag is for how long the oldest entry that is not written has been waiting.
func (e *exporter) lag(now time.Time) time.Duration {
	since := e.waiting.Load()
	if since == 0 {
		return 0
	}
	return max(0, now.Sub(time.Unix(0, since)))
}

// appendLines puts whole lines at the end of a file and on the disk, or leaves
// the file as it was. The file is opened each time, so that it can be moved
// away. The beginning of a line that a crash or a full disk has left at its end
// is cut off first: that entry comes again.
func appendLines(path string, lines []byte) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	made := errors.Is(err, fs.ErrNotExist)
	if made {
		f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path)
	}
	end, err := endOfLines(f, info.Size())
	if err != nil {
		return err
	}
	if end < info.Size() {
		if err := f.Truncate(end); err != nil {
			return err
		}
	}
	if _, err := f.WriteAt(lines, end); err != nil {
		return errors.Join(err, f.Truncate(end))
	}
	if err := f.Sync(); err != nil || !made {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// endOfLines is where the last whole line of a file ends.
func endOfLines(f io.ReaderAt, size int64) (int64, error) {
	var part [4096]byte
	for end := size; end > 0; {
		begin := max(0, end-int64(len(part)))
		n, err := f.ReadAt(part[:end-begin], begin)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if at := bytes.LastIndexByte(part[:n], '\n'); at >= 0 {
			return begin + int64(at) + 1, nil
		}
		end = begin
	}
	return 0, nil
}

// syncDir puts a new file's name on the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

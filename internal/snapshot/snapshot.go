// Package snapshot keeps what a gateway knows of accounts in a file, for a start
// without the store: all accounts at one revision, and behind them the changes
// that came later.
//
// It refuses to be older than what its user was told is in it, to guess what a
// damaged file meant, to hold anything but digests and what a gateway decides
// by, and to be read for any other purpose: the store is where data lives.
package snapshot

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/twinkey/twinkey"
)

// File is a gateway's snapshot. Its methods may be called by several goroutines.
type File struct {
	path string
	log  *slog.Logger

	rewriting sync.Mutex // one writes a new file at a time; taken before mu

	mu       sync.Mutex
	current  *written         // the valid file; nil: there is none
	revision twinkey.Revision // the newest change seen; 0 until the first Outdate
	times    int              // how often it has been outdated
	stale    bool             // the file there lacks something, unless it has been blanked
	doubtful bool             // nobody knows which file is there after a power cut
	backlog  *backlog         // what comes while a new file is written; nil: none is
	failing  bool             // the last attempt to write did not succeed
	failures uint64
	due      chan struct{}
}

// New describes the file at a path; nothing is opened. The log gets a line when
// the file cannot be written, and when it can be again.
func New(path string, log *slog.Logger) *File {
	return &File{path: path, log: log, due: make(chan struct{}, 1)}
}

// Tidy removes what a process has left that was ended while it wrote. Nobody else
// may be using the file.
func (f *File) Tidy() {
	if err := os.Remove(f.path + newSuffix); err != nil && !errors.Is(err, os.ErrNotExist) {
		f.log.Warn("removing a snapshot that was not finished", "error", err)
	}
}

// Outdate says that a gateway knows everything as of a revision, which the file
// there may be need not hold. Renew is due, and the revision must not be
// acknowledged before.
func (f *File) Outdate(at twinkey.Revision) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current != nil {
		_ = f.current.file.Close()
	}
	f.current, f.stale, f.revision, f.backlog = nil, true, at, nil
	f.times++
	select {
	case f.due <- struct{}{}: // also after a failure: who waits for this would wait for long
	default:
	}
}

// Append adds a change, which is on the disk when it returns nil; or there is no
// file any more, which is as good. On an error a restart may find a file without
// the change, so its revision must not be acknowledged. The change must be in
// force already where Renew reads states.
func (f *File) Append(c twinkey.Change) error {
	record := appendChange(nil, &c)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.revision = c.Revision
	f.backlog.add(record)
	switch {
	case f.exposed():
		if err := f.takeAway(); err != nil {
			f.fail(err)
			return err
		}
		return nil
	case f.current == nil:
		return nil
	}
	if err := f.current.append(record); err != nil {
		return f.invalidate(err)
	}
	if err := f.current.sync(); err != nil {
		return f.invalidate(err)
	}
	if f.current.halfFull() {
		f.ring()
	}
	return nil
}

// Due receives when Renew has something to do at once. It also does after a
// failure, which is to be tried again now and then.
func (f *File) Due() <-chan struct{} { return f.due }

// Renew writes a new file if the log of the one there is has grown, or if there
// is none; otherwise it does nothing. Changes go on meanwhile: states may have
// some of those that are made after the call, and not others. It returns the
// revision up to which a restart finds nothing older, 0 if nothing was done or
// it does not know.
func (f *File) Renew(ctx context.Context, states iter.Seq[twinkey.AccountState]) twinkey.Revision {
	f.rewriting.Lock()
	defer f.rewriting.Unlock()
	f.mu.Lock()
	at, times, needed := f.revision, f.times, f.revision > 0 && (f.current == nil || f.current.halfFull())
	if needed {
		f.backlog = &backlog{}
	}
	f.mu.Unlock()
	if !needed {
		return 0
	}
	next, err := f.create(ctx, at, states)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.times != times { // the states are of a time that is over
		if err == nil {
			next.discard()
		}
		return 0
	}
	missed := f.backlog
	f.backlog = nil
	if err == nil {
		err = next.catchUp(missed)
	}
	if err == nil {
		err = f.install(next)
	}
	switch {
	case err == nil:
		return f.revision
	case ctx.Err() != nil:
		return 0
	}
	gone := f.exposed() && f.takeAway() == nil
	f.fail(err)
	if gone {
		return f.revision
	}
	return 0
}

// Stats says how the file is.
type Stats struct {
	Valid    bool             // there is a file that a restart can use
	Revision twinkey.Revision // of the newest change in it
	Failures uint64           // how often it could not be written
}

// Stats reads the counters.
func (f *File) Stats() Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := Stats{Valid: f.current != nil, Failures: f.failures}
	if s.Valid {
		s.Revision = f.revision
	}
	return s
}

// Close lets go of the file and leaves it as it is.
func (f *File) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current != nil {
		_ = f.current.file.Close()
	}
	f.current, f.revision = nil, 0
}

// install gives a new file its name. f.mu is held. On an error f.current says
// whether the file before is still what a restart finds.
func (f *File) install(next *written) error {
	err := next.sync()
	if err == nil {
		err = os.Rename(next.file.Name(), f.path)
	}
	if err != nil {
		next.discard()
		return err
	}
	before := f.current
	f.current = nil
	if err := persist(filepath.Dir(f.path)); err != nil {
		// Nobody knows which of the two has the name after a power cut: neither counts.
		blanked := blank(next.file)
		if before != nil {
			blanked = errors.Join(blanked, blank(before.file))
		}
		f.doubtful = f.doubtful || blanked != nil || before == nil && f.stale
		return errors.Join(err, blanked)
	}
	if before != nil {
		_ = before.file.Close()
	}
	f.current, f.stale, f.doubtful = next, false, false
	select {
	case <-f.due: // done
	default:
	}
	if f.failing {
		f.log.Info("the gateway's snapshot is written again", "path", f.path, "revision", f.revision)
	}
	f.failing = false
	return nil
}

// invalidate makes sure that no restart finds the file, which lacks what could
// not be written, and says why. f.mu is held.
func (f *File) invalidate(why error) error {
	err := f.takeAway()
	f.ring()
	f.fail(why)
	if err != nil {
		return errors.Join(why, err)
	}
	return nil
}

// exposed reports whether a restart may find what does not count any more.
func (f *File) exposed() bool { return f.stale || f.doubtful }

// takeAway makes sure that no restart finds the file. f.mu is held.
func (f *File) takeAway() error {
	before := f.current
	f.current = nil
	var blanked error
	if before != nil {
		blanked = blank(before.file)
		_ = before.file.Close()
	} else {
		blanked = blankPath(f.path)
	}
	removed := os.Remove(f.path)
	if errors.Is(removed, os.ErrNotExist) {
		removed = nil
	}
	if removed == nil {
		if removed = persist(filepath.Dir(f.path)); errors.Is(removed, os.ErrNotExist) {
			removed = nil // without a directory there is no file
		}
	}
	f.stale, f.doubtful = removed != nil && blanked != nil, removed != nil && f.doubtful
	if f.exposed() {
		return fmt.Errorf("taking an outdated snapshot away: %w", errors.Join(blanked, removed))
	}
	return nil
}

// fail counts a failure, and says so unless the one before was one.
func (f *File) fail(why error) {
	f.failures++
	if !f.failing {
		f.log.Error("the gateway's snapshot cannot be written; without one the server cannot start when its store cannot be opened", "path", f.path, "state", f.state(), "cause", why)
	}
	f.failing = true
}

// state says what a restart finds.
func (f *File) state() string {
	switch {
	case f.current != nil:
		return "the one before is complete"
	case f.exposed():
		return "an outdated one cannot be taken away, so changes are not confirmed"
	}
	return "there is none"
}

// ring says that there is something to do at once, unless it was just tried.
func (f *File) ring() {
	if f.failing {
		return
	}
	select {
	case f.due <- struct{}{}:
	default:
	}
}

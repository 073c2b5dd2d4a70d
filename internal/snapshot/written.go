package snapshot

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/twinkey/twinkey"
)

// newSuffix is behind the name of a file that is being written.
const newSuffix = ".new"

// errNoRoom says that the log is full.
var errNoRoom = errors.New("the log of the snapshot is full")

// written is a file that has been written as a whole and takes changes.
type written struct {
	file   *os.File
	header header
	next   int64 // the first sector of the log that is zero
}

// create writes a file beside the one there is, and makes it durable but for its
// name.
func (f *File) create(ctx context.Context, at twinkey.Revision, states iter.Seq[twinkey.AccountState]) (*written, error) {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(f.path+newSuffix, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	w := &written{file: file, header: header{seed: rand.Uint32(), revision: at}}
	err = w.write(ctx, states)
	if err == nil {
		err = w.sync()
	}
	if err != nil {
		w.discard()
		return nil, err
	}
	return w, nil
}

func (w *written) write(ctx context.Context, states iter.Seq[twinkey.AccountState]) error {
	b := &base{written: w, to: bufio.NewWriterSize(io.NewOffsetWriter(w.file, sectorSize), 1<<20)}
	if err := b.write(ctx, states); err != nil {
		return err
	}
	w.header.log = min(max(w.header.base, minLog), maxLog)
	// Zeros are written, since the first write into space that is only reserved
	// costs the file system an entry in its own log.
	zeros := make([]byte, 1<<20)
	for at := w.header.logAt(); at < w.header.size(); {
		n, err := w.file.WriteAt(zeros[:min(int64(len(zeros)), w.header.size()-at)], at)
		if err != nil {
			return err
		}
		at += int64(n)
	}
	_, err := w.file.WriteAt(w.header.encode(), 0)
	return err
}

// base writes the accounts.
type base struct {
	*written
	to      *bufio.Writer
	record  []byte
	flushed int64 // up to here the kernel was asked to write
}

func (b *base) write(ctx context.Context, states iter.Seq[twinkey.AccountState]) error {
	for s := range states {
		b.record = appendState(b.record, &s)
		b.header.accounts++
		if len(b.record) < maxBatch {
			continue
		}
		if err := errors.Join(ctx.Err(), b.end()); err != nil {
			return err
		}
	}
	if err := b.end(); err != nil {
		return err
	}
	padding := -b.header.base & (sectorSize - 1)
	b.header.base += padding
	_, _ = b.to.Write(make([]byte, padding)) // Flush has the error
	return b.to.Flush()
}

// end writes the record, and now and then has the kernel begin to write, so that
// others' small writes do not wait behind one large one in the end.
func (b *base) end() error {
	if len(b.record) == 0 {
		return nil
	}
	if len(b.record) > maxBase {
		return fmt.Errorf("an account takes %d bytes, more than %d", len(b.record), maxBase)
	}
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(b.record)))
	head = binary.LittleEndian.AppendUint32(head, b.header.sum(sectorSize+b.header.base, b.record))
	_, _ = b.to.Write(head) // the next Write has the error
	if _, err := b.to.Write(b.record); err != nil {
		return err
	}
	b.header.base += int64(len(head) + len(b.record))
	b.record = b.record[:0]
	if b.header.base-b.flushed > 4<<20 {
		_ = unix.SyncFileRange(int(b.file.Fd()), b.flushed, b.header.base-b.flushed, unix.SYNC_FILE_RANGE_WRITE) // a hint
		b.flushed = b.header.base
	}
	return nil
}

// append writes a record to the log. It is not durable yet.
func (w *written) append(record []byte) error {
	sectors := w.header.sectors(w.next, record)
	if w.header.size()-w.header.logAt()-w.next*sectorSize < int64(len(sectors)) {
		return errNoRoom
	}
	if _, err := w.file.WriteAt(sectors, w.header.logAt()+w.next*sectorSize); err != nil {
		return err
	}
	w.next += int64(len(sectors) / sectorSize)
	return nil
}

// catchUp appends what came while the file was written.
func (w *written) catchUp(b *backlog) error {
	if b.tooMuch {
		w.discard()
		return errNoRoom
	}
	for _, record := range b.changes {
		if err := w.append(record); err != nil {
			w.discard()
			return err
		}
	}
	return nil
}

func (w *written) halfFull() bool { return w.next*sectorSize > w.header.log/2 }

func (w *written) sync() error { return flush(w.file) }

// discard takes a file away that has not got its name.
func (w *written) discard() {
	_ = w.file.Close()
	_ = os.Remove(w.file.Name())
}

// backlog is what a file that is being written lacks.
type backlog struct {
	changes [][]byte // encoded
	size    int
	tooMuch bool
}

// add does nothing if there is no backlog.
func (b *backlog) add(record []byte) {
	switch {
	case b == nil || b.tooMuch:
	case b.size+sectorSize > minLog/2:
		b.changes, b.tooMuch = nil, true
	default:
		b.changes = append(b.changes, record)
		b.size += (len(record)/sectorRoom + 1) * sectorSize
	}
}

// blank makes a file one that nobody reads, also after a power cut.
func blank(file *os.File) error {
	if _, err := file.WriteAt(make([]byte, sectorSize), 0); err != nil {
		return err
	}
	return flush(file)
}

// blankPath does so to a file that may be there.
func blankPath(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(blank(file), file.Close())
}

// flush returns when what was written to a file is on the disk.
func flush(file *os.File) error {
	for {
		if err := unix.Fdatasync(int(file.Fd())); err != unix.EINTR {
			return err
		}
	}
}

// persist makes the names in a directory durable.
func persist(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

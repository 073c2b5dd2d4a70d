package snapshot

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"github.com/twinkey/twinkey"
)

// Content says what a file held.
type Content struct {
	Revision twinkey.Revision // nothing in it is older
	Accounts int
}

// Exists reports whether there is a file, of whatever content.
func (f *File) Exists() bool {
	_, err := os.Stat(f.path)
	return err == nil
}

// Read gives add, part by part, every account as of the file's newest revision,
// each once. What add has been given counts only if Read returns no error: the
// file is judged as a whole.
func (f *File) Read(add func([]twinkey.AccountState)) (Content, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return Content{}, fmt.Errorf("opening the snapshot: %w", err)
	}
	defer file.Close()
	c, err := read(file, add)
	if err != nil {
		return Content{}, fmt.Errorf("reading %s: %w", f.path, err)
	}
	return c, nil
}

func read(file *os.File, add func([]twinkey.AccountState)) (Content, error) {
	info, err := file.Stat()
	if err != nil {
		return Content{}, err
	}
	first := make([]byte, sectorSize)
	if _, err := io.ReadFull(file, first); err != nil {
		return Content{}, errInvalid
	}
	h, err := decodeHeader(first, info.Size())
	if err != nil {
		return Content{}, err
	}
	later, revision, err := readLog(h, io.NewSectionReader(file, h.logAt(), h.log))
	if err != nil {
		return Content{}, err
	}
	n, err := readBase(h, io.NewSectionReader(file, sectorSize, h.base), func(states []twinkey.AccountState) int {
		kept := states[:0]
		for _, s := range states {
			if _, changed := later[s.ID.Folded()]; !changed {
				kept = append(kept, s)
			}
		}
		add(kept)
		return len(kept)
	})
	if err != nil {
		return Content{}, err
	}
	var rest []twinkey.AccountState
	for _, s := range later {
		if s != nil {
			rest = append(rest, *s)
		}
	}
	add(rest)
	return Content{Revision: revision, Accounts: n + len(rest)}, nil
}

// readLog returns the last state of each account that was changed after the
// base, nil for one that is gone, and the revision of the last change.
func readLog(h header, from io.Reader) (map[twinkey.ResourceID]*twinkey.AccountState, twinkey.Revision, error) {
	later, revision := map[twinkey.ResourceID]*twinkey.AccountState{}, h.revision
	records, err := logRecords(h, from)
	if err != nil {
		return nil, 0, err
	}
	for _, record := range records {
		c, err := (&decoder{rest: record}).change()
		if err != nil {
			return nil, 0, err
		}
		if c.Revision <= revision {
			return nil, 0, errInvalid
		}
		revision = c.Revision
		for _, id := range c.Removed {
			later[id.Folded()] = nil
		}
		for i := range c.Put {
			later[c.Put[i].ID.Folded()] = &c.Put[i]
		}
	}
	return later, revision, nil
}

// logRecords returns the whole records of the log. Only the last may be
// unfinished, and only by sectors that were never written.
func logRecords(h header, from io.Reader) ([][]byte, error) {
	var (
		records [][]byte
		record  []byte
		start   int64 // of the record that is being put together
		end     int64 // of that record, once one of its sectors has told
		torn    bool  // it lacks a sector
	)
	in, b := bufio.NewReaderSize(from, 1<<20), make([]byte, sectorSize)
	for at := range h.log / sectorSize {
		if _, err := io.ReadFull(in, b); err != nil {
			return nil, err
		}
		s, zero, err := h.decodeSector(at, b)
		if err != nil {
			return nil, err
		}
		if zero {
			torn = true
			continue
		}
		if s.start != start || end != 0 && end != s.start+s.count {
			return nil, errInvalid // something follows what has never been finished
		}
		end = s.start + s.count
		record = append(record, s.payload...)
		if at+1 == end && !torn {
			records = append(records, record)
			record, start, end = nil, at+1, 0
		}
	}
	return records, nil
}

// readBase gives each record of the base to use, which returns how many of its
// accounts count.
func readBase(h header, from io.Reader, use func([]twinkey.AccountState) int) (counted int, err error) {
	in := bufio.NewReaderSize(from, 1<<20)
	head, at, accounts := make([]byte, 8), int64(0), int64(0)
	var buffer []byte
	for accounts < h.accounts {
		if _, err := io.ReadFull(in, head); err != nil {
			return 0, errInvalid
		}
		size := binary.LittleEndian.Uint32(head)
		if size > maxBase {
			return 0, errInvalid
		}
		if int(size) > cap(buffer) {
			buffer = make([]byte, size)
		}
		record := buffer[:size]
		if _, err := io.ReadFull(in, record); err != nil || h.sum(sectorSize+at, record) != binary.LittleEndian.Uint32(head[4:]) {
			return 0, errInvalid
		}
		at += int64(len(head) + len(record))
		var states []twinkey.AccountState
		for d := (&decoder{rest: record}); len(d.rest) > 0; {
			states = append(states, d.state())
			if d.bad {
				return 0, errEncoding
			}
		}
		if len(states) == 0 {
			return 0, errInvalid
		}
		accounts += int64(len(states))
		counted += use(states)
	}
	padding, err := io.ReadAll(in)
	if err != nil || accounts != h.accounts || len(padding) >= sectorSize || !isZero(padding) {
		return 0, errInvalid
	}
	return counted, nil
}

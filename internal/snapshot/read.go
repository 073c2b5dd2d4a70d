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
	p := parts{add: add}
	err = readBase(h, io.NewSectionReader(file, sectorSize, h.base), func(s twinkey.AccountState) {
		if _, changed := later[s.ID.Folded()]; !changed {
			p.take(s)
		}
	})
	if err != nil {
		return Content{}, err
	}
	for _, s := range later {
		if s != nil {
			p.take(*s)
		}
	}
	p.end()
	return Content{Revision: revision, Accounts: p.given}, nil
}

// partSize is as many accounts as a feed sends at once: a table is slow to take
// them in many small parts.
const partSize = 50_000

// parts gathers accounts.
type parts struct {
	add    func([]twinkey.AccountState)
	states []twinkey.AccountState
	given  int
}

func (p *parts) take(s twinkey.AccountState) {
	if p.states = append(p.states, s); len(p.states) == partSize {
		p.end()
	}
}

func (p *parts) end() {
	p.add(p.states)
	p.given += len(p.states)
	p.states = nil // whoever took them may keep them
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

// readBase gives each account of the base to use.
func readBase(h header, from io.Reader, use func(twinkey.AccountState)) error {
	in := bufio.NewReaderSize(from, 1<<20)
	head, at, accounts := make([]byte, 8), int64(0), int64(0)
	var buffer []byte
	for accounts < h.accounts {
		if _, err := io.ReadFull(in, head); err != nil {
			return errInvalid
		}
		size := binary.LittleEndian.Uint32(head)
		if size > maxBase {
			return errInvalid
		}
		if int(size) > cap(buffer) {
			buffer = make([]byte, size)
		}
		record := buffer[:size]
		if _, err := io.ReadFull(in, record); err != nil || h.sum(sectorSize+at, record) != binary.LittleEndian.Uint32(head[4:]) {
			return errInvalid
		}
		at += int64(len(head) + len(record))
		for d := (&decoder{rest: record}); ; {
			s := d.state()
			if d.bad {
				return errEncoding
			}
			use(s)
			if accounts++; len(d.rest) == 0 {
				break
			}
		}
	}
	padding, err := io.ReadAll(in)
	if err != nil || accounts != h.accounts || len(padding) >= sectorSize || !isZero(padding) {
		return errInvalid
	}
	return nil
}

package catalog

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
)

// Holder holds the catalog in force. Whoever decides on a call loads it once
// and uses that one to the end. The zero value holds an empty catalog.
type Holder struct{ current atomic.Pointer[Catalog] }

// NewHolder returns a holder of c.
func NewHolder(c *Catalog) *Holder {
	h := new(Holder)
	h.current.Store(c)
	return h
}

// Load returns the catalog in force, never nil.
func (h *Holder) Load() *Catalog {
	if c := h.current.Load(); c != nil {
		return c
	}
	return new(Catalog)
}

// Replace reads the file at path and puts it in force. If it cannot be read, or
// has Problems, the catalog in force stays.
func (h *Holder) Replace(path string) error {
	c, err := ReadFile(path)
	if err != nil {
		return err
	}
	h.current.Store(c)
	return nil
}

// ReadFile parses the file at path. The error is Problems if the file could be
// read but not used.
func ReadFile(path string) (*Catalog, error) {
	data, err := readAtMost(path, maxSize+1)
	if err != nil {
		return nil, fmt.Errorf("reading services: %w", err)
	}
	return Parse(path, data)
}

func readAtMost(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only: nothing can be lost
	return io.ReadAll(io.LimitReader(f, limit))
}

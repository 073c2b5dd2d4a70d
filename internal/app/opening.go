package app

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/twinkey/twinkey"
)

// openingFile says how often in a row the process has ended while it opened the
// store: a byte for each time.
const openingFile = "opening"

// openingLimit is how often a store may end the process before it is left alone
// once. Damaged files can do that: etcd panics in goroutines of its own.
const openingLimit = 2

// beginOpening notes that the store is about to be opened. It fails if that has
// ended the process before, too often, and there is a snapshot to go on with; the
// next start tries the store again.
func (a *App) beginOpening() error {
	path := filepath.Join(a.config.DataDir, openingFile)
	before, _ := os.ReadFile(path) // a note that cannot be read is none
	if len(before) >= openingLimit && a.snapshot.Exists() {
		a.endOpening()
		return twinkey.Errorf(twinkey.Unavailable, "The store in %s has ended the server %d times while it was opened; its files may be damaged. Mend or restore them, and start the server again.", a.config.DataDir, len(before))
	}
	note, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) // which keeps it where there is no room
	if err == nil {
		_, _ = note.WriteString(".") // a note that cannot be written is none either
		_ = note.Close()
	}
	return nil
}

// endOpening notes that the store is open, or has failed without harm.
func (a *App) endOpening() {
	if err := os.Remove(filepath.Join(a.config.DataDir, openingFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		a.log.Debug("removing the note that the store is being opened", "error", err)
	}
}

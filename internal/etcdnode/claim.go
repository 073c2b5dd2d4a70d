package etcdnode

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/twinkey/twinkey"
)

// Claim is a data directory taken for this process, until whoever shares it has
// closed it. The kernel gives it up however the process ends.
type Claim struct {
	file   *os.File
	shared atomic.Int32
}

// NewClaim takes a directory, made if absent, and refuses one that another
// process has: a second etcd on one directory would wait for ever instead. It can
// be taken where nothing can be written, if it has been taken before.
func NewClaim(dir string) (*Claim, error) {
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, lockFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		readable, readErr := os.Open(path)
		if readErr != nil {
			return nil, unwritable(dir, err)
		}
		f = readable
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		c := &Claim{file: f}
		c.shared.Store(1)
		return c, nil
	}
	_ = f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, twinkey.Errorf(twinkey.Unavailable, "Another twinkey server is running on the data directory %s. Stop it first, or name another directory with --data-dir.", dir)
	}
	return nil, twinkey.Wrap(err, twinkey.Unavailable, "The data directory %s cannot be locked: %v", dir, err)
}

// Close gives the directory up as far as the caller is concerned.
func (c *Claim) Close() error {
	if c.shared.Add(-1) > 0 {
		return nil
	}
	return c.file.Close()
}

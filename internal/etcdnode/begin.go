package etcdnode

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// The names of what is in a data directory.
const (
	lockFile       = "lock"
	etcdDir        = "etcd"
	unfinishedFile = "unfinished" // the first start has not come to its end
)

// begin prepares a directory for a start and returns what to do at its end.
//
// etcd that is ended between making its log and writing into it who its members
// are never elects a leader again. Nothing can have been stored by then, so what
// such a first start has left is cleared away.
func begin(dir string) (finish func() error, err error) {
	mark, data := filepath.Join(dir, unfinishedFile), filepath.Join(dir, etcdDir)
	switch _, err = os.Lstat(mark); {
	case err == nil:
		err = os.RemoveAll(data)
	case errors.Is(err, os.ErrNotExist):
		if _, err = os.Lstat(data); err == nil {
			return func() error { return nil }, nil // not the first start
		}
		if errors.Is(err, os.ErrNotExist) {
			err = os.WriteFile(mark, nil, 0o600)
		}
	}
	if err = errors.Join(err, persist(dir)); err != nil {
		return nil, fmt.Errorf("preparing the first start: %w", err)
	}
	return func() error {
		// Were the mark to come back after a power cut, data would go.
		if err := errors.Join(os.Remove(mark), persist(dir)); err != nil {
			return fmt.Errorf("ending the first start: %w", err)
		}
		return nil
	}, nil
}

// persist makes the names in a directory durable.
func persist(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

//go:build unix

package cli

import (
	"errors"
	"os"
	"syscall"
)

// lockExcludes says that holding the lock means writing alone.
const lockExcludes = true

func tryLock(file *os.File) (bool, error) {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return false, nil
	}
	return err == nil, err
}

package app_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/twinkey/twinkey/internal/app"
)

// I5: the process leaves no core file, and no other process of the same user
// can look into its memory.
func TestProcessLeavesNoCore(t *testing.T) {
	if err := app.ForbidCore(); err != nil {
		t.Fatal(err)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil || limit.Cur != 0 || limit.Max != 0 {
		t.Errorf("a core file may have %d bytes: %v", limit.Cur, err)
	}
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumpable != 0 {
		t.Errorf("the process is dumpable (%d): %v", dumpable, err)
	}
}

package etcdnode_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/twinkey/twinkey/internal/etcdnode"
)

// disk is a file system of its own. Where mounting is not permitted the test
// is skipped, but not where the project's checks run.
func disk(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, options); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the checks must be able to mount a file system: %v", err)
		}
		t.Skipf("NOT TESTED: what happens on a full or read-only disk. Mounting a file system needs more rights: %v", err)
	}
	t.Cleanup(func() {
		// etcd may still hold files of a member that has died.
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestReadOnlyDirectoryIsRefused(t *testing.T) {
	dir := disk(t, "size=1m")
	if err := unix.Mount("none", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	_, err := etcdnode.Start(t.Context(), quiet(dir))
	refused(t, err, dir, "cannot be written", "--data-dir")
}

func TestDirectoryWithoutRoomIsRefused(t *testing.T) {
	dir := disk(t, "size=100m")
	_, err := etcdnode.Start(t.Context(), quiet(dir))
	refused(t, err, dir, "100 MiB free", "512 MiB are needed", "--data-dir")
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("a refused start leaves %v behind, %v", left, err)
	}
}

// A full disk ends the member and not the process, which goes on serving keys:
// Dead says so, Err says why, calls in flight end, and Stop does not wait for
// what will never finish.
func TestFullDiskEndsTheMemberAlone(t *testing.T) {
	dir := disk(t, "size=1g")
	node := start(t, dir)
	put(t, node, "k", "1")
	shrink(t, dir)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	writer := make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			if _, err := node.Client().Put(ctx, fmt.Sprint("fill", i), strings.Repeat("x", 1<<20)); err != nil {
				writer <- err
				return
			}
		}
	}()
	select {
	case <-node.Dead():
	case <-time.After(time.Minute): // only when the test fails
		t.Fatal("the disk is full, and the member has not died")
	}
	cancel()
	if err := <-writer; err == nil {
		t.Error("writing goes on without a disk")
	}
	if err := node.Err(); err == nil || !strings.Contains(err.Error(), "no space left on device") {
		t.Errorf("the cause is not named: %v", err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- node.Stop(context.Background()) }()
	select {
	case err := <-stopped:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute): // only when the test fails
		t.Fatal("Stop waits for a member that has died")
	}
}

// Wherever in its start the disk fails a member, the start ends, with a
// sentence, and leaves nothing running that would say otherwise.
func TestDiskThatFailsDuringTheStart(t *testing.T) {
	failed := 0
	for files := 3; files < 10; files++ {
		dir := disk(t, fmt.Sprintf("size=1g,nr_inodes=%d", files))
		for range 2 {
			started := make(chan error, 1)
			go func() {
				node, err := etcdnode.Start(t.Context(), quiet(dir))
				if err == nil {
					_ = node.Stop(context.Background())
				}
				started <- err
			}()
			select {
			case err := <-started:
				if err != nil {
					failed++
					refused(t, err, dir)
				}
			case <-time.After(time.Minute): // only when the test fails
				t.Fatalf("room for %d files: Start neither succeeds nor fails", files)
			}
		}
	}
	if failed < 4 {
		t.Errorf("only %d starts have failed; the test is blind", failed)
	}
}

// shrink takes all free space of a disk but some for the files' own growth.
func shrink(t *testing.T, dir string) {
	t.Helper()
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	used := (fs.Blocks - fs.Bfree) * uint64(fs.Bsize)
	if err := unix.Mount("none", dir, "", unix.MS_REMOUNT, fmt.Sprintf("size=%d", used+1<<20)); err != nil {
		t.Fatal(err)
	}
}

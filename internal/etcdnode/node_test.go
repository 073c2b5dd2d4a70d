package etcdnode_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/etcdnode"
)

func quiet(dir string) etcdnode.Config {
	return etcdnode.Config{Dir: dir, Log: slog.New(slog.DiscardHandler)}
}

func start(t *testing.T, dir string) *etcdnode.Node {
	t.Helper()
	node, err := etcdnode.Start(t.Context(), quiet(dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Stop(context.Background()) })
	return node
}

func put(t *testing.T, node *etcdnode.Node, key, value string) {
	t.Helper()
	if _, err := node.Client().Put(t.Context(), key, value); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, node *etcdnode.Node, key, value string) {
	t.Helper()
	got, err := node.Client().Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Kvs) != 1 || string(got.Kvs[0].Value) != value {
		t.Errorf("%s is %v, want %q", key, got.Kvs, value)
	}
}

// refused checks that an error is one sentence for people that names the
// directory and says what to do.
func refused(t *testing.T, err error, dir string, words ...string) {
	t.Helper()
	if twinkey.KindOf(err) != twinkey.Unavailable {
		t.Fatalf("started, or failed without a kind: %v", err)
	}
	message := twinkey.MessageOf(err)
	for _, word := range append(words, dir) {
		if !strings.Contains(message, word) {
			t.Errorf("%q does not say %q", message, word)
		}
	}
	if strings.ContainsAny(message, "\n{") {
		t.Errorf("%q is no sentence", message)
	}
}

// What was written before a stop is there after the next start.
func TestRestartKeepsData(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		node := start(t, dir)
		for before := range i {
			expect(t, node, fmt.Sprint("k", before), fmt.Sprint(before))
		}
		put(t, node, fmt.Sprint("k", i), fmt.Sprint(i))
		if err := node.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Errorf("stopping again: %v", err)
		}
		if node.Err() != nil {
			t.Errorf("a member that was stopped has died: %v", node.Err())
		}
	}
}

// Two servers on one directory would destroy each other's data; etcd itself
// would wait for ever. The second says so at once and disturbs nothing, and
// once the first has stopped the directory is free.
func TestSecondStartOnADirectoryFailsAtOnce(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir)
	put(t, first, "k", "1")
	_, err := etcdnode.Start(t.Context(), quiet(dir))
	refused(t, err, dir, "Another twinkey server is running", "--data-dir")
	put(t, first, "k", "2")
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, start(t, dir), "k", "2")
}

// A start that is given up must leave the directory to the next one.
func TestStartGivenUpLeavesTheDirectoryFree(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if node, err := etcdnode.Start(ctx, quiet(dir)); err == nil {
		t.Log("started before it looked") // allowed; what counts is the next start
		_ = node.Stop(t.Context())
	} else if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	put(t, start(t, dir), "k", "1")
}

// A stop that is given up goes on aside: nobody gets the directory before the
// member has let go of it, and somebody does afterwards.
func TestStopGivenUpLetsGoOfTheDirectoryLater(t *testing.T) {
	dir := t.TempDir()
	node := start(t, dir)
	put(t, node, "k", "1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := node.Stop(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for {
		next, err := etcdnode.Start(t.Context(), quiet(dir))
		if err == nil {
			expect(t, next, "k", "1")
			if err := next.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			return
		}
		refused(t, err, dir, "Another twinkey server is running")
		runtime.Gosched()
	}
}

// Keys, even sealed, and names must not be readable by other users.
func TestDirectoryIsTheOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	node := start(t, dir)
	put(t, node, "k", "1")
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestDirectoryThatIsAFileIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := etcdnode.Start(t.Context(), quiet(file))
	refused(t, err, file, "cannot be made")
}

// The database speaks no authentication: nothing may listen, not even on the
// loopback.
func TestNothingListens(t *testing.T) {
	before := listening(t)
	planted, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if listening(t) != before+1 {
		t.Fatal("a listener is not seen; the test is blind")
	}
	if err := planted.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, start(t, t.TempDir()), "k", "1")
	if n := listening(t) - before; n != 0 {
		t.Errorf("%d sockets listen", n)
	}
}

// listening counts the listening sockets of this process.
func listening(t *testing.T) int {
	t.Helper()
	listed := map[string]bool{}
	const tcpListen = "0A"
	for _, path := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6", "/proc/self/net/unix"} {
		table, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(table)) {
			f := strings.Fields(line)
			switch {
			case strings.HasSuffix(path, "unix") && len(f) > 6 && f[3] == "00010000":
				listed["socket:["+f[6]+"]"] = true
			case !strings.HasSuffix(path, "unix") && len(f) > 9 && f[3] == tcpListen:
				listed["socket:["+f[9]+"]"] = true
			}
		}
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if link, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && listed[link] {
			n++
		}
	}
	return n
}

// What is written must not come out of etcd's log, however much is logged.
func TestLogShowsNothingThatIsWritten(t *testing.T) {
	var out lockedBuffer
	log := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug - 8}))
	node, err := etcdnode.Start(t.Context(), etcdnode.Config{Dir: t.TempDir(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	value := rand.Text()
	put(t, node, "k", value)
	expect(t, node, "k", value)
	if err := node.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); !strings.Contains(text, `"component":"etcd"`) {
		t.Fatal("etcd has logged nothing; the test is blind")
	} else if strings.Contains(text, value) {
		t.Error("the log shows what was written")
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

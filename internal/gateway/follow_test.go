package gateway_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/catalog"
	"github.com/twinkey/twinkey/internal/gateway"
	"github.com/twinkey/twinkey/internal/snapshot"
)

// feed is made of functions, to break where no hub does.
type feed struct {
	receive func(ctx context.Context) (twinkey.FromHub, error)
	send    func(m twinkey.FromGateway) error
}

func (f feed) Receive(ctx context.Context) (twinkey.FromHub, error) { return f.receive(ctx) }
func (f feed) Send(_ context.Context, m twinkey.FromGateway) error  { return f.send(m) }

var errBroken = errors.New("the feed is broken")

// inOrder receives messages, and then that the feed is broken.
func inOrder(messages ...twinkey.FromHub) func(context.Context) (twinkey.FromHub, error) {
	return func(context.Context) (twinkey.FromHub, error) {
		if len(messages) == 0 {
			return twinkey.FromHub{}, errBroken
		}
		m := messages[0]
		messages = messages[1:]
		return m, nil
	}
}

func chunk(revision twinkey.Revision, last bool, accounts ...twinkey.AccountState) twinkey.FromHub {
	return twinkey.FromHub{Chunk: &twinkey.SnapshotChunk{Revision: revision, Accounts: accounts, Last: last}}
}

func put(revision twinkey.Revision, accounts ...twinkey.AccountState) twinkey.FromHub {
	return twinkey.FromHub{Change: &twinkey.Change{Revision: revision, Put: accounts}}
}

// bare is a gateway whose catalog is empty: a good key is answered 404, as its
// kind is not offered, and a bad one 401.
func bare() *gateway.Gateway {
	return gateway.New(gateway.Config{Catalog: func() *catalog.Catalog { return &catalog.Catalog{} }, Log: slog.New(slog.DiscardHandler)})
}

func admits(g *gateway.Gateway, key string) bool {
	r := httptest.NewRequest(http.MethodGet, "/text/x", nil)
	r.Header.Set(keyName, key)
	rec := httptest.NewRecorder()
	g.ServeHTTP(rec, r)
	return rec.Code == http.StatusNotFound
}

// An acknowledgement says that nothing older is decided by any more: when it is
// sent, what it acknowledges is in force already.
func TestAcknowledgedIsInForce(t *testing.T) {
	g := bare()
	inForce := map[twinkey.Revision]func() bool{
		3: func() bool { return admits(g, "key 1") && admits(g, "key 2") && admits(g, "key 3") },
		5: func() bool { return admits(g, "key 1") && !admits(g, "key 2") && admits(g, "key 5") },
		7: func() bool { return !admits(g, "key 1") && admits(g, "key 3") },
		9: func() bool { return admits(g, "key 8") && !admits(g, "key 3") },
	}
	var acked []twinkey.Revision
	f := feed{
		receive: inOrder(chunk(3, false, state("a", 1, 2)), chunk(3, true, state("b", 3, 4)), put(5, state("a", 1, 5)),
			twinkey.FromHub{Change: &twinkey.Change{Revision: 7, Removed: []twinkey.ResourceID{state("a", 1, 5).ID}}}, chunk(9, true, state("c", 8, 9))),
		send: func(m twinkey.FromGateway) error {
			acked = append(acked, m.Ack.Revision)
			if check := inForce[m.Ack.Revision]; check == nil || !check() || g.Revision() != m.Ack.Revision {
				t.Errorf("acknowledges %d at revision %d, and it is not in force", m.Ack.Revision, g.Revision())
			}
			return nil
		},
	}
	if err := g.Follow(t.Context(), f); !errors.Is(err, errBroken) {
		t.Error(err)
	}
	if len(acked) != len(inForce) {
		t.Errorf("acknowledged %v", acked)
	}
}

// Good keys go on working while the hub cannot be reached; and a snapshot that
// has come in part changes nothing, then or later.
func TestGatewayServesOnWithoutItsFeed(t *testing.T) {
	g := bare()
	silent := func(twinkey.FromGateway) error { return nil }
	follow := func(f feed) {
		t.Helper()
		if err := g.Follow(t.Context(), f); !errors.Is(err, errBroken) {
			t.Error(err)
		}
	}
	if admits(g, "key 1") {
		t.Error("a gateway that knows nothing admits a key")
	}
	follow(feed{inOrder(chunk(1, true, state("a", 1, 2))), silent})
	follow(feed{inOrder(), silent})
	follow(feed{inOrder(chunk(2, false, state("b", 3, 4))), silent})
	if !admits(g, "key 1") || admits(g, "key 3") || g.Revision() != 1 {
		t.Errorf("after a part of a snapshot: at %d, the old key is good: %v, the new one: %v", g.Revision(), admits(g, "key 1"), admits(g, "key 3"))
	}
	follow(feed{inOrder(chunk(4, true, state("c", 5, 6))), silent})
	if admits(g, "key 1") || admits(g, "key 3") || !admits(g, "key 5") {
		t.Error("a snapshot is mixed with what came before it")
	}
	follow(feed{inOrder(put(5, state("d", 7, 8)), put(6, state("e", 9, 10))), func(twinkey.FromGateway) error { return errBroken }})
	if !admits(g, "key 7") || admits(g, "key 9") {
		t.Error("a gateway that cannot acknowledge goes on changing")
	}
}

// Sync returns once its ping, or a later one, is granted, and not before; or
// with its context.
func TestSyncWaitsForItsGrant(t *testing.T) {
	g := bare()
	pings, grants := make(chan uint64, 10), make(chan twinkey.FromHub)
	f := feed{
		receive: func(ctx context.Context) (twinkey.FromHub, error) {
			select {
			case m := <-grants:
				return m, nil
			case <-ctx.Done():
				return twinkey.FromHub{}, ctx.Err()
			}
		},
		send: func(m twinkey.FromGateway) error { pings <- m.Ping.Number; return nil },
	}
	ctx, cancel := context.WithCancel(t.Context())
	followed := make(chan struct{})
	go func() { _ = g.Follow(ctx, f); close(followed) }()

	over, stop := context.WithCancel(t.Context())
	stop()
	if err := g.Sync(over, f); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	seen := map[uint64]bool{<-pings: true}
	for range 3 {
		var waiting sync.WaitGroup
		done := make(chan struct{})
		var newest uint64
		for range 4 {
			waiting.Go(func() {
				if err := g.Sync(t.Context(), f); err != nil {
					t.Error(err)
				}
			})
			number := <-pings
			if seen[number] {
				t.Errorf("ping %d is sent twice", number)
			}
			seen[number], newest = true, max(newest, number)
		}
		go func() { waiting.Wait(); close(done) }()
		for range 1000 { // time enough for a Sync to return that should not
			grants <- twinkey.FromHub{Grant: &twinkey.Grant{Ping: newest - 4}}
		}
		select {
		case <-done:
			t.Error("Sync returns on an older grant")
		default:
		}
		grants <- twinkey.FromHub{Grant: &twinkey.Grant{Ping: newest}}
		<-done
	}
	broken := feed{send: func(twinkey.FromGateway) error { return errBroken }}
	if err := g.Sync(t.Context(), broken); !errors.Is(err, errBroken) {
		t.Error(err)
	}
	cancel()
	<-followed
}

// I6: a change is acknowledged when a restart would find it, and not before: not
// while there is a snapshot without it that cannot be taken away.
func TestAcknowledgedIsInTheSnapshot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "snapshot")
	c := gateway.Config{Catalog: func() *catalog.Catalog { return &catalog.Catalog{} }, Log: slog.New(slog.DiscardHandler), Snapshot: snapshot.New(path, slog.New(slog.DiscardHandler))}
	t.Cleanup(c.Snapshot.Close)
	g := gateway.New(c)
	restarted := func() (*gateway.Gateway, error) {
		c := c
		c.Snapshot = snapshot.New(path, slog.New(slog.DiscardHandler))
		g := gateway.New(c)
		_, err := g.Restore()
		return g, err
	}
	var acked []twinkey.Revision
	send := func(m twinkey.FromGateway) error {
		acked = append(acked, m.Ack.Revision)
		if r, err := restarted(); err != nil || r.Revision() != m.Ack.Revision {
			t.Errorf("acknowledges %d, and a restart finds %d, %v", m.Ack.Revision, r.Revision(), err)
		}
		return nil
	}
	follow := func(messages ...twinkey.FromHub) {
		t.Helper()
		if err := g.Follow(t.Context(), feed{inOrder(messages...), send}); !errors.Is(err, errBroken) {
			t.Error(err)
		}
	}
	follow(chunk(3, false, state("a", 1, 2)), chunk(3, true, state("b", 3, 4)))
	if _, err := restarted(); err == nil || len(acked) > 0 {
		t.Errorf("acknowledges %v, and nothing is written", acked)
	}
	if err := g.RenewSnapshot(t.Context(), feed{send: send}); err != nil {
		t.Error(err)
	}
	follow(put(5, state("a", 1, 5)))
	r, err := restarted()
	if err != nil || !admits(r, "key 1") || admits(r, "key 2") || !admits(r, "key 5") || !admits(r, "key 3") {
		t.Errorf("a restart does not find what was acknowledged: %v", err)
	}
	immutable(t, path, true)
	follow(chunk(7, true, state("a", 6, 7)), put(8, state("a", 6, 8)))
	if len(acked) != 2 || !admits(g, "key 8") || admits(g, "key 7") || admits(g, "key 1") {
		t.Errorf("acknowledged %v", acked)
	}
	if err := g.RenewSnapshot(t.Context(), feed{send: send}); err != nil || len(acked) != 2 {
		t.Errorf("acknowledged %v, %v", acked, err)
	}
	immutable(t, path, false)
	if err := g.RenewSnapshot(t.Context(), feed{send: send}); err != nil || !slices.Equal(acked, []twinkey.Revision{3, 5, 8}) {
		t.Errorf("acknowledged %v, %v", acked, err)
	}
	follow(put(9, state("b", 9, 10)))
	if r, err := restarted(); err != nil || !admits(r, "key 8") || !admits(r, "key 9") || admits(r, "key 3") {
		t.Errorf("a restart does not find what was acknowledged: %v", err)
	}
}

// immutable sets or lifts the flag that forbids even the superuser to write or
// remove a file.
func immutable(t *testing.T, path string, on bool) {
	t.Helper()
	const immutableFlag = 0x10 // FS_IMMUTABLE_FL
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	flags, err := unix.IoctlGetInt(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	if err == nil {
		if on {
			flags |= immutableFlag
			t.Cleanup(func() { immutable(t, path, false) })
		} else {
			flags &^= immutableFlag
		}
		err = unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flags)
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the checks must be able to make a file immutable: %v", err)
		}
		t.Skipf("NOT TESTED: a file that cannot be taken away. Making one needs more rights: %v", err)
	}
}

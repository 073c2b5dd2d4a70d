package app_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/app"
	"github.com/twinkey/twinkey/internal/armclient"
	"github.com/twinkey/twinkey/internal/testenv"
)

// disk is a file system of its own. Where mounting is not permitted the test is
// skipped, but not where the project's checks run.
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
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func remount(t *testing.T, dir string, flags uintptr, options string) {
	t.Helper()
	if err := unix.Mount("none", dir, "", unix.MS_REMOUNT|flags, options); err != nil {
		t.Fatal(err)
	}
}

// fillUp leaves a disk one MiB.
func fillUp(t *testing.T, dir string) {
	t.Helper()
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	remount(t, dir, 0, fmt.Sprintf("size=%d", (fs.Blocks-fs.Bfree)*uint64(fs.Bsize)+1<<20))
}

// regenerate replaces key 1 and returns both keys and the generation.
func regenerate(t *testing.T, admin *testenv.Admin, account string) (testenv.Keys, twinkey.Generation, error) {
	t.Helper()
	resp, err := admin.Do(t, http.MethodPost, "2025-06-01", map[string]string{"keyName": "Key1"},
		"resourceGroups", "g", "providers", twinkey.Provider, "accounts", account, "regenerateKey")
	if err != nil {
		return testenv.Keys{}, 0, err
	}
	var keys struct{ Key1, Key2 string }
	if err := resp.Decode(&keys); err != nil {
		t.Fatal(err)
	}
	return testenv.Keys{keys.Key1, keys.Key2}, resp.Generation, nil
}

// A full disk stops changes and nothing else: good calls are answered, bad ones
// are not, readiness and the log say what is wrong, and the process can be
// stopped. Once there is room, everything that was acknowledged is there.
func TestFullDisk(t *testing.T) {
	s := newSettings(t)
	s.DataDir = filepath.Join(disk(t, "size=1g"), "data")
	p := startProcess(t, s)
	admin, client := p.Admin(t), p.Client(t)
	steady := admin.CreateAccount(t, "g", "steady")
	first := admin.CreateAccount(t, "g", "acct")
	fillUp(t, filepath.Dir(s.DataDir))

	acked, generation := first, twinkey.Generation(1)
	for {
		keys, g, err := regenerate(t, admin, "acct")
		if err != nil {
			if refused, ok := errors.AsType[*armclient.ResponseError](err); !ok || refused.Status != http.StatusServiceUnavailable {
				t.Errorf("a change on a full disk is answered %v", err)
			}
			break
		}
		if acked, generation = keys, g; g > 20_000 {
			t.Fatal("the disk does not get full")
		}
	}
	eventually(t, "readiness says that the store has stopped", func() bool { status, _ := ops(t, p.Endpoints, "/readyz"); return status == 503 })
	if _, body := ops(t, p.Endpoints, "/readyz"); !strings.Contains(body, "The store has stopped") {
		t.Errorf("/readyz: %s", body)
	} else {
		sentence(t, body)
	}
	if status, _ := ops(t, p.Endpoints, "/healthz"); status != 200 {
		t.Errorf("/healthz: %d", status)
	}
	if got := series(t, p.Endpoints)["twinkey_store_alive"]; got != 0 {
		t.Errorf("the store is alive: %v", got)
	}
	for key, want := range map[string]int{steady[0]: 200, steady[1]: 200, acked[1]: 200, first[0]: 401, strings.Repeat("0", 32): 401} {
		if generation == 1 && key == first[0] {
			continue
		}
		for range 20 {
			if status, body := p.Detect(t, client, key, text); status != want {
				t.Fatalf("a call is answered %d %s, want %d", status, body, want)
			}
		}
	}
	if n := strings.Count(p.stderr.String(), "the store cannot go on"); n != 1 {
		t.Errorf("that the store cannot go on is said %d times", n)
	}
	if err := p.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("stopping a server whose store has stopped: %v", err)
	}

	remount(t, filepath.Dir(s.DataDir), 0, "size=1g")
	p = startProcess(t, s)
	admin, client = p.Admin(t), p.Client(t)
	if got := admin.Keys(t, "g", "steady"); got != steady {
		t.Error("keys that were not touched have changed")
	}
	now := admin.Keys(t, "g", "acct")
	_, after, err := regenerate(t, admin, "acct")
	if err != nil || after <= generation || now[1] != acked[1] || after == generation+1 && now != acked {
		t.Errorf("generation %d was acknowledged, and after the restart there is %d, or another key: %v", generation, after-1, err)
	}
	if status, body := p.Detect(t, client, now[1], text); status != 200 {
		t.Errorf("after the restart a call is answered %d %s", status, body)
	}
}

// A data directory that cannot be written, and where the gateway has no
// snapshot, is said before anything else is done. With one the gateway goes on (TestStartWithoutTheStore).
func TestReadOnlyDataDirectory(t *testing.T) {
	s := newSettings(t)
	mounted := disk(t, "size=1g")
	s.DataDir = filepath.Join(mounted, "data")
	refuse := func() {
		t.Helper()
		remount(t, mounted, unix.MS_RDONLY, "")
		server, err := app.New(t.Context(), s.config())
		if err == nil {
			_ = server.Stop(t.Context())
			t.Fatal("it starts")
		}
		if twinkey.KindOf(err) != twinkey.Unavailable || !strings.Contains(twinkey.MessageOf(err), s.DataDir) || !strings.Contains(err.Error(), "read-only file system") {
			t.Errorf("it says %q", err)
		}
		remount(t, mounted, 0, "")
	}
	refuse()
	p := startProcess(t, s)
	keys := p.Admin(t).CreateAccount(t, "g", "acct")
	if err := p.end(t, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(s.DataDir, "gateway", "snapshot")); err != nil {
		t.Fatal(err)
	}
	refuse()
	p = startProcess(t, s)
	if got := p.Admin(t).Keys(t, "g", "acct"); got != keys {
		t.Error("the keys have changed")
	}
}

func (s settings) config() app.Config {
	return app.Config{DataDir: s.DataDir, ConfigDir: s.ConfigDir, Services: s.Services, ActivityExport: s.ActivityExport,
		Listen: "127.0.0.1:0", GatewayListen: "127.0.0.1:0", OpsListen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)}
}

// An address that is in use is named with its option, and nothing has been made
// by then.
func TestAddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for option, set := range map[string]func(*app.Config, string){
		"--listen":         func(c *app.Config, a string) { c.Listen = a },
		"--gateway-listen": func(c *app.Config, a string) { c.GatewayListen = a },
		"--gateway-http":   func(c *app.Config, a string) { c.GatewayHTTP = a },
		"--ops-listen":     func(c *app.Config, a string) { c.OpsListen = a },
	} {
		s := newSettings(t)
		c := s.config()
		set(&c, taken.Addr().String())
		_, err := app.New(t.Context(), c)
		if twinkey.KindOf(err) != twinkey.Invalid || !strings.Contains(err.Error(), taken.Addr().String()) || !strings.HasSuffix(twinkey.MessageOf(err), "with "+option+".") {
			t.Errorf("%s: %v", option, err)
		}
		if _, err := os.Stat(s.DataDir); !os.IsNotExist(err) {
			t.Errorf("%s: a refused start leaves a data directory: %v", option, err)
		}
	}
}

// An upstream that is gone, or does not answer, is a refusal for those who call
// it, and nothing for others.
func TestUpstreamFails(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var waiting sync.WaitGroup
	waiting.Add(20)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/never") {
			<-r.Context().Done()
			return
		}
		waiting.Done()
		<-release
	}))
	t.Cleanup(slow.Close)
	e := testenv.Start(t, testenv.Options{Services: strings.ReplaceAll(`services:
  - kind: CognitiveServices
    skus: [{name: S0}]
    routes:
      - {path: /, upstream: "{{upstream}}"}
      - {path: /gone/, upstream: "http://127.0.0.1:1"}
      - {path: /slow/, upstream: "SLOW"}
      - {path: /never/, upstream: "SLOW", timeout: 100ms}
`, "SLOW", slow.URL)})
	key := e.Admin(t).CreateAccount(t, "g", "acct")[0]
	client := e.Client(t)
	call := func(path string) int {
		r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPost, e.Endpoints.Gateway+path, nil)
		if err != nil {
			t.Error(err)
			return 0
		}
		r.Header.Set("api-key", key)
		answer, err := client.Do(r)
		if err != nil {
			t.Error(err)
			return 0
		}
		defer answer.Body.Close()
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			t.Error(err)
		}
		return answer.StatusCode
	}
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			if status := call("/slow/x"); status != 200 {
				t.Errorf("a slow call is answered %d in the end", status)
			}
		})
	}
	waiting.Wait()
	for range 5 {
		if status := call("/gone/x"); status != 502 {
			t.Errorf("an upstream that is gone: %d", status)
		}
		if status := call("/never/x"); status != 504 {
			t.Errorf("an upstream that does not answer: %d", status)
		}
		if status, body := e.Detect(t, client, key, text); status != 200 {
			t.Errorf("an upstream that works: %d %s", status, body)
		}
	}
	if status, body := ops(t, e.Endpoints, "/readyz"); status != 200 {
		t.Errorf("/readyz: %d %s", status, body)
	}
	m := series(t, e.Endpoints)
	if gone, late := m[`twinkey_gateway_upstream_errors_total{cause="unreachable"}`], m[`twinkey_gateway_upstream_errors_total{cause="timeout"}`]; gone != 5 || late != 5 {
		t.Errorf("%v calls are counted as unreachable and %v as too slow", gone, late)
	}
	close(release)
	calls.Wait()
}

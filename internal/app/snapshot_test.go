package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/twinkey/twinkey/internal/app"
	"github.com/twinkey/twinkey/internal/testenv"
)

// ruins are the ways in which a store cannot be opened; each takes the place of
// the disk and the data directory on it.
func ruins() map[string]func(t *testing.T, mounted, data string) {
	overwrite := func(pattern string, content []byte) func(*testing.T, string, string) {
		return func(t *testing.T, _, data string) {
			files, err := filepath.Glob(filepath.Join(data, "etcd", "member", pattern))
			if err != nil || len(files) == 0 {
				t.Fatalf("there is no %s to damage: %v", pattern, err)
			}
			for _, file := range files {
				if err := os.WriteFile(file, content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return map[string]func(*testing.T, string, string){
		"less than the minimum is free": func(t *testing.T, mounted, _ string) { leave(t, mounted, 100<<20) },
		"the disk is full":              func(t *testing.T, mounted, _ string) { leave(t, mounted, 0) },
		"the disk is read-only":         func(t *testing.T, mounted, _ string) { remount(t, mounted, unix.MS_RDONLY, "") },
		"the database is garbage":       overwrite("snap/db", []byte(strings.Repeat("garbage ", 1<<16))),
		"the log is garbage":            overwrite("wal/*.wal", []byte(strings.Repeat("garbage ", 1<<16))),
		"the log is empty":              overwrite("wal/*.wal", nil),
		"the middle of the database is garbage": func(t *testing.T, _, data string) {
			f, err := os.OpenFile(filepath.Join(data, "etcd", "member", "snap", "db"), os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.WriteAt([]byte(strings.Repeat("garbage ", 4<<10)), 8<<10); err != nil {
				t.Fatal(err)
			}
		},
		"the database is cut": func(t *testing.T, _, data string) {
			if err := os.Truncate(filepath.Join(data, "etcd", "member", "snap", "db"), 10<<10); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// leave makes a disk so small that so many bytes are free.
func leave(t *testing.T, mounted string, free uint64) {
	t.Helper()
	var fs unix.Statfs_t
	if err := unix.Statfs(mounted, &fs); err != nil {
		t.Fatal(err)
	}
	remount(t, mounted, 0, "size="+fmt.Sprint((fs.Blocks-fs.Bfree)*uint64(fs.Bsize)+free))
}

// A server that is restarted and cannot open its store admits what was good when
// it was stopped and nothing else, refuses to manage in each surface's own form,
// says what is wrong, and is whole again once the store is.
func TestStartWithoutTheStore(t *testing.T) {
	for name, ruin := range ruins() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSettings(t)
			mounted := disk(t, "size=1g")
			s.DataDir = filepath.Join(mounted, "data")
			p := startProcess(t, s)
			admin := p.Admin(t)
			steady := admin.CreateAccount(t, "g", "steady")
			before := admin.CreateAccount(t, "g", "acct")
			after, _, err := regenerate(t, admin, "acct")
			if err != nil {
				t.Fatal(err)
			}
			if err := p.end(t, syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			whole := t.TempDir()
			if err := os.CopyFS(whole, os.DirFS(filepath.Join(s.DataDir, "etcd"))); err != nil {
				t.Fatal(err)
			}
			ruin(t, mounted, s.DataDir)
			p = startInTheEnd(t, s)
			client := p.Client(t)
			for key, want := range map[string]int{steady[0]: 200, steady[1]: 200, after[0]: 200, after[1]: 200, before[0]: 401, strings.Repeat("0", 32): 401} {
				if status, body := p.Detect(t, client, key, text); status != want {
					t.Errorf("a call is answered %d %s, want %d", status, body, want)
				}
			}
			refusesToManage(t, p, client)
			if status, body := ops(t, p.Endpoints, "/readyz"); status != 503 {
				t.Errorf("/readyz: %d %s", status, body)
			} else {
				sentence(t, body)
			}
			if status, _ := ops(t, p.Endpoints, "/healthz"); status != 200 {
				t.Errorf("/healthz: %d", status)
			}
			for name, want := range map[string]float64{"twinkey_store_alive": 0, "twinkey_gateway_accounts": 2} {
				if got := series(t, p.Endpoints)[name]; got != want {
					t.Errorf("%s is %v, want %v", name, got, want)
				}
			}
			if second, err := app.New(t.Context(), s.config()); err == nil || !strings.Contains(err.Error(), "Another twinkey server is running") {
				t.Errorf("another server on the directory: %v", err)
				if err == nil {
					_ = second.Stop(t.Context())
				}
			}
			said := p.stderr.String()
			if n := strings.Count(said, "the store cannot be opened"); n != 1 || !strings.Contains(said, "accounts=2") || !strings.Contains(said, "revision=") || !strings.Contains(said, "restart the server") {
				t.Errorf("that the store cannot be opened is said %d times: %s", n, said)
			}
			if err := p.end(t, syscall.SIGTERM); err != nil {
				t.Errorf("stopping it: %v", err)
			}
			remount(t, mounted, 0, "size=1g")
			if err := errors.Join(os.RemoveAll(filepath.Join(s.DataDir, "etcd")), os.CopyFS(filepath.Join(s.DataDir, "etcd"), os.DirFS(whole))); err != nil {
				t.Fatal(err)
			}
			p = startProcess(t, s)
			if got := p.Admin(t).Keys(t, "g", "acct"); got != after {
				t.Error("the keys have changed")
			}
			if status, body := ops(t, p.Endpoints, "/readyz"); status != 200 {
				t.Errorf("/readyz: %d %s", status, body)
			}
		})
	}
}

// startInTheEnd starts a server as a supervisor does, again if it has ended.
func startInTheEnd(t *testing.T, s settings) *process {
	t.Helper()
	for range 2 {
		if p, err := tryProcess(t, s); err == nil {
			return p
		}
	}
	return startProcess(t, s)
}

// refusesToManage checks that each surface of management says, in its own form and
// one sentence, that there is no store.
func refusesToManage(t *testing.T, p *process, client *http.Client) {
	t.Helper()
	const inARM, inEntra, inGraph = "ServiceUnavailable", "temporarily_unavailable", "ServiceUnavailable"
	for path, form := range map[string]string{
		"/subscriptions?api-version=2022-12-01": inARM, "/": inARM, "/metadata/endpoints?api-version=2022-09-01": inARM,
		"/organizations/oauth2/v2.0/token": inEntra, "/adfs/.well-known/openid-configuration": inEntra,
		"/v1.0/users": inGraph,
	} {
		answer, err := client.Get(p.Endpoints.Endpoint + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		var arm struct {
			Error struct{ Code, Message string }
		}
		var entra struct{ Error, Error_Description string }
		code, message := "", ""
		if form == inEntra {
			if err := json.Unmarshal(body, &entra); err == nil {
				code, message = entra.Error, entra.Error_Description
			}
		} else if err := json.Unmarshal(body, &arm); err == nil {
			code, message = arm.Error.Code, arm.Error.Message
		}
		if answer.StatusCode != 503 || code != form || !strings.Contains(message, "The store could not be opened") || answer.Header.Get("Retry-After") == "" {
			t.Errorf("%s is answered %d %s", path, answer.StatusCode, body)
		}
	}
}

// I6: a key that was replaced by a call that has returned stays dead also when the
// process is killed at any moment, the store is destroyed, and the gateway is
// started on its snapshot.
func TestOldKeysStayDeadWithoutTheStore(t *testing.T) {
	const rounds, accounts, regenerations = 5, 3, 40
	s := newSettings(t)
	p := startProcess(t, s)
	admin := p.Admin(t)
	var dead []string
	now := make([]testenv.Keys, accounts)
	for i := range now {
		now[i] = admin.CreateAccount(t, "g", fmt.Sprint("acct", i))
	}
	for range rounds {
		dead = append(dead, regenerateUntilKilled(t, p, now, regenerations)...)
		whole := t.TempDir()
		etcd := filepath.Join(s.DataDir, "etcd")
		if err := os.CopyFS(whole, os.DirFS(etcd)); err != nil {
			t.Fatal(err)
		}
		ruins()["the log is garbage"](t, "", s.DataDir)
		p = startProcess(t, s)
		client := p.Client(t)
		for _, key := range dead {
			if status, body := p.Detect(t, client, key, text); status != 401 {
				t.Fatalf("a key that was replaced is answered %d %s", status, body)
			}
		}
		for i := range now {
			if status, body := p.Detect(t, client, now[i][1], text); status != 200 {
				t.Fatalf("a key that was never replaced is answered %d %s", status, body)
			}
		}
		if err := p.end(t, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.RemoveAll(etcd), os.CopyFS(etcd, os.DirFS(whole))); err != nil {
			t.Fatal(err)
		}
		p = startProcess(t, s)
		client = p.Client(t)
		for i := range now {
			keys := p.Admin(t).Keys(t, "g", fmt.Sprint("acct", i))
			if keys[0] != now[i][0] { // the call that the kill left without an answer
				dead = append(dead, now[i][0])
				now[i] = keys
			}
			if status, body := p.Detect(t, client, now[i][0], text); status != 200 {
				t.Fatalf("a key that was shown is answered %d %s", status, body)
			}
		}
	}
	if len(dead) < rounds*regenerations {
		t.Errorf("only %d keys were replaced", len(dead))
	}
}

// regenerateUntilKilled replaces key 1 of every account at once, over and over,
// kills the server after so many answers, and returns the keys they replaced.
func regenerateUntilKilled(t *testing.T, p *process, now []testenv.Keys, answers int64) []string {
	t.Helper()
	var (
		calls    sync.WaitGroup
		answered atomic.Int64
		replaced = make([][]string, len(now))
		enough   = make(chan struct{})
	)
	for i := range now {
		admin := p.Admin(t)
		calls.Go(func() {
			for {
				keys, _, err := regenerate(t, admin, fmt.Sprint("acct", i))
				if err != nil {
					return
				}
				replaced[i], now[i] = append(replaced[i], now[i][0]), keys
				if answered.Add(1) == answers {
					close(enough)
				}
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(patience):
		t.Error("the server does not answer")
	}
	_ = p.end(t, syscall.SIGKILL) // its error is the signal
	calls.Wait()
	return slices.Concat(replaced...)
}

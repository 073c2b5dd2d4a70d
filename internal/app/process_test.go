package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinkey/twinkey/examples/textanalytics"
	"github.com/twinkey/twinkey/internal/app"
	"github.com/twinkey/twinkey/internal/testenv"
)

// patience bounds what a test waits for. Nothing depends on how long it is.
const patience = time.Minute

const processVariable = "TWINKEY_TEST_SERVER"

// settings are what a process is told.
type settings struct{ DataDir, ConfigDir, Services, ActivityExport string }

// newSettings are for a server of its own with textanalytics behind it.
func newSettings(t *testing.T) settings {
	t.Helper()
	dir := t.TempDir()
	upstream := httptest.NewServer(textanalytics.Handler())
	t.Cleanup(upstream.Close)
	s := settings{DataDir: filepath.Join(dir, "data"), ConfigDir: filepath.Join(dir, "config"), Services: filepath.Join(dir, "services.yaml")}
	text := "services:\n  - kind: CognitiveServices\n    skus: [{name: S0}]\n    routes: [{path: /, upstream: '" + upstream.URL + "'}]\n"
	if err := os.WriteFile(s.Services, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// process is a server in a process of its own, which can be killed.
type process struct {
	*testenv.Env
	cmd    *exec.Cmd
	stderr *buffer
	ended  chan error
}

// startProcess returns when the server is ready.
func startProcess(t *testing.T, s settings) *process {
	t.Helper()
	p, err := tryProcess(t, s)
	if err != nil {
		t.Fatalf("the server has not started: %v\n%s", err, p.stderr)
	}
	return p
}

// tryProcess returns when the server is ready or has ended.
func tryProcess(t *testing.T, s settings) (*process, error) {
	t.Helper()
	told, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Env: &testenv.Env{}, stderr: &buffer{}, ended: make(chan error, 1)}
	p.cmd = exec.Command(os.Args[0], "-test.run=^TestServerProcess$")
	p.cmd.Env = append(os.Environ(), processVariable+"="+string(told))
	p.cmd.Stderr = p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		if t.Failed() {
			t.Logf("the server said:\n%s", p.stderr)
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "at "); ok {
			if err := json.Unmarshal([]byte(text), &p.Endpoints); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	if p.Endpoints.Endpoint == "" {
		return p, p.cmd.Wait()
	}
	go func() {
		for lines.Scan() { // or it would wait for a reader
		}
		p.ended <- p.cmd.Wait()
	}()
	return p, nil
}

// end sends a signal and waits for the end of the process.
func (p *process) end(t *testing.T, s syscall.Signal) error {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-p.ended:
		return err
	case <-time.After(patience):
		t.Fatalf("the server is still there after %v", s)
		return nil
	}
}

// TestServerProcess is the server that other tests start; by itself it does
// nothing.
func TestServerProcess(t *testing.T) {
	told := os.Getenv(processVariable)
	if told == "" {
		return
	}
	var s settings
	if err := json.NewDecoder(bytes.NewReader([]byte(told))).Decode(&s); err != nil {
		t.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(t.Context(), syscall.SIGTERM)
	defer stop()
	server, err := app.New(ctx, app.Config{
		DataDir: s.DataDir, ConfigDir: s.ConfigDir, Services: s.Services, ActivityExport: s.ActivityExport,
		Listen: "127.0.0.1:0", GatewayListen: "127.0.0.1:0", OpsListen: "127.0.0.1:0",
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(ctx); err != nil {
		t.Fatal(err)
	}
	at, err := json.Marshal(server.Endpoints())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("at %s\n", at)
	<-ctx.Done()
	draining, cancel := context.WithTimeout(context.Background(), patience/2)
	defer cancel()
	if err := server.Stop(draining); err != nil {
		t.Error(err)
	}
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); {
		if time.Now().After(deadline) {
			t.Fatalf("it never happens that %s", what)
		}
		select {
		case <-t.Context().Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

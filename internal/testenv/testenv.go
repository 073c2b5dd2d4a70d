// Package testenv is a whole Twinkey inside a test process: its own store on
// disk, its own addresses, a real service behind the gateway, and a client that
// is logged in.
//
// It refuses to be part of the product, to replace a part by a fake, and to
// reach behind the API: what it does to a server anybody could do who holds the
// local administrator's key.
package testenv

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/twinkey/twinkey/examples/textanalytics"
	"github.com/twinkey/twinkey/internal/app"
)

// patience bounds what a test waits for. Nothing depends on how long it is.
const patience = time.Minute

// Options say what is different from the usual. The zero value works.
type Options struct {
	// Upstream is the service behind the gateway; zero means textanalytics.
	Upstream http.Handler
	// Services is the text of services.yaml; zero means kinds TextAnalytics (F0,
	// S) and CognitiveServices (S0) with every path sent to Upstream. In it
	// {{upstream}} stands for Upstream's URL.
	Services string
	// Change is called with the configuration before the server is made; zero
	// changes nothing.
	Change func(*app.Config)
}

// Env is a server that runs until the test ends.
type Env struct {
	Endpoints app.Endpoints
	Upstream  string     // URL of the service behind the gateway
	Config    app.Config // with which it was started

	server *app.App
	log    *record
}

// Start runs a server on an empty store. What it logs is shown if the test
// fails.
func Start(t testing.TB, o Options) *Env {
	t.Helper()
	if o.Upstream == nil {
		o.Upstream = textanalytics.Handler()
	}
	if o.Services == "" {
		o.Services = services
	}
	upstream := httptest.NewServer(o.Upstream)
	t.Cleanup(upstream.Close)
	dir := t.TempDir()
	e := &Env{Upstream: upstream.URL, log: &record{}}
	e.Config = app.Config{
		DataDir: filepath.Join(dir, "data"), ConfigDir: filepath.Join(dir, "config"), Services: filepath.Join(dir, "services.yaml"),
		Listen: "127.0.0.1:0", GatewayListen: "127.0.0.1:0", OpsListen: "127.0.0.1:0",
		Log: slog.New(slog.NewTextHandler(e.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	text := bytes.ReplaceAll([]byte(o.Services), []byte("{{upstream}}"), []byte(upstream.URL))
	if err := os.WriteFile(e.Config.Services, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if o.Change != nil {
		o.Change(&e.Config)
	}
	t.Cleanup(func() {
		e.stop(t)
		if t.Failed() {
			t.Logf("the server's log:\n%s", e.Log())
		}
	})
	e.start(t)
	return e
}

// Restart stops the server, as SIGTERM does, and starts it again on the same
// data and the same addresses.
func (e *Env) Restart(t testing.TB) {
	t.Helper()
	e.stop(t)
	for flag, at := range map[*string]string{
		&e.Config.Listen: e.Endpoints.Endpoint, &e.Config.GatewayListen: e.Endpoints.Gateway,
		&e.Config.GatewayHTTP: e.Endpoints.GatewayHTTP, &e.Config.OpsListen: e.Endpoints.Ops,
	} {
		if u, err := url.Parse(at); err == nil && at != "" && *flag != "" {
			host, _, err := net.SplitHostPort(*flag)
			if err != nil {
				t.Fatal(err)
			}
			*flag = net.JoinHostPort(host, u.Port())
		}
	}
	e.start(t)
}

// Client makes an HTTP client that trusts the server's certificates and has
// connections of its own.
func (e *Env) Client(t testing.TB) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(e.Endpoints.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("%s holds no certificate", e.Endpoints.CAFile)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// Log is everything the server has logged so far, at level debug.
func (e *Env) Log() string { return e.log.String() }

func (e *Env) start(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	server, err := app.New(ctx, e.Config)
	if err != nil {
		t.Fatal(err)
	}
	e.server = server
	if err := server.Start(ctx); err != nil {
		t.Fatal(err)
	}
	e.Endpoints = server.Endpoints()
}

func (e *Env) stop(t testing.TB) {
	t.Helper()
	if e.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := e.server.Stop(ctx); err != nil {
		t.Error(fmt.Errorf("stopping the server: %w", err))
	}
	e.server = nil
}

// services is what Options.Services means when it is empty.
const services = `services:
  - kind: TextAnalytics
    skus: [{name: F0, callsPerMinute: 20}, {name: S}]
    routes: [{path: /, upstream: "{{upstream}}"}]
  - kind: CognitiveServices
    skus: [{name: S0}]
    includes: [TextAnalytics]
`

// record keeps what is written to it.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

// String returns what was written.
func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

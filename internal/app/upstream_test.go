package app_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinkey/twinkey/internal/app"
	"github.com/twinkey/twinkey/internal/testenv"
)

// The paths by which clients know each service lead to the service's own.
func TestPresets(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.RequestURI())
	}))
	t.Cleanup(upstream.Close)
	var presets []app.Upstream
	for _, p := range app.Presets() {
		presets = append(presets, app.Upstream{Preset: p.Name, URL: upstream.URL + "/of/" + p.Name})
	}
	e := testenv.Start(t, testenv.Options{Change: func(c *app.Config) {
		c.Services, c.Upstreams = filepath.Join(c.DataDir, "none"), presets
	}})
	admin, client := e.Admin(t), trusting(t, e.Endpoints.CAFile)
	for _, tt := range []struct{ preset, path, want string }{
		{"vllm", "/openai/deployments/gpt-4/chat/completions?api-version=2024-10-21", "/v1/chat/completions?api-version=2024-10-21"},
		{"vllm", "/openai/v1/chat/completions", "/v1/chat/completions"},
		{"vllm", "/openai/responses", "/v1/responses"},
		{"vllm", "/models/chat/completions", "/v1/chat/completions"},
		{"vllm", "/v1/models", "/v1/models"},
		{"vllm", "//v1/models", "/v1/models"},
		{"vllm", "/tokenize", ""},
		{"whisper", "/openai/deployments/whisper-1/audio/transcriptions", "/v1/audio/transcriptions"},
		{"whisper", "/openai/v1/audio/translations", "/v1/audio/translations"},
		{"whisper", "/v1/audio/transcriptions", "/v1/audio/transcriptions"},
		{"whisper", "/v1/models", ""},
		{"azure-container", "/text/analytics/v3.1/languages", "/text/analytics/v3.1/languages"},
		{"azure-container", "/status", "/status"},
		{"generic", "/", "/"},
		{"generic", "/x/y:z", "/x/y:z"},
	} {
		r := request(t, http.MethodGet, e.Endpoints.Gateway+tt.path, "", "")
		r.Header.Set("Ocp-Apim-Subscription-Key", admin.Keys(t, app.UpstreamGroup, tt.preset)[0])
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.Body.Close() != nil {
			t.Fatal(err)
		}
		if want := "/of/" + tt.preset + tt.want; (resp.StatusCode == 200) != (tt.want != "") || tt.want != "" && string(body) != want {
			t.Errorf("%s %s: %d %s, want %s", tt.preset, tt.path, resp.StatusCode, body, want)
		}
	}
}

// A server that is started again changes nothing: the account, its keys and what
// its owner made of it stay, and the first start is recorded as the local
// administrator's.
func TestUpstreamAccountIsMadeOnce(t *testing.T) {
	e := testenv.Start(t, testenv.Options{Change: func(c *app.Config) {
		c.Services, c.Upstreams = filepath.Join(c.DataDir, "none"), []app.Upstream{{"generic", "http://127.0.0.1:9"}, {"generic", "http://127.0.0.1:10"}}
	}})
	admin := e.Admin(t)
	keys := admin.Keys(t, app.UpstreamGroup, "generic")
	revision := func() string {
		t.Helper()
		return fmt.Sprint(account(t, e.Admin(t), "generic")["etag"])
	}
	before := revision()
	system, _ := account(t, admin, "generic")["systemData"].(map[string]any)
	if system["createdByType"] != "Application" || system["createdBy"] == "" {
		t.Errorf("the account was made by %v", system)
	}
	// Without the local administrator's key, too: there is nothing to make.
	local := filepath.Join(e.Endpoints.ConfigDir, app.LocalAdminFile)
	if err := os.Rename(local, local+".away"); err != nil {
		t.Fatal(err)
	}
	e.Restart(t)
	if err := os.Rename(local+".away", local); err != nil {
		t.Fatal(err)
	}
	if after := revision(); after != before || e.Admin(t).Keys(t, app.UpstreamGroup, "generic") != keys {
		t.Errorf("a restart changed the account: %s, then %s", before, after)
	}
}

func account(t *testing.T, admin *testenv.Admin, name string) map[string]any {
	t.Helper()
	resp, err := admin.Do(t, http.MethodGet, "2024-10-01", nil, "resourceGroups", app.UpstreamGroup, "providers", "Microsoft.CognitiveServices", "accounts", name)
	if err != nil {
		t.Fatal(err)
	}
	var a map[string]any
	if err := resp.Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

// What cannot be used is said in one sentence, which never repeats a URL: it may
// hold a password.
func TestUpstreamRefused(t *testing.T) {
	const password = "hunter2hunter2"
	for _, tt := range []struct {
		upstreams []app.Upstream
		want      string
	}{
		{[]app.Upstream{{"vlm", "http://a"}}, "Allowed values: vllm, whisper, azure-container, generic."},
		{[]app.Upstream{{"vllm", "a:8000"}}, "What --upstream says of vllm cannot be used: upstream must have the form http://host:port."},
		{[]app.Upstream{{"vllm", "http://user:" + password + "@a"}}, "must not carry credentials"},
		{[]app.Upstream{{"vllm", "http://a"}, {"whisper", "http://b/?key=" + password}}, "of whisper cannot be used: upstream must not have a query"},
		{[]app.Upstream{{"vllm", "http://a"}, {"vllm", "http://a"}}, "upstream is listed twice"},
	} {
		dir := t.TempDir()
		_, err := app.New(t.Context(), app.Config{DataDir: filepath.Join(dir, "data"), Upstreams: tt.upstreams, Listen: "127.0.0.1:0", GatewayListen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), password) {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
}

// A services file and --upstream do not quietly override each other.
func TestUpstreamBesideAFile(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "data-config")
	if err := os.MkdirAll(config, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(config, "services.yaml"), []byte(kinds("A")), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := app.New(t.Context(), app.Config{DataDir: filepath.Join(dir, "data"), Upstreams: []app.Upstream{{"vllm", "http://a"}}, Listen: "127.0.0.1:0", GatewayListen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "services.yaml says what services are behind the gateway") {
		t.Error(err)
	}
}

// A first start that cannot make the account says why, and a server is not left
// half made: the next start makes it.
func TestUpstreamAccountThatCannotBeMade(t *testing.T) {
	dir := t.TempDir()
	c := app.Config{DataDir: filepath.Join(dir, "data"), Upstreams: []app.Upstream{{"vllm", "http://127.0.0.1:9"}}, Listen: "127.0.0.1:0", GatewayListen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)}
	start := func() error {
		server, err := app.New(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		err = server.Start(t.Context())
		if stop := server.Stop(context.WithoutCancel(t.Context())); stop != nil {
			t.Fatal(stop)
		}
		return err
	}
	server, err := app.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	local := filepath.Join(server.Endpoints().ConfigDir, app.LocalAdminFile)
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(local, local+".away"); err != nil {
		t.Fatal(err)
	}
	if err := start(); err == nil || !strings.Contains(err.Error(), "--upstream makes an account as the local administrator, whose key") {
		t.Errorf("without the key: %v", err)
	}
	if err := os.Rename(local+".away", local); err != nil {
		t.Fatal(err)
	}
	if err := start(); err != nil {
		t.Errorf("with the key: %v", err)
	}
}

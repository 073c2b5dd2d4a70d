package app_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/twinkey/twinkey/internal/app"
)

// I5: whatever is done, rightly and wrongly, no key, password, secret or token
// is in any log line at any level, in any error, in what the upstream gets, or in
// what the gateway keeps on the disk.
func TestSecretsAppearNowhere(t *testing.T) {
	w := startLeakWorld(t)
	secrets := w.exercise(t)
	if len(secrets) < 8 {
		t.Fatalf("only %d secrets were in play", len(secrets))
	}
	kept, err := os.ReadFile(filepath.Join(filepath.Dir(w.config), "data", "gateway", "snapshot"))
	if err != nil || !bytes.Contains(kept, []byte("TextAnalytics")) {
		t.Fatalf("the gateway's snapshot knows no account: %v", err)
	}
	for where, text := range map[string]string{"the gateway's snapshot": string(bytes.TrimRight(kept, "\x00")), "the log": w.log.String(), "errors": w.errors.String(), "the upstream": w.upstream.String()} {
		if len(text) < 500 {
			t.Errorf("%s has only %d bytes: nothing was looked through", where, len(text))
		}
		for name, secret := range secrets {
			if form := shows(text, secret); form != "" {
				t.Errorf("%s shows %s, %s", where, name, form)
			}
			for how, planted := range forms(secret) {
				if shows(text+"..."+planted+"...", secret) == "" {
					t.Fatalf("a planted %s %s was not found: the search cannot fail", name, how)
				}
			}
		}
	}
}

// forms are the ways a secret may be written down.
func forms(secret string) map[string]string {
	return map[string]string{
		"plain":       secret,
		"base64":      base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64url":   base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"URL-encoded": url.QueryEscape(secret),
		"hexadecimal": hex.EncodeToString([]byte(secret)),
		"quoted":      strings.Trim(mustJSON(secret), `"`),
	}
}

func shows(text, secret string) string {
	for how, form := range forms(secret) {
		if strings.Contains(text, form) {
			return how
		}
	}
	return ""
}

func mustJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

type leakWorld struct {
	log, errors, upstream buffer
	server                *app.App
	client                *http.Client
	config                string
}

func startLeakWorld(t *testing.T) *leakWorld {
	t.Helper()
	w := &leakWorld{}
	upstream := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_ = r.Write(&w.upstream) // everything that came, body included
		_, _ = io.WriteString(rw, "fine")
	}))
	t.Cleanup(upstream.Close)
	dir := t.TempDir()
	w.config = filepath.Join(dir, "config")
	services := filepath.Join(dir, "services.yaml")
	if err := os.WriteFile(services, []byte("services:\n  - kind: TextAnalytics\n    skus: [{name: S}]\n    routes: [{path: /text/, upstream: '"+upstream.URL+"'}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	w.server, err = app.New(t.Context(), app.Config{DataDir: filepath.Join(dir, "data"), ConfigDir: w.config, Services: services,
		Listen: "127.0.0.1:0", GatewayListen: "127.0.0.1:0", GatewayHTTP: "127.0.0.1:0", OpsListen: "127.0.0.1:0",
		Log: slog.New(slog.NewJSONHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.server.Stop(context.Background()) })
	if err := w.server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.client = trusting(t, w.server.Endpoints().CAFile)
	return w
}

// exercise does everything rightly and wrongly and returns the secrets used.
func (w *leakWorld) exercise(t *testing.T) map[string]string {
	e := w.server.Endpoints()
	secrets := map[string]string{"the wrong password": "wrong-Passw0rd+/=&?", "a wrong key": "0123456789abcdef0123456789abcdef"}
	password, err := os.ReadFile(filepath.Join(w.config, app.AdminPasswordFile))
	if err != nil {
		t.Fatal(err)
	}
	secrets["the password"] = strings.TrimSpace(string(password))
	outer, err := os.ReadFile(filepath.Join(w.config, "outer.key"))
	if err != nil {
		t.Fatal(err)
	}
	secrets["the outer key"] = strings.Fields(string(outer))[1]

	form := url.Values{"grant_type": {"password"}, "client_id": {"04b07795-8ddb-461a-bbee-02f9e1bf7b46"}, "username": {"admin@twinkey.internal"},
		"scope": {e.Endpoint + "/.default offline_access openid profile"}}
	form.Set("password", secrets["the wrong password"])
	w.failing(t, post(t, e.Authority+"/organizations/oauth2/v2.0/token", form.Encode(), ""))
	form.Set("password", secrets["the password"])
	var token struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	w.fine(t, post(t, e.Authority+"/organizations/oauth2/v2.0/token", form.Encode(), ""), &token)
	secrets["an access token"], secrets["a refresh token"] = token.Access, token.Refresh
	form = url.Values{"grant_type": {"client_credentials"}, "client_id": {e.TenantID}, "client_secret": {secrets["the wrong password"]}, "scope": {e.Endpoint + "/.default"}}
	w.failing(t, post(t, e.Authority+"/"+e.TenantID+"/oauth2/v2.0/token", form.Encode(), ""))

	group := e.Endpoint + "/subscriptions/" + e.SubscriptionID + "/resourceGroups/g"
	account := group + "/providers/Microsoft.CognitiveServices/accounts/acct"
	const version = "?api-version=2025-06-01"
	w.fine(t, put(t, group+"?api-version=2021-04-01", `{"location":"local"}`, token.Access), nil)
	w.fine(t, put(t, account+version, `{"kind":"TextAnalytics","sku":{"name":"S"},"location":"local"}`, token.Access), nil)
	var keys struct{ Key1, Key2 string }
	w.fine(t, post(t, account+"/listKeys"+version, "", token.Access), &keys)
	secrets["the old key 1"] = keys.Key1
	w.fine(t, post(t, account+"/regenerateKey"+version, `{"keyName":"Key1"}`, token.Access), &keys)
	secrets["key 1"], secrets["key 2"] = keys.Key1, keys.Key2
	w.failing(t, post(t, account+"/regenerateKey"+version, `{"keyName":"`+keys.Key1+`"`, token.Access))
	w.failing(t, put(t, account+version, `{"properties":"`+keys.Key2+`"}`, token.Access))
	w.failing(t, post(t, account+"/listKeys"+version+"&subscription-key="+keys.Key1, "", token.Access+"x"))
	w.failing(t, post(t, e.Endpoint+"/text/x?subscription-key="+keys.Key1, "", keys.Key2))

	for _, at := range []string{e.Gateway, e.GatewayHTTP} {
		for _, key := range []string{keys.Key1, keys.Key2, secrets["the old key 1"], secrets["a wrong key"]} {
			for _, r := range presenting(t, at+"/text/x", key) {
				w.either(t, r)
			}
		}
		w.failing(t, post(t, at+"/text/x", "", token.Access))
		w.failing(t, post(t, at+"/elsewhere?subscription-key="+keys.Key1, "", ""))
	}
	return secrets
}

// presenting shows a key in every place a gateway looks.
func presenting(t *testing.T, to, key string) []*http.Request {
	var all []*http.Request
	for _, header := range []string{"Ocp-Apim-Subscription-Key", "api-key"} {
		r := post(t, to, "", "")
		r.Header.Set(header, key)
		all = append(all, r)
	}
	all = append(all, post(t, to, "", key), post(t, to+"?a=1&Subscription-Key="+key+"&b=2", "", ""),
		post(t, to+"?ocp%2dapim-subscription-key="+url.QueryEscape(key), "", ""))
	both := post(t, to+"?subscription-key="+key, "", key)
	both.Header.Set("api-key", key)
	both.Trailer = http.Header{"Ocp-Apim-Subscription-Key": {key}}
	return append(all, both)
}

func (w *leakWorld) fine(t *testing.T, r *http.Request, into any) {
	t.Helper()
	status, body := w.do(t, r)
	if status >= 300 {
		t.Fatalf("%s %s: %d %s", r.Method, r.URL.Path, status, body)
	}
	if into != nil {
		if err := json.Unmarshal(body, into); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *leakWorld) failing(t *testing.T, r *http.Request) {
	t.Helper()
	if status, _ := w.either(t, r); status < 400 || status >= 500 {
		t.Errorf("%s %s is answered %d", r.Method, r.URL.Path, status)
	}
}

// either keeps what an error says.
func (w *leakWorld) either(t *testing.T, r *http.Request) (int, []byte) {
	t.Helper()
	status, body := w.do(t, r)
	if status >= 400 {
		_, _ = w.errors.Write(body)
	}
	return status, body
}

func (w *leakWorld) do(t *testing.T, r *http.Request) (int, []byte) {
	t.Helper()
	answer, err := w.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range answer.Header {
		_, _ = w.errors.Write([]byte(name + ": " + strings.Join(values, ", ") + "\n"))
	}
	return answer.StatusCode, body
}

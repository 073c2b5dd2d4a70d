package cli_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinkey/twinkey/internal/cli"
)

const (
	subDev  = "11111111-1111-1111-1111-111111111111"
	subProd = "22222222-2222-2222-2222-222222222222"
	subOff  = "33333333-3333-3333-3333-333333333333"
	tenant  = "99999999-9999-9999-9999-999999999999"
	key1    = "eb77f5afd478ce8cb47b20b91ee87729"
	key2    = "e992d1c17453fa715bb28cdb10c502f6"
	account = "/subscriptions/" + subDev + "/resourceGroups/cog-services-staging/providers/Microsoft.CognitiveServices/accounts/myMultiCogService"
)

// server is an ARM endpoint and a token service whose answers a test sets by
// "METHOD path"; paths are compared in lower case.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	routes map[string]http.HandlerFunc
	// otherwise answers what no route does; nil means that there is no such
	// group.
	otherwise http.HandlerFunc
	asked     []string     // "METHOD path?query"
	bodies    []string     // of the same requests
	forms     []url.Values // token requests
	expires   int          // seconds that the next tokens last
	serial    int          // of the last token
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{routes: map[string]http.HandlerFunc{}, expires: 3600}
	s.start(t)
	s.on("POST "+account+"/listKeys", reply(200, `{"key1":"`+key1+`","key2":"`+key2+`"}`))
	return s
}

// start begins to listen.
func (s *server) start(t testing.TB) {
	s.Server = httptest.NewTLSServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	s.on("GET /subscriptions", reply(200, `{"value":[
		{"subscriptionId":"`+subOff+`","displayName":"Twinkey Off","state":"Disabled","tenantId":"`+tenant+`"},
		{"subscriptionId":"`+subDev+`","displayName":"Twinkey Dev","state":"Enabled","tenantId":"`+tenant+`","managedByTenants":[]},
		{"subscriptionId":"`+subProd+`","displayName":"Twinkey Prod","state":"Enabled","tenantId":"`+tenant+`","managedByTenants":[]}]}`))
}

// caFile writes the certificate to trust.
func (s *server) caFile(t testing.TB) string {
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (s *server) on(route string, h http.HandlerFunc) { s.routes[strings.ToLower(route)] = h }

func reply(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token") {
		s.token(w, r.URL.Path, string(body))
		return
	}
	s.mu.Lock()
	s.asked = append(s.asked, r.Method+" "+r.URL.RequestURI())
	s.bodies = append(s.bodies, string(body))
	s.mu.Unlock()
	if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer token-") {
		reply(401, `{"error":{"code":"InvalidAuthenticationToken","message":"The access token is invalid."}}`)(w, r)
		return
	}
	route, ok := s.routes[strings.ToLower(r.Method+" "+r.URL.Path)]
	if !ok && s.otherwise != nil {
		route = s.otherwise
	} else if !ok {
		route = reply(404, `{"error":{"code":"ResourceGroupNotFound","message":"Resource group 'nosuch' could not be found."}}`)
	}
	route(w, r)
}

func (s *server) token(w http.ResponseWriter, path, body string) {
	form, _ := url.ParseQuery(body)
	form.Set("path", path)
	s.mu.Lock()
	s.forms = append(s.forms, form)
	s.serial++
	serial := s.serial
	s.mu.Unlock()
	if form.Get("password") == "wrong" || form.Get("refresh_token") == "gone" {
		reply(400, `{"error":"invalid_grant","error_description":"AADSTS50126: Error validating credentials due to invalid username or password."}`)(w, nil)
		return
	}
	refresh := ""
	if form.Get("grant_type") != "client_credentials" {
		refresh = `,"refresh_token":"refresh-` + fmt.Sprint(serial) + `"`
	}
	reply(200, fmt.Sprintf(`{"token_type":"Bearer","expires_in":%d,"access_token":"token-%d"%s}`, s.expires, serial, refresh))(w, nil)
}

// last is the last ARM request: "METHOD path?query" and the body.
func (s *server) last() (asked, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[len(s.asked)-1], s.bodies[len(s.bodies)-1]
}

func (s *server) tokenForms() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]url.Values(nil), s.forms...)
}

// user runs commands in an environment of its own.
type user struct {
	t     *testing.T
	dir   string // the configuration directory
	env   map[string]string
	stdin io.Reader
	now   func() time.Time
	ctx   context.Context
}

func newUser(t *testing.T, s *server) *user {
	t.Helper()
	dir := t.TempDir()
	u := &user{t: t, dir: filepath.Join(dir, "config"), env: map[string]string{}, now: time.Now, ctx: t.Context()}
	u.env["TWINKEY_CONFIG_DIR"] = u.dir
	if s != nil {
		u.env["TWINKEY_ENDPOINT"], u.env["TWINKEY_CA_FILE"] = s.URL, s.caFile(t)
	}
	return u
}

// loggedIn is a user who has logged in to s.
func loggedIn(t *testing.T, s *server) *user {
	t.Helper()
	u := newUser(t, s)
	if got := u.run("login", "-u", "ann@twinkey.test", "-p", "right"); got.code != 0 {
		t.Fatalf("logging in: %+v", got)
	}
	return u
}

// result is what one command did.
type result struct {
	code           int
	stdout, stderr string
}

func (u *user) run(args ...string) result {
	var stdout, stderr bytes.Buffer
	code := cli.Main(u.ctx, u.config(&stdout, &stderr, args))
	return result{code, stdout.String(), stderr.String()}
}

func (u *user) config(stdout, stderr io.Writer, args []string) cli.Config {
	stdin := u.stdin
	if stdin == nil {
		stdin = strings.NewReader("")
	}
	return cli.Config{
		Args: args, Stdin: stdin, Stdout: stdout, Stderr: stderr, Version: "1.2.3", Now: u.now,
		Getenv: func(name string) string { return u.env[name] },
	}
}

// want compares a whole result.
func (u *user) want(got result, code int, stdout, stderr string) {
	u.t.Helper()
	if got.code != code || got.stdout != stdout || got.stderr != stderr {
		u.t.Errorf("exit code %d, want %d\nstdout %q\nwant   %q\nstderr %q\nwant   %q", got.code, code, got.stdout, stdout, got.stderr, stderr)
	}
}

var keysOf = []string{"--name", "myMultiCogService", "--resource-group", "cog-services-staging"}

func command(words string, more ...string) []string {
	return append(strings.Fields(words), more...)
}

// newPuts makes s accept every PUT below a scope's authorization, but for the
// group "refused", and returns their bodies.
func newPuts(s *server) *[]string {
	var bodies []string
	s.otherwise = func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "/providers/Microsoft.Authorization/") || strings.Contains(r.URL.Path, "refused") {
			reply(403, `{"error":{"code":"AuthorizationFailed","message":"no"}}`)(w, r)
			return
		}
		_, body := s.last()
		bodies = append(bodies, body)
		reply(201, `{"properties":{}}`)(w, r)
	}
	return &bodies
}

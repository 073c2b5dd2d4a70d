package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/catalog"
	"github.com/twinkey/twinkey/internal/gateway"
	"github.com/twinkey/twinkey/internal/web"
)

// stage is a gateway on a real socket in front of a real upstream, told of one
// account by hand.
type stage struct {
	t       *testing.T
	gateway *gateway.Gateway
	server  *door
	state   twinkey.AccountState
	changes chan twinkey.FromHub
	applied chan twinkey.Revision
	now     time.Time
}

const (
	stageKey1 = "stage-key-one"
	stageKey2 = "stage-key-two"
)

func newStage(t *testing.T, upstream http.Handler, adjust func(*gateway.Config)) *stage {
	t.Helper()
	up := httptest.NewServer(upstream)
	t.Cleanup(up.Close)
	services, err := catalog.Parse("services.yaml", fmt.Appendf(nil, "services: [{kind: TextAnalytics, skus: [{name: F0, callsPerMinute: 3}, {name: S}], routes: [{path: /text/, upstream: '%s'}]}]", up.URL))
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, changes: make(chan twinkey.FromHub), applied: make(chan twinkey.Revision, 100), now: time.Unix(1_800_000_000, 0)}
	config := gateway.Config{Catalog: func() *catalog.Catalog { return services }, Log: slog.New(slog.DiscardHandler),
		URL: "https://api.example.test:8444", TokenSecret: []byte(strings.Repeat("s", 32)), Now: func() time.Time { return s.now }}
	if adjust != nil {
		adjust(&config)
	}
	s.gateway = gateway.New(config)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.gateway.Follow(ctx, s) }()
	t.Cleanup(func() { cancel(); <-done })
	s.server = open(t, web.Config{Handler: s.gateway, Conns: s.gateway})
	s.state = twinkey.AccountState{ID: twinkey.ResourceID{Subscription: "11111111-2222-3333-4444-555555555555", Group: "g", Account: "ab"}, UID: "0123", Kind: "TextAnalytics", SKU: "S", Location: "local",
		Digests: [2]twinkey.Digest{twinkey.DigestOf(stageKey1), twinkey.DigestOf(stageKey2)}, Generations: [2]twinkey.Generation{1, 1}}
	s.send(twinkey.FromHub{Chunk: &twinkey.SnapshotChunk{Revision: 1, Accounts: []twinkey.AccountState{s.state}, Last: true}})
	return s
}

// Receive implements gateway.Feed.
func (s *stage) Receive(ctx context.Context) (twinkey.FromHub, error) {
	select {
	case m := <-s.changes:
		return m, nil
	case <-ctx.Done():
		return twinkey.FromHub{}, ctx.Err()
	}
}

// Send implements gateway.Feed.
func (s *stage) Send(_ context.Context, m twinkey.FromGateway) error {
	s.applied <- m.Ack.Revision
	return nil
}

func (s *stage) send(m twinkey.FromHub) {
	s.changes <- m
	<-s.applied
}

// change tells the gateway of the account as edit leaves it, and returns when it
// is acknowledged.
func (s *stage) change(edit func(*twinkey.AccountState)) {
	edit(&s.state)
	s.send(twinkey.FromHub{Change: &twinkey.Change{Revision: s.gateway.Revision() + 1, Put: []twinkey.AccountState{s.state}}})
}

func (s *stage) regenerate(name twinkey.KeyName, key string) {
	s.change(func(a *twinkey.AccountState) {
		a.Digests[name.Index()] = twinkey.DigestOf(key)
		a.Generations[name.Index()]++
	})
}

// call makes a call and returns the status and body.
func (s *stage) call(path, host string, header ...string) (int, string, http.Header) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.server.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := s.server.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, string(body), answer.Header
}

func (s *stage) expect(want int, what, path, host string, header ...string) string {
	s.t.Helper()
	status, body, _ := s.call(path, host, header...)
	if status != want {
		s.t.Errorf("%s: answered %d instead of %d: %s", what, status, want, body)
	}
	return body
}

const keyName = "Ocp-Apim-Subscription-Key"

func ok(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }

// A token from issueToken opens what its key opens, for ten minutes, and not a
// moment longer than its key lives.
func TestKeyTokenDiesWithItsKey(t *testing.T) {
	s := newStage(t, http.HandlerFunc(ok), nil)
	token := s.expect(200, "issuing", "/sts/v1.0/issueToken", "", keyName, stageKey1)
	other := s.expect(200, "issuing, in another case", "//STS/v1.0/issuetoken", "", keyName, stageKey2)
	s.expect(200, "with the token", "/text/x", "", "Authorization", "Bearer "+token)
	s.expect(401, "a token for a token", "/sts/v1.0/issueToken", "", "Authorization", "Bearer "+token)
	s.expect(401, "a changed token", "/text/x", "", "Authorization", "Bearer "+token[:len(token)-2]+"xx")
	s.expect(200, "a token beside a key is ignored", "/text/x", "", "Authorization", "Bearer "+token, keyName, stageKey2)
	s.regenerate(twinkey.Key1, "stage-key-one-again")
	s.expect(401, "the token of a regenerated key", "/text/x", "", "Authorization", "Bearer "+token)
	s.expect(200, "the token of the other key", "/text/x", "", "Authorization", "Bearer "+other)
	s.now = s.now.Add(10*time.Minute + time.Second)
	s.expect(401, "after ten minutes", "/text/x", "", "Authorization", "Bearer "+other)
	s.now = s.now.Add(-time.Minute)
	s.change(func(a *twinkey.AccountState) { a.KeysDisabled = true })
	s.expect(403, "with keys switched off", "/text/x", "", "Authorization", "Bearer "+other)
}

// verdicts is a gateway.Tokens that answers by the token's text.
type verdicts map[string]error

func (v verdicts) Allowed(_ context.Context, bearer, action string, _ twinkey.ResourceID) error {
	if want := twinkey.Provider + "/accounts/TextAnalytics/x/action"; action != want {
		return fmt.Errorf("asked about %s", action)
	}
	return v[bearer]
}

// An account's own host admits its keys alone, and the access tokens of those
// who hold the data action; at the shared address an access token says nothing
// about which account is meant.
func TestOwnHostAdmitsItsAccountAlone(t *testing.T) {
	const good, bad, idle = "eyJhbGciOiJSUzI1NiJ9.Z29vZA.c2ln", "eyJhbGciOiJSUzI1NiJ9.YmFk.c2ln", "eyJhbGciOiJSUzI1NiJ9.aWRsZQ.c2ln"
	s := newStage(t, http.HandlerFunc(ok), func(c *gateway.Config) {
		c.Domain = "api.example.test"
		c.Tokens = verdicts{bad: twinkey.Errorf(twinkey.Unauthenticated, "bad"), idle: twinkey.Errorf(twinkey.Forbidden, "no role")}
	})
	s.change(func(a *twinkey.AccountState) { a.Subdomain = "mine" })
	for _, host := range []string{"mine.api.example.test", "MINE.api.EXAMPLE.test:8444", "mine.api.example.test."} {
		s.expect(200, "key at "+host, "/text/x", host, keyName, stageKey1)
	}
	s.expect(200, "key at the shared address", "/text/x", "", keyName, stageKey1)
	s.expect(401, "key at another's host", "/text/x", "other.api.example.test", keyName, stageKey1)
	s.expect(200, "two labels are not an own host", "/text/x", "a.mine.api.example.test", keyName, stageKey1)
	s.expect(200, "token of one with the data action", "/text/x", "mine.api.example.test", "Authorization", "Bearer "+good)
	s.expect(401, "token that is not good", "/text/x", "mine.api.example.test", "Authorization", "Bearer "+bad)
	if body := s.expect(401, "token of one without a role", "/text/x", "mine.api.example.test", "Authorization", "Bearer "+idle); !strings.Contains(body, `"PermissionDenied"`) {
		t.Errorf("without a role: %s", body)
	}
	s.expect(401, "token at the shared address", "/text/x", "", "Authorization", "Bearer "+good)
	s.expect(401, "token at an unknown host", "/text/x", "nobody.api.example.test", "Authorization", "Bearer "+good)
	s.change(func(a *twinkey.AccountState) { a.KeysDisabled = true })
	s.expect(403, "key when keys are off", "/text/x", "mine.api.example.test", keyName, stageKey1)
	s.expect(200, "token when keys are off", "/text/x", "mine.api.example.test", "Authorization", "Bearer "+good)
}

// The SKU's calls in a minute are admitted, the next is refused with the time to
// wait, and refused calls of strangers do not count.
func TestCallRateOfTheSKU(t *testing.T) {
	s := newStage(t, http.HandlerFunc(ok), nil)
	s.now = time.Unix(1_800_000_000/60*60+47, 0)
	s.change(func(a *twinkey.AccountState) { a.SKU = "F0" })
	s.expect(401, "a stranger", "/text/x", "", keyName, "wrong")
	for i := range 3 {
		s.expect(200, fmt.Sprint("call ", i), "/text/x", "", keyName, []string{stageKey1, stageKey2}[i%2])
	}
	status, body, header := s.call("/text/x", "", keyName, stageKey1)
	if status != 429 || header.Get("Retry-After") != "13" || !strings.Contains(body, "retry after 13 seconds") || !strings.Contains(body, `"code":"429"`) {
		t.Errorf("the fourth call: %d, Retry-After %q, %s", status, header.Get("Retry-After"), body)
	}
	s.regenerate(twinkey.Key1, "fresh")
	s.expect(429, "a regenerated key does not reset the rate", "/text/x", "", keyName, "fresh")
	s.now = s.now.Add(13 * time.Second)
	s.expect(200, "the next minute", "/text/x", "", keyName, "fresh")
}

// Network rules see the client's address: the peer's, or what a trusted proxy
// says; nobody else can claim to be somewhere.
func TestNetworkRules(t *testing.T) {
	s := newStage(t, http.HandlerFunc(ok), nil)
	allow := func(cidr string) {
		s.change(func(a *twinkey.AccountState) {
			a.Network = &twinkey.NetworkRules{DefaultDeny: true, Allow: []netip.Prefix{netip.MustParsePrefix(cidr)}}
		})
	}
	allow("127.0.0.0/8")
	s.expect(200, "from an allowed address", "/text/x", "", keyName, stageKey1)
	allow("203.0.113.0/24")
	s.expect(403, "from another address", "/text/x", "", keyName, stageKey1)
	s.expect(403, "claiming an allowed address", "/text/x", "", keyName, stageKey1, "X-Forwarded-For", "203.0.113.7")
	s.change(func(a *twinkey.AccountState) { a.Network.DefaultDeny = false })
	s.expect(200, "with the default allowing", "/text/x", "", keyName, stageKey1)
	s.change(func(a *twinkey.AccountState) { a.PublicAccessDisabled = true })
	s.expect(403, "with public access off", "/text/x", "", keyName, stageKey1)

	p := newStage(t, http.HandlerFunc(ok), func(c *gateway.Config) { c.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	p.change(func(a *twinkey.AccountState) {
		a.Network = &twinkey.NetworkRules{DefaultDeny: true, Allow: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}
	})
	p.expect(200, "behind a trusted proxy", "/text/x", "", keyName, stageKey1, "X-Forwarded-For", "203.0.113.7")
	p.expect(403, "the last untrusted hop counts", "/text/x", "", keyName, stageKey1, "X-Forwarded-For", "203.0.113.7, 198.51.100.1")
	p.expect(200, "trusted hops are passed over", "/text/x", "", keyName, stageKey1, "X-Forwarded-For", "198.51.100.1, 203.0.113.7, 127.0.0.9")
	p.expect(403, "nothing said", "/text/x", "", keyName, stageKey1)
	p.expect(403, "nonsense said", "/text/x", "", keyName, stageKey1, "X-Forwarded-For", "203.0.113.7, nonsense")
}

// Addresses of the upstream in an answer become addresses of the gateway, which
// the client can call with its key; other addresses are left alone.
func TestUpstreamAddressesInAnswersPointAtTheGateway(t *testing.T) {
	s := newStage(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Operation-Location", "http://"+r.Host+"/text/results/1?api-version=1")
		w.Header().Set("Azure-AsyncOperation", "http://"+r.Host+"/text/a%2Fb")
		w.Header().Set("Location", "https://elsewhere.example/x")
		w.WriteHeader(http.StatusAccepted)
	}), func(c *gateway.Config) { c.Domain = "own.example.test" })
	_, _, header := s.call("/text/x", "", keyName, stageKey1)
	for name, want := range map[string]string{
		"Operation-Location":   "https://api.example.test:8444/text/results/1?api-version=1",
		"Azure-AsyncOperation": "https://api.example.test:8444/text/a%2Fb",
		"Location":             "https://elsewhere.example/x",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	s.change(func(a *twinkey.AccountState) { a.Subdomain = "mine" })
	_, _, header = s.call("/text/x", "mine.own.example.test", keyName, stageKey1)
	if got, want := header.Get("Operation-Location"), "https://mine.own.example.test:8444/text/results/1?api-version=1"; got != want {
		t.Errorf("at the account's own host Operation-Location is %s, want %s", got, want)
	}
}

// What dies with a key: an upgraded connection at once, an answer that is still
// streaming when the drain is over. The other key's calls go on.
func TestOpenConnectionsDieWithTheirKey(t *testing.T) {
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" { // streams until it is cut
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			return
		}
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_ = rw.Flush()
		_, _ = io.Copy(conn, rw)
	})
	s := newStage(t, upstream, func(c *gateway.Config) { c.DrainRevoked = 20 * time.Millisecond })
	upgraded1, upgraded2 := s.dial("echo", stageKey1), s.dial("echo", stageKey2)
	stream1, stream2 := s.dial("", stageKey1), s.dial("", stageKey2)
	upgraded1.echo(t, "before")
	s.regenerate(twinkey.Key1, "next")
	upgraded1.ended(t, "the upgraded connection of the old key")
	stream1.ended(t, "the streaming answer of the old key")
	upgraded2.echo(t, "after")
	s.change(func(a *twinkey.AccountState) { a.KeysDisabled = true })
	upgraded2.ended(t, "the upgraded connection, keys being off")
	stream2.ended(t, "the streaming answer, keys being off")
}

// wire is one raw connection whose answer has begun.
type wire struct {
	net.Conn
	in *bufio.Reader
}

func (s *stage) dial(upgrade, key string) *wire {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	head := "GET /text/stream HTTP/1.1\r\nHost: gateway\r\n" + keyName + ": " + key + "\r\n"
	if upgrade != "" {
		head += "Connection: Upgrade\r\nUpgrade: " + upgrade + "\r\n"
	}
	fmt.Fprint(conn, head+"\r\n")
	w := &wire{conn, bufio.NewReader(conn)}
	for {
		line, err := w.in.ReadString('\n')
		if err != nil {
			s.t.Fatal(err)
		}
		if line == "\r\n" {
			return w
		}
	}
}

func (w *wire) echo(t *testing.T, word string) {
	t.Helper()
	fmt.Fprintln(w, word)
	if line, err := w.in.ReadString('\n'); err != nil || line != word+"\n" {
		t.Errorf("echo of %q: %q, %v", word, line, err)
	}
}

// ended reads to the end, which must come before the deadline does.
func (w *wire) ended(t *testing.T, what string) {
	t.Helper()
	if _, err := io.Copy(io.Discard, w.in); err != nil {
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
			t.Errorf("%s goes on", what)
		}
	}
}

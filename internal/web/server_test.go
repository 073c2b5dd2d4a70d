package web_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/web"
)

// logs collects log lines as JSON.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logs) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// lines returns the lines whose message is msg.
func (l *logs) lines(t *testing.T, msg string) []map[string]any {
	t.Helper()
	var found []map[string]any
	for line := range strings.Lines(l.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("log line is not JSON: %s", line)
		}
		if entry["msg"] == msg {
			found = append(found, entry)
		}
	}
	return found
}

// leaks reports whether text shows secret, plain or encoded.
func leaks(text, secret string) bool {
	for _, form := range []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret))} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

// surface is a server whose error answers say which kind they got.
func surface(l *logs, h web.HandlerFunc) *web.Server {
	onError := func(w http.ResponseWriter, r *http.Request, err error) {
		web.Note(r).Code = fmt.Sprint("K", twinkey.KindOf(err))
		http.Error(w, fmt.Sprint("kind ", twinkey.KindOf(err)), map[bool]int{true: 500, false: 400}[twinkey.KindOf(err) == twinkey.Internal])
	}
	return web.NewServer(web.Config{Name: "test", Handler: web.Handle(h, onError), Log: l.logger(), OnPanic: onError})
}

// A line in the log says everything about a request but what must stay secret.
func TestLogLineHoldsNoSecret(t *testing.T) {
	secret := rand.Text() + "/+ü"
	for _, planted := range []string{"x " + secret, "q=" + url.QueryEscape(secret), "b " + base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret))} {
		if !leaks(planted, secret) {
			t.Fatalf("the check does not find %q", planted)
		}
	}
	var l logs
	s := surface(&l, func(w http.ResponseWriter, r *http.Request) error {
		web.Note(r).Caller = "somebody"
		_, _ = io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/panic":
			panic("with " + secret)
		case "/refuse":
			return twinkey.Errorf(twinkey.Invalid, "no")
		case "/fail":
			return fmt.Errorf("reading disk: %w", errors.New("broken"))
		}
		_, err := io.WriteString(w, "hello")
		return err
	})
	for _, path := range []string{"/ok", "/refuse", "/fail", "/panic"} {
		r := httptest.NewRequest("POST", path+"?subscription-key="+url.QueryEscape(secret), strings.NewReader(secret))
		r.Header.Set("Authorization", "Bearer "+secret)
		r.Header.Set("Ocp-Apim-Subscription-Key", secret)
		r.Header.Set("x-ms-client-request-id", "7")
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
	if leaks(l.String(), secret) {
		t.Fatalf("the log shows the secret:\n%s", l.String())
	}
	lines := l.lines(t, "request")
	if len(lines) != 4 {
		t.Fatalf("%d lines for 4 requests:\n%s", len(lines), l.String())
	}
	want := []map[string]any{
		{"path": "/ok", "status": 200., "level": "INFO", "bytes": 5., "surface": "test", "method": "POST", "clientRequest": "7", "caller": "somebody", "code": nil, "error": nil},
		{"path": "/refuse", "status": 400., "level": "INFO", "code": "K1", "error": nil},
		{"path": "/fail", "status": 500., "level": "ERROR", "error": "reading disk: broken"},
		{"path": "/panic", "status": 500., "level": "ERROR", "error": "handler panicked"},
	}
	for i, fields := range want {
		for name, value := range fields {
			if lines[i][name] != value {
				t.Errorf("%v: %s is %v, want %v", lines[i]["path"], name, lines[i][name], value)
			}
		}
		if id, _ := lines[i]["request"].(string); !twinkey.IsGUID(id) {
			t.Errorf("request id %v is no GUID", lines[i]["request"])
		}
	}
}

// A panic is answered blandly, says where it happened, and leaves the server up.
func TestPanic(t *testing.T) {
	var l logs
	s := surface(&l, func(http.ResponseWriter, *http.Request) error {
		var none []int
		_ = none[len(none)]
		return nil
	})
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	if rec.Code != 500 || rec.Body.String() != "kind 0\n" {
		t.Errorf("got %d %q", rec.Code, rec.Body)
	}
	lines := l.lines(t, "panic")
	if len(lines) != 1 || !strings.Contains(lines[0]["stack"].(string), "server_test.go") || !strings.Contains(lines[0]["what"].(string), "index out of range") {
		t.Errorf("panic is logged as %v", lines)
	}
}

// Half an answer never looks whole: a failure after the first byte cuts the
// connection.
func TestFailureAfterTheAnswerBegan(t *testing.T) {
	for name, h := range map[string]web.HandlerFunc{
		"error": func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			return errors.New("no more")
		},
		"panic": func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic("no more")
		},
	} {
		t.Run(name, func(t *testing.T) {
			var l logs
			address, stop := serve(t, surface(&l, h))
			resp, err := http.Get("http://" + address)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); err == nil {
				t.Errorf("read %q as a whole answer", body)
			}
			stop()
			if lines := l.lines(t, "request"); len(lines) != 1 {
				t.Errorf("%d log lines", len(lines))
			}
		})
	}
}

// serve listens on a loopback port until stop, which waits for the requests
// under way.
func serve(t *testing.T, s *web.Server) (address string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	stop = sync.OnceFunc(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return l.Addr().String(), stop
}

// A client that hangs up is no fault of the server.
func TestClientGone(t *testing.T) {
	var l logs
	ctx, cancel := context.WithCancel(context.Background())
	s := surface(&l, func(_ http.ResponseWriter, r *http.Request) error {
		cancel()
		return fmt.Errorf("reading store: %w", r.Context().Err())
	})
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil).WithContext(ctx))
	if line := l.lines(t, "request")[0]; line["status"] != 499. || line["level"] != "INFO" {
		t.Errorf("logged as %v", line)
	}
}

// Headers have a limit, in size and in time.
func TestHeaderLimits(t *testing.T) {
	var l logs
	address, _ := serve(t, surface(&l, func(http.ResponseWriter, *http.Request) error { return nil }))
	for size, want := range map[int]int{60 << 10: 200, 80 << 10: 431} {
		r, _ := http.NewRequest("GET", "http://"+address, nil)
		r.Header.Set("X-Long", strings.Repeat("a", size))
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%d bytes of header: %d, want %d", size, resp.StatusCode, want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		s := web.NewServer(web.Config{Name: "test", Handler: http.NotFoundHandler(), Log: l.logger()})
		pipe := &oneConn{conn: server, closed: make(chan struct{})}
		go func() { _ = s.Serve(pipe) }()
		begin := time.Now()
		_, _ = io.WriteString(client, "GET / HTTP/1.1\r\nHost: ")
		_, _ = io.Copy(io.Discard, bufio.NewReader(client))
		if waited := time.Since(begin); waited < 10*time.Second || waited > 20*time.Second {
			t.Errorf("a header that never ends is given %v", waited)
		}
		_ = s.Shutdown(context.Background())
	})
}

// oneConn is a listener with one connection.
type oneConn struct {
	conn   net.Conn
	taken  bool
	once   sync.Once
	closed chan struct{}
}

func (o *oneConn) Accept() (net.Conn, error) {
	if !o.taken {
		o.taken = true
		return o.conn, nil
	}
	<-o.closed
	return nil, net.ErrClosed
}

func (o *oneConn) Close() error {
	o.once.Do(func() { close(o.closed) })
	return nil
}

func (o *oneConn) Addr() net.Addr { return o.conn.LocalAddr() }

// The ids of a request are ours; a caller's own count only in the form they
// should have.
func TestCaller(t *testing.T) {
	const guid = "0f8fad5b-d9cb-469f-a165-70867728950e"
	for _, c := range []struct{ correlation, client, wantCorrelation, wantClient string }{
		{"", "", "", ""},
		{guid, guid, guid, guid},
		{"not a guid", strings.Repeat("x", 64), "", strings.Repeat("x", 64)},
		{guid + "x", strings.Repeat("x", 65), "", ""},
		{"", "a\x01b", "", ""},
		{"", "a\xffb", "", ""},
	} {
		var l logs
		var who, again twinkey.Caller
		s := surface(&l, func(_ http.ResponseWriter, r *http.Request) error {
			who, again = web.Caller(r), web.Caller(r)
			return nil
		})
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "[::ffff:192.0.2.7]:4711"
		r.Header.Set("x-ms-correlation-request-id", c.correlation)
		r.Header.Set("x-ms-client-request-id", c.client)
		s.ServeHTTP(httptest.NewRecorder(), r)
		if c.wantCorrelation == "" {
			c.wantCorrelation = who.RequestID
		}
		if !twinkey.IsGUID(who.RequestID) || who.RequestID != again.RequestID {
			t.Errorf("request ids %q and %q", who.RequestID, again.RequestID)
		}
		if who.CorrelationID != c.wantCorrelation || who.ClientRequestID != c.wantClient || who.Address.String() != "192.0.2.7" {
			t.Errorf("%q/%q: got %+v", c.correlation, c.client, who)
		}
	}
}

// What net/http has to say goes to the log without what a caller sent, and a
// stranger's failed handshakes stay below info.
func TestConnectionComplaints(t *testing.T) {
	dir := t.TempDir()
	authority, err := web.OpenAuthority(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var l logs
	certificates, err := authority.Issue(nil, l.logger())
	if err != nil {
		t.Fatal(err)
	}
	address, stop := serve(t, web.NewServer(web.Config{Name: "test", Handler: http.NotFoundHandler(), Log: l.logger(), TLS: certificates.TLS()}))
	if _, err := tls.Dial("tcp", address, &tls.Config{ServerName: "localhost"}); err == nil {
		t.Fatal("a client without the authority trusts the server")
	}
	if _, err := tls.Dial("tcp", address, &tls.Config{RootCAs: authority.Pool(), MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}); err == nil {
		t.Fatal("TLS 1.1 is accepted")
	}
	stop()
	for _, line := range l.lines(t, "connection") {
		if line["level"] != "DEBUG" || !strings.Contains(line["message"].(string), "TLS handshake error") {
			t.Errorf("logged as %v", line)
		}
	}
}

package gateway_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twinkey/twinkey/internal/web"
)

// rawUpstream answers every request with the same bytes and shows each request
// as the bytes that came.
type rawUpstream struct {
	url string
	got chan string
}

const plainAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

func newRawUpstream(t *testing.T, answer string) *rawUpstream {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	u := &rawUpstream{url: "http://" + l.Addr().String(), got: make(chan string, 100)}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go u.serve(conn, answer)
		}
	}()
	return u
}

func (u *rawUpstream) serve(conn net.Conn, answer string) {
	defer conn.Close()
	var all bytes.Buffer
	r, err := http.ReadRequest(bufio.NewReader(io.TeeReader(conn, &all)))
	if err == nil {
		_, err = io.Copy(io.Discard, r.Body)
	}
	if err != nil {
		fmt.Fprintf(&all, "\nERROR: %v", err)
	}
	u.got <- all.String()
	_, _ = io.WriteString(conn, answer)
}

// rawStage is a stage in front of a raw upstream.
func rawStage(t *testing.T, answer string) (*stage, *rawUpstream) {
	t.Helper()
	u := newRawUpstream(t, answer)
	return routed(t, "{path: /text/, upstream: '"+u.url+"'}"), u
}

// raw opens a connection to the gateway and writes text to it as it is.
func (s *stage) raw(text string) *wire {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil { // ends only when the test fails
		s.t.Fatal(err)
	}
	w := &wire{conn, bufio.NewReader(conn)}
	w.write(s.t, text)
	return w
}

func (w *wire) write(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}

// expect reads exactly these bytes.
func (w *wire) expect(t *testing.T, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if n, err := io.ReadFull(w.in, got); err != nil || string(got) != text {
		t.Fatalf("read %q (%v), want %q", got[:n], err, text)
	}
}

// answer reads one answer with its body.
func (w *wire) answer(t *testing.T, method string) (*http.Response, string) {
	t.Helper()
	r, err := http.ReadResponse(w.in, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r, string(body)
}

// head is a request's head with a good key; lines are more of its header.
func head(method, target string, lines ...string) string {
	return method + " " + target + " HTTP/1.1\r\nHost: gateway\r\n" + keyName + ": " + stageKey1 + "\r\n" + strings.Join(append(lines, ""), "\r\n") + "\r\n"
}

// secure serves the stage's gateway as the product does: over TLS, HTTP/1.1 and
// HTTP/2, inside web's server. It returns the address and a client.
func (s *stage) secure(http2 bool) (string, *http.Client) {
	t := s.t
	t.Helper()
	authority, err := web.OpenAuthority(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	certificates, err := authority.Issue([]string{"localhost"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := web.NewServer(web.Config{Name: "gateway", Handler: s.gateway, Log: slog.New(slog.DiscardHandler), TLS: certificates.TLS()})
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	trusted, err := os.ReadFile(authority.Path())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(trusted)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"}, ForceAttemptHTTP2: http2, DisableCompression: true}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Shutdown(t.Context()) // the context is over: what is left is cut
		<-served
	})
	return l.Addr().String(), &http.Client{Transport: transport}
}

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
	url    string
	answer string
	got    chan string
}

const plainAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

func newRawUpstream(t *testing.T, answer string) *rawUpstream {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	u := &rawUpstream{url: "http://" + l.Addr().String(), answer: answer, got: make(chan string, 100)}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go u.serve(conn)
		}
	}()
	return u
}

func (u *rawUpstream) serve(conn net.Conn) {
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
	_, _ = io.WriteString(conn, u.answer)
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

// door is a server of the product in front of a gateway.
type door struct {
	URL      string
	Listener net.Listener
	client   *http.Client
}

func (d *door) Client() *http.Client { return d.client }

// open serves c on a free port until the test ends.
func open(t *testing.T, c web.Config) *door {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.Name = "gateway"
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	server := web.NewServer(c)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Shutdown(t.Context()) // the context is over: what is left is cut
		<-served
	})
	scheme := "http://"
	if c.TLS != nil {
		scheme = "https://"
	}
	return &door{scheme + l.Addr().String(), l, &http.Client{Transport: transport}}
}

// secure serves the stage's gateway over TLS, HTTP/1.1 and HTTP/2. It returns the
// address and a client.
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
	d := open(t, web.Config{Handler: s.gateway, Conns: s.gateway, TLS: certificates.TLS()})
	trusted, err := os.ReadFile(authority.Path())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(trusted)
	transport := d.client.Transport.(*http.Transport)
	transport.TLSClientConfig, transport.ForceAttemptHTTP2 = &tls.Config{RootCAs: pool, ServerName: "localhost"}, http2
	return d.Listener.Addr().String(), d.client
}

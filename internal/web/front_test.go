package web_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twinkey/twinkey/internal/web"
)

// lineConns answers lines that begin with "!" itself, panics at "!panic", stays
// with the connection at "!hold" until the server drains, and leaves the rest.
type lineConns struct{ held chan struct{} }

// ServeConn implements web.Conns.
func (c lineConns) ServeConn(ctx context.Context, conn net.Conn) net.Conn {
	in := bufio.NewReader(conn)
	for {
		first, err := in.Peek(1)
		if err != nil {
			_ = conn.Close()
			return nil
		}
		if first[0] != '!' {
			return &rest{conn, in}
		}
		line, err := in.ReadString('\n')
		switch {
		case err != nil:
			_ = conn.Close()
			return nil
		case line == "!panic\n":
			panic("secret of the call")
		case line == "!hold\n":
			c.held <- struct{}{}
			<-ctx.Done()
		}
		fmt.Fprint(conn, line)
		if ctx.Err() != nil {
			_ = conn.Close()
			return nil
		}
	}
}

type rest struct {
	net.Conn
	in *bufio.Reader
}

func (r *rest) Read(b []byte) (int, error) { return r.in.Read(b) }

// fronted serves h behind conns, with TLS.
func fronted(t *testing.T, conns web.Conns, l *logs) (address string, server *web.Server, config *tls.Config) {
	t.Helper()
	authority, err := web.OpenAuthority(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	certificates, err := authority.Issue(nil, l.logger())
	if err != nil {
		t.Fatal(err)
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %v", r.Proto, r.URL.Path, r.TLS != nil && r.TLS.HandshakeComplete)
	})
	server = web.NewServer(web.Config{Name: "test", Handler: handler, Conns: conns, TLS: certificates.TLS(), Log: l.logger()})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Shutdown(t.Context())
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String(), server, &tls.Config{RootCAs: authority.Pool(), ServerName: "localhost"}
}

// A connection is served by who comes first and goes on with net/http, which
// gets every byte from there on and still knows that there is TLS; HTTP/2 is
// net/http's from the start.
func TestConnectionsPassToTheHandler(t *testing.T) {
	var l logs
	address, _, config := fronted(t, lineConns{}, &l)
	conn, err := tls.Dial("tcp", address, config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "!one\n!two\nGET /three HTTP/1.1\r\nHost: a\r\n\r\n")
	in := bufio.NewReader(conn)
	for _, want := range []string{"!one\n", "!two\n"} {
		if got, err := in.ReadString('\n'); got != want {
			t.Fatalf("%q, %v", got, err)
		}
	}
	fmt.Fprint(conn, "GET /four HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	for _, want := range []string{"HTTP/1.1 /three true", "HTTP/1.1 /four true"} {
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(answer.Body); string(body) != want {
			t.Errorf("%q, %v", body, err)
		}
	}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Get("https://" + address + "/two")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); string(body) != "HTTP/2.0 /two true" {
		t.Errorf("%q, %v", body, err)
	}
}

// A panic costs its connection, and the log says where it was and nothing of the
// call.
func TestPanicOfConns(t *testing.T) {
	var l logs
	address, _, config := fronted(t, lineConns{}, &l)
	for range 2 {
		conn, err := tls.Dial("tcp", address, config)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, "!panic\n")
		if text, _ := io.ReadAll(conn); len(text) > 0 {
			t.Errorf("answered %q", text)
		}
		conn.Close()
	}
	if lines := l.lines(t, "panic"); len(lines) != 2 || strings.Contains(l.String(), "secret of the call") {
		t.Errorf("logged %s", l.String())
	}
}

// Who speaks plain HTTP to a port for HTTPS is told so; who says nothing that
// makes sense costs nobody anything.
func TestPlainHTTPToAPortForHTTPS(t *testing.T) {
	var l logs
	address, _, config := fronted(t, lineConns{}, &l)
	for _, c := range []struct{ text, want string }{
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTPS"}, {"POST / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTPS"}, {rand.Text() + rand.Text(), ""},
	} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, c.text)
		if text, _ := io.ReadAll(conn); !strings.Contains(string(text), c.want) {
			t.Errorf("%.10q is answered %q", c.text, text)
		}
		conn.Close()
	}
	conn, err := tls.Dial("tcp", address, config)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// A server that drains lets what is under way end, says so to who serves it, and
// cuts what does not end in time.
func TestDrainingConns(t *testing.T) {
	var l logs
	conns := lineConns{held: make(chan struct{})}
	address, server, config := fronted(t, conns, &l)
	held, err := tls.Dial("tcp", address, config)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	fmt.Fprint(held, "!hold\n")
	<-conns.held
	silent, err := tls.Dial("tcp", address, config) // waits for a line, and does not look at ctx
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	fmt.Fprint(silent, "!here\n")
	if _, err := io.ReadFull(silent, make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Shutdown(ctx) }()
	if text, err := io.ReadAll(held); string(text) != "!hold\n" {
		t.Errorf("what was under way: %q, %v", text, err)
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("a connection that did not end is not reported")
	}
	if text, _ := io.ReadAll(silent); len(text) > 0 {
		t.Errorf("%q", text)
	}
}

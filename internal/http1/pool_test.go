package http1_test

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/twinkey/twinkey/internal/http1"
)

// An upstream that has closed an unused connection, or has said something on it
// that nobody asked for, costs no call: the next one goes by another connection.
func TestDeadConnectionsAreNotUsed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	upstream := &url.URL{Scheme: "http", Host: l.Addr().String()}
	pool := http1.NewPool()
	defer pool.Close()
	get := func(wantReused bool, what string) *http1.Conn {
		t.Helper()
		c, err := pool.Get(t.Context(), upstream, false)
		if err != nil {
			t.Fatal(err)
		}
		if c.Reused != wantReused {
			t.Fatalf("%s: reused: %v", what, c.Reused)
		}
		return c
	}
	c := get(false, "the first")
	there := <-accepted
	pool.Put(c)
	c = get(true, "one that is open")
	pool.Put(c)
	fresh, err := pool.Get(t.Context(), upstream, true)
	if err != nil || fresh.Reused {
		t.Fatal("a new one was asked for", err)
	}
	defer fresh.Close()
	<-accepted
	ended := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, there); close(ended) }()
	if err := there.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	seen(t, c) // what was sent on loopback has arrived once it can be read
	c = get(false, "one that was closed")
	<-ended // and it has been closed here too
	there = <-accepted
	if _, err := io.WriteString(there, "HTTP/1.1 408 Timeout\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := c.Fill(); err != nil {
		t.Fatal(err)
	}
	pool.Put(c)
	get(false, "one that says something unasked").Close()
}

// seen waits until the end of the other side has arrived.
func seen(t *testing.T, c *http1.Conn) {
	t.Helper()
	if err := c.Fill(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
}

// An upstream that cannot be reached is told from one that fails later.
func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, scheme := range []string{"http", "https"} {
		if c, err := http1.NewPool().Get(t.Context(), &url.URL{Scheme: scheme, Host: l.Addr().String()}, false); err == nil {
			c.Close()
			t.Errorf("%s: connected", scheme)
		}
	}
}

// What an upstream says beyond its answer is nobody's: with TLS it may have been
// read from the socket already, and would be taken for the next answer.
func TestWhatTLSHasReadIsNotTheNextAnswer(t *testing.T) {
	server := httptest.NewTLSServer(nil) // for its certificate
	defer server.Close()
	trusted := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", trusted) // nothing in this process has read the system's before
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: server.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan *tls.Conn, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if secure := conn.(*tls.Conn); secure.Handshake() == nil {
				accepted <- secure
			}
		}
	}()
	pool := http1.NewPool()
	defer pool.Close()
	upstream := &url.URL{Scheme: "https", Host: l.Addr().String()}
	for _, more := range []string{"", "HTTP/1.1 200 OK\r\n"} {
		c, err := pool.Get(t.Context(), upstream, true)
		if err != nil {
			t.Fatal(err)
		}
		there := <-accepted
		defer there.Close()
		if _, err := io.WriteString(there, "hello"+more); err != nil { // in one record
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		pool.Put(c)
		again, err := pool.Get(t.Context(), upstream, false)
		if err != nil {
			t.Fatal(err)
		}
		if again.Reused != (more == "") {
			t.Errorf("after %q more the connection is used again: %v", more, again.Reused)
		}
		again.Close()
	}
}

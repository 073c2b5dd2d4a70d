package gateway_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func contextOf(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithCancel(r.Context())
}

// shouting upgrades a connection, speaks first, and then says everything it
// hears in capitals until the other side has said its last.
func shouting(t *testing.T, heads chan<- http.Header) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heads <- r.Header.Clone()
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + r.Header.Get("Upgrade") + "\r\nSec-Websocket-Accept: x\r\n\r\nhello\n")
		_ = rw.Flush()
		for {
			text, err := rw.ReadString('\n')
			if err != nil {
				return
			}
			_, _ = rw.WriteString(strings.ToUpper(text))
			_ = rw.Flush()
		}
	})
}

// An upgraded connection passes both ways, byte for byte and at once, however
// the product serves it; and the key that opened it stays at the gateway.
func TestUpgradedConnectionsPassBothWays(t *testing.T) {
	heads := make(chan http.Header, 1)
	s := newStage(t, shouting(t, heads), nil)
	for _, secure := range []bool{false, true} {
		var w *wire
		if secure {
			at, c := s.secure(false)
			conn, err := tls.Dial("tcp", at, c.Transport.(*http.Transport).TLSClientConfig)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			w = &wire{conn, bufio.NewReader(conn)}
		} else {
			w = s.raw("")
		}
		w.write(t, head(http.MethodGet, "/text/x?subscription-key="+stageKey1, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: abc", "Sec-WebSocket-Protocol: p", "Authorization: Bearer "+stageKey1))
		answer, err := http.ReadResponse(w.in, nil)
		if err != nil || answer.StatusCode != http.StatusSwitchingProtocols || answer.Header.Get("Upgrade") != "websocket" || answer.Header.Get("Sec-Websocket-Accept") != "x" {
			t.Fatalf("over TLS: %v: %+v, %v", secure, answer, err)
		}
		h := <-heads
		if h.Get("Upgrade") != "websocket" || h.Get("Sec-Websocket-Key") != "abc" || h.Get("Sec-Websocket-Protocol") != "p" || strings.Contains(fmt.Sprint(h), stageKey1) {
			t.Errorf("the service is told %v", h)
		}
		w.expect(t, "hello\n")
		for i := range 3 {
			w.write(t, fmt.Sprintf("word %d\n", i))
			w.expect(t, fmt.Sprintf("WORD %d\n", i))
		}
		if c, ok := w.Conn.(interface{ CloseWrite() error }); ok {
			if err := c.CloseWrite(); err != nil {
				t.Fatal(err)
			}
		}
		if rest, err := io.ReadAll(w.in); err != nil || len(rest) > 0 {
			t.Errorf("then comes %q, %v", rest, err)
		}
	}
}

// A service that answers an upgrade with something else answers as always.
func TestUpgradeThatTheServiceDeclines(t *testing.T) {
	s := newStage(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, "no")
	}), nil)
	w := s.raw(head(http.MethodGet, "/text/x", "Connection: Upgrade", "Upgrade: websocket"))
	if answer, body := w.answer(t, http.MethodGet); answer.StatusCode != http.StatusBadRequest || body != "no" {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
	w.write(t, head(http.MethodGet, "/text/x"))
	if answer, _ := w.answer(t, http.MethodGet); answer.StatusCode != http.StatusBadRequest {
		t.Errorf("the connection does not go on: %d", answer.StatusCode)
	}
}

// Over HTTP/2 a call is decided on and forwarded as over HTTP/1.1: path bytes,
// key in any place, nothing of it passed on.
func TestHTTP2CallsAreTheSame(t *testing.T) {
	s, upstream := rawStage(t, plainAnswer)
	at, c := s.secure(true)
	for sent, want := range map[string]string{
		"//text/a%2Fb;c?x=%20+&subscription-key=" + stageKey1 + "&&y": "/text/a%2Fb;c?x=%20+&&y",
		"/text/%7e~?": "/text/%7e~?",
	} {
		r := request(t, http.MethodPost, "https://"+at+sent, strings.NewReader("body"))
		answer := do(t, c, r)
		if answer.ProtoMajor != 2 || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %d", sent, answer.Proto, answer.StatusCode)
		}
		got := <-upstream.got
		if first, _, _ := strings.Cut(got, "\r\n"); first != "POST "+want+" HTTP/1.1" || strings.Contains(got, stageKey1) || !strings.HasSuffix(got, "\r\n\r\nbody") {
			t.Errorf("%q arrives as:\n%s", sent, got)
		}
	}
	for sent, want := range map[string]int{"/text/..%2f": 400, "/nowhere": 404} {
		r := request(t, http.MethodGet, "https://"+at+sent, nil)
		if answer := do(t, c, r); answer.StatusCode != want {
			t.Errorf("%s: %d", sent, answer.StatusCode)
		}
	}
}

// Both sides of a call speak at once: the service answers what it has heard so
// far, or that it wants to hear no more, while the client is still sending.
func TestBothSidesSpeakAtOnce(t *testing.T) {
	doors(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := http.NewResponseController(w)
		_ = out.EnableFullDuplex()
		if strings.HasSuffix(r.URL.Path, "/enough") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_ = out.Flush()
		in := bufio.NewReader(r.Body)
		for {
			text, err := in.ReadString('\n')
			if err != nil {
				return
			}
			fmt.Fprint(w, strings.ToUpper(text))
			_ = out.Flush()
		}
	}), func(t *testing.T, url string, c *http.Client) {
		body, out := io.Pipe()
		answer := do(t, c, request(t, http.MethodPost, url+"/text/x", body))
		in := bufio.NewReader(answer.Body)
		for i := range 3 {
			fmt.Fprintln(out, "word", i)
			if got := line(t, in); got != fmt.Sprint("WORD ", i) {
				t.Errorf("answered %q", got)
			}
		}
		out.Close()
		if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
			t.Errorf("then comes %q, %v", rest, err)
		}
		endless, more := io.Pipe()
		go func() { _, _ = more.Write([]byte("first part")) }()
		defer more.Close()
		if answer := do(t, c, request(t, http.MethodPost, url+"/text/enough", endless)); answer.StatusCode != http.StatusBadRequest {
			t.Errorf("a call the service wants no more of: %d", answer.StatusCode)
		}
	})
}

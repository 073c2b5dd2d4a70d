package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/twinkey/twinkey/internal/web"
)

// closed is a handler that no plain call may come to.
func closed(t *testing.T) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("net/http is asked to answer %s %s", r.Method, r.URL)
	})
}

// raw opens a connection to a door and writes text to it.
func (d *door) raw(t *testing.T, text string) *wire {
	t.Helper()
	conn, err := net.Dial("tcp", d.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	w := &wire{conn, bufio.NewReader(conn)}
	w.write(t, text)
	return w
}

// Calls in plain form do not pay for net/http, whatever their bodies, answers and
// refusals; else a test of this road would be one of the other.
func TestPlainCallsGoByTheRoad(t *testing.T) {
	s := newStage(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Query().Has("stream") {
			_ = http.NewResponseController(w).Flush()
		}
		fmt.Fprintf(w, "%s %s", r.Method, body)
	}), nil)
	w := open(t, web.Config{Handler: closed(t), Conns: s.gateway}).raw(t, "")
	for _, c := range []struct {
		method, request string
		status          int
		body            string
	}{
		{"GET", head("GET", "/text/x"), 200, "GET "},
		{"POST", head("POST", "/text/x", "Content-Length: 5") + "hello", 200, "POST hello"},
		{"PUT", head("PUT", "/text/x?stream", "Transfer-Encoding: chunked") + "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", 200, "PUT hello"},
		{"HEAD", head("HEAD", "/text/x"), 200, ""},
		{"GET", head("GET", "/nowhere"), 404, `{"error":{"code":"404","message": "Resource not found"}}`},
		{"POST", strings.ReplaceAll(head("POST", "/text/x", "Content-Length: 5"), stageKey1, "bad") + "hello", 401, ""},
		{"POST", head("POST", "/sts/v1.0/issueToken", "Content-Length: 0"), 200, ""},
		{"GET", head("GET", "/text/last", "Connection: close"), 200, "GET "},
	} {
		w.write(t, c.request)
		answer, body := w.answer(t, c.method)
		if answer.StatusCode != c.status || c.body != "" && body != c.body || answer.Header.Get("Date") == "" {
			t.Errorf("%.20q: %d %q %v", c.request, answer.StatusCode, body, answer.Header)
		}
	}
	if rest, err := io.ReadAll(w.in); err != nil || len(rest) > 0 {
		t.Errorf("after the last call: %q, %v", rest, err)
	}
}

// Calls that come all at once, in plain form or not, are answered in their order
// and none is lost where the connection passes to net/http.
func TestCallsThatComeAtOnce(t *testing.T) {
	s := newStage(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", r.URL.Path, body)
	}), nil)
	plain := head("GET", "/text/1") + head("POST", "/text/2", "Content-Length: 3") + "two" +
		head("POST", "/text/3", "Transfer-Encoding: chunked") + "5\r\nthree\r\n0\r\n\r\n" + head("GET", "/text/4")
	other := strings.ReplaceAll(head("GET", "http://gateway/text/5"), "\r\n", "\n") + head("GET", "/text/6")
	want := []string{"/text/1 ", "/text/2 two", "/text/3 three", "/text/4 ", "/text/5 ", "/text/6 "}
	for _, size := range []int{1, 7, 100, 1 << 20} {
		w := s.raw("")
		go func() {
			text := plain + other
			for len(text) > 0 {
				n := min(size, len(text))
				if _, err := io.WriteString(w, text[:n]); err != nil {
					return
				}
				text = text[n:]
			}
		}()
		for _, body := range want {
			if answer, got := w.answer(t, "GET"); answer.StatusCode != 200 || got != body {
				t.Fatalf("in parts of %d: %d %q, want %q", size, answer.StatusCode, got, body)
			}
		}
	}
}

// Both roads tell the service the same and the client the same: which of them a
// call comes by is nobody's business.
func TestBothRoadsAreAlike(t *testing.T) {
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\nKeep-Alive: 5\r\nContent-Type: a/b\r\nx-lower: a\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nDate: Sun, 01 Nov 2026 00:00:00 GMT\r\n\r\nok",
		"HTTP/1.1 202 Accepted\r\nContent-Type: a/b\r\nOperation-Location: UPSTREAM/text/op/1?a=b\r\nLocation: https://elsewhere.example/x\r\nConnection: close\r\n\r\nuntil the end",
		"HTTP/1.1 500 Internal Server Error\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\nEtag: \"x\"\r\nConnection: close\r\n\r\n",
		"HTTP/1.0 200 OK\r\nContent-Type: a/b\r\n\r\nold",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
		"no answer at all",
	} {
		compareRoads(t, answer)
	}
}

func compareRoads(t *testing.T, answer string) {
	s, upstream := rawStage(t, "")
	upstream.answer = strings.ReplaceAll(answer, "UPSTREAM", upstream.url)
	ours, theirs := open(t, web.Config{Handler: closed(t), Conns: s.gateway}), open(t, web.Config{Handler: s.gateway})
	for _, call := range []string{
		head("GET", "//text/a%2fb?x=%20+&subscription-key="+stageKey1+"&&y", "X-A: 1", "x-b:2", "Accept-Encoding: br", "Cookie: a=b"),
		head("GET", "/text/?", "Connection: close", "TE: trailers", "Keep-Alive: 5", "Proxy-Connection: x", "Proxy-Authorization: Basic x"),
		head("POST", "/text/x", "Content-Type: application/json", "Content-Length: 5", "api-key: "+stageKey1, "X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9", "X-Twinkey-A: b") + "hello",
		head("POST", "/text/x", "Origin: https://app.example"),
		head("PATCH", "/text/x", "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n",
		head("DELETE", "/text/x"), head("HEAD", "/text/x"),
	} {
		method, _, _ := strings.Cut(call, " ")
		var told, got [2][]string
		for i, d := range []*door{ours, theirs} {
			w := d.raw(t, call)
			answer, body := w.answer(t, method)
			told[i] = lines(<-upstream.got)
			got[i] = append(shown(answer), body)
		}
		if !slices.Equal(told[0], told[1]) {
			t.Errorf("%.30q: the service is told %q\nand through net/http %q", call, told[0], told[1])
		}
		if !slices.Equal(got[0], got[1]) {
			t.Errorf("%.30q to %.30q: the client is told %q\nand through net/http %q", call, answer, got[0], got[1])
		}
	}
}

// lines is a message with its header in one order and spelling.
func lines(text string) []string {
	first, rest, _ := strings.Cut(text, "\r\n")
	header, body, _ := strings.Cut(rest, "\r\n\r\n")
	all := strings.Split(header, "\r\n")
	for i, line := range all {
		name, value, _ := strings.Cut(line, ":")
		all[i] = http.CanonicalHeaderKey(name) + ": " + strings.TrimSpace(value)
	}
	slices.Sort(all)
	return append(append([]string{first}, all...), body)
}

// shown is what a client can see of an answer, but for its body and time.
func shown(r *http.Response) []string {
	all := []string{r.Status, fmt.Sprint(r.ContentLength, r.TransferEncoding, r.Close)}
	for name, values := range r.Header {
		if name == "Date" && len(values) == 1 {
			values = []string{"now"}
		}
		all = append(all, fmt.Sprintf("%s: %q", name, values))
	}
	slices.Sort(all[2:])
	return all
}

// An upstream that has closed the connection of the last call while the next was
// on its way costs no call that can be repeated, and sends none twice that cannot.
func TestStaleConnections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string, 10)
	go func() {
		for n := 1; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { // the first connection ends when its second call has come
				defer conn.Close()
				in := bufio.NewReader(conn)
				for calls := 1; ; calls++ {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, r.Body)
					got <- fmt.Sprint(n, " ", r.Method)
					if calls == 2 {
						return
					}
					fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				}
			}()
		}
	}()
	s := routed(t, "{path: /text/, upstream: 'http://"+l.Addr().String()+"'}")
	w := s.raw("")
	for _, c := range []struct {
		method string
		status int
		came   []string
	}{
		{"GET", 200, []string{"1 GET"}}, {"GET", 200, []string{"1 GET", "2 GET"}},
		{"POST", 502, []string{"2 POST"}}, {"POST", 200, []string{"3 POST"}}, {"DELETE", 502, []string{"3 DELETE"}},
	} {
		w.write(t, head(c.method, "/text/x"))
		if answer, body := w.answer(t, c.method); answer.StatusCode != c.status {
			t.Errorf("%s: %d %s", c.method, answer.StatusCode, body)
		}
		for _, want := range c.came {
			if came := <-got; came != want {
				t.Errorf("the upstream got %q, want %q", came, want)
			}
		}
	}
	if len(got) > 0 {
		t.Errorf("then %q", <-got)
	}
}

// A refused call whose body has not come is answered at once, and its connection
// ends, so that the body is not taken for a call.
func TestRefusalsDoNotWaitForBodies(t *testing.T) {
	s := newStage(t, closed(t), nil)
	for _, lines := range [][]string{{"Content-Length: 1000000"}, {"Transfer-Encoding: chunked"}} {
		w := s.raw(head("POST", "/nowhere", lines...))
		answer, _ := w.answer(t, "POST")
		if answer.StatusCode != 404 || !answer.Close {
			t.Errorf("%v: %d, %v", lines, answer.StatusCode, answer.Header)
		}
		_, _ = io.WriteString(w, head("GET", "/text/smuggled"))
		if rest, _ := io.ReadAll(w.in); len(rest) > 0 {
			t.Errorf("%v: then %q", lines, rest)
		}
	}
}

// A refused call whose body is short keeps its connection, whose next call is
// found where the body ends; and one that is the last gets its answer read.
func TestRefusalsWithBodiesOnTheWay(t *testing.T) {
	s := newStage(t, http.HandlerFunc(ok), nil)
	w := s.raw(head("POST", "/nowhere", "Content-Length: 100000"))
	if answer, _ := w.answer(t, "POST"); answer.StatusCode != 404 || answer.Close {
		t.Errorf("%d, %v", answer.StatusCode, answer.Header)
	}
	w.write(t, strings.Repeat(head("GET", "/text/smuggled"), 100000)[:100000]+head("GET", "/text/x"))
	if answer, body := w.answer(t, "GET"); answer.StatusCode != 200 || body != "ok" {
		t.Errorf("the next call: %d %s", answer.StatusCode, body)
	}
	w = s.raw(head("POST", "/nowhere", "Connection: close", "Content-Length: 100000"))
	w.write(t, strings.Repeat("x", 50000))
	if answer, _ := w.answer(t, "POST"); answer.StatusCode != 404 || !answer.Close {
		t.Errorf("%d, %v", answer.StatusCode, answer.Header)
	}
}

// Who has no key learns nothing about bodies.
func TestCredentialComesBeforeTheBody(t *testing.T) {
	s := newStage(t, closed(t), nil)
	w := s.raw(strings.ReplaceAll(head("POST", "/text/x", "Transfer-Encoding: chunked"), stageKey1, "bad") + "no chunk\r\n")
	if answer, _ := w.answer(t, "POST"); answer.StatusCode != 401 {
		t.Errorf("%d", answer.StatusCode)
	}
}

// A body in chunks that make no sense ends its call here and at the upstream.
func TestBrokenChunks(t *testing.T) {
	began, ended := make(chan struct{}, 1), make(chan error, 1)
	s := newStage(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadFull(r.Body, make([]byte, 3))
		began <- struct{}{}
		if err == nil {
			_, err = io.ReadAll(r.Body)
		}
		ended <- err
	}), nil)
	w := s.raw(head("POST", "/text/x", "Transfer-Encoding: chunked") + "5\nhello")
	if answer, _ := w.answer(t, "POST"); answer.StatusCode != 400 {
		t.Errorf("%d", answer.StatusCode)
	}
	w = s.raw(head("POST", "/text/x", "Transfer-Encoding: chunked") + "5\r\nhel")
	<-began
	w.write(t, "lo!?\r\n0\r\n\r\n")
	if answer, _ := w.answer(t, "POST"); answer.StatusCode != 400 || !answer.Close {
		t.Errorf("%d, %v", answer.StatusCode, answer.Header)
	}
	if err := <-ended; err == nil {
		t.Error("the upstream takes half a body for a whole one")
	}
}

package http1_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/twinkey/twinkey/internal/http1"
)

const start = "POST /text/x?a=b HTTP/1.1\r\nHost: gateway\r\n"

// A request that two servers could read in two ways is not read here: that is
// what request smuggling is made of.
func TestDoubtfulRequestsAreLeftAlone(t *testing.T) {
	for name, text := range map[string]string{
		"two lengths":             start + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
		"a length with a sign":    start + "Content-Length: +1\r\n\r\n",
		"a list of lengths":       start + "Content-Length: 1, 1\r\n\r\n",
		"an empty length":         start + "Content-Length:\r\n\r\n",
		"length and chunks":       start + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"chunks and length":       start + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
		"chunks twice":            start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
		"another coding":          start + "Transfer-Encoding: gzip, chunked\r\n\r\n",
		"a coding like chunks":    start + "Transfer-Encoding: xchunked\r\n\r\n",
		"a blank before a colon":  start + "Transfer-Encoding : chunked\r\n\r\n",
		"a folded line":           start + "X-A: b\r\n c\r\n\r\n",
		"LF alone":                "GET / HTTP/1.1\nHost: a\n\n",
		"LF alone in the header":  start + "X-A: b\nX-B: c\r\n\r\n",
		"CR alone":                start + "X-A: b\rX-B: c\r\n\r\n",
		"NUL":                     start + "X-A: b\x00c\r\n\r\n",
		"no name":                 start + ": b\r\n\r\n",
		"no colon":                start + "X-A\r\n\r\n",
		"no host":                 "GET / HTTP/1.1\r\n\r\n",
		"two hosts":               start + "Host: gateway\r\n\r\n",
		"a host with a path":      "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
		"two blanks":              "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
		"a tab":                   "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
		"an empty line first":     "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"an older version":        "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
		"a whole URL":             "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
		"an asterisk":             "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
		"a fragment":              "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
		"a broken escape":         "GET /a%2 HTTP/1.1\r\nHost: a\r\n\r\n",
		"bytes beyond ASCII":      "GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n",
		"CONNECT":                 "CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n",
		"HTTP/2's beginning":      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"an upgrade":              start + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"a question first":        start + "Expect: 100-continue\r\n\r\n",
		"a trailer":               start + "Trailer: X-Sum\r\n\r\n",
		"a field for this hop":    start + "Connection: close, X-Mine\r\n\r\n",
		"TLS":                     "\x16\x03\x01\x02\x00\x01",
		"a blank for a beginning": " GET / HTTP/1.1\r\n",
	} {
		var r http1.Request
		if n, err := r.Parse([]byte(text)); !errors.Is(err, http1.ErrForm) {
			t.Errorf("%s: %d, %v, %+v", name, n, err, r)
		}
	}
}

// What a plain request says is passed on: every field as it came, in its order,
// but for those that end at this hop.
func TestPlainRequests(t *testing.T) {
	text := start + "x-A:  1 \r\nConnection: keep-alive , Close\r\nTE: gzip\r\nContent-Length: 5\r\nX-a: \xe4\t2\r\nKeep-Alive: 3\r\nproxy-authorization: Basic x\r\nEmpty:\r\n\r\n"
	for cut := range len(text) {
		var r http1.Request
		if _, err := r.Parse([]byte(text)[:cut]); !errors.Is(err, http1.ErrShort) {
			t.Fatalf("cut after %d bytes: %v", cut, err)
		}
	}
	var r http1.Request
	n, err := r.Parse([]byte(text + "hello"))
	if err != nil || n != len(text) {
		t.Fatal(n, err)
	}
	if r.Method != "POST" || r.Path != "/text/x" || r.Query != "a=b" || !r.Asks || r.Host != "gateway" || r.Length != 5 || !r.Close {
		t.Errorf("%+v", r)
	}
	want := []http1.Field{{Name: "x-A", Value: "1"}, {Name: "X-a", Value: "\xe4\t2"}, {Name: "Empty", Value: ""}}
	if len(r.Fields) != len(want) {
		t.Fatalf("%+v", r.Fields)
	}
	for i, f := range r.Fields {
		if f != want[i] {
			t.Errorf("field %d is %+v", i, f)
		}
	}
}

// What is read here net/http reads in the same way, to the byte at which the next
// request begins: no two parts of the gateway disagree about a request.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		start + "\r\n", start + "Content-Length: 5\r\n\r\nhelloGET", start + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET",
		start + "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n00\r\nX-Sum: 1\r\n\r\n", "GET //a%2f?? HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\nX: a\r\nx: b\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r http1.Request
		before := bytes.Clone(b)
		n, err := r.Parse(b)
		if !bytes.Equal(b, before) {
			t.Fatal("the input has changed")
		}
		if err != nil {
			return
		}
		in := bufio.NewReaderSize(bytes.NewReader(before), len(before)+1)
		theirs, err := http.ReadRequest(in)
		if err != nil {
			t.Fatalf("net/http: %v", err)
		}
		target := r.Path
		if r.Asks {
			target += "?" + r.Query
		}
		length := max(r.Length, -1)
		if theirs.Method != r.Method || theirs.RequestURI != target || theirs.Host != r.Host || theirs.ContentLength != length || theirs.Close != r.Close || theirs.ProtoMinor != 1 {
			t.Fatalf("%+v\nnet/http: %+v", r, theirs)
		}
		sameFields(t, r.Fields, theirs.Header)
		body, rest, ok := ours(&r, bytes.Clone(before[n:]))
		if !ok {
			return
		}
		theirBody, err := io.ReadAll(theirs.Body)
		if err != nil {
			if strings.Contains(err.Error(), "non-data") { // net/http bounds what chunks cost
				return
			}
			t.Fatalf("the body: %v", err)
		}
		theirRest, _ := io.ReadAll(in)
		if !bytes.Equal(body, theirBody) || !bytes.Equal(rest, theirRest) {
			t.Fatalf("body %q, then %q\nnet/http: %q, then %q", body, rest, theirBody, theirRest)
		}
	})
}

// ours is the body of r as this package reads it, in two parts, and what follows.
func ours(r *http1.Request, b []byte) (body, rest []byte, ok bool) {
	if r.Length != http1.Chunked {
		if int64(len(b)) < r.Length {
			return nil, nil, false
		}
		return b[:r.Length], b[r.Length:], true
	}
	var c http1.Chunks
	half := b[:len(b)/2]
	n, used, done, err := c.Decode(half)
	body = append(body, half[:n]...)
	if err != nil {
		return nil, nil, false
	}
	if b = b[used:]; !done {
		n, used, done, err = c.Decode(b)
		body, b = append(body, b[:n]...), b[used:]
	}
	return body, b, done && err == nil
}

func sameFields(t *testing.T, fields []http1.Field, theirs http.Header) {
	t.Helper()
	mine := http.Header{}
	for _, f := range fields {
		if f.Is("TE") {
			continue
		}
		mine.Add(f.Name, f.Value)
	}
	for _, gone := range []string{"Connection", "Te", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Content-Length", "Transfer-Encoding"} {
		theirs.Del(gone)
	}
	if len(mine) != len(theirs) {
		t.Fatalf("%q\nnet/http: %q", mine, theirs)
	}
	for name, values := range mine {
		if strings.Join(values, "\n") != strings.Join(theirs[name], "\n") {
			t.Fatalf("%s: %q\nnet/http: %q", name, values, theirs[name])
		}
	}
}

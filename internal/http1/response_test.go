package http1_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/twinkey/twinkey/internal/http1"
)

// How long an answer's body is, and whether its connection can be used again,
// is settled as RFC 9112 says, whatever the upstream leaves open.
func TestLengthOfAnswers(t *testing.T) {
	for _, c := range []struct {
		method, text string
		length       int64
		close        bool
	}{
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 5, false},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", 5, false},
		{"GET", "HTTP/1.1 200\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 0, true},
		{"GET", "HTTP/1.1 200 OK\nTransfer-Encoding: Chunked\n\n", http1.Chunked, false},
		{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", http1.Chunked, true},
		{"GET", "HTTP/1.1 200 OK\r\n\r\n", http1.UntilClose, true},
		{"GET", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", 5, true},
		{"GET", "HTTP/1.1 204 No Content\r\n\r\n", 0, false},
		{"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 0, false},
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 0, false},
		{"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 0, false},
		{"HEAD", "HTTP/1.1 200 OK\r\n\r\n", 0, false},
		{"POST", "HTTP/1.1 100 Continue\r\n\r\n", 0, false},
	} {
		var r http1.Response
		n, err := r.Parse([]byte(c.text+"more"), c.method)
		if err != nil || n != len(c.text) || r.Length != c.length || r.Close != c.close {
			t.Errorf("%s %q: %d, %v, %+v", c.method, c.text, n, err, r)
		}
	}
	for _, text := range []string{
		"HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n", "ICY 200 OK\r\n", "SSH-2.0-x\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
	} {
		var r http1.Response
		if _, err := r.Parse([]byte(text), "GET"); !errors.Is(err, http1.ErrForm) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What an upstream means for this hop alone ends here.
func TestHopFieldsOfAnswersEnd(t *testing.T) {
	var r http1.Response
	if _, err := r.Parse([]byte("HTTP/1.1 200 OK\r\nConnection: X-Mine, keep-alive\r\nX-Mine: 1\r\nKeep-Alive: 2\r\nUpgrade: h2c\r\nTrailer: X-Sum\r\nX-Stays: 3\r\n\r\n"), "GET"); err != nil {
		t.Fatal(err)
	}
	if len(r.Fields) != 2 || r.Fields[0].Name != "Trailer" || r.Fields[1].Name != "X-Stays" {
		t.Errorf("%+v", r.Fields)
	}
}

// An upstream cannot take the length away from an answer by naming it as meant
// for one hop: the next answer would be read as part of this one.
func TestLengthIsForEveryHop(t *testing.T) {
	var r http1.Response
	if _, err := r.Parse([]byte("HTTP/1.1 200 OK\r\nConnection: content-length\r\nContent-Length: 5\r\n\r\n"), "GET"); err != nil || r.Length != 5 || len(r.Fields) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// An answer that is read here net/http reads in the same way, to its last byte.
func FuzzResponse(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
		"HTTP/1.0 404 Not Found\nX: y\n\nrest", "HTTP/1.1 304 \r\nEtag: x\r\n\r\n",
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, b []byte, get bool) {
		method := http.MethodHead
		if get {
			method = http.MethodGet
		}
		var r http1.Response
		n, err := r.Parse(b, method)
		if err != nil || r.Status < 200 {
			return
		}
		in := bufio.NewReaderSize(bytes.NewReader(b), len(b)+1)
		theirs, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			t.Fatalf("%+v\nnet/http: %v", r, err)
		}
		if theirs.StatusCode != r.Status || theirs.Close && !r.Close {
			t.Fatalf("%+v\nnet/http: %+v", r, theirs)
		}
		body, ok := bodyOf(&r, bytes.Clone(b[n:]))
		theirBody, err := io.ReadAll(theirs.Body)
		if ok && err == nil && !bytes.Equal(body, theirBody) {
			t.Fatalf("%q\nnet/http: %q", body, theirBody)
		}
	})
}

func bodyOf(r *http1.Response, b []byte) ([]byte, bool) {
	switch r.Length {
	case http1.UntilClose:
		return b, true
	case http1.Chunked:
		var c http1.Chunks
		n, _, done, err := c.Decode(b)
		return b[:n], done && err == nil
	}
	return b[:min(r.Length, int64(len(b)))], int64(len(b)) >= r.Length
}

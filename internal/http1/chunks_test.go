package http1_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/twinkey/twinkey/internal/http1"
)

// A body in chunks comes out the same however the network cuts it.
func TestChunksHoweverTheyAreCut(t *testing.T) {
	const text = "5\r\nhello\r\n1;name=\"value\"\r\n \r\n006 \r\nworld!\r\n0\r\nX-Sum: 12\r\nX-More:\r\n\r\n"
	for size := 1; size <= len(text); size++ {
		var c http1.Chunks
		var body strings.Builder
		in, done := []byte(text+"next"), false
		for !done {
			part := in[:min(size, len(in))]
			n, used, end, err := c.Decode(part)
			if err != nil {
				t.Fatalf("in parts of %d: %v", size, err)
			}
			body.Write(part[:n])
			in, done = in[used:], end
		}
		fields := c.Trailer()
		if body.String() != "hello world!" || string(in) != "next" || len(fields) != 2 || fields[0] != (http1.Field{Name: "X-Sum", Value: "12"}) {
			t.Errorf("in parts of %d: %q, then %q, trailer %v", size, body.String(), in, fields)
		}
	}
}

// Chunks that two servers could read in two ways end the body.
func TestDoubtfulChunks(t *testing.T) {
	for _, text := range []string{
		"5\nhello\r\n", "5\r\nhelloX\r\n", "5\r\nhello\nX", "\r\n", "x\r\n", "-1\r\n", " 5\r\n", "0x5\r\n", "5\rX", "5;a\nb\r\n", "5 0\r\n",
		"1000000000000000\r\n", "5;" + strings.Repeat("a", 9<<10), "0\r\n" + strings.Repeat("X: y\r\n", 2<<10), "0\r\n\rX", "0\r\nX: y\rZ", "0\r\nno field\r\n\r\n",
	} {
		var c http1.Chunks
		if _, _, done, err := c.Decode([]byte(text)); !errors.Is(err, http1.ErrForm) {
			t.Errorf("%.20q: %v, %v", text, done, err)
		}
	}
}

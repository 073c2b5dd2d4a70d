// Package http1 reads HTTP/1.1 messages out of bytes and keeps connections to
// upstreams, for a proxy that has to be fast and must not be misled.
//
// It refuses to guess: a request that is not in the one plain form is left as it
// is for a parser that knows all forms, and whatever it takes, net/http takes in
// the same way. It refuses to decide, to change what passes, and to gather bodies.
package http1

import (
	"errors"
	"strings"
)

// Why a message was not read.
var (
	ErrShort = errors.New("the message is not complete yet")
	ErrForm  = errors.New("the message is not in plain form")
)

// What a length stands for when it is not known beforehand.
const (
	Chunked    = -1 // the body is in chunks
	UntilClose = -2 // the body ends with the connection
)

// Field is one line of a header or trailer.
type Field struct {
	Name  string // as it came; compare with Is
	Value string // without blanks around it
}

// Is reports whether the field has this name, in any case.
func (f Field) Is(name string) bool {
	return len(f.Name) == len(name) && strings.EqualFold(f.Name, name)
}

// readField reads one line "Name: value" from the front of s and returns what
// comes after it (RFC 9112, section 5). Folded lines are not read. Lines end with
// CRLF; where loose says so, LF alone will do.
func readField(s string, loose bool) (f Field, rest string, ok bool) {
	end := 0
	for end < len(s) && token[s[end]] {
		end++
	}
	if end == 0 || end == len(s) || s[end] != ':' {
		return Field{}, "", false
	}
	from := end + 1
	for from < len(s) && (s[from] == ' ' || s[from] == '\t') {
		from++
	}
	to := from
	for to < len(s) && text[s[to]] {
		to++
	}
	rest, ok = lineEnd(s[to:], loose)
	f.Name, f.Value = s[:end], strings.TrimRight(s[from:to], " \t")
	return f, rest, ok
}

// lineEnd cuts the end of a line off the front of s.
func lineEnd(s string, loose bool) (string, bool) {
	if strings.HasPrefix(s, "\r\n") {
		return s[2:], true
	}
	if loose && strings.HasPrefix(s, "\n") {
		return s[1:], true
	}
	return "", false
}

// parseLength reads a Content-Length (RFC 9110, section 8.6).
func parseLength(s string) (int64, bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	n := int64(0)
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

// options yields the members of a Connection field (RFC 9110, section 7.6.1).
func options(value string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for part := range strings.SplitSeq(value, ",") {
			if part = strings.Trim(part, " \t"); part != "" && !yield(part) {
				return
			}
		}
	}
}

// The bytes that names are made of (RFC 9110, section 5.6.2), and those that a
// value may hold (section 5.5).
var (
	token = bytesIn(func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
	})
	text = bytesIn(func(c byte) bool { return c >= 0x20 && c != 0x7f || c == '\t' })
)

func bytesIn(class func(byte) bool) (table [256]bool) {
	for i := range table {
		table[i] = class(byte(i))
	}
	return table
}

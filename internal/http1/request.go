package http1

import (
	"bytes"
	"strings"
)

// Request is the head of a request in plain form: HTTP/1.1, a target that is a
// path with an optional query, one Host, lines that end with CRLF, a body whose
// end is beyond doubt, and nothing asked of the connection but to stay open or to
// be closed.
type Request struct {
	Method string
	Path   string // as the bytes that came; begins with "/"
	Query  string // after the first "?", as the bytes that came
	Asks   bool   // there was a "?"
	Host   string
	Length int64   // of the body in bytes, or Chunked
	Fields []Field // the header, without Host and what is meant for this hop alone
	Close  bool    // the client wants the connection closed afterwards
}

// Parse reads a head from the front of b and returns how many bytes it has. What
// r holds afterwards shares nothing with b. It fails with ErrShort if the end of
// the head has not come, and with ErrForm if the request is not in plain form,
// which may be seen before it has come whole.
func (r *Request) Parse(b []byte) (int, error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		if len(b) > 0 && !token[b[0]] || bareLF(b) {
			return 0, ErrForm
		}
		return 0, ErrShort
	}
	end += 4
	*r = Request{Fields: r.Fields[:0]}
	if !r.parse(string(b[:end])) {
		return 0, ErrForm
	}
	return end, nil
}

func (r *Request) parse(s string) bool {
	var ok bool
	if s, ok = r.requestLine(s); !ok {
		return false
	}
	sized := false
	for s != "\r\n" {
		var f Field
		if f, s, ok = readField(s, false); !ok {
			return false
		}
		switch len(f.Name) { // of the names that matter here
		case 2, 4, 6, 7, 10, 14, 16, 17, 19:
			var kept bool
			if kept, ok = r.special(f, &sized); !ok {
				return false
			}
			if !kept {
				continue
			}
		}
		r.Fields = append(r.Fields, f)
	}
	return r.Host != ""
}

// requestLine reads method, target and version (RFC 9112, section 3).
func (r *Request) requestLine(s string) (rest string, ok bool) {
	end := 0
	for token[s[end]] { // the head ends with CRLF
		end++
	}
	r.Method = s[:end]
	if end == 0 || s[end] != ' ' || r.Method == "CONNECT" || r.Method == "PRI" {
		return "", false
	}
	s = s[end+1:]
	end = 0
	for s[end] > ' ' && s[end] < 0x7f && s[end] != '#' {
		end++
	}
	target := s[:end]
	if rest, ok = strings.CutPrefix(s[end:], " HTTP/1.1\r\n"); !ok || !strings.HasPrefix(target, "/") {
		return "", false
	}
	r.Path, r.Query, r.Asks = strings.Cut(target, "?")
	return rest, escaped(r.Path)
}

// special takes note of a field that says how the message is carried. It reports
// whether the field is also one to keep, and whether the form is plain.
func (r *Request) special(f Field, sized *bool) (keep, ok bool) {
	switch {
	case f.Is("Host"):
		ok = r.Host == "" && plainHost(f.Value)
		r.Host = f.Value
		return false, ok
	case f.Is("Content-Length"):
		ok = !*sized
		*sized = true
		if ok {
			r.Length, ok = parseLength(f.Value)
		}
		return false, ok
	case f.Is("Transfer-Encoding"):
		ok = !*sized && strings.EqualFold(f.Value, "chunked")
		*sized, r.Length = true, Chunked
		return false, ok
	case f.Is("Connection"):
		for option := range options(f.Value) {
			switch {
			case strings.EqualFold(option, "close"):
				r.Close = true
			case !strings.EqualFold(option, "keep-alive"):
				return false, false
			}
		}
		return false, true
	case f.Is("Expect"), f.Is("Upgrade"), f.Is("Trailer"):
		return false, false
	case f.Is("TE"):
		return strings.EqualFold(f.Value, "trailers"), true // the one thing all hops can do
	case f.Is("Keep-Alive"), f.Is("Proxy-Connection"), f.Is("Proxy-Authorization"):
		return false, true
	}
	return true, true
}

// bareLF reports whether some line ends without CR.
func bareLF(b []byte) bool {
	for from := 0; ; {
		at := bytes.IndexByte(b[from:], '\n')
		if at < 0 {
			return false
		}
		at += from
		if at == 0 || b[at-1] != '\r' {
			return true
		}
		from = at + 1
	}
}

// escaped reports whether every percent sign begins an escape.
func escaped(path string) bool {
	for i := strings.IndexByte(path, '%'); i >= 0; {
		if i+2 >= len(path) || !isHex(path[i+1]) || !isHex(path[i+2]) {
			return false
		}
		next := strings.IndexByte(path[i+3:], '%')
		if next < 0 {
			return true
		}
		i += 3 + next
	}
	return true
}

// plainHost reports whether s is a name or an address with an optional port, in
// the bytes those have.
func plainHost(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._:[]", c) >= 0) {
			return false
		}
	}
	return s != ""
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

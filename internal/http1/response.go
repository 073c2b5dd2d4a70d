package http1

import (
	"bytes"
	"strings"
)

// Response is the head of an answer.
type Response struct {
	Status int
	Reason string
	Length int64   // of the body that follows in bytes, Chunked or UntilClose
	Fields []Field // the header, without what is meant for this hop alone; Content-Length is among them if it says what Length says, or would say for GET
	Close  bool    // the connection cannot be used again
}

// Parse reads a head from the front of b, the answer to a request with this
// method, and returns how many bytes it has. What r holds afterwards shares
// nothing with b. It fails with ErrShort if the end of the head has not come, and
// with ErrForm if it makes no sense. Upstreams are known to the operator, so it
// is not as strict as with requests: lines may end with LF alone (RFC 9112,
// section 2.2).
func (r *Response) Parse(b []byte, method string) (int, error) {
	end := headEnd(b)
	if end < 0 {
		if !bytes.HasPrefix(b, []byte("HTTP/1.")[:min(len(b), 7)]) {
			return 0, ErrForm
		}
		return 0, ErrShort
	}
	*r = Response{Fields: r.Fields[:0], Length: UntilClose}
	if !r.parse(string(b[:end]), method) {
		return 0, ErrForm
	}
	return end, nil
}

// headEnd is where the first empty line ends; -1 if there is none.
func headEnd(b []byte) int {
	for from := 0; ; {
		at := bytes.IndexByte(b[from:], '\n')
		if at < 0 {
			return -1
		}
		from += at + 1
		switch rest := b[from:]; {
		case bytes.HasPrefix(rest, []byte("\r\n")):
			return from + 2
		case bytes.HasPrefix(rest, []byte("\n")):
			return from + 1
		}
	}
}

func (r *Response) parse(s, method string) bool {
	s, ok := r.statusLine(s)
	if !ok {
		return false
	}
	old := r.Close // HTTP/1.0, which knows no chunks (RFC 9112, section 6.1)
	var nominated []string
	length := int64(UntilClose)
	chunked := false
	for s != "\r\n" && s != "\n" {
		var f Field
		if f, s, ok = readField(s, true); !ok {
			return false
		}
		switch {
		case f.Is("Content-Length"):
			n, good := parseLength(f.Value)
			if !good || length != UntilClose && length != n {
				return false
			}
			if length != UntilClose {
				continue // said twice
			}
			length = n
		case f.Is("Transfer-Encoding"):
			if chunked || old || !strings.EqualFold(f.Value, "chunked") {
				return false
			}
			chunked = true
			continue
		case f.Is("Connection"):
			nominated = r.connection(f.Value, nominated)
			continue
		case hop(f):
			continue
		}
		r.Fields = append(r.Fields, f)
	}
	r.drop(nominated)
	return r.frame(method, length, chunked)
}

// frame settles how the body ends (RFC 9112, section 6.3).
func (r *Response) frame(method string, length int64, chunked bool) bool {
	r.Length = length
	switch {
	case chunked && length != UntilClose: // RFC 9112, section 6.1: the length does not count
		r.drop([]string{"Content-Length"})
		r.Close = true
		r.Length = Chunked
	case chunked:
		r.Length = Chunked
	}
	switch {
	case method == "HEAD" || r.Status == 304:
		r.Length = 0
	case r.Status < 200 || r.Status == 204:
		r.drop([]string{"Content-Length"})
		r.Length = 0
	case r.Length == UntilClose:
		r.Close = true
	}
	return true
}

// statusLine reads version, status and reason (RFC 9112, section 4).
func (r *Response) statusLine(s string) (rest string, ok bool) {
	if len(s) < 13 || !strings.HasPrefix(s, "HTTP/1.") || s[7] != '0' && s[7] != '1' || s[8] != ' ' {
		return "", false
	}
	r.Close = s[7] == '0'
	for _, c := range []byte(s[9:12]) {
		if c < '0' || c > '9' {
			return "", false
		}
		r.Status = r.Status*10 + int(c-'0')
	}
	s = s[12:]
	end := 0
	for end < len(s) && text[s[end]] {
		end++
	}
	if end > 0 && s[0] != ' ' {
		return "", false
	}
	r.Reason = strings.Trim(s[:end], " \t")
	rest, ok = lineEnd(s[end:], true)
	return rest, ok && r.Status >= 100
}

// connection reads what an upstream says of its connection, and which fields it
// means for this hop alone.
func (r *Response) connection(value string, nominated []string) []string {
	for option := range options(value) {
		switch {
		case strings.EqualFold(option, "close"):
			r.Close = true
		case !strings.EqualFold(option, "keep-alive") && !strings.EqualFold(option, "Content-Length"): // which is for every hop
			nominated = append(nominated, option)
		}
	}
	return nominated
}

// hop reports whether a field is meant for this hop alone (RFC 9110, section
// 7.6.1); Trailer is not, since trailers are passed on.
func hop(f Field) bool {
	switch len(f.Name) {
	case 2, 7, 10, 16, 18, 19:
		return f.Is("TE") || f.Is("Upgrade") || f.Is("Keep-Alive") || f.Is("Proxy-Connection") || f.Is("Proxy-Authenticate") || f.Is("Proxy-Authorization")
	}
	return false
}

func (r *Response) drop(names []string) {
	for _, name := range names {
		kept := r.Fields[:0]
		for _, f := range r.Fields {
			if !f.Is(name) {
				kept = append(kept, f)
			}
		}
		r.Fields = kept
	}
}

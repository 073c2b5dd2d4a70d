package gateway

import (
	"net/http"
	"strings"
)

// target is the path of the request line as the bytes that came.
func target(r *http.Request) string {
	raw := r.RequestURI
	if !strings.HasPrefix(raw, "/") { // absolute form, or HTTP/2 pseudo-header already split
		return r.URL.EscapedPath()
	}
	path, _, _ := strings.Cut(raw, "?")
	return path
}

// cleanPath makes leading slashes one and refuses a path that the upstream
// might read as another one than the route was chosen for: dot segments in any
// encoding, backslashes, control characters and broken escapes. Since some
// servers decode twice, so does the check.
//
// An encoded slash is let through, since it may be part of a name; but it counts
// as a separator when looking for dot segments, for upstreams that decode before
// they split. It never matches the slash of a route's prefix.
func cleanPath(raw string) (string, bool) {
	trimmed := strings.TrimLeft(raw, "/")
	if len(raw) == len(trimmed) || strings.ContainsAny(trimmed, " #") || !straight(trimmed) {
		return "", false
	}
	if strings.Contains(trimmed, "%") {
		once, broken := decoded(trimmed)
		twice, _ := decoded(once) // a percent sign may be itself by then
		if broken || !straight(once) || !straight(twice) {
			return "", false
		}
	}
	return "/" + trimmed, true
}

// straight reports whether a path has no dot segments and no byte that some
// server takes for a separator or an end.
func straight(path string) bool {
	dots := true // nothing but dots since the last separator
	length := 0
	for i := range len(path) {
		c := path[i]
		switch {
		case c < 0x20 || c == 0x7f || c == '\\' || c >= 0xc0 && overlong(path[i:]):
			return false
		case c == '/' || c == ';': // what some servers take for parameters begins with ';'
			if dots && (length == 1 || length == 2) {
				return false
			}
			dots, length = c == '/', 0
		default:
			dots = dots && c == '.'
			length++
		}
	}
	return !dots || length == 0 || length > 2
}

// overlong reports whether s begins with a character in more bytes than it
// needs, which careless decoders take for '.' or '/' (RFC 3629, section 10).
func overlong(s string) bool {
	if len(s) < 2 || s[1]&0xc0 != 0x80 {
		return false
	}
	return s[0] <= 0xc1 || s[0] == 0xe0 && s[1] < 0xa0 || s[0] == 0xf0 && s[1] < 0x90
}

// decoded undoes percent-encoding. What is no escape stays as it is and is
// reported as broken.
func decoded(s string) (string, bool) {
	out := make([]byte, 0, len(s))
	broken := false
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out = append(out, s[i])
			continue
		}
		if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
			broken = true
			out = append(out, '%')
			continue
		}
		out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
		i += 2
	}
	return string(out), broken
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&0x0f + 9
}

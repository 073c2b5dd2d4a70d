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
// encoding, backslashes, NUL and control characters.
//
// An encoded slash is let through, since it may be part of a name; but it counts
// as a separator when looking for dot segments, for upstreams that decode before
// they split. It never matches the slash of a route's prefix.
func cleanPath(raw string) (string, bool) {
	trimmed := strings.TrimLeft(raw, "/")
	if len(raw) == len(trimmed) {
		return "", false
	}
	plain := true
	for i := 0; i < len(trimmed); i++ {
		c := trimmed[i]
		if c <= 0x20 || c == 0x7f || c == '\\' || c == '#' {
			return "", false
		}
		plain = plain && c != '%' && c != '.'
	}
	if !plain && ambiguous(strings.ToLower(trimmed)) {
		return "", false
	}
	return "/" + trimmed, true
}

func ambiguous(lower string) bool {
	if strings.Contains(lower, "%5c") || strings.Contains(lower, "%7f") {
		return true
	}
	for rest := lower; ; {
		_, after, found := strings.Cut(rest, "%")
		if !found {
			break
		}
		if len(after) < 2 || after[0] == '0' || after[0] == '1' { // cut short, or a control character
			return true
		}
		rest = after
	}
	decoded := strings.NewReplacer("%2e", ".", "%2f", "/").Replace(lower)
	for segment := range strings.SplitSeq(decoded, "/") {
		segment, _, _ = strings.Cut(segment, ";") // what some servers take for parameters
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

package catalog

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxNamed bounds the named segments of one pattern, so that matching needs no
// memory of its own.
const maxNamed = 8

var namedSegment = expression(`^\{([A-Za-z][A-Za-z0-9_]{0,31})\}$`)

// pattern is the beginning of a path in which whole segments may be named, as
// in "/openai/deployments/{deployment}/".
type pattern struct {
	text  string   // as the file writes it
	head  string   // up to the first named segment; all of it if there is none
	names []string // of the named segments, in order
	after []string // what follows each of them; begins with "/"
}

// parsePattern says what keeps text from being one, or "".
func parsePattern(text string) (pattern, string) {
	p := pattern{text: text}
	segments := strings.Split(text, "/")
	at := &p.head
	for i, s := range segments {
		if i > 0 {
			*at += "/"
		}
		found := namedSegment().FindStringSubmatch(s)
		if found == nil {
			*at += s
			continue
		}
		if slices.Contains(p.names, found[1]) {
			return pattern{}, "names {" + found[1] + "} twice"
		}
		if len(p.names) == maxNamed {
			return pattern{}, "names more than " + strconv.Itoa(maxNamed) + " segments"
		}
		p.names, p.after = append(p.names, found[1]), append(p.after, "")
		at, segments[i] = &p.after[len(p.after)-1], "x"
	}
	if fault := pathFault(strings.Join(segments, "/")); fault != "" {
		return pattern{}, fault
	}
	if len(text) > maxPath {
		return pattern{}, pathTooLong
	}
	return p, ""
}

// match returns how many bytes of path the pattern takes, 0 if it does not
// match, and puts the named segments into captured.
func (p *pattern) match(path string, captured *[maxNamed]string) int {
	if !strings.HasPrefix(path, p.head) {
		return 0
	}
	at := len(p.head)
	for i, literal := range p.after {
		end := strings.IndexByte(path[at:], '/')
		if end < 0 || !plainSegment(path[at:at+end]) {
			return 0
		}
		captured[i] = path[at : at+end]
		at += end
		if !strings.HasPrefix(path[at:], literal) {
			return 0
		}
		at += len(literal)
	}
	return at
}

// key is the same for patterns that match the same paths.
func (p *pattern) key() string { return strings.Join(append([]string{p.head}, p.after...), "{}") }

// moreSpecific orders patterns of the same head: where they first differ, one
// that spells the segment out comes before one that names it.
func moreSpecific(a, b *pattern) int {
	x, y := strings.Split(a.key(), "/"), strings.Split(b.key(), "/")
	for i := range min(len(x), len(y)) {
		switch {
		case x[i] == y[i]:
		case x[i] == "{}":
			return 1
		case y[i] == "{}":
			return -1
		default:
			return strings.Compare(x[i], y[i])
		}
	}
	return len(y) - len(x)
}

// plainSegment reports whether an upstream reads s as exactly one segment,
// however often it decodes: s is not empty, hides no separator and no further
// escape, and is no dot segment.
func plainSegment(s string) bool {
	if s == "" {
		return false
	}
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '\\') < 0 && s[0] != '.' {
		return true
	}
	decoded, err := url.PathUnescape(s)
	if err != nil || strings.ContainsAny(decoded, `/\%`) {
		return false
	}
	decoded, _, _ = strings.Cut(decoded, ";") // what some servers take for parameters
	return decoded != "." && decoded != ".."
}

package arm

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/twinkey/twinkey"
)

// splitPath returns the segments of an escaped path, decoded and in Unicode
// normal form C. Empty segments vanish: clients join "https://host/" with
// "/subscriptions", and end paths with a slash.
func splitPath(escaped string) ([]string, error) {
	var segments []string
	for _, part := range strings.Split(escaped, "/") {
		if part == "" {
			continue
		}
		segment, err := url.PathUnescape(part)
		if err != nil || !utf8.ValidString(segment) {
			return nil, twinkey.Errorf(twinkey.Invalid, "The path of the request is not valid percent-encoded UTF-8.")
		}
		segments = append(segments, norm.NFC.String(segment))
	}
	return segments, nil
}

// joinPath is the escaped path of segments.
func joinPath(segments []string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}

// Query holds the parameters of a request under lower-case names: ARM compares
// them without case.
type Query map[string]string

// Get returns a parameter, "" if it is absent. The name is in lower case.
func (q Query) Get(name string) string { return q[name] }

// parseQuery reads a query string. Of a parameter given twice the values must
// agree.
func parseQuery(raw string) (Query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, twinkey.Errorf(twinkey.Invalid, "The query string of the request is not valid.")
	}
	q := Query{}
	for name, all := range values {
		name = strings.ToLower(name)
		for _, value := range all {
			if before, ok := q[name]; ok && before != value {
				return nil, twinkey.Errorf(twinkey.Invalid, "The query parameter '%s' is given twice with different values.", twinkey.Printable(name, 60))
			}
			if !utf8.ValidString(value) {
				return nil, twinkey.Errorf(twinkey.Invalid, "The query parameter '%s' is not UTF-8.", twinkey.Printable(name, 60))
			}
			q[name] = value
		}
	}
	return q, nil
}

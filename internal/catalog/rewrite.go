package catalog

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/twinkey/twinkey"
)

// rewrite puts another beginning in the place of the one a route matched.
type rewrite struct {
	to   pattern
	take []int // for each named segment of to, which one of the path's it repeats
}

// Rewrite is the path to ask the upstream for, below the upstream's own path:
// the beginning that the route matched is replaced, and every byte after it
// stays. Path is what Kind.Route found the route for. Without a rewrite it is
// returned as it is.
func (r Route) Rewrite(path string) string {
	if r.rewrite == nil {
		return path
	}
	target, n := r.rewrite.target(r.from, path)
	if n == 0 {
		return path
	}
	rest := path[n:]
	if target == "/" {
		// Two slashes at the front would be read as a host (RFC 3986, 4.2).
		rest = strings.TrimLeft(rest, "/")
	}
	return target + rest
}

// Restore is the inverse of Rewrite, for links in an upstream's answer:
// location is the path of a URL at upstream, one of the route's, and path is
// what the call asked for. The second result is false if no call through this
// route reaches location.
func (r Route) Restore(upstream *url.URL, location, path string) (string, bool) {
	below, ok := strings.CutPrefix(location, upstream.Path)
	if !ok || !strings.HasPrefix(below, "/") {
		return "", false
	}
	if r.rewrite == nil {
		return below, true
	}
	target, n := r.rewrite.target(r.from, path)
	rest, ok := strings.CutPrefix(below, target)
	if n == 0 || !ok {
		return "", false
	}
	return path[:n] + rest, true
}

// target is what the beginning of path becomes, and how many bytes that
// beginning has; 0 if path does not match.
func (w *rewrite) target(from *pattern, path string) (string, int) {
	var captured [maxNamed]string
	n := from.match(path, &captured)
	if n == 0 || len(w.take) == 0 {
		return w.to.head, n
	}
	var b strings.Builder
	b.WriteString(w.to.head)
	for i, named := range w.take {
		b.WriteString(captured[named])
		b.WriteString(w.to.after[i])
	}
	return b.String(), n
}

// rewrite reads what the beginning of a path becomes. It may repeat the
// segments that the path names.
func (r *report) rewrite(f field, from pattern) *rewrite {
	if f.node == nil {
		return nil
	}
	text, ok := r.text(f.node, "rewrite")
	if !ok {
		return nil
	}
	fail := func(format string, args ...any) *rewrite {
		r.addf(f.line, "rewrite %q %s", twinkey.Printable(text, 80), fmt.Sprintf(format, args...))
		return nil
	}
	to, fault := parsePattern(text)
	if fault != "" {
		return fail("%s", fault)
	}
	if from.text == "" {
		return nil // the path has a problem of its own
	}
	if end := from.text[len(from.text)-1:]; !strings.HasSuffix(text, end) {
		return fail("must end with '%s', as the path does", end)
	}
	w := &rewrite{to: to}
	for _, name := range to.names {
		at := slices.Index(from.names, name)
		if at < 0 {
			return fail("has {%s}, which the path does not name", name)
		}
		w.take = append(w.take, at)
	}
	return w
}

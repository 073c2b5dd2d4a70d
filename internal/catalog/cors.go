package catalog

import (
	"slices"
	"strings"
	"time"

	"github.com/twinkey/twinkey"
)

// maxCORS bounds each list of a route's settings.
const maxCORS = 100

var (
	// origin is how browsers write one (RFC 6454, section 6.2).
	origin = expression(`^[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?$`)
	method = expression(`^[A-Z]{1,32}$`)
)

// CORS says which pages of other origins may call a route in their visitors'
// browsers (Fetch Standard, "CORS protocol"). A nil one lets none. It must not
// be changed.
type CORS struct {
	Origins []string      // as browsers write them, or "*" alone for any
	Methods []string      // upper case; none means any
	Headers []string      // as written; none means any
	MaxAge  time.Duration // how long a browser may keep the answer; 0: its own default
}

// Preflight is what the answer to a preflight says.
type Preflight struct {
	Methods string // Access-Control-Allow-Methods
	Headers string // Access-Control-Allow-Headers; "" to leave out
}

// Allows reports whether pages of origin may call. It does not allocate.
func (c *CORS) Allows(origin string) bool {
	if c == nil || origin == "" {
		return false
	}
	return c.Origins[0] == "*" || slices.Contains(c.Origins, origin)
}

// Preflight answers a question in advance: may a page of origin call with this
// method and these headers, the values of Access-Control-Request-Method and
// -Headers. Where the route allows any, the answer repeats what was asked for.
func (c *CORS) Preflight(origin, method, headers string) (Preflight, bool) {
	if !c.Allows(origin) || method == "" || len(c.Methods) > 0 && !slices.Contains(c.Methods, method) {
		return Preflight{}, false
	}
	p := Preflight{Methods: method, Headers: headers}
	if len(c.Methods) > 0 {
		p.Methods = strings.Join(c.Methods, ", ")
	}
	if len(c.Headers) == 0 {
		return p, true
	}
	p.Headers = strings.Join(c.Headers, ", ")
	for asked := range strings.SplitSeq(headers, ",") {
		asked = strings.TrimSpace(asked)
		if asked != "" && !slices.ContainsFunc(c.Headers, func(h string) bool { return strings.EqualFold(h, asked) }) {
			return Preflight{}, false
		}
	}
	return p, true
}

func (r *report) cors(f field) *CORS {
	if f.node == nil {
		return nil
	}
	entry := r.fields(f.node, "cors", "origins", "methods", "headers", "maxAge")
	if entry == nil {
		return nil
	}
	c := &CORS{
		Origins: r.words(entry["origins"], "origins", func(s string) string {
			switch {
			case s == "*" || origin().MatchString(s) && !defaultPort(s):
				return ""
			case defaultPort(s):
				return "has its scheme's own port, which browsers leave out"
			}
			return "must have the form https://host, in lower case, without a path"
		}),
		Methods: r.words(entry["methods"], "methods", func(s string) string { return unless(method().MatchString(s), "is not a method in upper case") }),
		Headers: r.words(entry["headers"], "headers", func(s string) string { return unless(headerName().MatchString(s), "is not the name of a header") }),
		MaxAge:  r.duration(entry["maxAge"], "maxAge"),
	}
	switch {
	case entry["origins"].node == nil:
		r.addf(f.line, "origins is missing")
	case slices.Contains(c.Origins, "*") && len(c.Origins) > 1:
		r.addf(entry["origins"].line, "origins has '*' beside others; '*' alone means any")
	}
	return c
}

// words reads a list of texts, each at most once, that fault finds no fault
// with.
func (r *report) words(f field, what string, fault func(string) string) []string {
	var out []string
	for _, n := range r.list(f, what) {
		text, ok := r.text(n, "an entry of "+what)
		if !ok {
			continue
		}
		found := fault(text)
		if found == "" && slices.Contains(out, text) {
			found = "is listed twice"
		}
		if found != "" {
			r.addf(n.Line, "%q in %s %s", twinkey.Printable(text, 80), what, found)
			continue
		}
		out = append(out, text)
	}
	if len(out) > maxCORS {
		r.addf(f.line, "%s lists more than %d", what, maxCORS)
	}
	return out
}

func defaultPort(origin string) bool {
	return strings.HasPrefix(origin, "http://") && strings.HasSuffix(origin, ":80") ||
		strings.HasPrefix(origin, "https://") && strings.HasSuffix(origin, ":443")
}

func unless(ok bool, fault string) string {
	if ok {
		return ""
	}
	return fault
}

package catalog

import (
	"net/url"
	"time"

	"github.com/twinkey/twinkey"
)

// Route sends the calls below a path to upstreams. What it points at is shared
// by all who ask and must not be changed.
type Route struct {
	Prefix    string        // as the file writes it, named segments as "{name}"; ends with "/" or ":"
	Location  string        // of the accounts it is for, as the file writes it; "" means any
	Upstream  *url.URL      // the first of Upstreams
	Upstreams []*url.URL    // at least one; their Path is "" or has no slash at the end
	Headers   []Header      // to set on the call that goes to the upstream, by name
	CORS      *CORS         // nil: browsers of other origins may not call
	Timeout   time.Duration // for the upstream to begin its answer; 0: the gateway's own

	from    *pattern // what it matches
	rewrite *rewrite // nil: paths go as they come
}

// Rest is what path says after the beginning that the route matched. Path is
// what Kind.Route found the route for.
func (r Route) Rest(path string) string {
	var captured [maxNamed]string
	return path[r.from.match(path, &captured):]
}

// Header is a header that only the gateway and the upstream know.
type Header struct {
	Name  string // in canonical form (net/http, CanonicalHeaderKey)
	Value twinkey.Secret
}

// place is a path of a kind, and where the calls below it go.
type place struct {
	pattern
	routes []Route // one for all locations, or one for each
}

func (p *place) route(location string) (Route, bool) {
	if p.routes[0].Location == "" {
		return p.routes[0], true
	}
	for i := range p.routes {
		if sameLocation(p.routes[i].Location, location) {
			return p.routes[i], true
		}
	}
	return Route{}, false
}

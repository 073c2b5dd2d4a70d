package catalog

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/twinkey/twinkey"
)

// maxUpstreams bounds the upstreams of one route.
const maxUpstreams = 100

var hostName = expression(`^[A-Za-z0-9_]([A-Za-z0-9._-]{0,252}[A-Za-z0-9_])?\.?$`)

// routes reads a list of routes; of are the kind's locations.
func (r *report) routes(f field, of Kind) []line[place] {
	var out []line[place]
	seen := map[string]bool{}
	for _, n := range r.list(f, "routes") {
		entry := r.fields(n, "a route", "path", "rewrite", "upstream", "upstreams", "upstreamHeaders", "cors", "timeout")
		if entry == nil {
			continue
		}
		from, ok := r.path(entry["path"], seen)
		route := Route{
			Prefix: from.text, from: &from, rewrite: r.rewrite(entry["rewrite"], from),
			Headers: r.headers(entry["upstreamHeaders"]), CORS: r.cors(entry["cors"]), Timeout: r.duration(entry["timeout"], "timeout"),
		}
		p := place{pattern: from, routes: r.spread(entry, route, of)}
		if ok && len(p.routes) > 0 {
			out = append(out, line[place]{entry["path"].line, p})
		}
	}
	return out
}

func (r *report) path(f field, seen map[string]bool) (pattern, bool) {
	text, ok := r.required(f, "path")
	if !ok {
		return pattern{}, false
	}
	p, fault := parsePattern(text)
	switch {
	case fault != "":
		r.addf(f.line, "path %q %s", twinkey.Printable(text, 80), fault)
		return pattern{}, false
	case seen[p.key()]:
		r.addf(f.line, "path %q is listed twice", twinkey.Printable(text, 80))
		return p, false
	}
	seen[p.key()] = true
	return p, true
}

// spread reads where a route goes: one route for all locations, or one for each
// that the mapping names. It is empty after a problem.
func (r *report) spread(entry map[string]field, route Route, of Kind) []Route {
	one, several := entry["upstream"], entry["upstreams"]
	switch {
	case one.node != nil && several.node != nil:
		r.addf(several.line, "a route has either upstream or upstreams")
		return nil
	case several.node != nil:
		return r.to(route, r.list(several, "upstreams"))
	case one.node == nil:
		r.addf(one.line, "upstream is missing")
		return nil
	case one.node.Kind == yaml.SequenceNode:
		r.addf(one.line, "upstream is one; to list several, name the field upstreams")
		return nil
	case one.node.Kind != yaml.MappingNode:
		return r.to(route, []*yaml.Node{one.node})
	}
	return r.byLocation(one.node, route, of)
}

func (r *report) byLocation(n *yaml.Node, route Route, of Kind) []Route {
	var out []Route
	named := func(location string) bool {
		return slices.ContainsFunc(out, func(o Route) bool { return sameLocation(o.Location, location) })
	}
	for _, p := range r.pairs(n, "upstream") {
		switch {
		case !locationName().MatchString(p.name):
			r.addf(p.line, "location %q must have 1 to 64 letters, digits or spaces", twinkey.Printable(p.name, 80))
			continue
		case named(p.name):
			r.addf(p.line, "location %q is listed twice", p.name)
			continue
		case len(of.locations) > 0 && !of.OffersLocation(p.name):
			r.addf(p.line, "location %q is not among the locations of the kind", p.name)
		}
		nodes := []*yaml.Node{p.value}
		if p.value.Kind == yaml.SequenceNode {
			nodes = r.list(field{p.value, p.value.Line}, "upstream")
		}
		route.Location = p.name
		out = append(out, r.to(route, nodes)...)
	}
	return out
}

// to is the route with the upstreams in nodes, or nothing after a problem.
func (r *report) to(route Route, nodes []*yaml.Node) []Route {
	if len(nodes) > maxUpstreams {
		r.addf(nodes[0].Line, "a route has more than %d upstreams", maxUpstreams)
		return nil
	}
	route.Upstreams = nil
	for _, n := range nodes {
		text, ok := r.text(n, "upstream")
		if !ok {
			continue
		}
		upstream, fault := parseUpstream(text)
		switch {
		case fault != "":
			r.addf(n.Line, "upstream %s", fault)
		case slices.ContainsFunc(route.Upstreams, func(u *url.URL) bool { return *u == *upstream }):
			r.addf(n.Line, "upstream is listed twice")
		default:
			route.Upstreams = append(route.Upstreams, upstream)
		}
	}
	if len(route.Upstreams) == 0 {
		return nil
	}
	route.Upstream = route.Upstreams[0]
	return []Route{route}
}

// parseUpstream reads scheme, host, port and the path that calls go below. What
// it says is wrong never quotes the text.
func parseUpstream(text string) (*url.URL, string) {
	const form = "must have the form http://host:port"
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Opaque != "" || u.Host == "":
		return nil, form
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, "must be http or https"
	case u.User != nil:
		return nil, "must not carry credentials"
	case strings.ContainsAny(text, "?#"):
		return nil, "must not have a query or a fragment"
	}
	path := u.EscapedPath()
	if fault := bytesFault(path); fault != "" {
		return nil, "has a path that " + fault
	}
	host, port := u.Hostname(), u.Port()
	if _, err := netip.ParseAddr(host); err != nil && !hostName().MatchString(host) {
		return nil, form
	}
	if n, err := strconv.Atoi(port); strings.HasSuffix(u.Host, ":") || port != "" && (err != nil || n < 1 || n > 65535) {
		return nil, "must have a port from 1 to 65535"
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimSuffix(path, "/")}, ""
}

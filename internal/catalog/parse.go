package catalog

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/twinkey/twinkey"
)

// Limits of a file. They keep what a mistake can cost small.
const (
	maxSize     = 1 << 20 // bytes
	maxKinds    = 500
	maxRoutes   = 1000 // of one kind, included ones among them; one for each location
	maxKindName = 64
	maxRate     = 1_000_000_000 // calls per minute
)

var (
	kindName     = expression(`^[A-Za-z][A-Za-z0-9.]{0,63}$`)
	skuName      = expression(`^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$`)
	locationName = expression(`^[A-Za-z0-9][A-Za-z0-9 ]{0,63}$`)
)

// Parse reads a file; name is how problems call it, and where the files it
// names are looked for. The error is Problems, all that there are.
func Parse(name string, data []byte) (*Catalog, error) { return SystemSources(name).Parse(name, data) }

// Parse reads a file whose secrets come from s; name is how problems call it.
// The error is Problems, all that there are.
func (s Sources) Parse(name string, data []byte) (*Catalog, error) {
	r := &report{file: name, sources: s}
	if len(data) > maxSize {
		r.addf(0, "larger than %d bytes", maxSize)
		return nil, r.err()
	}
	services := r.services(data)
	kinds := r.resolve(services)
	if err := r.err(); err != nil {
		return nil, err
	}
	slices.Sort(r.files)
	c := &Catalog{kinds: kinds, byName: make(map[string]int, len(kinds)), files: slices.Compact(r.files)}
	for i, k := range kinds {
		c.byName[strings.ToLower(k.name)] = i
	}
	return c, nil
}

// service is one entry of the file, before its includes are resolved.
type service struct {
	line     int
	kind     Kind // without routes
	routes   []line[place]
	includes []line[string]
}

// line is a value and where it stands.
type line[T any] struct {
	at    int
	value T
}

func (r *report) services(data []byte) []service {
	root := r.document(data)
	if root == nil {
		if len(r.problems) == 0 {
			r.addf(0, "empty; it must have a list 'services'")
		}
		return nil
	}
	top := r.fields(root, "the file", "services")
	if top == nil {
		return nil
	}
	f := top["services"]
	if f.node == nil {
		r.addf(0, "it has no list 'services'")
	}
	nodes := r.list(f, "services")
	if len(nodes) > maxKinds {
		r.addf(f.line, "services lists more than %d kinds", maxKinds)
		return nil
	}
	var out []service
	for _, n := range nodes {
		if s, ok := r.service(n); ok {
			out = append(out, s)
		}
	}
	return out
}

func (r *report) service(n *yaml.Node) (service, bool) {
	f := r.fields(n, "a service", "kind", "locations", "skus", "routes", "includes")
	if f == nil {
		return service{}, false
	}
	s := service{line: n.Line}
	var ok bool
	if s.kind.name, ok = r.required(f["kind"], "kind"); ok && !kindName().MatchString(s.kind.name) {
		r.addf(f["kind"].line, "kind %q must be a letter followed by up to 63 letters, digits or dots", twinkey.Printable(s.kind.name, 80))
		ok = false
	}
	s.kind.locations = r.locations(f["locations"])
	if f["skus"].node == nil {
		r.addf(n.Line, "skus is missing; an account needs one")
	}
	s.kind.skus = r.skus(f["skus"])
	s.routes = r.routes(f["routes"], s.kind)
	for _, n := range r.list(f["includes"], "includes") {
		if name, ok := r.text(n, "an included kind"); ok {
			s.includes = append(s.includes, line[string]{n.Line, name})
		}
	}
	if f["routes"].node == nil && f["includes"].node == nil {
		r.addf(n.Line, "the service has neither routes nor includes, so no call could reach it")
	}
	return s, ok
}

func (r *report) locations(f field) []string {
	var out []string
	seen := map[string]bool{}
	for _, n := range r.list(f, "locations") {
		name, ok := r.text(n, "a location")
		switch {
		case !ok:
		case !locationName().MatchString(name):
			r.addf(n.Line, "location %q must have 1 to 64 letters, digits or spaces", twinkey.Printable(name, 80))
		case seen[foldLocation(name)]:
			r.addf(n.Line, "location %q is listed twice", name)
		default:
			seen[foldLocation(name)] = true
			out = append(out, name)
		}
	}
	return out
}

func (r *report) skus(f field) []SKU {
	var out []SKU
	seen := map[string]bool{}
	for _, n := range r.list(f, "skus") {
		entry := r.fields(n, "a SKU", "name", "callsPerMinute")
		if entry == nil {
			continue
		}
		name, ok := r.required(entry["name"], "name")
		switch {
		case !ok:
		case !skuName().MatchString(name):
			r.addf(entry["name"].line, "SKU name %q must have 1 to 32 letters, digits, '_' or '-'", twinkey.Printable(name, 80))
		case seen[strings.ToLower(name)]:
			r.addf(entry["name"].line, "SKU %q is listed twice", name)
		default:
			seen[strings.ToLower(name)] = true
		}
		out = append(out, SKU{Name: name, CallsPerMinute: r.rate(entry["callsPerMinute"])})
	}
	return out
}

func (r *report) rate(f field) int {
	if f.node == nil {
		return 0
	}
	n, err := strconv.Atoi(f.node.Value)
	if err != nil || f.node.Tag != "!!int" || n <= 0 || n > maxRate {
		r.addf(f.line, "callsPerMinute must be a whole number from 1 to %d; leave it out for no limit", maxRate)
		return 0
	}
	return n
}

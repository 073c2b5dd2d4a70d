package catalog

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is one service that accounts can be made for.
type Kind struct {
	name      string
	locations []string // as written; none means any
	skus      []SKU
	table     *table // its routes, those of included kinds among them
}

// SKU is a pricing tier of a kind.
type SKU struct {
	Name           string // as written, for example "F0"
	CallsPerMinute int    // 0 means not limited
}

// Name is the kind's name as the file writes it.
func (k Kind) Name() string { return k.name }

// Locations lists where the kind is offered, as written; none means anywhere.
func (k Kind) Locations() []string { return slices.Clone(k.locations) }

// SKUs lists the SKUs in the order of the file; every kind has one.
func (k Kind) SKUs() []SKU { return slices.Clone(k.skus) }

// Routes lists all routes a key of this kind opens, those of included kinds
// among them, ordered by path: first those without named segments, then those
// with. A path whose upstreams differ by location is listed once for each.
func (k Kind) Routes() []Route {
	var routes []Route
	if k.table != nil {
		for _, p := range slices.Concat(k.table.plain.places, k.table.named.places) {
			routes = append(routes, p.routes...)
		}
	}
	return routes
}

// SKU finds a SKU by its name in any case.
func (k Kind) SKU(name string) (SKU, bool) {
	for _, s := range k.skus {
		if strings.EqualFold(s.Name, name) {
			return s, true
		}
	}
	return SKU{}, false
}

// OffersLocation reports whether accounts of this kind can be made in a
// location. "West US" and "westus" are the same one (Azure Resource Manager
// RPC, "Location").
func (k Kind) OffersLocation(location string) bool {
	location = foldLocation(location)
	if location == "" {
		return false
	}
	return len(k.locations) == 0 || slices.ContainsFunc(k.locations, func(l string) bool { return foldLocation(l) == location })
}

// Route finds the route for a path and the location of the account that calls:
// of all that match, the one that matches most of the path. The path is compared
// byte for byte, so case counts, and must have been made unambiguous before: no
// dot segments, no encoded slashes, one slash at the front. It does not
// allocate.
func (k Kind) Route(path, location string) (Route, bool) {
	if k.table == nil {
		return Route{}, false
	}
	p := k.table.find(path)
	if p == nil {
		return Route{}, false
	}
	return p.route(location)
}

// sameLocation compares without case and spaces, and without allocating.
func sameLocation(a, b string) bool {
	for {
		a, b = strings.TrimLeftFunc(a, unicode.IsSpace), strings.TrimLeftFunc(b, unicode.IsSpace)
		if a == "" || b == "" {
			return a == b
		}
		x, n := utf8.DecodeRuneInString(a)
		y, m := utf8.DecodeRuneInString(b)
		if unicode.ToLower(x) != unicode.ToLower(y) {
			return false
		}
		a, b = a[n:], b[m:]
	}
}

func foldLocation(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

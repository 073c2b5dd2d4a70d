package catalog

import (
	"net/url"
	"slices"
	"sort"
	"strings"
	"unicode"
)

// Kind is one service that accounts can be made for.
type Kind struct {
	name      string
	locations []string // as written; none means any
	skus      []SKU
	routes    []Route // by prefix, those of included kinds among them
	shorter   []int   // for each route, the longest other prefix of its prefix, or -1
}

// SKU is a pricing tier of a kind.
type SKU struct {
	Name           string // as written, for example "F0"
	CallsPerMinute int    // 0 means not limited
}

// Route sends the calls below a path prefix to an upstream. The URL is shared
// by all who ask and must not be changed.
type Route struct {
	Prefix   string // begins with "/", ends with "/" or ":"
	Upstream *url.URL
}

// Name is the kind's name as the file writes it.
func (k Kind) Name() string { return k.name }

// Locations lists where the kind is offered, as written; none means anywhere.
func (k Kind) Locations() []string { return slices.Clone(k.locations) }

// SKUs lists the SKUs in the order of the file; every kind has one.
func (k Kind) SKUs() []SKU { return slices.Clone(k.skus) }

// Routes lists all routes a key of this kind opens, those of included kinds
// among them, ordered by prefix.
func (k Kind) Routes() []Route { return slices.Clone(k.routes) }

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

// Route finds the route with the longest prefix of path. The path is compared
// byte for byte, so case counts, and must have been made unambiguous before: no
// dot segments, no encoded slashes, one slash at the front. It does not
// allocate.
func (k Kind) Route(path string) (Route, bool) {
	// The routes are sorted. Every prefix of path sorts at or before path, and
	// the last route at or before path begins with the longest of them: from
	// there the shorter prefixes of that route are all that is left to try.
	i := sort.Search(len(k.routes), func(i int) bool { return k.routes[i].Prefix > path }) - 1
	for i >= 0 {
		if strings.HasPrefix(path, k.routes[i].Prefix) {
			return k.routes[i], true
		}
		i = k.shorter[i]
	}
	return Route{}, false
}

// index sorts the routes and links each to its longest proper prefix.
func (k *Kind) index() {
	slices.SortFunc(k.routes, func(a, b Route) int { return strings.Compare(a.Prefix, b.Prefix) })
	k.shorter = make([]int, len(k.routes))
	for i := range k.routes {
		j := i - 1
		for j >= 0 && !strings.HasPrefix(k.routes[i].Prefix, k.routes[j].Prefix) {
			j = k.shorter[j]
		}
		k.shorter[i] = j
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

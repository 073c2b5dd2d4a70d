package catalog

import (
	"strings"

	"github.com/twinkey/twinkey"
)

// resolve checks what concerns several services at once and gives each kind
// the routes of all it includes.
func (r *report) resolve(services []service) []Kind {
	byName := map[string]int{}
	for i, s := range services {
		name := strings.ToLower(s.kind.name)
		if first, ok := byName[name]; ok {
			r.addf(s.line, "kind %q is listed twice; first on line %d", s.kind.name, services[first].line)
			continue
		}
		byName[name] = i
	}
	edges := r.includes(services, byName)
	if r.cyclic(services, edges) {
		return nil
	}
	kinds := make([]Kind, 0, len(services))
	for i, s := range services {
		k := s.kind
		k.routes = r.closure(services, edges, i)
		k.index()
		kinds = append(kinds, k)
	}
	return kinds
}

// includes turns the names each service includes into indexes.
func (r *report) includes(services []service, byName map[string]int) [][]line[int] {
	edges := make([][]line[int], len(services))
	for i, s := range services {
		seen := map[int]bool{}
		for _, name := range s.includes {
			to, ok := byName[strings.ToLower(name.value)]
			switch {
			case !ok:
				r.addf(name.at, "kind %q includes %q, which the file does not list", s.kind.name, twinkey.Printable(name.value, 80))
			case seen[to]:
				r.addf(name.at, "kind %q includes %q twice", s.kind.name, twinkey.Printable(name.value, 80))
			default:
				seen[to] = true
				edges[i] = append(edges[i], line[int]{name.at, to})
			}
		}
	}
	return edges
}

// cyclic reports every include that closes a circle.
func (r *report) cyclic(services []service, edges [][]line[int]) bool {
	const (
		open = 1
		done = 2
	)
	found := false
	state := make([]int, len(services))
	var path []int
	var visit func(int)
	visit = func(i int) {
		state[i] = open
		path = append(path, i)
		for _, e := range edges[i] {
			switch state[e.value] {
			case 0:
				visit(e.value)
			case open:
				found = true
				r.addf(e.at, "kind %q includes itself: %s", services[e.value].kind.name, circle(services, path, e.value))
			}
		}
		path = path[:len(path)-1]
		state[i] = done
	}
	for i := range services {
		if state[i] == 0 {
			visit(i)
		}
	}
	return found
}

// circle names the kinds on path from its entry to and back to it.
func circle(services []service, path []int, to int) string {
	at := len(path) - 1
	for path[at] != to {
		at--
	}
	var names []string
	for _, i := range append(path[at:len(path):len(path)], to) {
		names = append(names, services[i].kind.name)
	}
	return strings.Join(names, " includes ")
}

// closure collects the routes of a service and of all it includes, directly or
// not. Two ways to the same route are fine; two upstreams for one path are not,
// because nothing would say which of them a call goes to.
func (r *report) closure(services []service, edges [][]line[int], start int) []Route {
	type origin struct {
		route Route
		kind  string
	}
	found := map[string]origin{}
	seen := map[int]bool{start: true}
	for queue := []int{start}; len(queue) > 0; queue = queue[1:] {
		s := services[queue[0]]
		for _, route := range s.routes {
			prefix, upstream := route.value.Prefix, route.value.Upstream
			if other, ok := found[prefix]; ok && *other.route.Upstream != *upstream {
				r.addf(services[start].line, "kind %q has path %q twice with different upstreams, from %q and from %q", services[start].kind.name, twinkey.Printable(prefix, 80), other.kind, s.kind.name)
				continue
			}
			found[prefix] = origin{route.value, s.kind.name}
		}
		if len(found) > maxRoutes {
			r.addf(services[start].line, "kind %q has more than %d routes", services[start].kind.name, maxRoutes)
			return nil
		}
		for _, e := range edges[queue[0]] {
			if !seen[e.value] {
				seen[e.value] = true
				queue = append(queue, e.value)
			}
		}
	}
	routes := make([]Route, 0, len(found))
	for _, o := range found {
		routes = append(routes, o.route)
	}
	return routes
}

package catalog

import (
	"reflect"
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
		k.table = newTable(r.closure(services, edges, i))
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

// closure collects the places of a service and of all it includes, directly or
// not. Two ways to the same place are fine; two different ones for one path are
// not, because nothing would say which of them a call goes to.
func (r *report) closure(services []service, edges [][]line[int], start int) []place {
	type origin struct {
		place place
		kind  string
	}
	found := map[string]origin{}
	var places []place
	count := 0
	of := services[start]
	for _, i := range reached(edges, start) {
		for _, p := range services[i].routes {
			key, kind := p.value.key(), services[i].kind.name
			if other, ok := found[key]; !ok {
				found[key] = origin{p.value, kind}
				places = append(places, p.value)
				count += len(p.value.routes)
			} else if !reflect.DeepEqual(other.place, p.value) {
				r.addf(of.line, "kind %q has path %q twice with different upstreams or settings, from %q and from %q", of.kind.name, twinkey.Printable(p.value.text, 80), other.kind, kind)
			}
			r.covers(of, p, i == start)
		}
		if count > maxRoutes {
			r.addf(of.line, "kind %q has more than %d routes", of.kind.name, maxRoutes)
			return nil
		}
	}
	return places
}

// reached lists the services that start includes, itself first, nearest first.
func reached(edges [][]line[int], start int) []int {
	seen := map[int]bool{start: true}
	queue := []int{start}
	for at := 0; at < len(queue); at++ {
		for _, e := range edges[queue[at]] {
			if !seen[e.value] {
				seen[e.value] = true
				queue = append(queue, e.value)
			}
		}
	}
	return queue
}

// covers checks that every account of a kind has an upstream at p, wherever the
// account is.
func (r *report) covers(of service, p line[place], own bool) {
	if p.value.routes[0].Location == "" {
		return
	}
	at := of.line
	if own {
		at = p.at
	}
	if len(of.kind.locations) == 0 {
		r.addf(at, "path %q has upstreams by location, so kind %q must list its locations", twinkey.Printable(p.value.text, 80), of.kind.name)
	}
	for _, l := range of.kind.locations {
		if _, ok := p.value.route(l); !ok {
			r.addf(at, "path %q has no upstream for location %q of kind %q", twinkey.Printable(p.value.text, 80), l, of.kind.name)
		}
	}
}

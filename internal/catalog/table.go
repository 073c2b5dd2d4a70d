package catalog

import (
	"slices"
	"sort"
	"strings"
)

// table finds the place of a path. The zero value has none.
type table struct {
	plain index // places without named segments
	named index // places with them, by what comes before the first
}

// index is places sorted by head.
type index struct {
	places  []place
	heads   []string // of the places
	shorter []int    // for each place, the last one before it whose head is a prefix of its head, or -1
}

func newTable(places []place) *table {
	t := &table{}
	for _, p := range places {
		to := &t.plain
		if len(p.names) > 0 {
			to = &t.named
		}
		to.places = append(to.places, p)
	}
	t.plain.link()
	t.named.link()
	return t
}

// find returns the place that matches most of path. Of two that match as much,
// it is the one that spells out what the other names, where they first differ.
func (t *table) find(path string) *place {
	var best *place
	if i := t.plain.longest(path); i >= 0 {
		best = &t.plain.places[i]
	}
	if len(t.named.places) == 0 {
		return best
	}
	length := 0
	if best != nil {
		length = len(best.head)
	}
	var captured [maxNamed]string
	for i := t.named.longest(path); i >= 0; i = t.named.shorter[i] {
		if n := t.named.places[i].match(path, &captured); n > length {
			best, length = &t.named.places[i], n
		}
	}
	return best
}

// longest finds the last of the longest heads that are prefixes of path, or -1.
func (x *index) longest(path string) int {
	// Every prefix of path sorts at or before path, and the last head at or
	// before path begins with the longest of them: from there the shorter
	// prefixes of that head are all that is left to try.
	i := sort.Search(len(x.heads), func(i int) bool { return x.heads[i] > path }) - 1
	for i >= 0 && !strings.HasPrefix(path, x.heads[i]) {
		i = x.shorter[i]
	}
	return i
}

// link sorts the places. Among those of one head the most specific comes last,
// which is where a search begins.
func (x *index) link() {
	slices.SortFunc(x.places, func(a, b place) int {
		if c := strings.Compare(a.head, b.head); c != 0 {
			return c
		}
		return moreSpecific(&b.pattern, &a.pattern)
	})
	x.heads = make([]string, len(x.places))
	x.shorter = make([]int, len(x.places))
	for i := range x.places {
		x.heads[i] = x.places[i].head
		j := i - 1
		for j >= 0 && !strings.HasPrefix(x.heads[i], x.heads[j]) {
			j = x.shorter[j]
		}
		x.shorter[i] = j
	}
}

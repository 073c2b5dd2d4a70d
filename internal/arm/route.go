package arm

import (
	"context"
	"fmt"
	"strings"

	"github.com/twinkey/twinkey"
)

// The scopes that patterns begin with.
const (
	SubscriptionPath = "/subscriptions/{subscription}"
	GroupPath        = SubscriptionPath + "/resourceGroups/{group}"
	AccountPath      = GroupPath + "/providers/" + twinkey.Provider + "/accounts/{account}"
)

// Handler answers a call that has come through every step.
type Handler func(ctx context.Context, req *Request) (*Response, error)

// Route is one operation: how it is called, which permission it takes, and how
// it is described.
type Route struct {
	Method  string
	Pattern string // for example AccountPath + "/listKeys"; a segment in braces is a variable
	Action  string // the permission that decides, by Azure's name; "" if none does
	Display Display
	Public  bool // answered to anybody, and without an api-version
	Creates bool // the subscription in the path need not exist
	Handle  Handler
}

// Display is how the list of operations describes an action.
type Display struct {
	Provider    string
	Resource    string
	Operation   string
	Description string
}

// router finds the route of a path. Fixed segments compare without case.
type router struct {
	byLength   map[int][]compiled
	namespaces map[string]string // folded resource provider namespace -> its spelling
}

// compiled is a route with its pattern taken apart.
type compiled struct {
	route    *Route
	segments []segment
}

// segment is a fixed, folded text or a variable.
type segment struct {
	fixed    string
	variable string
}

// match is what a path was found to be. Without a route, allowed lists the
// methods under which there is one.
type match struct {
	route   *Route
	id      twinkey.ResourceID
	names   map[string]string
	allowed []string
}

// newRouter indexes routes; two for the same method and path are a mistake.
func newRouter(routes []Route) *router {
	rt := &router{byLength: map[int][]compiled{}, namespaces: map[string]string{}}
	seen := map[string]bool{}
	for i := range routes {
		c := compiled{route: &routes[i]}
		shape := routes[i].Method
		parts := strings.Split(strings.Trim(routes[i].Pattern, "/"), "/")
		for at, part := range parts {
			if inner, ok := strings.CutPrefix(part, "{"); ok {
				c.segments = append(c.segments, segment{variable: strings.TrimSuffix(inner, "}")})
				shape += "/{}"
				continue
			}
			c.segments = append(c.segments, segment{fixed: twinkey.Fold(part)})
			shape += "/" + twinkey.Fold(part)
			if at > 0 && strings.EqualFold(parts[at-1], "providers") {
				rt.namespaces[twinkey.Fold(part)] = part
			}
		}
		if seen[shape] {
			panic(fmt.Sprintf("arm: two routes for %s %s", routes[i].Method, routes[i].Pattern))
		}
		seen[shape] = true
		rt.byLength[len(parts)] = append(rt.byLength[len(parts)], c)
	}
	return rt
}

// find returns the route of a call. Where a fixed segment and a variable both
// fit, the fixed one wins. The resource id is read off the path even without a
// route: the steps before it need the subscription.
func (rt *router) find(method string, segments []string) match {
	folded := make([]string, len(segments))
	for i, s := range segments {
		folded[i] = twinkey.Fold(s)
	}
	var best *compiled
	m := match{}
	for i := range rt.byLength[len(segments)] {
		c := &rt.byLength[len(segments)][i]
		if !c.fits(folded) {
			continue
		}
		if c.route.Method != method {
			m.allowed = append(m.allowed, c.route.Method)
			continue
		}
		if best == nil || c.moreFixed(best) {
			best = c
		}
	}
	if best == nil {
		m.id = scopeOf(segments)
		return m
	}
	m.route, m.names = best.route, map[string]string{}
	for i, s := range best.segments {
		switch s.variable {
		case "":
		case "subscription":
			m.id.Subscription = segments[i]
		case "group":
			m.id.Group = segments[i]
		case "account":
			m.id.Account = segments[i]
		default:
			m.names[s.variable] = segments[i]
		}
	}
	return m
}

func (c *compiled) fits(folded []string) bool {
	for i, s := range c.segments {
		if s.variable == "" && s.fixed != folded[i] {
			return false
		}
	}
	return true
}

// moreFixed reports whether c has a fixed segment where other has a variable,
// at the first place where they differ so.
func (c *compiled) moreFixed(other *compiled) bool {
	for i, s := range c.segments {
		if (s.variable == "") != (other.segments[i].variable == "") {
			return s.variable == ""
		}
	}
	return false
}

// scopeOf reads the subscription off a path that no route fits.
func scopeOf(segments []string) twinkey.ResourceID {
	if len(segments) > 1 && strings.EqualFold(segments[0], "subscriptions") {
		return twinkey.ResourceID{Subscription: segments[1]}
	}
	return twinkey.ResourceID{}
}

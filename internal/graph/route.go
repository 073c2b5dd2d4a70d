package graph

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/twinkey/twinkey"
)

// handler answers a call with a status and a body, nil for none.
type handler func(ctx context.Context, req *request) (int, any, error)

// route is one operation.
type route struct {
	method  string
	pattern string // below the version; a segment in braces is a variable
	changes bool   // takes the permission to change the directory
	handle  handler
}

// table lists the operations.
func (s *surface) table() []route {
	users, groups, apps, principals := s.users(), s.groups(), s.applications(), s.servicePrincipals()
	routes := []route{
		{http.MethodGet, "me", false, s.me},

		{http.MethodPost, "users", true, s.createUser},
		{http.MethodPatch, "users/{id}", true, s.updateUser},
		{http.MethodPost, "applications", true, s.createApplication},
		{http.MethodPost, "servicePrincipals", true, s.createServicePrincipal},
		{http.MethodPost, "groups", true, s.createGroup},
		{http.MethodPatch, "groups/{id}", true, s.updateGroup},

		{http.MethodGet, "groups/{id}/members", false, s.listMembers},
		{http.MethodGet, "groups/{id}/transitiveMembers", false, s.listMembers},
		{http.MethodPost, "groups/{id}/members/$ref", true, s.addMember},
		{http.MethodDelete, "groups/{id}/members/{member}/$ref", true, s.removeMember},

		{http.MethodPost, "directoryObjects/getByIds", false, s.getByIDs},
		{http.MethodGet, "directoryObjects/{id}", false, s.getObject},
		{http.MethodPost, "directoryObjects/{id}/checkMemberGroups", false, s.checkMemberGroups},
		{http.MethodPost, "directoryObjects/{id}/getMemberGroups", false, s.getMemberGroups},
	}
	for _, c := range []*collection{users, groups, apps, principals} {
		routes = append(routes,
			route{http.MethodGet, c.name, false, c.list},
			route{http.MethodGet, c.name + "/{id}", false, c.get},
			route{http.MethodDelete, c.name + "/{id}", true, c.delete},
		)
		if c.name != "applications" {
			routes = append(routes,
				route{http.MethodGet, c.name + "/{id}/memberOf", false, s.listGroupsOf(c)},
				route{http.MethodGet, c.name + "/{id}/transitiveMemberOf", false, s.listGroupsOf(c)},
				route{http.MethodPost, c.name + "/{id}/getMemberGroups", false, s.getMemberGroups},
				route{http.MethodPost, c.name + "/{id}/checkMemberGroups", false, s.checkMemberGroups},
			)
		}
	}
	for _, c := range []*collection{apps, principals} {
		routes = append(routes,
			route{http.MethodPatch, c.name + "/{id}", true, s.updateApplication},
			route{http.MethodPost, c.name + "/{id}/addPassword", true, s.addPassword},
			route{http.MethodPost, c.name + "/{id}/removePassword", true, s.removePassword},
		)
	}
	return routes
}

// find returns the route of a call and notes in req what the path names. Fixed
// segments compare without case, and win over variables.
func (s *surface) find(w http.ResponseWriter, method string, segments []string, req *request) (*route, error) {
	var best *route
	var allowed []string
	for i := range s.routes {
		r := &s.routes[i]
		names, ok := fits(r.pattern, segments)
		switch {
		case !ok:
		case r.method != method:
			allowed = append(allowed, r.method)
		case best == nil || len(names) < len(req.names):
			best, req.names = r, names
		}
	}
	if best != nil {
		return best, nil
	}
	if len(allowed) > 0 {
		slices.Sort(allowed)
		list := strings.Join(slices.Compact(allowed), ", ")
		w.Header().Set("Allow", list)
		return nil, twinkey.Errorf(twinkey.MethodNotAllowed, "Specified HTTP method is not allowed for the request target. Allowed: %s.", list)
	}
	last := ""
	if len(segments) > 0 {
		last = segments[len(segments)-1]
	}
	return nil, withCode("BadRequest", twinkey.Errorf(twinkey.RouteNotFound, "Resource not found for the segment '%s'.", twinkey.Printable(last, 80)))
}

// fits matches a path against a pattern.
func fits(pattern string, segments []string) (map[string]string, bool) {
	parts := strings.Split(pattern, "/")
	if len(parts) != len(segments) {
		return nil, false
	}
	names := map[string]string{}
	for i, part := range parts {
		if inner, ok := strings.CutPrefix(part, "{"); ok {
			names[strings.TrimSuffix(inner, "}")] = segments[i]
		} else if !strings.EqualFold(part, segments[i]) {
			return nil, false
		}
	}
	return names, true
}

// splitPath returns the decoded segments below the version. A key in brackets,
// "users('x')", is a segment of its own (OData 4.01, "Canonical URL").
func splitPath(escaped string) ([]string, error) {
	var segments []string
	for part := range strings.SplitSeq(escaped, "/") {
		if part == "" {
			continue
		}
		segment, err := url.PathUnescape(part)
		if err != nil || !utf8.ValidString(segment) {
			return nil, twinkey.Errorf(twinkey.Invalid, "The path of the request is not valid percent-encoded UTF-8.")
		}
		name, key, bracket := strings.Cut(segment, "('")
		if key, closed := strings.CutSuffix(key, "')"); bracket && closed {
			segments = append(segments, name, strings.ReplaceAll(key, "''", "'"))
			continue
		}
		segments = append(segments, segment)
	}
	return segments[min(1, len(segments)):], nil
}

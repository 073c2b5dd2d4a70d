package graph

import (
	"context"
	"net/http"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
)

// scanned is how many principals one call looks at, at most; a list goes on
// behind its nextLink.
const scanned = 20_000

// collection is one kind of objects.
type collection struct {
	surface *surface
	name    string // in paths
	kind    twinkey.PrincipalType
	unique  []string // properties, folded, by which the directory finds a principal
	show    func(rec directory.Record, o odata) any
	// values lists, under folded names, the properties that filters compare.
	values func(rec directory.Record) map[string][]string
}

// get answers with one object.
func (c *collection) get(ctx context.Context, req *request) (int, any, error) {
	rec, err := c.find(ctx, req, req.names["id"])
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.show(rec, c.surface.entity(c.name)), nil
}

// delete removes one object.
func (c *collection) delete(ctx context.Context, req *request) (int, any, error) {
	rec, err := c.find(ctx, req, req.names["id"])
	if err != nil {
		return 0, nil, err
	}
	if _, err := c.surface.directory.Delete(ctx, req.who, rec.Tenant, rec.ObjectID); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, nil
}

// list answers with a page of the objects that satisfy the filter.
func (c *collection) list(ctx context.Context, req *request) (int, any, error) {
	conditions, err := c.conditions(req.query.filter)
	if err != nil {
		return 0, nil, err
	}
	found, after, err := c.search(ctx, req, conditions)
	if err != nil {
		return 0, nil, err
	}
	var values []any
	for _, rec := range found {
		values = append(values, c.show(rec, odata{}))
	}
	return http.StatusOK, c.surface.listOf(c.name, c.name, values, req, after), nil
}

// find reads the object that a path names by its object id, or a user by the
// user principal name.
func (c *collection) find(ctx context.Context, req *request, name string) (directory.Record, error) {
	rec, err := directory.Record{}, error(nil)
	if c.kind == twinkey.User && !twinkey.IsGUID(name) {
		rec, err = c.surface.directory.Find(ctx, req.who.Tenant, name)
	} else {
		rec, err = c.surface.directory.Get(ctx, req.who.Tenant, name)
	}
	if err == nil && rec.Type != c.kind {
		err = twinkey.Errorf(twinkey.PrincipalNotFound, "")
	}
	if twinkey.KindOf(err) == twinkey.PrincipalNotFound {
		err = noResource(name)
	}
	return rec, err
}

// conditions reads a filter, all of whose properties the collection must have.
func (c *collection) conditions(filter string) ([]condition, error) {
	conditions, err := parseFilter(filter)
	if err != nil {
		return nil, err
	}
	known := c.values(directory.Record{})
	for _, condition := range conditions {
		if _, ok := known[condition.property]; !ok {
			return nil, withCode("Request_UnsupportedQuery", twinkey.Errorf(twinkey.Invalid, "Invalid filter clause: the property '%s' of '%s' is unknown, or cannot be filtered by.", condition.property, c.name))
		}
	}
	return conditions, nil
}

// search looks for the objects of a page; the second result is the object id
// after which the list goes on.
func (c *collection) search(ctx context.Context, req *request, conditions []condition) ([]directory.Record, string, error) {
	if rec, direct, err := c.direct(ctx, req, conditions); direct {
		if err != nil || rec.ObjectID == "" || !c.satisfies(rec, conditions) {
			return nil, "", err
		}
		return []directory.Record{rec}, "", nil
	}
	return c.surface.scan(ctx, req, func(rec directory.Record) bool { return c.satisfies(rec, conditions) })
}

// scan looks through the tenant for a page of principals that fit; the second
// result is the object id after which the list goes on, "" at the end.
func (s *surface) scan(ctx context.Context, req *request, fits func(directory.Record) bool) ([]directory.Record, string, error) {
	var found []directory.Record
	after := req.query.after
	for looked := 0; looked < scanned; {
		page, err := s.directory.List(ctx, req.who.Tenant, after, 0)
		if err != nil || len(page) == 0 {
			return found, "", err
		}
		for _, rec := range page {
			if len(found) == req.query.top {
				return found, after, nil
			}
			after = rec.ObjectID
			if fits(rec) {
				found = append(found, rec)
			}
		}
		looked += len(page)
	}
	return found, after, nil
}

// direct finds what a condition names by id or by a unique property.
func (c *collection) direct(ctx context.Context, req *request, conditions []condition) (directory.Record, bool, error) {
	for _, condition := range conditions {
		if condition.operator == startsWith {
			continue
		}
		rec, err := directory.Record{}, error(nil)
		switch {
		case condition.property == "id":
			rec, err = c.surface.directory.Get(ctx, req.who.Tenant, condition.value)
		case condition.property == c.unique[0] || condition.property == c.unique[len(c.unique)-1]:
			rec, err = c.surface.directory.Find(ctx, req.who.Tenant, condition.value)
		default:
			continue
		}
		if twinkey.KindOf(err) == twinkey.PrincipalNotFound {
			return directory.Record{}, true, nil
		}
		return rec, true, err
	}
	return directory.Record{}, false, nil
}

func (c *collection) satisfies(rec directory.Record, conditions []condition) bool {
	if rec.Type != c.kind {
		return false
	}
	values := c.values(rec)
	for _, condition := range conditions {
		if !condition.holds(values[condition.property]) {
			return false
		}
	}
	return true
}

func noResource(name string) error {
	return twinkey.Errorf(twinkey.NotFound, "Resource '%s' does not exist or one of its queried reference-property objects are not present.", twinkey.Printable(name, 120))
}

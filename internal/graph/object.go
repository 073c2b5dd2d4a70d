package graph

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
)

// maxIDs is how many ids one call may name (Microsoft Graph v1.0,
// "directoryObject: getByIds").
const maxIDs = 1000

// object shows a principal of any type, and says which. An application is shown
// as its service principal.
func (s *surface) object(rec directory.Record) any {
	o := odata{Type: "#microsoft.graph." + typeOf(rec)}
	switch rec.Type {
	case twinkey.User:
		return userOf(rec, o)
	case twinkey.GroupPrincipal:
		return groupOf(rec, o)
	}
	return servicePrincipalOf(rec, o)
}

func typeOf(rec directory.Record) string {
	switch rec.Type {
	case twinkey.User:
		return "user"
	case twinkey.GroupPrincipal:
		return "group"
	}
	return "servicePrincipal"
}

func (s *surface) getObject(ctx context.Context, req *request) (int, any, error) {
	rec, err := s.anything(ctx, req)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, s.object(rec), nil
}

// getByIDs shows the objects that exist of those named.
func (s *surface) getByIDs(ctx context.Context, req *request) (int, any, error) {
	var body struct {
		IDs   []string `json:"ids"`
		Types []string `json:"types"`
	}
	if err := req.decode(&body); err != nil {
		return 0, nil, err
	}
	if err := checkIDs("ids", body.IDs); err != nil {
		return 0, nil, err
	}
	wanted := func(rec directory.Record) bool {
		return len(body.Types) == 0 || slices.ContainsFunc(body.Types, func(t string) bool {
			return strings.EqualFold(t, typeOf(rec)) || strings.EqualFold(t, "directoryObject") || strings.EqualFold(t, "application") && rec.Type == twinkey.ServicePrincipal
		})
	}
	var values []any
	for _, id := range body.IDs {
		rec, err := s.directory.Get(ctx, req.who.Tenant, id)
		if twinkey.KindOf(err) == twinkey.PrincipalNotFound {
			continue
		}
		if err != nil {
			return 0, nil, err
		}
		if wanted(rec) {
			values = append(values, s.object(rec))
		}
	}
	return http.StatusOK, s.listOf("", "directoryObjects", values, req, ""), nil
}

// getMemberGroups lists the ids of the groups that a principal is a member of;
// all of them are security groups.
func (s *surface) getMemberGroups(ctx context.Context, req *request) (int, any, error) {
	var body struct {
		SecurityEnabledOnly bool `json:"securityEnabledOnly"`
	}
	if err := req.decode(&body); err != nil {
		return 0, nil, err
	}
	rec, err := s.anything(ctx, req)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, s.listOf("", "Collection(Edm.String)", anyOf(rec.Groups), req, ""), nil
}

// checkMemberGroups lists those of the groups named that a principal is a member
// of.
func (s *surface) checkMemberGroups(ctx context.Context, req *request) (int, any, error) {
	var body struct {
		GroupIDs []string `json:"groupIds"`
	}
	if err := req.decode(&body); err != nil {
		return 0, nil, err
	}
	if err := checkIDs("groupIds", body.GroupIDs); err != nil {
		return 0, nil, err
	}
	rec, err := s.anything(ctx, req)
	if err != nil {
		return 0, nil, err
	}
	var in []string
	for _, id := range body.GroupIDs {
		if slices.Contains(rec.Groups, twinkey.Fold(id)) {
			in = append(in, id)
		}
	}
	return http.StatusOK, s.listOf("", "Collection(Edm.String)", anyOf(in), req, ""), nil
}

// anything reads the principal that the path names, of any type.
func (s *surface) anything(ctx context.Context, req *request) (directory.Record, error) {
	name := req.names["id"]
	rec, err := directory.Record{}, error(nil)
	if twinkey.IsGUID(name) {
		rec, err = s.directory.Get(ctx, req.who.Tenant, name)
	} else {
		rec, err = s.directory.Find(ctx, req.who.Tenant, name)
	}
	if twinkey.KindOf(err) == twinkey.PrincipalNotFound {
		err = noResource(name)
	}
	return rec, err
}

func checkIDs(property string, ids []string) error {
	if len(ids) == 0 || len(ids) > maxIDs {
		return twinkey.Errorf(twinkey.Invalid, "The property '%s' must have 1 to %d values, and has %d.", property, maxIDs, len(ids))
	}
	for _, id := range ids {
		if !twinkey.IsGUID(id) {
			return twinkey.Errorf(twinkey.Invalid, "Invalid object identifier '%s'.", twinkey.Printable(id, 60))
		}
	}
	return nil
}

func anyOf(list []string) []any {
	var values []any
	for _, v := range list {
		values = append(values, v)
	}
	return values
}

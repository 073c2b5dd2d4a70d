package graph

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
)

// group is a group on the wire (Microsoft Graph v1.0, "group resource type").
type group struct {
	odata
	ID              string   `json:"id"`
	DisplayName     string   `json:"displayName"`
	MailNickname    string   `json:"mailNickname"`
	Description     *string  `json:"description"`
	MailEnabled     bool     `json:"mailEnabled"`
	SecurityEnabled bool     `json:"securityEnabled"`
	GroupTypes      []string `json:"groupTypes"`
	Mail            *string  `json:"mail"`
	Visibility      *string  `json:"visibility"`
	CreatedDateTime *string  `json:"createdDateTime"`
	DeletedDateTime *string  `json:"deletedDateTime"`
}

// groups is the collection.
func (s *surface) groups() *collection {
	return &collection{
		surface: s, name: "groups", kind: twinkey.GroupPrincipal, unique: []string{"id"}, show: groupOf,
		values: func(rec directory.Record) map[string][]string {
			return map[string][]string{"id": {rec.ObjectID}, "displayname": {rec.Name}, "mailnickname": {rec.Nickname}}
		},
	}
}

func groupOf(rec directory.Record, o odata) any {
	return group{
		odata: o, ID: rec.ObjectID, DisplayName: rec.Name, MailNickname: rec.Nickname, Description: orNull(rec.Description),
		SecurityEnabled: true, GroupTypes: []string{}, CreatedDateTime: timestamp(rec.Created),
	}
}

// groupBody is what a caller may say about a group.
type groupBody struct {
	DisplayName     string   `json:"displayName"`
	MailNickname    string   `json:"mailNickname"`
	Description     *string  `json:"description"`
	MailEnabled     *bool    `json:"mailEnabled"`
	SecurityEnabled *bool    `json:"securityEnabled"`
	GroupTypes      []string `json:"groupTypes"`
}

func (b groupBody) check() error {
	if b.MailEnabled != nil && *b.MailEnabled || b.SecurityEnabled != nil && !*b.SecurityEnabled || len(b.GroupTypes) > 0 {
		return twinkey.Errorf(twinkey.Unsupported, "Only security groups are supported: mailEnabled false, securityEnabled true, groupTypes empty.")
	}
	return nil
}

func (s *surface) createGroup(ctx context.Context, req *request) (int, any, error) {
	var body groupBody
	if err := req.decode(&body); err != nil {
		return 0, nil, err
	}
	if err := body.check(); err != nil {
		return 0, nil, err
	}
	switch {
	case body.DisplayName == "":
		return 0, nil, required("displayName")
	case body.MailNickname == "":
		return 0, nil, required("mailNickname")
	}
	want := directory.NewGroup{Tenant: req.who.Tenant, Name: body.DisplayName, Nickname: body.MailNickname}
	if body.Description != nil {
		want.Description = *body.Description
	}
	created, err := s.directory.CreateGroup(ctx, req.who, want)
	if err != nil {
		return 0, nil, err
	}
	return s.createdObject(ctx, req, created.ObjectID, s.groups())
}

func (s *surface) updateGroup(ctx context.Context, req *request) (int, any, error) {
	var body groupBody
	if err := req.decode(&body); err != nil {
		return 0, nil, err
	}
	if err := body.check(); err != nil {
		return 0, nil, err
	}
	rec, err := s.groups().find(ctx, req, req.names["id"])
	if err != nil {
		return 0, nil, err
	}
	return s.updated(ctx, req, rec, directory.Update{DisplayName: body.DisplayName, Nickname: body.MailNickname, Description: body.Description})
}

// listMembers lists users and applications. Groups have no members that are
// groups, so the members are all there are.
func (s *surface) listMembers(ctx context.Context, req *request) (int, any, error) {
	if req.query.filter != "" {
		return 0, nil, withCode("Request_UnsupportedQuery", twinkey.Errorf(twinkey.Invalid, "Members cannot be filtered. List them without $filter."))
	}
	rec, err := s.groups().find(ctx, req, req.names["id"])
	if err != nil {
		return 0, nil, err
	}
	members, after, err := s.scan(ctx, req, func(m directory.Record) bool { return slices.Contains(m.Groups, rec.ObjectID) })
	if err != nil {
		return 0, nil, err
	}
	var values []any
	for _, m := range members {
		values = append(values, s.object(m))
	}
	return http.StatusOK, s.listOf("groups/"+rec.ObjectID+"/members", "directoryObjects", values, req, after), nil
}

func (s *surface) addMember(ctx context.Context, req *request) (int, any, error) {
	var body struct {
		ID string `json:"@odata.id"`
	}
	if err := req.decode(&body); err != nil {
		return 0, nil, err
	}
	parts := strings.Split(strings.TrimRight(body.ID, "/"), "/")
	member := parts[len(parts)-1]
	if len(parts) < 2 || !twinkey.IsGUID(member) {
		return 0, nil, twinkey.Errorf(twinkey.Invalid, "Invalid URL format specified in the @odata.id property: '%s'. Expected %s%s/directoryObjects/{object id}.", twinkey.Printable(body.ID, 120), s.config.PublicURL, Prefix)
	}
	rec, err := s.groups().find(ctx, req, req.names["id"])
	if err != nil {
		return 0, nil, err
	}
	if _, err := s.directory.AddMember(ctx, req.who, rec.Tenant, rec.ObjectID, member); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, nil
}

func (s *surface) removeMember(ctx context.Context, req *request) (int, any, error) {
	rec, err := s.groups().find(ctx, req, req.names["id"])
	if err != nil {
		return 0, nil, err
	}
	_, err = s.directory.RemoveMember(ctx, req.who, rec.Tenant, rec.ObjectID, req.names["member"])
	if kind := twinkey.KindOf(err); kind == twinkey.NotFound || kind == twinkey.PrincipalNotFound {
		err = noResource(req.names["member"])
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, nil
}

// listGroupsOf lists the groups that an object of a collection is a member of.
func (s *surface) listGroupsOf(c *collection) handler {
	return func(ctx context.Context, req *request) (int, any, error) {
		rec, err := c.find(ctx, req, req.names["id"])
		if err != nil {
			return 0, nil, err
		}
		var values []any
		for _, id := range rec.Groups {
			g, err := s.directory.Get(ctx, rec.Tenant, id)
			if twinkey.KindOf(err) == twinkey.PrincipalNotFound {
				continue
			}
			if err != nil {
				return 0, nil, err
			}
			values = append(values, s.object(g))
		}
		return http.StatusOK, s.listOf("", "directoryObjects", values, req, ""), nil
	}
}

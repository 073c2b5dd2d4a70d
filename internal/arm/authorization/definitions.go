package authorization

import (
	"context"
	"net/http"
	"strings"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
)

// definition is a role definition on the wire (Microsoft.Authorization
// 2022-04-01, RoleDefinition).
type definition struct {
	ID         string               `json:"id"`
	Name       string               `json:"name"`
	Type       string               `json:"type"`
	Properties definitionProperties `json:"properties"`
}

type definitionProperties struct {
	RoleName         string          `json:"roleName"`
	Type             access.RoleType `json:"type"`
	Description      string          `json:"description"`
	AssignableScopes []string        `json:"assignableScopes"`
	Permissions      []permission    `json:"permissions"`
	CreatedOn        *string         `json:"createdOn"`
	UpdatedOn        *string         `json:"updatedOn"`
	CreatedBy        *string         `json:"createdBy"`
	UpdatedBy        *string         `json:"updatedBy"`
}

// permission is what a role grants on the wire (Microsoft.Authorization
// 2022-04-01, Permission).
type permission struct {
	Actions        []string `json:"actions"`
	NotActions     []string `json:"notActions"`
	DataActions    []string `json:"dataActions"`
	NotDataActions []string `json:"notDataActions"`
}

// permissionsOf shows what the permissions come to here: what is granted only
// under a condition is not granted.
func permissionsOf(list []access.Permission) []permission {
	shown := []permission{}
	for _, p := range list {
		shown = append(shown, permission{
			Actions: notNil(p.Actions), NotActions: append(notNil(p.NotActions), p.Conditional...),
			DataActions: notNil(p.DataActions), NotDataActions: notNil(p.NotDataActions),
		})
	}
	return shown
}

func definitionOf(r accounts.RoleDefinition, asked twinkey.ResourceID) definition {
	return definition{
		ID: definitionID(asked, r.Role.ID), Name: r.Role.ID, Type: "Microsoft.Authorization/roleDefinitions",
		Properties: definitionProperties{
			RoleName: r.Role.Name, Type: r.Role.Type, Description: r.Role.Description,
			AssignableScopes: notNil(r.Role.AssignableScopes), Permissions: permissionsOf(r.Role.Permissions),
			CreatedOn: timestamp(r.CreatedOn), UpdatedOn: timestamp(r.UpdatedOn), CreatedBy: orNull(r.CreatedBy), UpdatedBy: orNull(r.UpdatedBy),
		},
	}
}

// definitionID is the id that a role has for somebody who asks about a scope,
// however that is cased.
func definitionID(asked twinkey.ResourceID, role string) string {
	return below(twinkey.ResourceID{Subscription: twinkey.Fold(asked.Subscription)}, "roleDefinitions", role)
}

func (h *handlers) listDefinitions(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	f, err := parseDefinitionFilter(req.Query.Get("$filter"))
	if err != nil {
		return nil, err
	}
	all, err := h.service.RoleDefinitions(ctx, req.Who, req.ID, f.below)
	if err != nil {
		return nil, err
	}
	var list []definition
	for _, r := range all {
		if (f.name == "" || strings.EqualFold(f.name, r.Role.Name)) && (f.kind == "" || strings.EqualFold(f.kind, string(r.Role.Type))) {
			list = append(list, definitionOf(r, req.ID))
		}
	}
	return arm.AnswerList(list, ""), nil
}

func (h *handlers) getDefinition(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	r, err := h.service.RoleDefinition(ctx, req.Who, req.ID, req.Name("role"))
	if err != nil {
		return nil, err
	}
	return arm.Answer(http.StatusOK, definitionOf(r, req.ID)), nil
}

// putDefinition answers 201 also for a role that was there, as Azure does: the
// description of the API has no other answer.
func (h *handlers) putDefinition(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	var body struct {
		Properties *struct {
			RoleName         string       `json:"roleName"`
			Type             *string      `json:"type"`
			Description      *string      `json:"description"`
			AssignableScopes []string     `json:"assignableScopes"`
			Permissions      []permission `json:"permissions"`
		} `json:"properties"`
	}
	if err := req.Decode(&body); err != nil {
		return nil, err
	}
	p := body.Properties
	if p == nil {
		return nil, arm.WithCode("InvalidRequestContent", twinkey.Errorf(twinkey.Invalid, "The request content was invalid: 'properties' with 'roleName', 'permissions' and 'assignableScopes' is required."))
	}
	if t := text(p.Type); t != "" && !strings.EqualFold(t, string(access.CustomRole)) {
		return nil, twinkey.Errorf(twinkey.Unsupported, "The type of a role that is created must be CustomRole, not '%s'.", twinkey.Printable(t, 40))
	}
	spec := accounts.RoleSpec{Name: p.RoleName, Description: text(p.Description), AssignableScopes: p.AssignableScopes}
	for _, g := range p.Permissions {
		spec.Permissions = append(spec.Permissions, access.Permission{Actions: g.Actions, NotActions: g.NotActions, DataActions: g.DataActions, NotDataActions: g.NotDataActions})
	}
	r, err := h.service.PutRoleDefinition(ctx, req.Who, req.ID, req.Name("role"), spec)
	if twinkey.KindOf(err) == twinkey.InvalidName && !twinkey.IsGUID(req.Name("role")) {
		err = arm.WithCode("InvalidRoleDefinitionId", err)
	}
	if err != nil {
		return nil, err
	}
	return arm.Answer(http.StatusCreated, definitionOf(r, req.ID)), nil
}

func (h *handlers) deleteDefinition(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	r, err := h.service.DeleteRoleDefinition(ctx, req.Who, req.ID, req.Name("role"))
	if err != nil {
		return nil, err
	}
	if r == nil {
		return arm.Answer(http.StatusNoContent, nil), nil
	}
	return arm.Answer(http.StatusOK, definitionOf(*r, req.ID)), nil
}

func (h *handlers) listPermissions(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	held, err := h.service.Permissions(ctx, req.Who, req.ID)
	if err != nil {
		return nil, err
	}
	return arm.AnswerList(permissionsOf(held), ""), nil
}

// definitionFilter is what a $filter asks for; the zero value for all that may
// be assigned at the scope.
type definitionFilter struct {
	name  string
	kind  string
	below bool
}

// parseDefinitionFilter reads a $filter (Microsoft.Authorization 2022-04-01,
// RoleDefinitions_List).
func parseDefinitionFilter(filter string) (definitionFilter, error) {
	var f definitionFilter
	terms, ok := parseFilter(filter)
	for _, t := range terms {
		switch {
		case t.is("roleName eq") && f.name == "":
			f.name = t.value
		case t.is("type eq") && f.kind == "":
			f.kind = t.value
		case t.calls("atScopeAndBelow()"):
			f.below = true
		default:
			ok = false
		}
	}
	if !ok {
		return f, twinkey.Errorf(twinkey.Unsupported, "The filter '%s' is not supported. Supported: roleName eq '...', type eq 'BuiltInRole' or 'CustomRole', and atScopeAndBelow(), joined by and.", twinkey.Printable(filter, 100))
	}
	return f, nil
}

func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

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

// assignment is a role assignment on the wire (Microsoft.Authorization
// 2022-04-01, RoleAssignment).
type assignment struct {
	ID         string               `json:"id"`
	Name       string               `json:"name"`
	Type       string               `json:"type"`
	Properties assignmentProperties `json:"properties"`
}

type assignmentProperties struct {
	RoleDefinitionID                   string                `json:"roleDefinitionId"`
	PrincipalID                        string                `json:"principalId"`
	PrincipalType                      twinkey.PrincipalType `json:"principalType"`
	Scope                              string                `json:"scope"`
	Description                        *string               `json:"description"`
	Condition                          *string               `json:"condition"`
	ConditionVersion                   *string               `json:"conditionVersion"`
	CreatedOn                          *string               `json:"createdOn"`
	UpdatedOn                          *string               `json:"updatedOn"`
	CreatedBy                          *string               `json:"createdBy"`
	UpdatedBy                          *string               `json:"updatedBy"`
	DelegatedManagedIdentityResourceID *string               `json:"delegatedManagedIdentityResourceId"`
}

// assignmentOf shows an assignment to somebody who asks about a scope. The role
// has the id it has in the list of definitions at that scope: clients join the
// two by it.
func assignmentOf(a access.Assignment, asked twinkey.ResourceID) assignment {
	if asked.Subscription == "" {
		asked = a.Scope
	}
	updatedOn, updatedBy := a.UpdatedOn, a.UpdatedBy
	if updatedOn.IsZero() {
		updatedOn, updatedBy = a.CreatedOn, a.CreatedBy
	}
	return assignment{
		ID: below(a.Scope, "roleAssignments", a.ID), Name: a.ID, Type: "Microsoft.Authorization/roleAssignments",
		Properties: assignmentProperties{
			RoleDefinitionID: definitionID(asked, a.RoleID), PrincipalID: a.PrincipalID, PrincipalType: a.PrincipalType,
			Scope: a.Scope.String(), Description: orNull(a.Description),
			CreatedOn: timestamp(a.CreatedOn), UpdatedOn: timestamp(updatedOn), CreatedBy: orNull(a.CreatedBy), UpdatedBy: orNull(updatedBy),
		},
	}
}

func (h *handlers) listAssignments(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	f, err := assignmentFilter(req.Query.Get("$filter"))
	if err != nil {
		return nil, err
	}
	page, err := req.Page()
	if err != nil {
		return nil, err
	}
	found, next, err := h.service.RoleAssignments(ctx, req.Who, req.ID, f, page)
	if err != nil {
		return nil, err
	}
	var list []assignment
	for _, a := range found {
		list = append(list, assignmentOf(a, req.ID))
	}
	return arm.AnswerList(list, req.NextLink(next)), nil
}

func (h *handlers) getAssignment(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	a, err := h.service.RoleAssignment(ctx, req.Who, req.ID, req.Name("assignment"))
	if twinkey.KindOf(err) == twinkey.NotFound {
		err = arm.WithCode("RoleAssignmentNotFound", err)
	}
	if err != nil {
		return nil, err
	}
	return arm.Answer(http.StatusOK, assignmentOf(a, req.ID)), nil
}

func (h *handlers) putAssignment(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	var body struct {
		Properties *struct {
			RoleDefinitionID                   string  `json:"roleDefinitionId"`
			PrincipalID                        string  `json:"principalId"`
			PrincipalType                      *string `json:"principalType"`
			Description                        *string `json:"description"`
			Condition                          *string `json:"condition"`
			DelegatedManagedIdentityResourceID *string `json:"delegatedManagedIdentityResourceId"`
		} `json:"properties"`
	}
	if err := req.Decode(&body); err != nil {
		return nil, err
	}
	p := body.Properties
	if p == nil {
		return nil, arm.WithCode("InvalidRequestContent", twinkey.Errorf(twinkey.Invalid, "The request content was invalid: 'properties' with 'roleDefinitionId' and 'principalId' is required."))
	}
	if text(p.DelegatedManagedIdentityResourceID) != "" {
		return nil, twinkey.Errorf(twinkey.Unsupported, "Delegated managed identities do not exist here. Leave delegatedManagedIdentityResourceId out.")
	}
	role, err := parseDefinitionID(p.RoleDefinitionID)
	if err != nil {
		return nil, err
	}
	a, created, err := h.service.PutRoleAssignment(ctx, req.Who, req.ID, req.Name("assignment"), accounts.AssignmentSpec{
		RoleID: role, PrincipalID: p.PrincipalID, PrincipalType: text(p.PrincipalType), Description: text(p.Description), Condition: text(p.Condition),
	})
	if twinkey.KindOf(err) == twinkey.InvalidName && !twinkey.IsGUID(req.Name("assignment")) {
		err = arm.WithCode("InvalidRoleAssignmentId", err)
	}
	if err != nil {
		return nil, err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return arm.Answer(status, assignmentOf(a, req.ID)), nil
}

func (h *handlers) deleteAssignment(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	a, err := h.service.DeleteRoleAssignment(ctx, req.Who, req.ID, req.Name("assignment"))
	if err != nil {
		return nil, err
	}
	if a == nil {
		return arm.Answer(http.StatusNoContent, nil), nil
	}
	return arm.Answer(http.StatusOK, assignmentOf(*a, req.ID)), nil
}

// assignmentFilter reads a $filter (Microsoft.Authorization 2022-04-01,
// RoleAssignmentFilterParameter; Azure RBAC documentation, "List Azure role
// assignments using the REST API").
func assignmentFilter(filter string) (accounts.AssignmentFilter, error) {
	var f accounts.AssignmentFilter
	terms, ok := parseFilter(filter)
	for _, t := range terms {
		switch {
		case t.calls("atScope()") && !f.NotBelow:
			f.NotBelow = true
		case t.is("principalId eq") && f.Principal == "" && twinkey.IsGUID(t.value):
			f.Principal = t.value
		case t.is("assignedTo()") && f.Principal == "" && twinkey.IsGUID(t.value):
			f.Principal, f.ByGroup = t.value, true
		default:
			ok = false
		}
	}
	if !ok {
		return f, twinkey.Errorf(twinkey.Unsupported, "The filter '%s' is not supported. Supported: atScope(), principalId eq '{object id}', assignedTo('{object id}'), and the first together with one of the others.", twinkey.Printable(filter, 100))
	}
	return f, nil
}

// parseDefinitionID takes the GUID off a role definition's id, at whatever scope
// it is named.
func parseDefinitionID(id string) (string, error) {
	at := strings.LastIndex(strings.ToLower(id), strings.ToLower(provider)+"/roledefinitions/")
	if at < 0 {
		return "", twinkey.Errorf(twinkey.Invalid, "The roleDefinitionId '%s' is invalid. Expected [/subscriptions/{id}]%s/roleDefinitions/{GUID}.", twinkey.Printable(id, 200), provider)
	}
	if at > 0 {
		if _, err := twinkey.ParseResourceID(id[:at]); err != nil {
			return "", err
		}
	}
	return id[at+len(provider)+len("/roleDefinitions/"):], nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

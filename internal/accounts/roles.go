package accounts

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
)

// The actions of Microsoft.Authorization that this package decides on.
const (
	ActionReadAssignment   = "Microsoft.Authorization/roleAssignments/read"
	ActionWriteAssignment  = "Microsoft.Authorization/roleAssignments/write"
	ActionDeleteAssignment = "Microsoft.Authorization/roleAssignments/delete"
	ActionReadRole         = "Microsoft.Authorization/roleDefinitions/read"
	ActionWriteRole        = "Microsoft.Authorization/roleDefinitions/write"
	ActionDeleteRole       = "Microsoft.Authorization/roleDefinitions/delete"
)

// Principals says who there is. It fails with kind PrincipalNotFound.
type Principals interface {
	Principal(ctx context.Context, tenant, oid string) (twinkey.Principal, error)
}

// Grants is what decides about a call at a scope: the role assignments at it
// and above it, and the custom roles they name, all at one revision.
type Grants struct {
	Assignments []access.Assignment
	Custom      []access.Role
}

// Role finds a built-in role, or a custom one that is assigned; it is an
// access.Roles.
func (g Grants) Role(id string) (access.Role, bool) {
	for _, r := range g.Custom {
		if strings.EqualFold(r.ID, id) {
			return r, true
		}
	}
	return access.BuiltInByID(id)
}

// RoleDefinition is a role as it is listed. Built-in roles were made by nobody.
type RoleDefinition struct {
	Role      access.Role                `json:"role"`
	CreatedBy string                     `json:"createdBy"` // object id
	CreatedOn time.Time                  `json:"createdOn"`
	UpdatedBy string                     `json:"updatedBy"` // object id
	UpdatedOn time.Time                  `json:"updatedOn"`
	Revision  twinkey.Revision           `json:"-"`
	Kept      map[string]json.RawMessage `json:"-"` // fields of a newer version, written back unread
}

// RoleAssignment is an assignment as a document.
type RoleAssignment access.Assignment

func (a *RoleAssignment) resource() twinkey.ResourceID { return a.Scope }
func (r *RoleDefinition) resource() twinkey.ResourceID { return r.home() }

// home is the subscription that a custom role belongs to: all its assignable
// scopes are in one.
func (r *RoleDefinition) home() twinkey.ResourceID {
	if len(r.Role.AssignableScopes) == 0 {
		return twinkey.ResourceID{}
	}
	scope, err := twinkey.ParseResourceID(r.Role.AssignableScopes[0])
	if err != nil {
		return twinkey.ResourceID{}
	}
	return twinkey.ResourceID{Subscription: scope.Subscription}
}

// assignableAt reports whether the role may be assigned at scope.
func (r *RoleDefinition) assignableAt(scope twinkey.ResourceID) bool {
	return r.assignable(func(s twinkey.ResourceID) bool { return s.Contains(scope) })
}

// assignableWithin reports whether there is anything in scope where the role may
// be assigned.
func (r *RoleDefinition) assignableWithin(scope twinkey.ResourceID) bool {
	return r.assignable(func(s twinkey.ResourceID) bool { return s.Contains(scope) || scope.Contains(s) })
}

func (r *RoleDefinition) assignable(fits func(twinkey.ResourceID) bool) bool {
	for _, text := range r.Role.AssignableScopes {
		if scope, err := twinkey.ParseResourceID(text); err == nil && fits(scope) {
			return true
		}
	}
	return false
}

// Permissions lists what the caller itself may do at scope, by the permissions
// of the roles it holds there. It takes no permission and looks nothing up but
// assignments: at an absent scope it says what it would at a present one.
func (s *Service) Permissions(ctx context.Context, who twinkey.Caller, scope twinkey.ResourceID) ([]access.Permission, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	held, err := s.store.Grants(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("reading role assignments: %w", err)
	}
	return access.Held(who.Principal, scope, held.Assignments, held.Role), nil
}

// anchor returns the documents that must stay as they are while something is
// attached to scope, or says what is missing. Without them an assignment could
// outlive its scope, and give access to the next one of the same name.
func (s *Service) anchor(ctx context.Context, scope twinkey.ResourceID) ([]Document, error) {
	if scope.Group == "" {
		return nil, nil // subscriptions are never removed
	}
	group, err := s.findGroup(ctx, twinkey.ResourceID{Subscription: scope.Subscription, Group: scope.Group})
	if err != nil {
		return nil, err
	}
	if group.State != GroupActive {
		return nil, beingDeleted(group)
	}
	if scope.Account == "" {
		return []Document{group}, nil
	}
	account, err := s.find(ctx, scope)
	if err != nil {
		return nil, err
	}
	return []Document{account}, nil
}

// exists says what is missing if scope is not there.
func (s *Service) exists(ctx context.Context, scope twinkey.ResourceID) error {
	switch {
	case scope.Account != "":
		_, err := s.find(ctx, scope)
		return err
	case scope.Group != "":
		_, err := s.findGroup(ctx, scope)
		return err
	}
	return nil
}

package accounts

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
)

// The limits of custom roles. Azure's own are 5000 roles in a tenant, 512
// characters of name and 2048 of description (Azure RBAC documentation, "Azure
// custom roles"); a role's whole document has to be read with the call it
// decides.
const (
	maxRoles       = 5000
	maxRoleName    = 512
	maxRoleActions = 2000
	maxRoleScopes  = 100
	maxActionName  = 512
)

// RoleSpec says what a custom role is to be.
type RoleSpec struct {
	Name             string
	Description      string
	AssignableScopes []string // a subscription and groups of it
	Permissions      []access.Permission
}

// RoleDefinitions lists the built-in roles, and the custom ones that may be
// assigned at scope, or also below it; above every subscription, all of them.
func (s *Service) RoleDefinitions(ctx context.Context, who twinkey.Caller, scope twinkey.ResourceID, below bool) ([]RoleDefinition, error) {
	if err := s.authorize(ctx, who, ActionReadRole, scope); err != nil {
		return nil, err
	}
	var list []RoleDefinition
	for _, r := range access.BuiltIn() {
		list = append(list, RoleDefinition{Role: r})
	}
	custom, err := s.store.CustomRoles(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range custom {
		if r.assignableAt(scope) || (below || scope.Subscription == "") && r.assignableWithin(scope) {
			list = append(list, r)
		}
	}
	return list, nil
}

// RoleDefinition returns a built-in role, or a custom one that may be assigned
// at scope or below it.
func (s *Service) RoleDefinition(ctx context.Context, who twinkey.Caller, scope twinkey.ResourceID, id string) (RoleDefinition, error) {
	if err := s.authorize(ctx, who, ActionReadRole, scope); err != nil {
		return RoleDefinition{}, err
	}
	if r, ok := access.BuiltInByID(id); ok {
		return RoleDefinition{Role: r}, nil
	}
	r, err := s.store.CustomRole(ctx, id)
	if err != nil {
		return RoleDefinition{}, err
	}
	if r == nil || !r.assignableWithin(scope) {
		return RoleDefinition{}, noSuchRole(id)
	}
	return *r, nil
}

// PutRoleDefinition makes a custom role under an id that the caller has drawn,
// or changes one. All scopes at which it may be assigned, before and after, are
// in the subscription of scope, and the caller needs the permission at each of
// them: whoever holds the role there would gain what is put into it.
func (s *Service) PutRoleDefinition(ctx context.Context, who twinkey.Caller, scope twinkey.ResourceID, id string, spec RoleSpec) (RoleDefinition, error) {
	if err := s.authorize(ctx, who, ActionWriteRole, scope); err != nil {
		return RoleDefinition{}, err
	}
	scopes, err := spec.check(scope, id)
	if err != nil {
		return RoleDefinition{}, err
	}
	sub, err := s.writable(ctx, scope.Subscription)
	if err != nil {
		return RoleDefinition{}, err
	}
	if err := s.authorizeAll(ctx, who, ActionWriteRole, scopes); err != nil {
		return RoleDefinition{}, err
	}
	for range attempts {
		next, w, planErr := s.planRole(ctx, who, scope, id, spec)
		if planErr != nil {
			return RoleDefinition{}, planErr
		}
		w.Require = []Document{sub}
		revision, commitErr := s.store.Commit(ctx, w)
		if commitErr == nil {
			next.Revision = revision
			return *next, nil
		}
		if err = commitErr; !again(err) {
			return RoleDefinition{}, fmt.Errorf("writing role definition: %w", err)
		}
		var subErr error
		if sub, subErr = s.writable(ctx, scope.Subscription); subErr != nil {
			return RoleDefinition{}, subErr
		}
	}
	return RoleDefinition{}, contended(scope, err)
}

// DeleteRoleDefinition removes a custom role that nobody holds and returns what
// it was, nil if there was none.
func (s *Service) DeleteRoleDefinition(ctx context.Context, who twinkey.Caller, scope twinkey.ResourceID, id string) (*RoleDefinition, error) {
	if err := s.authorize(ctx, who, ActionDeleteRole, scope); err != nil {
		return nil, err
	}
	if _, ok := access.BuiltInByID(id); ok {
		return nil, twinkey.Errorf(twinkey.Unsupported, "Built-in roles cannot be deleted.")
	}
	err := error(nil)
	for range attempts {
		role, readErr := s.store.CustomRole(ctx, id)
		if readErr != nil || role == nil || !role.assignableWithin(scope) {
			return nil, readErr
		}
		if err := s.authorizeAll(ctx, who, ActionDeleteRole, role.scopes()); err != nil {
			return nil, err
		}
		sub, subErr := s.writable(ctx, role.home().Subscription)
		if subErr != nil {
			return nil, subErr
		}
		if err := s.unused(ctx, role); err != nil {
			return nil, err
		}
		entry := s.record(who, ActionDeleteRole, role.home(), "role", role.Role.ID, "name", role.Role.Name)
		_, commitErr := s.store.Commit(ctx, Write{Require: []Document{sub}, Remove: []Document{role}, Activity: entry})
		if commitErr == nil {
			return role, nil
		}
		if err = commitErr; !again(err) {
			return nil, fmt.Errorf("deleting role definition: %w", err)
		}
	}
	return nil, contended(scope, err)
}

// planRole works out the one transaction that makes the role what spec asks for.
func (s *Service) planRole(ctx context.Context, who twinkey.Caller, scope twinkey.ResourceID, id string, spec RoleSpec) (*RoleDefinition, Write, error) {
	all, err := s.store.CustomRoles(ctx)
	if err != nil {
		return nil, Write{}, err
	}
	next := &RoleDefinition{CreatedBy: who.ObjectID, CreatedOn: s.now().UTC()}
	newest := twinkey.Revision(0)
	for i := range all {
		newest = max(newest, all[i].Revision)
		if strings.EqualFold(all[i].Role.ID, id) {
			next = &all[i]
		} else if strings.EqualFold(all[i].Role.Name, spec.Name) {
			return nil, Write{}, roleNameTaken(spec.Name)
		}
	}
	if _, taken := access.BuiltInByName(spec.Name); taken {
		return nil, Write{}, roleNameTaken(spec.Name)
	}
	if next.Revision == 0 && len(all) >= maxRoles {
		return nil, Write{}, twinkey.Errorf(twinkey.Invalid, "There are %d custom roles, the most allowed.", len(all))
	}
	if next.Revision != 0 {
		if next.home().Folded() != (twinkey.ResourceID{Subscription: twinkey.Fold(scope.Subscription)}) {
			return nil, Write{}, twinkey.Errorf(twinkey.InvalidName, "The role definition ID '%s' cannot be used here. Draw another.", twinkey.Printable(id, 60))
		}
		if err := s.authorizeAll(ctx, who, ActionWriteRole, next.scopes()); err != nil {
			return nil, Write{}, err
		}
	}
	next.Role = access.Role{ID: twinkey.Fold(id), Name: spec.Name, Description: spec.Description, Type: access.CustomRole,
		AssignableScopes: spec.AssignableScopes, Permissions: spec.Permissions}
	next.UpdatedBy, next.UpdatedOn = who.ObjectID, s.now().UTC()
	return next, Write{Put: []Document{next}, Newest: &newest,
		Activity: s.record(who, ActionWriteRole, scope, "role", next.Role.ID, "name", next.Role.Name)}, nil
}

// unused refuses a role that somebody holds.
func (s *Service) unused(ctx context.Context, role *RoleDefinition) error {
	for page := (Page{}); ; {
		list, next, err := s.store.AssignmentsWithin(ctx, role.home(), page)
		if err != nil {
			return err
		}
		for _, a := range list {
			if strings.EqualFold(a.RoleID, role.Role.ID) {
				return twinkey.Errorf(twinkey.RoleInUse, "There are existing role assignments referencing the role '%s'. Delete them first.", role.Role.Name)
			}
		}
		if next == "" {
			return nil
		}
		page.After = next
	}
}

// authorizeAll is authorize at each of several scopes.
func (s *Service) authorizeAll(ctx context.Context, who twinkey.Caller, action string, scopes []twinkey.ResourceID) error {
	for i, scope := range scopes {
		around := func(other twinkey.ResourceID) bool { return other.Contains(scope) }
		if slices.ContainsFunc(scopes[:i], around) {
			continue // decided already, and inherited
		}
		if err := s.authorize(ctx, who, action, scope); err != nil {
			return err
		}
	}
	return nil
}

// scopes are the assignable scopes, the widest first.
func (r *RoleDefinition) scopes() []twinkey.ResourceID {
	var list []twinkey.ResourceID
	for _, text := range r.Role.AssignableScopes {
		if scope, err := twinkey.ParseResourceID(text); err == nil {
			list = append(list, scope)
		}
	}
	slices.SortStableFunc(list, func(a, b twinkey.ResourceID) int { return len(a.Group) - len(b.Group) })
	return list
}

// check looks at what can be checked without looking anything up, and returns
// the assignable scopes, the widest first.
func (spec RoleSpec) check(scope twinkey.ResourceID, id string) ([]twinkey.ResourceID, error) {
	if !twinkey.IsGUID(id) {
		return nil, twinkey.Errorf(twinkey.InvalidName, "The role definition ID '%s' is not valid. The role definition ID must be a GUID.", twinkey.Printable(id, 60))
	}
	if _, ok := access.BuiltInByID(id); ok {
		return nil, twinkey.Errorf(twinkey.Unsupported, "Built-in roles cannot be changed. Draw another ID for a role of your own.")
	}
	if scope.Subscription == "" || scope.Account != "" {
		return nil, twinkey.Errorf(twinkey.Unsupported, "Custom roles belong to a subscription. Use a path that begins with /subscriptions/{id}/providers/Microsoft.Authorization.")
	}
	if n := len([]rune(spec.Name)); n == 0 || n > maxRoleName || strings.TrimSpace(spec.Name) != spec.Name || strings.ContainsFunc(spec.Name, unicode.IsControl) {
		return nil, twinkey.Errorf(twinkey.Invalid, "The roleName '%s' is invalid. It must have 1 to %d characters and neither begin nor end with a space.", twinkey.Printable(spec.Name, 60), maxRoleName)
	}
	if err := checkRoleText("description", spec.Description, maxRoleDescription); err != nil {
		return nil, err
	}
	if err := checkPermissions(spec.Permissions); err != nil {
		return nil, err
	}
	if n := len(spec.AssignableScopes); n == 0 || n > maxRoleScopes {
		return nil, twinkey.Errorf(twinkey.Invalid, "A custom role needs 1 to %d assignableScopes, and has %d.", maxRoleScopes, n)
	}
	for _, text := range spec.AssignableScopes {
		at, err := twinkey.ParseResourceID(text)
		if err != nil {
			return nil, err
		}
		if at.Account != "" || !strings.EqualFold(at.Subscription, scope.Subscription) {
			return nil, twinkey.Errorf(twinkey.Invalid, "The assignable scope '%s' must be the subscription '%s' or a resource group of it.", twinkey.Printable(text, 200), scope.Subscription)
		}
	}
	draft := RoleDefinition{Role: access.Role{AssignableScopes: spec.AssignableScopes}}
	return draft.scopes(), nil
}

// checkPermissions applies the form of actions: "*", or segments of letters,
// digits, '.', '-', '_' and '*', joined by '/'.
func checkPermissions(permissions []access.Permission) error {
	n := 0
	for _, p := range permissions {
		for _, list := range [][]string{p.Actions, p.NotActions, p.DataActions, p.NotDataActions} {
			for _, action := range list {
				n++
				if !isAction(action) {
					return twinkey.Errorf(twinkey.Invalid, "'%s' is not an action. Expected a name such as Microsoft.CognitiveServices/accounts/read, in which * stands for any text.", twinkey.Printable(action, 100))
				}
			}
		}
	}
	if n == 0 || n > maxRoleActions {
		return twinkey.Errorf(twinkey.Invalid, "The permissions of a custom role need 1 to %d actions, and have %d.", maxRoleActions, n)
	}
	return nil
}

func isAction(s string) bool {
	if s == "*" {
		return true
	}
	if len(s) > maxActionName || !strings.Contains(s, "/") || strings.HasPrefix(s, "/") || strings.HasSuffix(s, "/") || strings.Contains(s, "//") {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && !strings.ContainsRune("./-_*", rune(c)) {
			return false
		}
	}
	return true
}

func roleNameTaken(name string) error {
	return twinkey.Errorf(twinkey.RoleNameTaken, "A role with the name '%s' already exists in this directory. Use a different name.", twinkey.Printable(name, 60))
}

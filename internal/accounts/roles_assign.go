package accounts

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
)

// maxAssignments is how many assignments one scope has at most: all of them are
// read on every call at the scope or below it. Groups are for larger numbers.
const maxAssignments = 4000

// maxRoleDescription is the longest description of a role or an assignment, in
// bytes.
const maxRoleDescription = 2048

// AssignmentSpec says whom to give which role.
type AssignmentSpec struct {
	RoleID        string // GUID
	PrincipalID   string // object id
	PrincipalType string // zero: whatever the principal is
	Description   string
	Condition     string // refused unless it is empty
}

// AssignmentFilter says which assignments are wanted; the zero value wants all
// at, above and below a scope.
type AssignmentFilter struct {
	NotBelow  bool   // only those at the scope and above it
	Principal string // object id; "" for anybody's
	ByGroup   bool   // Principal's groups' too
}

// RoleAssignment returns one assignment at exactly this scope.
func (s *Service) RoleAssignment(ctx context.Context, who twinkey.Caller, scope twinkey.ResourceID, id string) (access.Assignment, error) {
	if err := s.authorize(ctx, who, ActionReadAssignment, scope); err != nil {
		return access.Assignment{}, err
	}
	a, err := s.store.Assignment(ctx, scope, id)
	if err != nil {
		return access.Assignment{}, err
	}
	if a == nil {
		return access.Assignment{}, twinkey.Errorf(twinkey.NotFound, "The role assignment '%s' is not found.", twinkey.Printable(id, 60))
	}
	return access.Assignment(*a), nil
}

// RoleAssignments lists assignments. The second result goes into Page.After to
// get the next page; it is "" when there is none. A page may be empty and not
// the last.
func (s *Service) RoleAssignments(ctx context.Context, who twinkey.Caller, scope twinkey.ResourceID, f AssignmentFilter, page Page) ([]access.Assignment, string, error) {
	if err := s.authorize(ctx, who, ActionReadAssignment, scope); err != nil {
		return nil, "", err
	}
	if err := s.exists(ctx, scope); err != nil {
		return nil, "", err
	}
	wanted, err := s.wanted(ctx, who, f)
	if err != nil {
		return nil, "", err
	}
	var all []access.Assignment
	if page.After == "" {
		held, err := s.store.Grants(ctx, scope)
		if err != nil {
			return nil, "", err
		}
		for _, a := range held.Assignments {
			if f.NotBelow || a.Scope.Folded() != scope.Folded() {
				all = append(all, a)
			}
		}
	}
	next := ""
	if !f.NotBelow {
		var below []access.Assignment
		if below, next, err = s.store.AssignmentsWithin(ctx, scope, page); err != nil {
			return nil, "", err
		}
		all = append(all, below...)
	}
	var list []access.Assignment
	for _, a := range all {
		if wanted(a) {
			list = append(list, a)
		}
	}
	return list, next, nil
}

// PutRoleAssignment gives a principal a role at a scope under an id that the
// caller has drawn, or changes the description of an assignment that is there.
// The flag says whether it is new.
func (s *Service) PutRoleAssignment(ctx context.Context, who twinkey.Caller, scope twinkey.ResourceID, id string, spec AssignmentSpec) (access.Assignment, bool, error) {
	if err := s.authorize(ctx, who, ActionWriteAssignment, scope); err != nil {
		return access.Assignment{}, false, err
	}
	if err := spec.check(id); err != nil {
		return access.Assignment{}, false, err
	}
	err := error(nil)
	for range attempts {
		ground, groundErr := s.ground(ctx, scope)
		if groundErr != nil {
			return access.Assignment{}, false, groundErr
		}
		next, w, created, planErr := s.planAssignment(ctx, who, scope, id, spec)
		if planErr != nil || w.Put == nil {
			return next, false, planErr
		}
		w.Require = append(w.Require, ground...)
		revision, commitErr := s.store.Commit(ctx, w)
		if commitErr == nil {
			next.Revision = revision
			return next, created, nil
		}
		if err = commitErr; !again(err) {
			return access.Assignment{}, false, fmt.Errorf("writing role assignment: %w", err)
		}
	}
	return access.Assignment{}, false, contended(scope, err)
}

// DeleteRoleAssignment takes a role away and returns what it was, nil if there
// was none. It works in a disabled subscription as well: access can always be
// taken away.
//
// The local administrator keeps its role at the root. Whoever holds the files
// of the server could give it back in any case, and with it gone a mistake with
// the other assignments could be undone by nobody who calls this surface.
func (s *Service) DeleteRoleAssignment(ctx context.Context, who twinkey.Caller, scope twinkey.ResourceID, id string) (*access.Assignment, error) {
	if err := s.authorize(ctx, who, ActionDeleteAssignment, scope); err != nil {
		return nil, err
	}
	err := error(nil)
	for range attempts {
		a, readErr := s.store.Assignment(ctx, scope, id)
		if readErr != nil || a == nil {
			return nil, readErr
		}
		if a.BuiltIn {
			return nil, twinkey.Errorf(twinkey.Unsupported, "This is the role of the local administrator, the last way in: it cannot be removed.")
		}
		entry := s.record(who, ActionDeleteAssignment, scope, "assignment", a.ID, "principal", a.PrincipalID, "role", a.RoleID)
		_, commitErr := s.store.Commit(ctx, Write{Remove: []Document{a}, Activity: entry})
		if commitErr == nil {
			return (*access.Assignment)(a), nil
		}
		if err = commitErr; !again(err) {
			return nil, fmt.Errorf("deleting role assignment: %w", err)
		}
	}
	return nil, contended(scope, err)
}

// planAssignment works out the one transaction that makes the assignment what
// spec asks for; without a Put it is so already.
func (s *Service) planAssignment(ctx context.Context, who twinkey.Caller, scope twinkey.ResourceID, id string, spec AssignmentSpec) (access.Assignment, Write, bool, error) {
	fail := func(err error) (access.Assignment, Write, bool, error) {
		return access.Assignment{}, Write{}, false, err
	}
	anchor, err := s.anchor(ctx, scope)
	if err != nil {
		return fail(err)
	}
	current, newest, err := s.assignmentsAt(ctx, scope, id, spec)
	if err != nil {
		return fail(err)
	}
	details := []string{"assignment", twinkey.Fold(id), "principal", twinkey.Fold(spec.PrincipalID), "role", twinkey.Fold(spec.RoleID)}
	w := Write{Require: anchor, Newest: &newest, Activity: s.record(who, ActionWriteAssignment, scope, details...)}
	if current != nil {
		return s.sameAssignment(who, *current, spec, w)
	}
	role, err := s.roleToAssign(ctx, scope, spec.RoleID)
	if err != nil {
		return fail(err)
	}
	kind, err := s.principalType(ctx, who, spec)
	if err != nil {
		return fail(err)
	}
	now := s.now().UTC()
	next := RoleAssignment{ID: twinkey.Fold(id), Scope: scope, RoleID: twinkey.Fold(spec.RoleID), PrincipalID: twinkey.Fold(spec.PrincipalID), PrincipalType: kind,
		Description: spec.Description, CreatedBy: who.ObjectID, CreatedOn: now, UpdatedBy: who.ObjectID, UpdatedOn: now}
	w.Put = []Document{&next}
	if role != nil {
		w.Put = append(w.Put, role) // unchanged, but a deletion of the role that has begun fails
	}
	return access.Assignment(next), w, true, nil
}

// sameAssignment is planAssignment for one that is there.
func (s *Service) sameAssignment(who twinkey.Caller, current access.Assignment, spec AssignmentSpec, w Write) (access.Assignment, Write, bool, error) {
	if !strings.EqualFold(current.PrincipalID, spec.PrincipalID) || !strings.EqualFold(current.RoleID, spec.RoleID) {
		return access.Assignment{}, Write{}, false, twinkey.Errorf(twinkey.RoleAssignmentFixed, "Tenant ID, application ID, principal ID, role and scope of a role assignment are not allowed to be updated. Delete '%s' and create another.", current.ID)
	}
	if current.Description == spec.Description {
		return current, Write{}, false, nil
	}
	current.Description, current.UpdatedBy, current.UpdatedOn = spec.Description, who.ObjectID, s.now().UTC()
	next := RoleAssignment(current)
	w.Put = []Document{&next}
	return current, w, false, nil
}

// assignmentsAt looks at what is assigned at exactly this scope: the assignment
// with this id, if any, and the revision of the newest one. It fails if the
// principal has the role there under another id.
func (s *Service) assignmentsAt(ctx context.Context, scope twinkey.ResourceID, id string, spec AssignmentSpec) (*access.Assignment, twinkey.Revision, error) {
	held, err := s.store.Grants(ctx, scope)
	if err != nil {
		return nil, 0, err
	}
	var current, same *access.Assignment
	newest, n := twinkey.Revision(0), 0
	for i := range held.Assignments {
		a := &held.Assignments[i]
		if a.Scope.Folded() != scope.Folded() {
			continue
		}
		n++
		newest = max(newest, a.Revision)
		if strings.EqualFold(a.ID, id) {
			current = a
		} else if strings.EqualFold(a.PrincipalID, spec.PrincipalID) && strings.EqualFold(a.RoleID, spec.RoleID) {
			same = a
		}
	}
	switch {
	case current != nil:
		return current, newest, nil
	case same != nil:
		return nil, 0, twinkey.Errorf(twinkey.RoleAssignmentExists, "The role assignment already exists. The ID of the conflicting role assignment is %s.", same.ID)
	case n >= maxAssignments:
		return nil, 0, twinkey.Errorf(twinkey.Invalid, "The scope '%s' has %d role assignments, the most allowed. Assign roles to groups instead.", scope, n)
	}
	return nil, newest, nil
}

// roleToAssign finds the role and checks that it may be assigned at scope. It
// returns the document of a custom role, nil for a built-in one.
func (s *Service) roleToAssign(ctx context.Context, scope twinkey.ResourceID, id string) (*RoleDefinition, error) {
	if _, ok := access.BuiltInByID(id); ok {
		return nil, nil
	}
	role, err := s.store.CustomRole(ctx, id)
	if err != nil {
		return nil, err
	}
	if role == nil || !role.assignableAt(scope) {
		return nil, noSuchRole(id)
	}
	return role, nil
}

// principalType looks the principal up.
func (s *Service) principalType(ctx context.Context, who twinkey.Caller, spec AssignmentSpec) (twinkey.PrincipalType, error) {
	p, err := s.principals.Principal(ctx, who.Tenant, spec.PrincipalID)
	if twinkey.KindOf(err) == twinkey.PrincipalNotFound {
		return "", twinkey.Wrap(err, twinkey.PrincipalNotFound, "Principal %s does not exist in the directory %s. Check that you have the correct principal ID.", spec.PrincipalID, who.Tenant)
	}
	if err != nil {
		return "", err
	}
	if spec.PrincipalType != "" && !strings.EqualFold(spec.PrincipalType, string(p.Type)) {
		return "", twinkey.Errorf(twinkey.PrincipalTypeMismatch, "The principal '%s' is of type '%s', which is different from the specified type '%s'.", spec.PrincipalID, p.Type, twinkey.Printable(spec.PrincipalType, 40))
	}
	return p.Type, nil
}

// wanted makes the test for what a filter says about principals.
func (s *Service) wanted(ctx context.Context, who twinkey.Caller, f AssignmentFilter) (func(access.Assignment) bool, error) {
	if f.Principal == "" {
		return func(access.Assignment) bool { return true }, nil
	}
	p := twinkey.Principal{ObjectID: twinkey.Fold(f.Principal)}
	if f.ByGroup {
		found, err := s.principals.Principal(ctx, who.Tenant, f.Principal)
		if err != nil && twinkey.KindOf(err) != twinkey.PrincipalNotFound {
			return nil, err
		}
		if err == nil {
			p = found
		}
	}
	return func(a access.Assignment) bool { return holds(p, a.PrincipalID) }, nil
}

// check looks at what can be checked without looking anything up.
func (spec AssignmentSpec) check(id string) error {
	switch {
	case !twinkey.IsGUID(id):
		return twinkey.Errorf(twinkey.InvalidName, "The role assignment ID '%s' is not valid. The role assignment ID must be a GUID.", twinkey.Printable(id, 60))
	case spec.Condition != "":
		return twinkey.Errorf(twinkey.Unsupported, "Conditions on role assignments are not evaluated here, so an assignment that has one is refused. Assign a narrower role, or a narrower scope, without a condition.")
	case !twinkey.IsGUID(spec.RoleID):
		return twinkey.Errorf(twinkey.Invalid, "The roleDefinitionId is required and must end in /providers/Microsoft.Authorization/roleDefinitions/{GUID}.")
	case !twinkey.IsGUID(spec.PrincipalID):
		return twinkey.Errorf(twinkey.Invalid, "The principalId '%s' must be the object id of a principal, a GUID.", twinkey.Printable(spec.PrincipalID, 60))
	}
	return checkRoleText("description", spec.Description, maxRoleDescription)
}

// checkRoleText refuses text that is too long or holds control characters.
func checkRoleText(what, text string, limit int) error {
	if len(text) > limit {
		return twinkey.Errorf(twinkey.Invalid, "The %s has %d bytes; %d are allowed.", what, len(text), limit)
	}
	for _, r := range text {
		if r == unicode.ReplacementChar || unicode.IsControl(r) && r != '\n' && r != '\t' {
			return twinkey.Errorf(twinkey.Invalid, "The %s holds control characters.", what)
		}
	}
	return nil
}

func noSuchRole(id string) error {
	return twinkey.Errorf(twinkey.RoleNotFound, "The specified role definition with ID '%s' does not exist.", twinkey.Printable(id, 60))
}

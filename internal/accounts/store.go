package accounts

import (
	"context"
	"errors"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
	"github.com/twinkey/twinkey/internal/audit"
)

// ErrConflict says that something in a Write was not as it had been read. It
// says so for certain: nothing was written.
var ErrConflict = errors.New("changed since it was read")

// ErrUnknown says that nobody knows whether a Write happened: the store did not
// answer in time. Only reading again tells.
var ErrUnknown = errors.New("the store did not answer in time")

// Store keeps the documents. Reads are linearizable. A document that is absent
// is nil without an error. Names compare case-folded.
type Store interface {
	Subscriptions(ctx context.Context) ([]Subscription, error)
	Subscription(ctx context.Context, id string) (*Subscription, error)
	Bootstrap(ctx context.Context, sub Subscription, owners []access.Assignment) error

	Group(ctx context.Context, id twinkey.ResourceID) (*Group, error)
	Groups(ctx context.Context, subscription string, page Page) ([]Group, string, error)
	Account(ctx context.Context, id twinkey.ResourceID) (*Account, error)
	// Accounts lists a group's or a subscription's accounts in key order.
	Accounts(ctx context.Context, scope twinkey.ResourceID, page Page) ([]Account, string, error)

	// SubDomainTaken reports whether an account has the sub-domain.
	SubDomainTaken(ctx context.Context, name string) (bool, error)

	Operation(ctx context.Context, subscription, name string) (*Operation, error)
	// Operations returns a subscription's operations, the oldest first, at most limit.
	Operations(ctx context.Context, subscription string, limit int) ([]Operation, error)

	// Grants returns the role assignments at scope and above it, and the custom
	// roles they name, at one revision.
	Grants(ctx context.Context, scope twinkey.ResourceID) (Grants, error)
	// Holds reports whether any of the principals, by object id, holds a role at
	// scope or below it.
	Holds(ctx context.Context, scope twinkey.ResourceID, principals []string) (bool, error)
	// AssignmentsWithin lists the role assignments at scope and below it.
	AssignmentsWithin(ctx context.Context, scope twinkey.ResourceID, page Page) ([]access.Assignment, string, error)
	// Assignment returns one role assignment at exactly this scope.
	Assignment(ctx context.Context, scope twinkey.ResourceID, id string) (*RoleAssignment, error)
	CustomRoles(ctx context.Context) ([]RoleDefinition, error)
	CustomRole(ctx context.Context, id string) (*RoleDefinition, error)

	// Revision is the newest revision there is.
	Revision(ctx context.Context) (twinkey.Revision, error)
	// Commit applies a Write at one revision, which it returns, or fails with
	// ErrConflict, ErrUnknown, or an error of kind Unavailable.
	Commit(ctx context.Context, w Write) (twinkey.Revision, error)
}

// Write is one transaction. Every document in it must still have the Revision
// it carries (0: must be absent), whether it is put, removed or only required.
type Write struct {
	Require []Document
	Put     []Document
	Remove  []Document // their sub-domains and role assignments go with them
	Claim   string     // sub-domain that must be free, and is taken for the account put
	Release string     // sub-domain the account put gives up

	// Newest is the revision of the newest document beside the first one put that
	// has been read: role assignments at the same scope, or custom roles. One that
	// is newer is a conflict.
	Newest *twinkey.Revision

	Activity []audit.Entry
}

// Document is one of *Subscription, *Group, *Account, *Operation,
// *RoleAssignment, *RoleDefinition.
type Document interface {
	resource() twinkey.ResourceID
}

func (s *Subscription) resource() twinkey.ResourceID {
	return twinkey.ResourceID{Subscription: s.ID}
}
func (g *Group) resource() twinkey.ResourceID     { return g.ID }
func (a *Account) resource() twinkey.ResourceID   { return a.ID }
func (o *Operation) resource() twinkey.ResourceID { return o.Group }

// Page says which part of a list is wanted.
type Page struct {
	After string // where the page before ended; "" is the start
	Limit int    // at most so many; 0 leaves it to the store
}

// Precondition is If-Match and If-None-Match; the zero value asks for nothing.
type Precondition struct {
	Match    *twinkey.Revision // must exist at this revision
	MatchAny bool              // must exist
	Absent   bool              // must not exist
}

func (c Precondition) check(exists bool, revision twinkey.Revision) error {
	switch {
	case c.Absent && exists:
		return twinkey.Errorf(twinkey.PreconditionFailed, "The resource exists already, and If-None-Match asks that it does not.")
	case (c.MatchAny || c.Match != nil) && !exists:
		return twinkey.Errorf(twinkey.PreconditionFailed, "The resource does not exist, and If-Match asks that it does.")
	case c.Match != nil && *c.Match != revision:
		return twinkey.Errorf(twinkey.PreconditionFailed, "The resource has changed since the ETag in If-Match was read. Read it again and repeat the change on what you find.")
	}
	return nil
}

// contended is the answer when attempts run out.
func contended(id twinkey.ResourceID, err error) error {
	if errors.Is(err, ErrUnknown) {
		return twinkey.Wrap(err, twinkey.Unavailable, "The store did not answer in time; whether the change of '%s' was made is not known. Read it and try again.", id)
	}
	return twinkey.Wrap(err, twinkey.Conflict, "'%s' is being changed by others too often. Try again.", id)
}

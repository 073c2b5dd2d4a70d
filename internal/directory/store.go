package directory

import (
	"context"
	"errors"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/audit"
)

// What a Store reports of the documents, as opposed to what ails it (an error
// of kind Unavailable, or one with no kind).
var (
	// ErrNotFound says that there is no such document.
	ErrNotFound = errors.New("not found")
	// ErrConflict says for certain that nothing was written, because the
	// document was not at the revision named.
	ErrConflict = errors.New("changed since it was read")
	// ErrNameTaken says for certain that nothing was written, because another
	// principal of the tenant holds one of the names.
	ErrNameTaken = errors.New("name is taken")
)

// Store keeps tenants and principals. Reads are linearizable: a principal
// disabled by a call that has returned is read as disabled by every call that
// begins later. What a read returns belongs to the caller. Tenant ids, object
// ids and names come case-folded.
type Store interface {
	// Tenants returns all tenants, the oldest (lowest create revision) first.
	Tenants(ctx context.Context) ([]Tenant, error)
	// PutTenant writes a tenant at ifRevision; 0 means that it must not exist.
	// It fails with ErrConflict.
	PutTenant(ctx context.Context, t Tenant, ifRevision twinkey.Revision) (twinkey.Revision, error)

	// Principal returns the document and its modification revision, which is
	// never 0. It fails with ErrNotFound.
	Principal(ctx context.Context, tenant, oid string) (Record, twinkey.Revision, error)
	// PrincipalByName finds a principal by a name it claimed: a folded user
	// principal name or an application id. It fails with ErrNotFound.
	PrincipalByName(ctx context.Context, tenant, name string) (Record, twinkey.Revision, error)
	// PutPrincipal writes the document, claims the names for it and records the
	// activity, in one transaction, and returns its revision. No other principal
	// may hold any of the names. Names claimed before stay claimed. It fails with
	// ErrConflict or ErrNameTaken (ErrNameTaken when both apply).
	PutPrincipal(ctx context.Context, w Write) (twinkey.Revision, error)
	// DeletePrincipal removes the document, gives up the names and records the
	// activity, in one transaction. It fails with ErrConflict, also when the
	// document is gone.
	DeletePrincipal(ctx context.Context, w Write) (twinkey.Revision, error)
	// ListPrincipals returns at most limit documents whose object ids are
	// greater than after, in the order of their object ids.
	ListPrincipals(ctx context.Context, tenant, after string, limit int) ([]Record, error)
}

// Write is one transaction about one principal.
type Write struct {
	Record   Record
	Revision twinkey.Revision            // what the document must be at; 0: it must not exist
	Names    []string                    // claimed, or given up
	Require  map[string]twinkey.Revision // what other principals of the tenant must be at, by object id
	Activity []audit.Entry
}

package directory

import (
	"context"
	"errors"
	"fmt"

	"github.com/twinkey/twinkey"
)

// maxPage is the longest page of a list.
const maxPage = 1000

// Disable keeps a principal out, at once and whatever it was granted.
func (s *Service) Disable(ctx context.Context, who twinkey.Caller, tenant, oid string) (Change, error) {
	return s.edit(ctx, who, "disable", tenant, oid, func(rec *Record) (string, error) {
		rec.Disabled = true
		return "", nil
	})
}

// Enable lets a disabled principal in again.
func (s *Service) Enable(ctx context.Context, who twinkey.Caller, tenant, oid string) (Change, error) {
	return s.edit(ctx, who, "enable", tenant, oid, func(rec *Record) (string, error) {
		rec.Disabled = false
		return "", nil
	})
}

// Delete removes a principal with all its credentials. Its object id is never
// used again.
func (s *Service) Delete(ctx context.Context, who twinkey.Caller, tenant, oid string) (Change, error) {
	for range attempts {
		rec, revision, err := s.read(ctx, tenant, oid)
		if err != nil {
			return Change{}, err
		}
		revision, err = s.store.DeletePrincipal(ctx, rec.Tenant, rec.ObjectID, revision, rec.Names())
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return Change{}, fmt.Errorf("deleting principal: %w", err)
		}
		return s.done(who, "delete", "", rec, revision), nil
	}
	return Change{}, contended(oid)
}

// Get returns the record of one principal. It fails with kind
// PrincipalNotFound.
func (s *Service) Get(ctx context.Context, tenant, oid string) (Record, error) {
	rec, _, err := s.read(ctx, tenant, oid)
	return rec, err
}

// Find returns the record of the principal with a user principal name or an
// application id. It fails with kind PrincipalNotFound.
func (s *Service) Find(ctx context.Context, tenant, name string) (Record, error) {
	rec, err := s.named(ctx, twinkey.Fold(tenant), twinkey.Fold(name))
	if errors.Is(err, ErrNotFound) {
		return Record{}, twinkey.Wrap(err, twinkey.PrincipalNotFound, "Principal '%s' does not exist in the directory '%s'.", twinkey.Printable(name, 120), twinkey.Printable(tenant, 60))
	}
	if err != nil {
		return Record{}, fmt.Errorf("reading principal: %w", err)
	}
	return rec, nil
}

// List returns principals in the order of their object ids, those after the one
// named ("" is the start). At most limit are returned, and at most 1000; 0
// leaves it at that.
func (s *Service) List(ctx context.Context, tenant, after string, limit int) ([]Record, error) {
	if limit <= 0 || limit > maxPage {
		limit = maxPage
	}
	records, err := s.store.ListPrincipals(ctx, twinkey.Fold(tenant), twinkey.Fold(after), limit)
	if err != nil {
		return nil, fmt.Errorf("listing principals: %w", err)
	}
	return records, nil
}

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
	return s.edit(ctx, who, opDisable, tenant, oid, func(rec *Record) (string, error) {
		rec.Disabled = true
		return "", indispensable(rec)
	})
}

// Enable lets a disabled principal in again.
func (s *Service) Enable(ctx context.Context, who twinkey.Caller, tenant, oid string) (Change, error) {
	return s.edit(ctx, who, opEnable, tenant, oid, func(rec *Record) (string, error) {
		rec.Disabled = false
		return "", nil
	})
}

// Delete removes a principal with all its credentials, a group with all its
// memberships. Its object id is never used again.
func (s *Service) Delete(ctx context.Context, who twinkey.Caller, tenant, oid string) (Change, error) {
	for range attempts {
		rec, revision, err := s.read(ctx, tenant, oid)
		if err != nil {
			return Change{}, err
		}
		if err := indispensable(&rec); err != nil {
			return Change{}, err
		}
		if rec.Type == twinkey.GroupPrincipal {
			if revision, err = s.empty(ctx, who, rec); err != nil {
				return Change{}, err
			}
		}
		done := s.planned(who, opDelete, "", rec)
		done.Revision, err = s.store.DeletePrincipal(ctx, Write{Record: rec, Revision: revision, Names: rec.Names(), Activity: done.record()})
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return Change{}, fmt.Errorf("deleting principal: %w", err)
		}
		return done, nil
	}
	return Change{}, contended(oid)
}

// indispensable refuses to take the built-in administrator away: whoever holds
// the server's own files must always get in, or a mistake here could be undone
// by nobody.
func indispensable(rec *Record) error {
	if rec.BuiltIn {
		return twinkey.Errorf(twinkey.Unsupported, "'%s' is the built-in administrator of this server, the last way in: it cannot be deleted, disabled or left without a key.", rec.Name)
	}
	return nil
}

// Get returns the record of one principal. It fails with kind
// PrincipalNotFound.
func (s *Service) Get(ctx context.Context, tenant, oid string) (Record, error) {
	rec, _, err := s.read(ctx, tenant, oid)
	return rec, err
}

// Principal returns the identity of one principal. It fails with kind
// PrincipalNotFound.
func (s *Service) Principal(ctx context.Context, tenant, oid string) (twinkey.Principal, error) {
	rec, _, err := s.read(ctx, tenant, oid)
	return rec.Principal(), err
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

// Package directory knows who there is: tenants, users, applications, and the
// credentials each of them may present. It checks passwords and client secrets,
// and says on every call whether a principal and the credential it came with
// are still good.
//
// It refuses to speak a protocol, to issue or read tokens, to decide what a
// principal may do, and to keep a password or a client secret in any form it
// could be read back from.
package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
)

// attempts bounds how often a change is tried again after a conflict.
const attempts = 32

// Config is what a Service needs; only Store is required.
type Config struct {
	Store Store
	Now   func() time.Time // zero: time.Now

	Cost            Cost  // of new password hashes; zero: 19 MiB, 2 passes, 1 lane
	UserFailures    Limit // wrong passwords for one user; zero: 10 in 10 minutes
	AddressFailures Limit // wrong passwords from one address or IPv6 /64; zero: 50 in 10 minutes
}

// Service is the directory.
type Service struct {
	store    Store
	now      func() time.Time
	hasher   *hasher
	failures *failures
}

// New makes a Service.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{
		store:    c.Store,
		now:      c.Now,
		hasher:   newHasher(c.Cost),
		failures: newFailures(c.Now, c.UserFailures, c.AddressFailures),
	}
}

// create stores a principal that must not exist, under names nobody has.
func (s *Service) create(ctx context.Context, who twinkey.Caller, operation, credentialID string, rec Record) (Change, error) {
	rec.Created = s.now().UTC()
	change := s.planned(who, operation, credentialID, rec)
	revision, err := s.store.PutPrincipal(ctx, Write{Record: rec, Names: rec.Names(), Activity: change.record()})
	if errors.Is(err, ErrNameTaken) {
		return Change{}, twinkey.Wrap(err, twinkey.NameTaken, "Another principal of the tenant has the name '%s' already.", rec.Names()[0])
	}
	if err != nil {
		return Change{}, fmt.Errorf("writing principal: %w", err)
	}
	change.Revision = revision
	return change, nil
}

// edit changes a principal by compare and swap. change may run more than once,
// each time on a record read anew; it returns the id of the credential it is
// about, if any.
func (s *Service) edit(ctx context.Context, who twinkey.Caller, operation, tenant, oid string, change func(*Record) (string, error)) (Change, error) {
	return s.swap(ctx, who, operation, tenant, oid, func(w *Write, done *Change) (err error) {
		done.CredentialID, err = change(&w.Record)
		return err
	})
}

// swap is edit for a change that depends on other principals, too.
func (s *Service) swap(ctx context.Context, who twinkey.Caller, operation, tenant, oid string, change func(*Write, *Change) error) (Change, error) {
	for range attempts {
		rec, revision, err := s.read(ctx, tenant, oid)
		if err != nil {
			return Change{}, err
		}
		w := Write{Record: rec, Revision: revision}
		done := s.planned(who, operation, "", rec)
		if err := change(&w, &done); err != nil {
			return Change{}, err
		}
		done.Principal = w.Record.Principal()
		w.Activity = done.record()
		done.Revision, err = s.store.PutPrincipal(ctx, w)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return Change{}, fmt.Errorf("writing principal: %w", err)
		}
		return done, nil
	}
	return Change{}, contended(oid)
}

// read returns one principal or an error of kind PrincipalNotFound.
func (s *Service) read(ctx context.Context, tenant, oid string) (Record, twinkey.Revision, error) {
	rec, revision, err := s.store.Principal(ctx, twinkey.Fold(tenant), twinkey.Fold(oid))
	if errors.Is(err, ErrNotFound) {
		return Record{}, 0, twinkey.Wrap(err, twinkey.PrincipalNotFound, "Principal '%s' does not exist in the directory '%s'.", twinkey.Printable(oid, 60), twinkey.Printable(tenant, 60))
	}
	if err != nil {
		return Record{}, 0, fmt.Errorf("reading principal: %w", err)
	}
	return rec, revision, nil
}

// planned is the change about to be committed.
func (s *Service) planned(who twinkey.Caller, operation, credentialID string, rec Record) Change {
	return Change{Operation: operation, By: who, At: s.now().UTC(), Principal: rec.Principal(), CredentialID: credentialID}
}

// contended is the answer when attempts run out.
func contended(oid string) error {
	return twinkey.Wrap(ErrConflict, twinkey.Conflict, "Principal '%s' is being changed by others too often. Try again.", twinkey.Printable(oid, 60))
}

// newID draws a random GUID.
func newID() string { return uuid.NewString() }

package directory

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/twinkey/twinkey"
)

// maxName is the longest name that is looked up, in bytes: 64 characters, '@'
// and a domain.
const maxName = 320

// Identity is a principal that has proved who it is, and what with.
type Identity struct {
	twinkey.Principal
	DisplayName  string // of a user
	CredentialID string
}

// ByPassword checks a user's password, presented from address. It fails with
// kind Unauthenticated and a Refusal, or with kind TooManyRequests: then
// nothing has been checked. A name nobody has costs the time of a wrong
// password and is refused like one.
func (s *Service) ByPassword(ctx context.Context, tenant, name string, password twinkey.Secret, address netip.Addr) (Identity, error) {
	tenant, name = twinkey.Fold(tenant), twinkey.Fold(name)
	settle, err := s.failures.charge(tenant, name, address)
	if err != nil {
		return Identity{}, err
	}
	rec, err := s.named(ctx, tenant, name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		settle(undecided)
		return Identity{}, fmt.Errorf("reading principal: %w", err)
	}
	var known *Password
	if err == nil && rec.Type == twinkey.User {
		known = rec.Password
	}
	matches, err := s.hasher.matches(ctx, password, known)
	if err != nil {
		settle(undecided)
		return Identity{}, err
	}
	if !matches {
		return Identity{}, refuse(WrongPassword, "Invalid username or password.")
	}
	settle(succeeded)
	if rec.Disabled {
		return Identity{}, refuse(Disabled, "The user account is disabled.")
	}
	return identity(rec, rec.Password.ID), nil
}

// BySecret checks an application's client secret. It fails with kind
// Unauthenticated and a Refusal.
func (s *Service) BySecret(ctx context.Context, tenant, appID string, secret twinkey.Secret) (Identity, error) {
	rec, err := s.application(ctx, tenant, appID)
	if err != nil {
		return Identity{}, err
	}
	presented := twinkey.DigestOf(secret.Reveal())
	var found *Secret
	for i := range rec.Secrets { // all of them, so that the time says nothing of which
		if subtle.ConstantTimeCompare(presented[:], rec.Secrets[i].Digest[:]) == 1 {
			found = &rec.Secrets[i]
		}
	}
	switch {
	case found == nil:
		return Identity{}, refuse(WrongSecret, "Invalid client secret provided.")
	case !s.now().Before(found.NotAfter):
		return Identity{}, refuse(ExpiredCredential, "The client secret has expired. Add another one.")
	case rec.Disabled:
		return Identity{}, refuse(Disabled, "The application is disabled.")
	}
	return identity(rec, found.ID), nil
}

// KeysOf returns the keys with which an application may sign assertions, the
// expired ones included, and the application. Who has checked a signature asks
// Identify what became of the credential. It fails with kind Unauthenticated
// and a Refusal.
func (s *Service) KeysOf(ctx context.Context, tenant, appID string) (twinkey.Principal, []Key, error) {
	rec, err := s.application(ctx, tenant, appID)
	if err != nil {
		return twinkey.Principal{}, nil, err
	}
	return rec.Principal(), slices.Clone(rec.Keys), nil
}

// Identify returns what the directory says now of a principal that presented a
// credential some time ago. It fails with kind Unauthenticated and a Refusal if
// either is good no longer.
func (s *Service) Identify(ctx context.Context, tenant, oid, credentialID string) (Identity, error) {
	rec, _, err := s.store.Principal(ctx, twinkey.Fold(tenant), twinkey.Fold(oid))
	switch {
	case errors.Is(err, ErrNotFound):
		return Identity{}, refuse(Gone, "The principal does not exist any more.")
	case err != nil:
		return Identity{}, fmt.Errorf("reading principal: %w", err)
	case rec.Disabled:
		return Identity{}, refuse(Disabled, "The principal is disabled.")
	case !rec.holds(twinkey.Fold(credentialID), s.now()):
		return Identity{}, refuse(Gone, "The credential the token was issued for was removed or has expired. Sign in again.")
	}
	return identity(rec, twinkey.Fold(credentialID)), nil
}

// Resolve returns the principal a token speaks of. It fails like Identify.
func (s *Service) Resolve(ctx context.Context, tenant, oid, credentialID string) (twinkey.Principal, error) {
	id, err := s.Identify(ctx, tenant, oid, credentialID)
	return id.Principal, err
}

// application reads a service principal by its application id.
func (s *Service) application(ctx context.Context, tenant, appID string) (Record, error) {
	rec, err := s.named(ctx, twinkey.Fold(tenant), twinkey.Fold(appID))
	if errors.Is(err, ErrNotFound) || err == nil && rec.Type != twinkey.ServicePrincipal {
		return Record{}, refuse(UnknownApplication, "Application with identifier '%s' was not found in the directory '%s'.", twinkey.Printable(appID, 60), twinkey.Printable(tenant, 60))
	}
	if err != nil {
		return Record{}, fmt.Errorf("reading application: %w", err)
	}
	return rec, nil
}

// named reads a principal by one of its names, both folded.
func (s *Service) named(ctx context.Context, tenant, name string) (Record, error) {
	if len(name) > maxName {
		return Record{}, ErrNotFound
	}
	rec, _, err := s.store.PrincipalByName(ctx, tenant, name)
	return rec, err
}

func identity(rec Record, credentialID string) Identity {
	return Identity{Principal: rec.Principal(), DisplayName: rec.DisplayName, CredentialID: credentialID}
}

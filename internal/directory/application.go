package directory

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/twinkey/twinkey"
)

// secretPrefix marks our client secrets for whoever looks for leaked ones, and
// keeps them from beginning with '-'.
const secretPrefix = "twk_"

// hintLength is how many random characters of a secret are kept readable.
const hintLength = 3

// secretLifetime is how long a credential lasts for which nothing else was
// asked: a year, as az has it.
const secretLifetime = 365 * 24 * time.Hour

// maxCredentials is how many secrets, and how many keys, one application has at
// most, so that its document stays small.
const maxCredentials = 20

// NewServicePrincipal says what application to create.
type NewServicePrincipal struct {
	Tenant   string
	AppID    string // GUID; zero: drawn at random
	Name     string
	Key      json.RawMessage // public JWK; zero: a secret is generated instead
	KeyName  string          // what people call the key
	NotAfter time.Time       // of the secret or key; zero: in a year
	Bare     bool            // neither key nor secret: it cannot sign in until it is given one
	BuiltIn  bool            // the administrator that cannot be taken away
}

// NewSecret says what client secret to generate.
type NewSecret struct {
	Name     string    // what people call it; may be empty
	NotAfter time.Time // zero: in a year
}

// CreatedServicePrincipal is an application that has just been created.
type CreatedServicePrincipal struct {
	Change
	ObjectID string
	AppID    string
	Secret   twinkey.Secret // to be shown once; zero if none was generated
	Hint     string
	NotAfter time.Time
}

// CreatedSecret is a client secret that has just been generated.
type CreatedSecret struct {
	Change
	Secret   twinkey.Secret // to be shown once
	Hint     string
	NotAfter time.Time
}

// CreateServicePrincipal adds an application with one credential. It fails with
// kind Invalid or NameTaken.
func (s *Service) CreateServicePrincipal(ctx context.Context, who twinkey.Caller, want NewServicePrincipal) (CreatedServicePrincipal, error) {
	t, err := s.Tenant(ctx, want.Tenant)
	if err != nil {
		return CreatedServicePrincipal{}, err
	}
	if want.AppID == "" {
		want.AppID = newID()
	}
	if !twinkey.IsGUID(want.AppID) {
		return CreatedServicePrincipal{}, twinkey.Errorf(twinkey.Invalid, "The application id '%s' is not a GUID.", twinkey.Printable(want.AppID, 60))
	}
	if err := checkDisplayName(want.Name); err != nil {
		return CreatedServicePrincipal{}, err
	}
	notAfter, err := s.expiry(want.NotAfter)
	if err != nil {
		return CreatedServicePrincipal{}, err
	}
	rec := Record{Tenant: t.ID, ObjectID: newID(), Type: twinkey.ServicePrincipal, AppID: twinkey.Fold(want.AppID), Name: want.Name, BuiltIn: want.BuiltIn}
	created := CreatedServicePrincipal{ObjectID: rec.ObjectID, AppID: rec.AppID, NotAfter: notAfter}
	var credentialID string
	switch {
	case want.Bare:
		created.NotAfter = time.Time{}
	case want.Key != nil:
		key, err := s.namedKey(want.Key, want.KeyName, notAfter)
		if err != nil {
			return CreatedServicePrincipal{}, err
		}
		rec.Keys, credentialID = []Key{key}, key.ID
	default:
		var secret Secret
		secret, created.Secret = s.newSecret(notAfter)
		rec.Secrets, credentialID, created.Hint = []Secret{secret}, secret.ID, secret.Hint
	}
	created.Change, err = s.create(ctx, who, opCreateApp, credentialID, rec)
	if err != nil {
		return CreatedServicePrincipal{}, err
	}
	return created, nil
}

// AddSecret generates another client secret.
func (s *Service) AddSecret(ctx context.Context, who twinkey.Caller, tenant, oid string, want NewSecret) (CreatedSecret, error) {
	notAfter, err := s.expiry(want.NotAfter)
	if err != nil {
		return CreatedSecret{}, err
	}
	if err := checkCredentialName(want.Name); err != nil {
		return CreatedSecret{}, err
	}
	secret, text := s.newSecret(notAfter)
	secret.Name = want.Name
	change, err := s.edit(ctx, who, opAddSecret, tenant, oid, func(rec *Record) (string, error) {
		if err := hasRoom(rec, len(rec.Secrets)); err != nil {
			return "", err
		}
		rec.Secrets = append(rec.Secrets, secret)
		return secret.ID, nil
	})
	if err != nil {
		return CreatedSecret{}, err
	}
	return CreatedSecret{Change: change, Secret: text, Hint: secret.Hint, NotAfter: notAfter}, nil
}

// RemoveSecret removes a client secret. Whatever was granted for it is refused
// from then on.
func (s *Service) RemoveSecret(ctx context.Context, who twinkey.Caller, tenant, oid, credentialID string) (Change, error) {
	return s.edit(ctx, who, opRemoveSecret, tenant, oid, func(rec *Record) (string, error) {
		n := len(rec.Secrets)
		rec.Secrets = slices.DeleteFunc(rec.Secrets, func(c Secret) bool { return c.ID == twinkey.Fold(credentialID) })
		return twinkey.Fold(credentialID), gone(rec, credentialID, n == len(rec.Secrets))
	})
}

// AddKeyCredential registers a public key, given as a JWK (RFC 7517): RSA of at
// least 2048 bits, or EC on P-256, with "kid", "x5t" or "x5t#S256" by which
// assertions name it. A zero notAfter is in a year.
func (s *Service) AddKeyCredential(ctx context.Context, who twinkey.Caller, tenant, oid string, jwk json.RawMessage, notAfter time.Time) (Change, error) {
	notAfter, err := s.expiry(notAfter)
	if err != nil {
		return Change{}, err
	}
	key, err := s.newKey(jwk, notAfter)
	if err != nil {
		return Change{}, err
	}
	return s.edit(ctx, who, opAddKey, tenant, oid, func(rec *Record) (string, error) {
		if err := hasRoom(rec, len(rec.Keys)); err != nil {
			return "", err
		}
		rec.Keys = append(rec.Keys, key)
		return key.ID, nil
	})
}

// RemoveKeyCredential removes a registered key. Whatever was granted for it is
// refused from then on.
func (s *Service) RemoveKeyCredential(ctx context.Context, who twinkey.Caller, tenant, oid, credentialID string) (Change, error) {
	return s.edit(ctx, who, opRemoveKey, tenant, oid, func(rec *Record) (string, error) {
		n := len(rec.Keys)
		rec.Keys = slices.DeleteFunc(rec.Keys, func(c Key) bool { return c.ID == twinkey.Fold(credentialID) })
		if len(rec.Keys) == 0 && n > 0 {
			if err := indispensable(rec); err != nil {
				return "", err
			}
		}
		return twinkey.Fold(credentialID), gone(rec, credentialID, n == len(rec.Keys))
	})
}

// namedKey is newKey for a key that people have a name for.
func (s *Service) namedKey(jwk json.RawMessage, name string, notAfter time.Time) (Key, error) {
	if err := checkCredentialName(name); err != nil {
		return Key{}, err
	}
	key, err := s.newKey(jwk, notAfter)
	key.Name = name
	return key, err
}

// newSecret generates a client secret.
func (s *Service) newSecret(notAfter time.Time) (Secret, twinkey.Secret) {
	text := generate()
	return Secret{
		ID: newID(), Hint: strings.TrimPrefix(text.Reveal(), secretPrefix)[:hintLength],
		Digest: twinkey.DigestOf(text.Reveal()), Created: s.now().UTC(), NotAfter: notAfter,
	}, text
}

// expiry checks when a credential is to expire.
func (s *Service) expiry(notAfter time.Time) (time.Time, error) {
	now := s.now()
	if notAfter.IsZero() {
		return now.Add(secretLifetime).UTC(), nil
	}
	if !notAfter.After(now) {
		return time.Time{}, twinkey.Errorf(twinkey.Invalid, "The credential would have expired already at %s.", notAfter.UTC().Format(time.RFC3339))
	}
	return notAfter.UTC(), nil
}

// generate makes 256 random bits readable.
func generate() twinkey.Secret {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return twinkey.NewSecret(secretPrefix + base64.RawURLEncoding.EncodeToString(b[:]))
}

func checkCredentialName(name string) error {
	if name == "" {
		return nil
	}
	return checkDisplayName(name)
}

func hasRoom(rec *Record, n int) error {
	if rec.Type != twinkey.ServicePrincipal {
		return twinkey.Errorf(twinkey.Invalid, "Principal '%s' is not an application; only applications have secrets and keys.", rec.ObjectID)
	}
	if n >= maxCredentials {
		return twinkey.Errorf(twinkey.Invalid, "The application '%s' has %d credentials of this kind, the most allowed. Remove one first.", rec.AppID, n)
	}
	return nil
}

func gone(rec *Record, credentialID string, missing bool) error {
	if missing {
		return twinkey.Errorf(twinkey.NotFound, "Principal '%s' has no such credential '%s'.", rec.ObjectID, twinkey.Printable(credentialID, 60))
	}
	return nil
}

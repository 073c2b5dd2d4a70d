package directory

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/twinkey/twinkey"
)

// Update says what to change of a principal, all of it at once. The zero value
// changes nothing.
type Update struct {
	DisplayName string  // zero: as it is
	Nickname    string  // of a user or group; zero: as it is
	Description *string // of a group
	Enabled     *bool
	Password    twinkey.Secret // of a user; zero: as it is
	Keys        *[]NewKey      // of an application: all it has from then on
}

// NewKey is a public key that an application is to have: one it has already,
// named by ID, or another.
type NewKey struct {
	ID       string
	Name     string
	JWK      json.RawMessage
	NotAfter time.Time // zero: in a year
}

// Update changes a principal. It fails with kind Invalid if a change does not
// fit the type of the principal.
func (s *Service) Update(ctx context.Context, who twinkey.Caller, tenant, oid string, u Update) (Change, error) {
	if u.DisplayName != "" {
		if err := checkDisplayName(u.DisplayName); err != nil {
			return Change{}, err
		}
	}
	if err := checkNickname(u.Nickname); err != nil {
		return Change{}, err
	}
	var password *Password
	if !u.Password.IsZero() {
		if err := checkPassword(u.Password); err != nil {
			return Change{}, err
		}
		hashed, err := s.hasher.hash(ctx, u.Password)
		if err != nil {
			return Change{}, err
		}
		password = &hashed
	}
	return s.edit(ctx, who, u.operation(), tenant, oid, func(rec *Record) (string, error) {
		return s.apply(rec, u, password)
	})
}

// apply changes the record and returns the id of the password, if it is new.
func (s *Service) apply(rec *Record, u Update, password *Password) (string, error) {
	switch {
	case password != nil && rec.Type != twinkey.User:
		return "", twinkey.Errorf(twinkey.Invalid, "Principal '%s' is not a user; only users have passwords.", rec.ObjectID)
	case u.Keys != nil && rec.Type != twinkey.ServicePrincipal:
		return "", twinkey.Errorf(twinkey.Invalid, "Principal '%s' is not an application; only applications have keys.", rec.ObjectID)
	case u.Description != nil && rec.Type != twinkey.GroupPrincipal:
		return "", twinkey.Errorf(twinkey.Invalid, "Principal '%s' is not a group; only groups have a description.", rec.ObjectID)
	case u.Nickname != "" && rec.Type == twinkey.ServicePrincipal:
		return "", twinkey.Errorf(twinkey.Invalid, "Principal '%s' is an application; applications have no mail nickname.", rec.ObjectID)
	case u.Enabled != nil && rec.Type == twinkey.GroupPrincipal:
		return "", twinkey.Errorf(twinkey.Invalid, "Principal '%s' is a group; groups cannot be disabled.", rec.ObjectID)
	}
	if u.DisplayName != "" && rec.Type == twinkey.User {
		rec.DisplayName = u.DisplayName
	} else if u.DisplayName != "" {
		rec.Name = u.DisplayName
	}
	if u.Nickname != "" {
		rec.Nickname = u.Nickname
	}
	if u.Description != nil {
		if err := checkDescription(*u.Description); err != nil {
			return "", err
		}
		rec.Description = *u.Description
	}
	if u.Keys != nil {
		if err := s.replaceKeys(rec, *u.Keys); err != nil {
			return "", err
		}
	}
	if u.Enabled != nil {
		rec.Disabled = !*u.Enabled
	}
	if rec.Disabled || u.Keys != nil && len(rec.Keys) == 0 {
		if err := indispensable(rec); err != nil {
			return "", err
		}
	}
	if password == nil {
		return "", nil
	}
	rec.Password = password
	return password.ID, nil
}

// replaceKeys gives the application the keys wanted and no other.
func (s *Service) replaceKeys(rec *Record, wanted []NewKey) error {
	if len(wanted) > maxCredentials {
		return twinkey.Errorf(twinkey.Invalid, "An application has at most %d keys.", maxCredentials)
	}
	keys := make([]Key, 0, len(wanted))
	for _, want := range wanted {
		at := slices.IndexFunc(rec.Keys, func(k Key) bool { return k.ID == twinkey.Fold(want.ID) })
		switch {
		case at >= 0:
			keys = append(keys, rec.Keys[at])
			continue
		case want.JWK == nil:
			return twinkey.Errorf(twinkey.Invalid, "The application has no key '%s', and none is given for it.", twinkey.Printable(want.ID, 60))
		}
		notAfter, err := s.expiry(want.NotAfter)
		if err != nil {
			return err
		}
		key, err := s.namedKey(want.JWK, want.Name, notAfter)
		if err != nil {
			return err
		}
		keys = append(keys, key)
	}
	rec.Keys = keys
	return nil
}

// operation is what the activity log calls the update: by what matters most.
func (u Update) operation() string {
	switch {
	case u.Enabled != nil && !*u.Enabled:
		return opDisable
	case !u.Password.IsZero():
		return opSetPassword
	case u.Keys != nil:
		return opAddKey
	case u.Enabled != nil:
		return opEnable
	}
	return opUpdate
}

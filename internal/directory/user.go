package directory

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/twinkey/twinkey"
)

// The lengths of a password, in bytes (at most) and characters (at least).
const (
	minPassword = 8
	maxPassword = 256
)

// NewUser says what user to create.
type NewUser struct {
	Tenant      string
	Name        string         // user principal name, in a verified domain of the tenant
	DisplayName string         // zero: the part of Name before '@'
	Nickname    string         // zero: the part of Name before '@'
	Password    twinkey.Secret // zero: one is generated
	Disabled    bool
}

// CreatedUser is a user that has just been created.
type CreatedUser struct {
	Change
	ObjectID string
	Password twinkey.Secret // to be shown once
}

// CreateUser adds a user. It fails with kind Invalid or NameTaken.
func (s *Service) CreateUser(ctx context.Context, who twinkey.Caller, want NewUser) (CreatedUser, error) {
	t, err := s.Tenant(ctx, want.Tenant)
	if err != nil {
		return CreatedUser{}, err
	}
	local, err := checkUserName(t, want.Name)
	if err != nil {
		return CreatedUser{}, err
	}
	if want.DisplayName == "" {
		want.DisplayName = local
	}
	if err := checkDisplayName(want.DisplayName); err != nil {
		return CreatedUser{}, err
	}
	if want.Nickname == "" {
		want.Nickname = local
	}
	if err := checkNickname(want.Nickname); err != nil {
		return CreatedUser{}, err
	}
	if want.Password.IsZero() {
		want.Password = generate()
	}
	if err := checkPassword(want.Password); err != nil {
		return CreatedUser{}, err
	}
	password, err := s.hasher.hash(ctx, want.Password)
	if err != nil {
		return CreatedUser{}, err
	}
	rec := Record{
		Tenant: t.ID, ObjectID: newID(), Type: twinkey.User,
		Name: want.Name, DisplayName: want.DisplayName, Nickname: want.Nickname, Password: &password, Disabled: want.Disabled,
	}
	change, err := s.create(ctx, who, opCreateUser, password.ID, rec)
	if err != nil {
		return CreatedUser{}, err
	}
	return CreatedUser{Change: change, ObjectID: rec.ObjectID, Password: want.Password}, nil
}

// SetPassword replaces a user's password. Whatever was granted for the one
// before is refused from then on.
func (s *Service) SetPassword(ctx context.Context, who twinkey.Caller, tenant, oid string, password twinkey.Secret) (Change, error) {
	if err := checkPassword(password); err != nil {
		return Change{}, err
	}
	hashed, err := s.hasher.hash(ctx, password)
	if err != nil {
		return Change{}, err
	}
	return s.edit(ctx, who, opSetPassword, tenant, oid, func(rec *Record) (string, error) {
		if rec.Type != twinkey.User {
			return "", twinkey.Errorf(twinkey.Invalid, "Principal '%s' is not a user; only users have passwords.", rec.ObjectID)
		}
		rec.Password = &hashed
		return hashed.ID, nil
	})
}

// checkUserName applies Entra's rules for user principal names and returns the
// part before '@' (Microsoft Learn, "Prepare for directory synchronization",
// userPrincipalName: 64 characters of A-Z a-z 0-9 ' . - _ ! # ^ ~, '@', and a
// verified domain).
func checkUserName(t Tenant, name string) (string, error) {
	local, domain, ok := strings.Cut(name, "@")
	ok = ok && local != "" && len(local) <= 64 && !strings.HasPrefix(local, ".") && !strings.HasSuffix(local, ".")
	for i := 0; ok && i < len(local); i++ {
		ok = isAlphanumeric(local[i]) || strings.IndexByte("'.-_!#^~", local[i]) >= 0
	}
	if !ok {
		return "", twinkey.Errorf(twinkey.Invalid, "'%s' is not a user principal name. Expected name@domain; the name has 1 to 64 of A-Z a-z 0-9 ' . - _ ! # ^ ~ and neither begins nor ends with '.'.", twinkey.Printable(name, 120))
	}
	if !t.HasDomain(domain) {
		return "", twinkey.Errorf(twinkey.Invalid, "The domain '%s' is not a verified domain of the tenant. Verified: %s.", twinkey.Printable(domain, 100), strings.Join(t.Domains, ", "))
	}
	return local, nil
}

func checkPassword(password twinkey.Secret) error {
	text := password.Reveal()
	if utf8.RuneCountInString(text) < minPassword || len(text) > maxPassword {
		return twinkey.Errorf(twinkey.Invalid, "A password must have at least %d characters and at most %d bytes.", minPassword, maxPassword)
	}
	return nil
}

func checkDisplayName(name string) error {
	n := 0
	for _, r := range name {
		n++
		if !unicode.IsPrint(r) {
			n = -1
			break
		}
	}
	if n < 1 || n > 256 || strings.TrimSpace(name) == "" {
		return twinkey.Errorf(twinkey.Invalid, "The display name '%s' is invalid. It must have 1 to 256 printable characters.", twinkey.Printable(name, 60))
	}
	return nil
}

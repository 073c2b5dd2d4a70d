package directory

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twinkey/twinkey"
)

// Tenant is a directory of its own: principals of one tenant are unknown to
// every other.
type Tenant struct {
	ID      string    `json:"id"` // GUID, lower case
	Name    string    `json:"name"`
	Domains []string  `json:"domains"` // verified; the first is the default
	Created time.Time `json:"created"`
}

// NewTenant says what tenant to create.
type NewTenant struct {
	ID      string // GUID; zero: drawn at random
	Name    string
	Domains []string // at least one; no other tenant may have it
}

// CreateTenant adds a tenant. It fails with kind Invalid or NameTaken.
func (s *Service) CreateTenant(ctx context.Context, who twinkey.Caller, want NewTenant) (Tenant, Change, error) {
	t, err := s.plan(want)
	if err != nil {
		return Tenant{}, Change{}, err
	}
	existing, err := s.Tenants(ctx)
	if err != nil {
		return Tenant{}, Change{}, err
	}
	for _, domain := range t.Domains {
		for _, other := range existing {
			if other.HasDomain(domain) {
				return Tenant{}, Change{}, twinkey.Errorf(twinkey.NameTaken, "The domain '%s' belongs to another tenant.", domain)
			}
		}
	}
	revision, err := s.store.PutTenant(ctx, t, 0)
	if errors.Is(err, ErrConflict) {
		return Tenant{}, Change{}, twinkey.Wrap(err, twinkey.NameTaken, "The tenant '%s' exists already.", t.ID)
	}
	if err != nil {
		return Tenant{}, Change{}, fmt.Errorf("writing tenant: %w", err)
	}
	return t, Change{Operation: "create tenant", By: who, At: t.Created, Principal: twinkey.Principal{Tenant: t.ID, Name: t.Name}, Revision: revision}, nil
}

// Tenants returns all tenants, the oldest first.
func (s *Service) Tenants(ctx context.Context) ([]Tenant, error) {
	tenants, err := s.store.Tenants(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading tenants: %w", err)
	}
	return tenants, nil
}

// Tenant finds a tenant by its id or one of its verified domains; "" is the
// home tenant, the oldest. It fails with kind NotFound.
func (s *Service) Tenant(ctx context.Context, name string) (Tenant, error) {
	tenants, err := s.Tenants(ctx)
	if err != nil {
		return Tenant{}, err
	}
	for _, t := range tenants {
		if name == "" || strings.EqualFold(t.ID, name) || t.HasDomain(name) {
			return t, nil
		}
	}
	return Tenant{}, twinkey.Errorf(twinkey.NotFound, "Tenant '%s' not found.", twinkey.Printable(name, 100))
}

// HasDomain reports whether domain is one of the tenant's verified domains.
func (t *Tenant) HasDomain(domain string) bool {
	for _, d := range t.Domains {
		if strings.EqualFold(d, domain) {
			return true
		}
	}
	return false
}

// plan checks what is wanted.
func (s *Service) plan(want NewTenant) (Tenant, error) {
	t := Tenant{ID: twinkey.Fold(want.ID), Name: want.Name, Created: s.now().UTC()}
	if t.ID == "" {
		t.ID = newID()
	}
	if !twinkey.IsGUID(t.ID) {
		return Tenant{}, twinkey.Errorf(twinkey.Invalid, "The tenant id '%s' is not a GUID.", twinkey.Printable(t.ID, 60))
	}
	if err := checkDisplayName(want.Name); err != nil {
		return Tenant{}, err
	}
	if len(want.Domains) == 0 {
		return Tenant{}, twinkey.Errorf(twinkey.Invalid, "A tenant needs a domain, such as 'example.com'.")
	}
	for _, domain := range want.Domains {
		if !isDomain(domain) {
			return Tenant{}, twinkey.Errorf(twinkey.Invalid, "'%s' is not a domain name. Expected two or more labels, such as 'example.com'.", twinkey.Printable(domain, 100))
		}
		t.Domains = append(t.Domains, twinkey.Fold(domain))
	}
	return t, nil
}

// isDomain reports whether s is two or more labels of letters, digits and
// hyphens (RFC 1034, section 3.5). One label could be mistaken for a word of
// the protocols, such as "common".
func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	if len(labels) < 2 || len(s) > 253 {
		return false
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.Trim(label, "-") != label {
			return false
		}
		for i := 0; i < len(label); i++ {
			if c := label[i]; c != '-' && !isAlphanumeric(c) {
				return false
			}
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

package accounts

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/sealing"
)

// Account returns one account.
func (s *Service) Account(ctx context.Context, who twinkey.Caller, id twinkey.ResourceID) (Account, error) {
	if err := s.authorize(ctx, who, ActionRead, id); err != nil {
		return Account{}, err
	}
	a, err := s.find(ctx, id)
	if err != nil {
		return Account{}, err
	}
	return *a, nil
}

// Accounts lists the accounts of a group or a subscription. The second result
// goes into Page.After to get the next page; it is "" when there is none.
func (s *Service) Accounts(ctx context.Context, who twinkey.Caller, scope twinkey.ResourceID, page Page) ([]Account, string, error) {
	if err := s.authorize(ctx, who, ActionRead, scope); err != nil {
		return nil, "", err
	}
	if scope.Group != "" {
		if _, err := s.findGroup(ctx, scope); err != nil {
			return nil, "", err
		}
	}
	return s.store.Accounts(ctx, scope, page)
}

// PutAccount creates an account with two keys, or changes what spec says of one
// that exists. Keys are never touched on an existing account.
func (s *Service) PutAccount(ctx context.Context, who twinkey.Caller, id twinkey.ResourceID, spec AccountSpec, cond Precondition) (Account, bool, Outcome, error) {
	fail := func(err error) (Account, bool, Outcome, error) { return Account{}, false, Outcome{}, err }
	if err := s.authorize(ctx, who, ActionWrite, id); err != nil {
		return fail(err)
	}
	if err := s.writable(ctx, id.Subscription); err != nil {
		return fail(err)
	}
	err := error(nil)
	for range attempts {
		var w Write
		var next *Account
		var created bool
		if next, w, created, err = s.plan(ctx, who, id, spec, cond); err != nil {
			return fail(err)
		}
		revision, commitErr := s.store.Commit(ctx, w)
		if commitErr == nil {
			next.Revision = revision
			return *next, created, s.confirm(ctx, revision), nil
		}
		if err = commitErr; !again(err) {
			return fail(fmt.Errorf("writing account: %w", err))
		}
	}
	return fail(contended(id, err))
}

// DeleteAccount removes an account and both its keys.
func (s *Service) DeleteAccount(ctx context.Context, who twinkey.Caller, id twinkey.ResourceID, cond Precondition) (bool, Outcome, error) {
	if err := s.authorize(ctx, who, ActionDelete, id); err != nil {
		return false, Outcome{}, err
	}
	if err := s.writable(ctx, id.Subscription); err != nil {
		return false, Outcome{}, err
	}
	if _, err := s.findGroup(ctx, id.Parent()); err != nil {
		return false, Outcome{}, err
	}
	err := error(nil)
	for range attempts {
		a, readErr := s.store.Account(ctx, id)
		if readErr != nil {
			return false, Outcome{}, readErr
		}
		if a == nil {
			return false, Outcome{}, nil
		}
		if err := cond.check(true, a.Revision); err != nil {
			return false, Outcome{}, err
		}
		revision, commitErr := s.store.Commit(ctx, Write{Remove: []Document{a}, Activity: s.record(who, ActionDelete, a.ID)})
		if commitErr == nil {
			return true, s.confirm(ctx, revision), nil
		}
		if err = commitErr; !again(err) {
			return false, Outcome{}, fmt.Errorf("deleting account: %w", err)
		}
	}
	return false, Outcome{}, contended(id, err)
}

// plan reads what there is and works out the one transaction that makes it what
// spec asks for.
func (s *Service) plan(ctx context.Context, who twinkey.Caller, id twinkey.ResourceID, spec AccountSpec, cond Precondition) (*Account, Write, bool, error) {
	group, err := s.findGroup(ctx, id.Parent())
	if err != nil {
		return nil, Write{}, false, err
	}
	if group.State != GroupActive {
		return nil, Write{}, false, beingDeleted(group)
	}
	current, err := s.store.Account(ctx, id)
	if err != nil {
		return nil, Write{}, false, err
	}
	if current == nil {
		if err := cond.check(false, 0); err != nil {
			return nil, Write{}, false, err
		}
		next, err := s.newAccount(who, id, spec)
		if err != nil {
			return nil, Write{}, false, err
		}
		w := Write{Put: []Document{next}, Require: []Document{group}, Claim: next.Properties.CustomSubDomainName,
			Activity: s.record(who, ActionWrite, id)}
		return next, w, true, nil
	}
	if err := cond.check(true, current.Revision); err != nil {
		return nil, Write{}, false, err
	}
	next, err := s.changed(who, current, spec)
	if err != nil {
		return nil, Write{}, false, err
	}
	w := Write{Put: []Document{next}, Activity: s.record(who, ActionWrite, id)}
	if next.Properties.CustomSubDomainName != current.Properties.CustomSubDomainName {
		w.Claim, w.Release = next.Properties.CustomSubDomainName, current.Properties.CustomSubDomainName
	}
	return next, w, false, nil
}

func (s *Service) newAccount(who twinkey.Caller, id twinkey.ResourceID, spec AccountSpec) (*Account, error) {
	kind, err := s.offered(spec.Kind, spec.SKU, spec.Location)
	if err != nil {
		return nil, err
	}
	if err := checkSubDomain(spec.Properties.CustomSubDomainName); err != nil {
		return nil, err
	}
	stamp := s.stamp(who)
	a := &Account{ID: id, UID: sealing.NewUID(), Kind: kind, Location: spec.Location, SKU: spec.SKU, Tags: spec.Tags,
		Identity: spec.Identity, Properties: spec.Properties, Created: stamp, Modified: stamp}
	for _, name := range twinkey.KeyNames() {
		if a.Slots[name.Index()], err = s.newSlot(who, a.UID, name, 1); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// changed is the account with what spec says.
func (s *Service) changed(who twinkey.Caller, a *Account, spec AccountSpec) (*Account, error) {
	next := *a
	if spec.Location != "" && foldLocation(spec.Location) != foldLocation(a.Location) {
		return nil, twinkey.Errorf(twinkey.LocationConflict, "The resource '%s' already exists in location '%s' in resource group '%s'. A resource with the same name cannot be created in location '%s'. Please select a new resource name.", a.ID.Account, a.Location, a.ID.Group, twinkey.Printable(spec.Location, 60))
	}
	if spec.Kind != "" && !strings.EqualFold(spec.Kind, a.Kind) {
		return nil, twinkey.Errorf(twinkey.KindConflict, "The account '%s' is of kind '%s'; the kind of an account cannot be changed to '%s'. Create another account.", a.ID.Account, a.Kind, twinkey.Printable(spec.Kind, 60))
	}
	if spec.SKU != "" && spec.SKU != a.SKU {
		if _, err := s.offered(a.Kind, spec.SKU, a.Location); err != nil {
			return nil, err
		}
		next.SKU = spec.SKU
	}
	if err := checkSubDomain(spec.Properties.CustomSubDomainName); err != nil {
		return nil, err
	}
	if spec.Tags != nil {
		next.Tags = spec.Tags
	}
	if spec.Identity != nil {
		next.Identity = spec.Identity
	}
	next.Properties = a.Properties.merged(spec.Properties)
	next.Modified = s.stamp(who)
	return &next, nil
}

// merged is p with what change says.
func (p Properties) merged(change Properties) Properties {
	if change.CustomSubDomainName != "" {
		p.CustomSubDomainName = change.CustomSubDomainName
	}
	if change.DisableLocalAuth != nil {
		p.DisableLocalAuth = change.DisableLocalAuth
	}
	if change.PublicNetworkAccess != "" {
		p.PublicNetworkAccess = change.PublicNetworkAccess
	}
	if len(change.Other) > 0 {
		other := maps.Clone(p.Other)
		if other == nil {
			other = map[string]json.RawMessage{}
		}
		maps.Copy(other, change.Other)
		p.Other = other
	}
	return p
}

// offered checks kind, SKU and location against the catalog in force and
// returns the kind in the catalog's spelling.
func (s *Service) offered(kind, sku, location string) (string, error) {
	if kind == "" || sku == "" || location == "" {
		return "", twinkey.Errorf(twinkey.Invalid, "To create an account, 'kind', 'sku.name' and 'location' are required.")
	}
	c := s.catalog()
	k, ok := c.Kind(kind)
	if !ok {
		return "", twinkey.Errorf(twinkey.UnknownService, "The account type '%s' is either invalid or not offered by this server. Offered: %s.", twinkey.Printable(kind, 60), strings.Join(kindNames(c), ", "))
	}
	if _, ok := k.SKU(sku); !ok {
		return "", twinkey.Errorf(twinkey.UnknownSKU, "The SKU '%s' is not offered for accounts of type '%s'. Offered: %s.", twinkey.Printable(sku, 60), k.Name(), strings.Join(skuNames(k), ", "))
	}
	if !k.OffersLocation(location) {
		return "", twinkey.Errorf(twinkey.UnknownLocation, "The provided location '%s' is not available for accounts of type '%s'. List of available regions is '%s'.", twinkey.Printable(location, 60), k.Name(), strings.Join(k.Locations(), ","))
	}
	return k.Name(), nil
}

// find reads an account, and says what is missing if it is not there.
func (s *Service) find(ctx context.Context, id twinkey.ResourceID) (*Account, error) {
	a, err := s.store.Account(ctx, id)
	if err != nil || a != nil {
		return a, err
	}
	if _, err := s.findGroup(ctx, id.Parent()); err != nil {
		return nil, err
	}
	return nil, twinkey.Errorf(twinkey.NotFound, "The Resource '%s/accounts/%s' under resource group '%s' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix", twinkey.Provider, id.Account, id.Group)
}

package accounts

import (
	"context"
	"errors"
	"fmt"

	"github.com/twinkey/twinkey"
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
	if err := s.authorize(ctx, who, ActionWrite, id); err != nil {
		return Account{}, false, Outcome{}, err
	}
	created := false
	a, out, err := s.commitAccount(ctx, id, func() (*Account, Write, error) {
		group, current, err := s.placeOf(ctx, id)
		if err != nil {
			return nil, Write{}, err
		}
		if err := cond.check(current != nil, revisionOf(current)); err != nil {
			return nil, Write{}, err
		}
		if created = current == nil; created {
			return s.creation(who, id, spec, group)
		}
		spec := spec
		spec.Properties = current.Properties.merged(spec.Properties)
		return s.revision(who, current, spec)
	})
	return a, created && err == nil, out, err
}

// PatchAccount changes an account that exists. Keys are never touched.
func (s *Service) PatchAccount(ctx context.Context, who twinkey.Caller, id twinkey.ResourceID, patch AccountPatch, cond Precondition) (Account, Outcome, error) {
	if err := s.authorize(ctx, who, ActionWrite, id); err != nil {
		return Account{}, Outcome{}, err
	}
	return s.commitAccount(ctx, id, func() (*Account, Write, error) {
		_, current, err := s.placeOf(ctx, id)
		if err != nil {
			return nil, Write{}, err
		}
		if current == nil {
			return nil, Write{}, missing(id)
		}
		if err := cond.check(true, current.Revision); err != nil {
			return nil, Write{}, err
		}
		if patch.Location != "" && foldLocation(patch.Location) != foldLocation(current.Location) {
			return nil, Write{}, twinkey.Errorf(twinkey.LocationConflict, "The account '%s' is in location '%s'; the location of an account cannot be changed to '%s'. Create another account.", id.Account, current.Location, twinkey.Printable(patch.Location, 60))
		}
		spec := AccountSpec{Kind: patch.Kind, SKU: patch.SKU, Tags: patch.Tags, Identity: patch.Identity, Properties: current.Properties}
		if patch.Properties != nil {
			if spec.Properties, err = patch.Properties(current.Properties); err != nil {
				return nil, Write{}, err
			}
		}
		return s.revision(who, current, spec)
	})
}

// DeleteAccount removes an account and both its keys.
func (s *Service) DeleteAccount(ctx context.Context, who twinkey.Caller, id twinkey.ResourceID, cond Precondition) (bool, Outcome, error) {
	if err := s.authorize(ctx, who, ActionDelete, id); err != nil {
		return false, Outcome{}, err
	}
	err := error(nil)
	for range attempts {
		sub, subErr := s.writable(ctx, id.Subscription)
		if subErr != nil {
			return false, Outcome{}, subErr
		}
		a, readErr := s.store.Account(ctx, id)
		if readErr != nil {
			return false, Outcome{}, readErr
		}
		if a == nil {
			return s.gone(ctx, id, errors.Is(err, ErrUnknown))
		}
		if err := cond.check(true, a.Revision); err != nil {
			return false, Outcome{}, err
		}
		revision, commitErr := s.store.Commit(ctx, Write{Require: []Document{sub}, Remove: []Document{a}, Activity: s.record(who, ActionDelete, a.ID)})
		if commitErr == nil {
			return true, s.confirm(ctx, revision), nil
		}
		if err = commitErr; !again(err) {
			return false, Outcome{}, fmt.Errorf("deleting account: %w", err)
		}
	}
	return false, Outcome{}, contended(id, err)
}

// gone is the answer to deleting what is not there, in a group that must be. If
// an attempt of ours may have deleted it, its answer having been lost, the
// gateways are waited for.
func (s *Service) gone(ctx context.Context, id twinkey.ResourceID, perhapsOurs bool) (bool, Outcome, error) {
	if !perhapsOurs {
		_, err := s.findGroup(ctx, id.Parent())
		return false, Outcome{}, err
	}
	revision, err := s.store.Revision(ctx)
	if err != nil {
		return false, Outcome{}, err
	}
	return true, s.confirm(ctx, revision), nil
}

// commitAccount carries a plan out. The plan reads what there is and works out
// the one transaction that makes it what was asked for; it is made anew when
// something has changed in between.
func (s *Service) commitAccount(ctx context.Context, id twinkey.ResourceID, plan func() (*Account, Write, error)) (Account, Outcome, error) {
	err := error(nil)
	for range attempts {
		sub, subErr := s.writable(ctx, id.Subscription)
		if subErr != nil {
			return Account{}, Outcome{}, subErr
		}
		next, w, planErr := plan()
		if planErr != nil {
			return Account{}, Outcome{}, planErr
		}
		w.Require = append(w.Require, sub)
		revision, commitErr := s.store.Commit(ctx, w)
		if commitErr == nil {
			next.Revision = revision
			return *next, s.confirm(ctx, revision), nil
		}
		if err = commitErr; !again(err) {
			return Account{}, Outcome{}, fmt.Errorf("writing account: %w", err)
		}
		now, readErr := s.store.Account(ctx, id)
		if readErr != nil {
			return Account{}, Outcome{}, readErr
		}
		if now != nil && next.Modified.Request != "" && now.Modified.Request == next.Modified.Request {
			return *now, s.confirm(ctx, now.Revision), nil // it was made after all, and the answer was lost
		}
	}
	return Account{}, Outcome{}, contended(id, err)
}

// placeOf reads the group that an account belongs in, which must take changes,
// and the account if there is one.
func (s *Service) placeOf(ctx context.Context, id twinkey.ResourceID) (*Group, *Account, error) {
	group, err := s.findGroup(ctx, id.Parent())
	if err != nil {
		return nil, nil, err
	}
	if group.State != GroupActive {
		return nil, nil, beingDeleted(group)
	}
	a, err := s.store.Account(ctx, id)
	return group, a, err
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
	return nil, missing(id)
}

func missing(id twinkey.ResourceID) error {
	return twinkey.Errorf(twinkey.NotFound, "The Resource '%s/accounts/%s' under resource group '%s' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix", twinkey.Provider, id.Account, id.Group)
}

func revisionOf(a *Account) twinkey.Revision {
	if a == nil {
		return 0
	}
	return a.Revision
}

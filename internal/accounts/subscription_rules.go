package accounts

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
)

// The actions on subscriptions that this package decides on: the first two at
// the root, the others at the subscription itself, where its Owner has them.
const (
	ActionWriteSubscription  = "Microsoft.Resources/subscriptions/write"
	ActionReadAlias          = "Microsoft.Subscription/aliases/read"
	ActionRenameSubscription = "Microsoft.Subscription/rename/action"
	ActionCancelSubscription = "Microsoft.Subscription/cancel/action"
	ActionEnableSubscription = "Microsoft.Subscription/enable/action"
)

// PutSubscription creates a subscription in the caller's tenant, or renames one
// that exists. The flag says whether it is new. Nobody gets a role in it: who
// may create it has one above it.
func (s *Service) PutSubscription(ctx context.Context, who twinkey.Caller, id, name string) (Subscription, bool, error) {
	if err := s.authorize(ctx, who, ActionWriteSubscription, twinkey.ResourceID{}); err != nil {
		return Subscription{}, false, err
	}
	return s.putSubscription(ctx, who, Subscription{ID: twinkey.Fold(id), Name: name})
}

// AliasSubscription is PutSubscription for a caller who names the subscription
// instead of drawing an id: the same alias means the same subscription, always,
// because the id is made from it (RFC 9562, section 5.5).
func (s *Service) AliasSubscription(ctx context.Context, who twinkey.Caller, alias, name string) (Subscription, bool, error) {
	if err := s.authorize(ctx, who, ActionWriteSubscription, twinkey.ResourceID{}); err != nil {
		return Subscription{}, false, err
	}
	id, err := aliasID(who.Tenant, alias)
	if err != nil {
		return Subscription{}, false, err
	}
	return s.putSubscription(ctx, who, Subscription{ID: id, Name: name, Alias: alias})
}

// SubscriptionByAlias returns the subscription that an alias was used to create.
func (s *Service) SubscriptionByAlias(ctx context.Context, who twinkey.Caller, alias string) (Subscription, error) {
	if err := s.authorize(ctx, who, ActionReadAlias, twinkey.ResourceID{}); err != nil {
		return Subscription{}, err
	}
	id, err := aliasID(who.Tenant, alias)
	if err != nil {
		return Subscription{}, err
	}
	sub, err := s.store.Subscription(ctx, id)
	if err == nil && sub == nil {
		err = twinkey.Errorf(twinkey.NotFound, "The subscription alias '%s' was not found.", twinkey.Printable(alias, 80))
	}
	if err != nil {
		return Subscription{}, err
	}
	return *sub, nil
}

// RenameSubscription changes what people call a subscription.
func (s *Service) RenameSubscription(ctx context.Context, who twinkey.Caller, id, name string) (Subscription, error) {
	if err := checkSubscriptionName(name); err != nil {
		return Subscription{}, err
	}
	return s.editSubscription(ctx, who, ActionRenameSubscription, id, func(sub *Subscription) { sub.Name = name })
}

// DisableSubscription makes a subscription read only: everything in it can be
// read, keys can be listed, and nothing can be created, changed or deleted but
// role assignments, which can be taken away. The gateway knows nothing of
// subscriptions: keys keep opening their services, as they do in Azure.
func (s *Service) DisableSubscription(ctx context.Context, who twinkey.Caller, id string) (Subscription, error) {
	return s.editSubscription(ctx, who, ActionCancelSubscription, id, func(sub *Subscription) { sub.State = SubscriptionDisabled })
}

// EnableSubscription ends what DisableSubscription began.
func (s *Service) EnableSubscription(ctx context.Context, who twinkey.Caller, id string) (Subscription, error) {
	return s.editSubscription(ctx, who, ActionEnableSubscription, id, func(sub *Subscription) { sub.State = SubscriptionEnabled })
}

// putSubscription creates want, or gives the one with its id its name.
func (s *Service) putSubscription(ctx context.Context, who twinkey.Caller, want Subscription) (Subscription, bool, error) {
	scope := twinkey.ResourceID{Subscription: want.ID}
	if err := scope.Check(); err != nil {
		return Subscription{}, false, err
	}
	if err := checkSubscriptionName(want.Name); err != nil {
		return Subscription{}, false, err
	}
	err := error(nil)
	for range attempts {
		sub, readErr := s.store.Subscription(ctx, want.ID)
		if readErr != nil {
			return Subscription{}, false, readErr
		}
		created := sub == nil
		switch {
		case created:
			sub = &Subscription{ID: want.ID, Tenant: who.Tenant, Name: want.Name, Alias: want.Alias, State: SubscriptionEnabled}
		case sub.Name == want.Name:
			return *sub, false, nil
		default:
			sub.Name = want.Name
		}
		revision, commitErr := s.store.Commit(ctx, Write{Put: []Document{sub}, Activity: s.record(who, ActionWriteSubscription, scope, "name", sub.Name)})
		if commitErr == nil {
			sub.Revision = revision
			return *sub, created, nil
		}
		if err = commitErr; !again(err) {
			return Subscription{}, false, fmt.Errorf("writing subscription: %w", err)
		}
	}
	return Subscription{}, false, contended(scope, err)
}

func (s *Service) editSubscription(ctx context.Context, who twinkey.Caller, action, id string, change func(*Subscription)) (Subscription, error) {
	scope := twinkey.ResourceID{Subscription: id}
	if err := s.authorize(ctx, who, action, scope); err != nil {
		return Subscription{}, err
	}
	err := error(nil)
	for range attempts {
		sub, readErr := s.Subscription(ctx, id)
		if readErr != nil {
			return Subscription{}, readErr
		}
		before := sub
		change(&sub)
		if sub.Name == before.Name && sub.State == before.State {
			return sub, nil
		}
		revision, commitErr := s.store.Commit(ctx, Write{Put: []Document{&sub}, Activity: s.record(who, action, scope, "name", sub.Name, "state", string(sub.State))})
		if commitErr == nil {
			sub.Revision = revision
			return sub, nil
		}
		if err = commitErr; !again(err) {
			return Subscription{}, fmt.Errorf("writing subscription: %w", err)
		}
	}
	return Subscription{}, contended(scope, err)
}

// aliasID makes the id of the subscription that an alias stands for.
func aliasID(tenant, alias string) (string, error) {
	space, err := uuid.Parse(tenant)
	if err != nil {
		return "", twinkey.Errorf(twinkey.Invalid, "Only principals of a tenant can use aliases of subscriptions.")
	}
	if len(alias) > 64 || strings.Trim(alias, " ") != alias || alias == "" || strings.Contains(alias, "/") || !utf8.ValidString(alias) || strings.ContainsFunc(alias, unicode.IsControl) {
		return "", twinkey.Errorf(twinkey.InvalidName, "The subscription alias '%s' is invalid. It must have 1 to 64 printable characters without '/'.", twinkey.Printable(alias, 80))
	}
	return uuid.NewSHA1(space, []byte("subscription alias "+twinkey.Fold(alias))).String(), nil
}

func checkSubscriptionName(name string) error {
	n := utf8.RuneCountInString(name)
	if n == 0 || n > 64 || strings.TrimSpace(name) != name || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return twinkey.Errorf(twinkey.Invalid, "The subscription name '%s' is invalid. It must have 1 to 64 printable characters and neither begin nor end with a space.", twinkey.Printable(name, 80))
	}
	return nil
}

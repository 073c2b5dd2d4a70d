package accounts

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
)

// SubscriptionState is ARM's word for whether a subscription may be used.
type SubscriptionState string

// The states a subscription can be in.
const (
	SubscriptionEnabled  SubscriptionState = "Enabled"
	SubscriptionDisabled SubscriptionState = "Disabled"
)

// Subscription is the outermost scope that owns anything. That one exists, and
// in which tenant, is public: clients ask before they sign in.
type Subscription struct {
	ID       string                     `json:"id"` // GUID
	Tenant   string                     `json:"tenant"`
	Name     string                     `json:"name"`
	Alias    string                     `json:"alias,omitempty"` // under which it was created
	State    SubscriptionState          `json:"state"`
	Revision twinkey.Revision           `json:"-"`
	Kept     map[string]json.RawMessage `json:"-"` // fields of a newer version, written back unread
}

// Subscription returns one subscription to anybody.
func (s *Service) Subscription(ctx context.Context, id string) (Subscription, error) {
	if err := (twinkey.ResourceID{Subscription: id}).Check(); err != nil {
		return Subscription{}, err
	}
	sub, err := s.store.Subscription(ctx, id)
	if err != nil {
		return Subscription{}, err
	}
	if sub == nil {
		return Subscription{}, twinkey.Errorf(twinkey.SubscriptionNotFound, "The subscription '%s' could not be found.", id)
	}
	return *sub, nil
}

// Subscriptions lists the subscriptions that the caller sees.
func (s *Service) Subscriptions(ctx context.Context, who twinkey.Caller) ([]Subscription, error) {
	all, err := s.store.Subscriptions(ctx)
	if err != nil {
		return nil, err
	}
	above, err := s.holdsAbove(ctx, who)
	if err != nil || above {
		return all, err
	}
	var seen []Subscription
	for _, sub := range all {
		held, err := s.store.Holds(ctx, twinkey.ResourceID{Subscription: sub.ID}, identities(who))
		if err != nil {
			return nil, err
		}
		if held {
			seen = append(seen, sub)
		}
	}
	return seen, nil
}

// Sees reports whether the caller holds any role in a subscription, above it or
// below it: whether it is one of Subscriptions.
func (s *Service) Sees(ctx context.Context, who twinkey.Caller, subscription string) (bool, error) {
	above, err := s.holdsAbove(ctx, who)
	if err != nil || above {
		return above, err
	}
	return s.store.Holds(ctx, twinkey.ResourceID{Subscription: subscription}, identities(who))
}

// holdsAbove reports whether the caller holds a role above all subscriptions.
func (s *Service) holdsAbove(ctx context.Context, who twinkey.Caller) (bool, error) {
	root, err := s.store.Grants(ctx, twinkey.ResourceID{})
	if err != nil {
		return false, fmt.Errorf("reading role assignments: %w", err)
	}
	return slices.ContainsFunc(root.Assignments, func(a access.Assignment) bool { return holds(who.Principal, a.PrincipalID) }), nil
}

// identities are the object ids under which a caller may hold roles.
func identities(who twinkey.Caller) []string {
	return append([]string{who.ObjectID}, who.Groups...)
}

// ground is writable for a scope that may be above all subscriptions, where
// nothing is required.
func (s *Service) ground(ctx context.Context, scope twinkey.ResourceID) ([]Document, error) {
	if scope.Subscription == "" {
		return nil, nil
	}
	sub, err := s.writable(ctx, scope.Subscription)
	if err != nil {
		return nil, err
	}
	return []Document{sub}, nil
}

// writable refuses changes in a subscription that is absent or disabled. What is
// changed in it requires the document returned: else a change under way could
// land after the answer that the subscription is read only.
func (s *Service) writable(ctx context.Context, id string) (*Subscription, error) {
	sub, err := s.Subscription(ctx, id)
	if err != nil {
		return nil, err
	}
	if sub.State != SubscriptionEnabled {
		return nil, twinkey.Errorf(twinkey.SubscriptionDisabled, "The subscription '%s' is disabled and therefore marked as read only. You cannot perform any write actions on this subscription until it is re-enabled.", sub.ID)
	}
	return &sub, nil
}

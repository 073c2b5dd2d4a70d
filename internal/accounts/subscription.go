package accounts

import (
	"context"
	"encoding/json"

	"github.com/twinkey/twinkey"
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

// Subscriptions lists the subscriptions in which, above which or below which
// the caller holds any role.
func (s *Service) Subscriptions(ctx context.Context, who twinkey.Caller) ([]Subscription, error) {
	all, err := s.store.Subscriptions(ctx)
	if err != nil {
		return nil, err
	}
	held, err := s.store.AllAssignments(ctx)
	if err != nil {
		return nil, err
	}
	var seen []Subscription
	for _, sub := range all {
		scope := twinkey.ResourceID{Subscription: sub.ID}
		for _, a := range held {
			if holds(who.Principal, a.PrincipalID) && (a.Scope.Contains(scope) || scope.Contains(a.Scope)) {
				seen = append(seen, sub)
				break
			}
		}
	}
	return seen, nil
}

// writable refuses changes in a subscription that is absent or disabled.
func (s *Service) writable(ctx context.Context, id string) error {
	sub, err := s.Subscription(ctx, id)
	if err != nil {
		return err
	}
	if sub.State != SubscriptionEnabled {
		return twinkey.Errorf(twinkey.SubscriptionDisabled, "The subscription '%s' is disabled and therefore marked as read only. You cannot perform any write actions on this subscription until it is re-enabled.", sub.ID)
	}
	return nil
}

package resources

import (
	"context"
	"net/http"

	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
)

// tenant is a tenant on the wire (Microsoft.Resources 2022-12-01,
// TenantIdDescription).
type tenant struct {
	ID             string   `json:"id"`
	TenantID       string   `json:"tenantId"`
	DisplayName    string   `json:"displayName"`
	DefaultDomain  string   `json:"defaultDomain"`
	Domains        []string `json:"domains"`
	TenantCategory string   `json:"tenantCategory"`
	TenantType     string   `json:"tenantType"`
}

// listTenants answers anybody who has signed in: clients ask before they know
// of any subscription.
func (h *handlers) listTenants(ctx context.Context, _ *arm.Request) (*arm.Response, error) {
	all, err := h.tenants.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	var list []tenant
	for _, t := range all {
		list = append(list, tenant{
			ID: "/tenants/" + t.ID, TenantID: t.ID, DisplayName: t.Name, DefaultDomain: t.Domain,
			Domains: []string{t.Domain}, TenantCategory: "Home", TenantType: "AAD",
		})
	}
	return arm.AnswerList(list, ""), nil
}

// subscription is a subscription on the wire (Microsoft.Resources 2022-12-01,
// Subscription).
type subscription struct {
	ID                  string                     `json:"id"`
	SubscriptionID      string                     `json:"subscriptionId"`
	TenantID            string                     `json:"tenantId"`
	DisplayName         string                     `json:"displayName"`
	State               accounts.SubscriptionState `json:"state"`
	Policies            subscriptionPolicies       `json:"subscriptionPolicies"`
	AuthorizationSource string                     `json:"authorizationSource"`
	ManagedByTenants    []struct{}                 `json:"managedByTenants"`
}

type subscriptionPolicies struct {
	LocationPlacementID string `json:"locationPlacementId"`
	QuotaID             string `json:"quotaId"`
	SpendingLimit       string `json:"spendingLimit"`
}

func subscriptionOf(s accounts.Subscription) subscription {
	return subscription{
		ID: "/subscriptions/" + s.ID, SubscriptionID: s.ID, TenantID: s.Tenant, DisplayName: s.Name, State: s.State,
		Policies:            subscriptionPolicies{LocationPlacementID: "Public_2014-09-01", QuotaID: "Twinkey_2014-09-01", SpendingLimit: "Off"},
		AuthorizationSource: "RoleBased", ManagedByTenants: []struct{}{},
	}
}

// subscriptionList is a list that says how long it is.
type subscriptionList struct {
	Value []subscription `json:"value"`
	Count count          `json:"count"`
}

type count struct {
	Type  string `json:"type"`
	Value int    `json:"value"`
}

func (h *handlers) listSubscriptions(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	all, err := h.service.Subscriptions(ctx, req.Who)
	if err != nil {
		return nil, err
	}
	list := subscriptionList{Value: []subscription{}, Count: count{Type: "Total", Value: len(all)}}
	for _, s := range all {
		list.Value = append(list.Value, subscriptionOf(s))
	}
	return arm.Answer(http.StatusOK, list), nil
}

// getSubscription shows a subscription to whoever would find it in the list, and
// to whoever may read it.
func (h *handlers) getSubscription(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	seen, err := h.service.Sees(ctx, req.Who, req.ID.Subscription)
	if err != nil {
		return nil, err
	}
	if !seen {
		if err := h.service.Readable(ctx, req.Who, actionReadSubscriptions, req.ID); err != nil {
			return nil, err
		}
	}
	s, err := h.service.Subscription(ctx, req.ID.Subscription)
	if err != nil {
		return nil, err
	}
	return arm.Answer(http.StatusOK, subscriptionOf(s)), nil
}

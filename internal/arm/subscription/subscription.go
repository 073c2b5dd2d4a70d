// Package subscription is ARM's routes for making, renaming and switching off
// subscriptions (Microsoft.Subscription). Reading them is elsewhere.
//
// It refuses to decide or store anything: package accounts does both.
package subscription

import (
	"context"
	"net/http"

	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
)

// Config is what the routes need; every field is required.
type Config struct {
	Service *accounts.Service
}

// handlers answers the calls.
type handlers struct {
	service *accounts.Service
}

// Routes is the table of this package.
func Routes(config Config) []arm.Route {
	h := &handlers{service: config.Service}
	const (
		provider = "/providers/Microsoft.Subscription"
		alias    = provider + "/aliases/{alias}"
	)
	return []arm.Route{
		{Method: http.MethodPut, Pattern: arm.SubscriptionPath, Creates: true, Action: accounts.ActionWriteSubscription, Display: display("Create Or Rename Subscription", "Creates a subscription, or gives it a name."), Handle: h.put},
		{Method: http.MethodPatch, Pattern: arm.SubscriptionPath, Action: accounts.ActionRenameSubscription, Display: display("Rename Subscription", "Gives a subscription another name."), Handle: h.patch},
		{Method: http.MethodPost, Pattern: arm.SubscriptionPath + provider + "/rename", Action: accounts.ActionRenameSubscription, Handle: h.rename},
		{Method: http.MethodPost, Pattern: arm.SubscriptionPath + provider + "/cancel", Action: accounts.ActionCancelSubscription, Display: display("Cancel Subscription", "Makes a subscription read only."), Handle: h.cancel},
		{Method: http.MethodPost, Pattern: arm.SubscriptionPath + provider + "/enable", Action: accounts.ActionEnableSubscription, Display: display("Enable Subscription", "Ends what cancel began."), Handle: h.enable},
		{Method: http.MethodPut, Pattern: alias, Action: accounts.ActionWriteSubscription, Handle: h.putAlias},
		{Method: http.MethodGet, Pattern: alias, Action: accounts.ActionReadAlias, Display: display("Get Subscription Alias", "Gets the subscription of an alias."), Handle: h.getAlias},
	}
}

func display(operation, description string) arm.Display {
	return arm.Display{Provider: "Microsoft Subscription", Resource: "Subscription", Operation: operation, Description: description}
}

// subscription is a subscription on the wire (Microsoft.Resources 2022-12-01,
// Subscription).
type subscription struct {
	ID                  string                     `json:"id"`
	SubscriptionID      string                     `json:"subscriptionId"`
	TenantID            string                     `json:"tenantId"`
	DisplayName         string                     `json:"displayName"`
	State               accounts.SubscriptionState `json:"state"`
	AuthorizationSource string                     `json:"authorizationSource"`
	ManagedByTenants    []struct{}                 `json:"managedByTenants"`
}

func subscriptionOf(s accounts.Subscription) subscription {
	return subscription{
		ID: "/subscriptions/" + s.ID, SubscriptionID: s.ID, TenantID: s.Tenant, DisplayName: s.Name, State: s.State,
		AuthorizationSource: "RoleBased", ManagedByTenants: []struct{}{},
	}
}

func (h *handlers) put(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	name, err := displayName(req)
	if err != nil {
		return nil, err
	}
	sub, created, err := h.service.PutSubscription(ctx, req.Who, req.ID.Subscription, name)
	if err != nil {
		return nil, err
	}
	return arm.Answer(status(created), subscriptionOf(sub)), nil
}

func (h *handlers) patch(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	name, err := displayName(req)
	if err != nil {
		return nil, err
	}
	sub, err := h.service.RenameSubscription(ctx, req.Who, req.ID.Subscription, name)
	if err != nil {
		return nil, err
	}
	return arm.Answer(http.StatusOK, subscriptionOf(sub)), nil
}

// changed is the answer of the three operations that follow
// (Microsoft.Subscription 2021-10-01, RenamedSubscriptionId and its like).
type changed struct {
	SubscriptionID string `json:"subscriptionId"`
}

func (h *handlers) rename(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	var body struct {
		SubscriptionName string `json:"subscriptionName"`
	}
	if err := req.Decode(&body); err != nil {
		return nil, err
	}
	return answerChanged(h.service.RenameSubscription(ctx, req.Who, req.ID.Subscription, body.SubscriptionName))
}

func (h *handlers) cancel(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	return answerChanged(h.service.DisableSubscription(ctx, req.Who, req.ID.Subscription))
}

func (h *handlers) enable(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	return answerChanged(h.service.EnableSubscription(ctx, req.Who, req.ID.Subscription))
}

func answerChanged(sub accounts.Subscription, err error) (*arm.Response, error) {
	if err != nil {
		return nil, err
	}
	return arm.Answer(http.StatusOK, changed{SubscriptionID: sub.ID}), nil
}

func displayName(req *arm.Request) (string, error) {
	var body struct {
		DisplayName string `json:"displayName"`
	}
	err := req.Decode(&body)
	return body.DisplayName, err
}

func status(created bool) int {
	if created {
		return http.StatusCreated
	}
	return http.StatusOK
}

package cognitive

import (
	"context"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/arm"
)

// nothing is a list that is always empty here. Clients ask for it and understand
// that there is none; that the path does not exist they would not.
type nothing struct {
	segment    string // of the path
	resource   string // for people
	inLocation bool   // of a location, otherwise of an account
}

// nothings lists them all: models and their deployments are the upstreams'
// business, and nothing here has a quota or is paid for.
func nothings() []nothing {
	return []nothing{
		{segment: "models", resource: "account models"},
		{segment: "deployments", resource: "deployments"},
		{segment: "commitmentPlans", resource: "commitment plans"},
		{segment: "models", resource: "models", inLocation: true},
		{segment: "usages", resource: "usages", inLocation: true},
		{segment: "commitmentTiers", resource: "commitment tiers", inLocation: true},
	}
}

// action is the permission that reading takes (Microsoft.CognitiveServices
// provider operations).
func (n nothing) action() string {
	if n.inLocation {
		return twinkey.Provider + "/locations/" + n.segment + "/read"
	}
	return twinkey.Provider + "/accounts/" + n.segment + "/read"
}

// noneOfAccount lists nothing of an account that exists.
func (h *handlers) noneOfAccount(action string) arm.Handler {
	return func(ctx context.Context, req *arm.Request) (*arm.Response, error) {
		if err := h.service.Readable(ctx, req.Who, action, req.ID); err != nil {
			return nil, err
		}
		if _, err := h.service.Account(ctx, req.Who, req.ID); err != nil {
			return nil, err
		}
		return arm.AnswerList[struct{}](nil, ""), nil
	}
}

// noneOfSubscription lists nothing of a subscription or a location in it.
func (h *handlers) noneOfSubscription(action string) arm.Handler {
	return func(ctx context.Context, req *arm.Request) (*arm.Response, error) {
		if err := h.service.Readable(ctx, req.Who, action, req.ID); err != nil {
			return nil, err
		}
		return arm.AnswerList[struct{}](nil, ""), nil
	}
}

package subscription

import (
	"context"
	"net/http"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
)

// alias is a subscription alias on the wire (Microsoft.Subscription 2021-10-01,
// SubscriptionAliasResponse).
type alias struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Type       string          `json:"type"`
	Properties aliasProperties `json:"properties"`
}

type aliasProperties struct {
	SubscriptionID    string `json:"subscriptionId"`
	DisplayName       string `json:"displayName"`
	ProvisioningState string `json:"provisioningState"`
}

func aliasOf(name string, sub accounts.Subscription) alias {
	return alias{
		ID: "/providers/Microsoft.Subscription/aliases/" + name, Name: name, Type: "Microsoft.Subscription/aliases",
		Properties: aliasProperties{SubscriptionID: sub.ID, DisplayName: sub.Name, ProvisioningState: "Succeeded"},
	}
}

// putAlias creates a subscription. Who pays for it, and what for, is nothing
// this server asks: billingScope and workload are passed over.
func (h *handlers) putAlias(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	var body struct {
		Properties struct {
			DisplayName    string `json:"displayName"`
			SubscriptionID string `json:"subscriptionId"`
		} `json:"properties"`
	}
	if err := req.Decode(&body); err != nil {
		return nil, err
	}
	if body.Properties.SubscriptionID != "" {
		return nil, twinkey.Errorf(twinkey.Unsupported, "An alias for a subscription that exists is not supported: aliases are for creating one. Leave subscriptionId out.")
	}
	name := req.Name("alias")
	sub, created, err := h.service.AliasSubscription(ctx, req.Who, name, body.Properties.DisplayName)
	if err != nil {
		return nil, err
	}
	return arm.Answer(status(created), aliasOf(name, sub)), nil
}

func (h *handlers) getAlias(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	name := req.Name("alias")
	sub, err := h.service.SubscriptionByAlias(ctx, req.Who, name)
	if err != nil {
		return nil, err
	}
	return arm.Answer(http.StatusOK, aliasOf(name, sub)), nil
}

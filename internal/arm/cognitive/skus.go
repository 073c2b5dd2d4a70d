package cognitive

import (
	"context"
	"strings"

	"github.com/twinkey/twinkey/internal/arm"
	"github.com/twinkey/twinkey/internal/catalog"
)

// anywhere stands for the locations of a kind that is offered in any. Clients
// require a list.
const anywhere = "GLOBAL"

// resourceSKU is a SKU of a subscription on the wire
// (Microsoft.CognitiveServices 2024-10-01, ResourceSku).
type resourceSKU struct {
	ResourceType string     `json:"resourceType"`
	Name         string     `json:"name"`
	Tier         string     `json:"tier"`
	Kind         string     `json:"kind"`
	Locations    []string   `json:"locations"`
	Restrictions []struct{} `json:"restrictions"`
}

// accountSKU is a SKU that an account could have (AccountSku).
type accountSKU struct {
	ResourceType string `json:"resourceType"`
	SKU          sku    `json:"sku"`
}

func (h *handlers) listSKUs(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	if err := h.service.Readable(ctx, req.Who, actionReadSKUs, req.ID); err != nil {
		return nil, err
	}
	var list []resourceSKU
	for _, k := range h.catalog().Kinds() {
		locations := locationsOf(k)
		for _, s := range k.SKUs() {
			list = append(list, resourceSKU{
				ResourceType: "accounts", Name: s.Name, Tier: tier(s.Name), Kind: k.Name(), Locations: locations, Restrictions: []struct{}{},
			})
		}
	}
	return arm.AnswerList(list, ""), nil
}

func (h *handlers) listAccountSKUs(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	if err := h.service.Readable(ctx, req.Who, actionReadAccountSKUs, req.ID); err != nil {
		return nil, err
	}
	a, err := h.service.Account(ctx, req.Who, req.ID)
	if err != nil {
		return nil, err
	}
	var list []accountSKU
	k, _ := h.catalog().Kind(a.Kind) // a kind that has left the catalog has no SKUs to change to
	for _, s := range k.SKUs() {
		list = append(list, accountSKU{ResourceType: accountType, SKU: sku{Name: s.Name, Tier: tier(s.Name)}})
	}
	return arm.AnswerList(list, ""), nil
}

// locationsOf lists a kind's locations in the form of this list: capitals, no
// spaces.
func locationsOf(k catalog.Kind) []string {
	var all []string
	for _, l := range k.Locations() {
		all = append(all, strings.ToUpper(strings.ReplaceAll(l, " ", "")))
	}
	if all == nil {
		all = []string{anywhere}
	}
	return all
}

// tier is what Azure calls the SKUs of a letter.
func tier(name string) string {
	switch {
	case strings.HasPrefix(name, "F"):
		return "Free"
	case strings.HasPrefix(name, "E"):
		return "Enterprise"
	}
	return "Standard"
}

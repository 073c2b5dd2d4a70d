package cognitive

import (
	"context"
	"net/http"
	"strings"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/arm"
)

// accountType is the only type of resource whose availability can be asked for.
const accountType = twinkey.Provider + "/accounts"

// maxAsked is how many SKUs one call may ask about.
const maxAsked = 100

// skuAvailability says whether an account could have a SKU
// (Microsoft.CognitiveServices 2024-10-01, SkuAvailability).
type skuAvailability struct {
	Kind         string `json:"kind"`
	Type         string `json:"type"`
	SKUName      string `json:"skuName"`
	SKUAvailable bool   `json:"skuAvailable"`
	Reason       string `json:"reason,omitempty"`
	Message      string `json:"message,omitempty"`
}

// checkSKUs says which of some SKUs a new account could have.
func (h *handlers) checkSKUs(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	if err := h.service.Readable(ctx, req.Who, actionCheckSKU, req.ID); err != nil {
		return nil, err
	}
	var body struct {
		SKUs []string `json:"skus"`
		Kind string   `json:"kind"`
		Type string   `json:"type"`
	}
	if err := req.Decode(&body); err != nil {
		return nil, err
	}
	if len(body.SKUs) == 0 || body.Kind == "" || body.Type == "" {
		return nil, twinkey.Errorf(twinkey.Unreadable, "The properties 'skus', 'kind' and 'type' are required.")
	}
	if len(body.SKUs) > maxAsked {
		return nil, twinkey.Errorf(twinkey.Invalid, "There are %d entries in 'skus'; at most %d are allowed.", len(body.SKUs), maxAsked)
	}
	if err := checkType(body.Type); err != nil {
		return nil, err
	}
	var list []skuAvailability
	for _, name := range body.SKUs {
		found := skuAvailability{Kind: body.Kind, Type: body.Type, SKUName: name, SKUAvailable: true}
		if err := h.service.Offered(body.Kind, name, req.Name("location")); err != nil {
			found.SKUAvailable, found.Reason, found.Message = false, "NotAvailableForSubscription", twinkey.MessageOf(err)
		}
		list = append(list, found)
	}
	return arm.AnswerList(list, ""), nil
}

// domainAvailability says whether an account could have a sub-domain
// (DomainAvailability).
type domainAvailability struct {
	Available     bool   `json:"isSubdomainAvailable"`
	Reason        string `json:"reason,omitempty"`
	SubdomainName string `json:"subdomainName"`
	Type          string `json:"type"`
	Kind          string `json:"kind,omitempty"`
}

// checkSubDomain says whether a sub-domain is free.
func (h *handlers) checkSubDomain(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	var body struct {
		SubdomainName string `json:"subdomainName"`
		Type          string `json:"type"`
		Kind          string `json:"kind"`
	}
	if err := req.Decode(&body); err != nil {
		return nil, err
	}
	if body.SubdomainName == "" || body.Type == "" {
		return nil, twinkey.Errorf(twinkey.Unreadable, "The properties 'subdomainName' and 'type' are required.")
	}
	if err := checkType(body.Type); err != nil {
		return nil, err
	}
	found := domainAvailability{SubdomainName: body.SubdomainName, Type: body.Type, Kind: body.Kind}
	free, err := h.service.SubDomainFree(ctx, req.Who, req.ID.Subscription, body.SubdomainName)
	switch {
	case twinkey.KindOf(err) == twinkey.InvalidName:
		found.Reason = twinkey.MessageOf(err)
	case err != nil:
		return nil, err
	case !free:
		found.Reason = "The sub-domain name '" + body.SubdomainName + "' is used by another account."
	default:
		found.Available = true
	}
	return arm.Answer(http.StatusOK, found), nil
}

func checkType(name string) error {
	if strings.EqualFold(name, accountType) {
		return nil
	}
	return twinkey.Errorf(twinkey.Invalid, "The resource type '%s' is not known here. Ask about '%s'.", twinkey.Printable(name, 80), accountType)
}

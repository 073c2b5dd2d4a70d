package cognitive

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
)

// timeFormat has the seven digits after the point that clients are used to.
const timeFormat = "2006-01-02T15:04:05.0000000Z"

// provisioned is the only state there is: an operation on one account answers
// when it is done.
const provisioned = "Succeeded"

// account is an account on the wire (Microsoft.CognitiveServices 2024-10-01,
// Account).
type account struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Type       string            `json:"type"`
	Location   string            `json:"location"`
	SKU        sku               `json:"sku"`
	Kind       string            `json:"kind"`
	Tags       map[string]string `json:"tags,omitempty"`
	Identity   json.RawMessage   `json:"identity,omitempty"`
	Properties map[string]any    `json:"properties"`
	ETag       string            `json:"etag"`
	SystemData systemData        `json:"systemData"`
}

type sku struct {
	Name string `json:"name"`
	Tier string `json:"tier,omitempty"`
}

// systemData says who made and changed a resource (Azure Resource Manager
// common types v2, systemData).
type systemData struct {
	CreatedBy          string `json:"createdBy"`
	CreatedByType      string `json:"createdByType"`
	CreatedAt          string `json:"createdAt"`
	LastModifiedBy     string `json:"lastModifiedBy"`
	LastModifiedByType string `json:"lastModifiedByType"`
	LastModifiedAt     string `json:"lastModifiedAt"`
}

// callRateLimit is the rate an account's SKU allows.
type callRateLimit struct {
	Rules []throttlingRule `json:"rules"`
}

type throttlingRule struct {
	Key           string         `json:"key"`
	RenewalPeriod float64        `json:"renewalPeriod"` // seconds
	Count         float64        `json:"count"`
	MatchPatterns []matchPattern `json:"matchPatterns"`
}

type matchPattern struct {
	Path   string `json:"path"`
	Method string `json:"method"`
}

// show is a as it goes on the wire.
func (h *handlers) show(a accounts.Account) account {
	return account{
		ID: a.ID.String(), Name: a.ID.Account, Type: accountType, Location: a.Location,
		SKU: sku{Name: a.SKU}, Kind: a.Kind, Tags: a.Tags, Identity: a.Identity,
		Properties: h.properties(a), ETag: arm.ETag(a.Revision),
		SystemData: systemData{
			CreatedBy: a.Created.By, CreatedByType: byType(a.Created.ByType), CreatedAt: a.Created.At.UTC().Format(timeFormat),
			LastModifiedBy: a.Modified.By, LastModifiedByType: byType(a.Modified.ByType), LastModifiedAt: a.Modified.At.UTC().Format(timeFormat),
		},
	}
}

// properties joins what callers wrote, what the product acts on, and what only
// the service knows; of two with one name the last counts.
func (h *handlers) properties(a accounts.Account) map[string]any {
	p := map[string]any{}
	for name, value := range a.Properties.Other {
		p[name] = value
	}
	if a.Properties.CustomSubDomainName != "" {
		p["customSubDomainName"] = a.Properties.CustomSubDomainName
	}
	if a.Properties.DisableLocalAuth != nil {
		p["disableLocalAuth"] = *a.Properties.DisableLocalAuth
	}
	if a.Properties.NetworkACLs != nil {
		p["networkAcls"] = showRules(a.Properties.NetworkACLs)
	}
	p["publicNetworkAccess"] = accounts.PublicAccessEnabled
	if a.Properties.PublicNetworkAccess != "" {
		p["publicNetworkAccess"] = a.Properties.PublicNetworkAccess
	}
	p["provisioningState"] = provisioned
	endpoint := strings.TrimRight(h.endpoint(a.Properties.CustomSubDomainName), "/") + "/" // SDKs expect the slash
	p["endpoint"] = endpoint
	p["endpoints"] = map[string]string{a.Kind: endpoint}
	p["internalId"] = string(a.UID)
	p["dateCreated"] = a.Created.At.UTC().Format(timeFormat)
	p["isMigrated"] = false
	p["capabilities"] = []struct{}{}
	p["privateEndpointConnections"] = []struct{}{}
	if limit, ok := h.rate(a.Kind, a.SKU); ok {
		p["callRateLimit"] = limit
	}
	return p
}

// rate is the call rate of a SKU; an unlimited one has none.
func (h *handlers) rate(kind, name string) (callRateLimit, bool) {
	k, _ := h.catalog().Kind(kind)
	s, ok := k.SKU(name)
	if !ok || s.CallsPerMinute == 0 {
		return callRateLimit{}, false
	}
	return callRateLimit{Rules: []throttlingRule{{
		Key: "default", RenewalPeriod: time.Minute.Seconds(), Count: float64(s.CallsPerMinute),
		MatchPatterns: []matchPattern{{Path: "*", Method: "*"}},
	}}}, true
}

// answer shows an account with its ETag.
func (h *handlers) answer(status int, a accounts.Account) *arm.Response {
	resp := arm.Answer(status, h.show(a))
	resp.Header.Set("ETag", arm.ETag(a.Revision))
	return resp
}

// byType is systemData's word for a type of principal.
func byType(t twinkey.PrincipalType) string {
	if t == twinkey.ServicePrincipal {
		return "Application"
	}
	return string(t)
}

// createdStatus is the status of a PUT.
func createdStatus(created bool) int {
	if created {
		return http.StatusCreated
	}
	return http.StatusOK
}

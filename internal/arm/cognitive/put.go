package cognitive

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
)

// put creates an account, or changes one that exists.
func (h *handlers) put(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	spec, err := decodeSpec(req)
	if err != nil {
		return nil, err
	}
	a, created, out, err := h.service.PutAccount(ctx, req.Who, req.ID, spec, req.Precondition)
	if err != nil {
		return nil, err
	}
	return h.answer(createdStatus(created), a).Confirm(out), nil
}

// specBody is the body of a PUT, as far as the product acts on it.
type specBody struct {
	Kind     string            `json:"kind"`
	Location string            `json:"location"`
	SKU      sku               `json:"sku"`
	Tags     map[string]string `json:"tags"`
	Identity *identity         `json:"identity"`

	Properties struct {
		CustomSubDomainName string `json:"customSubDomainName"`
		DisableLocalAuth    *bool  `json:"disableLocalAuth"`
		PublicNetworkAccess string `json:"publicNetworkAccess"`
		Restore             bool   `json:"restore"`
		ProvisioningState   string `json:"provisioningState"`
	} `json:"properties"`
}

// decodeSpec reads the body twice: once for what the product acts on, once for
// the properties it only keeps.
func decodeSpec(req *arm.Request) (accounts.AccountSpec, error) {
	var body specBody
	if err := req.Decode(&body); err != nil {
		return accounts.AccountSpec{}, err
	}
	var whole struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if err := req.Decode(&whole); err != nil {
		return accounts.AccountSpec{}, err
	}
	given := body.Properties
	if given.Restore {
		return accounts.AccountSpec{}, twinkey.Errorf(twinkey.Unsupported, "Deleted accounts are not kept, so none can be restored. Create the account without 'restore'.")
	}
	if given.ProvisioningState != "" && !strings.EqualFold(given.ProvisioningState, provisioned) {
		return accounts.AccountSpec{}, twinkey.Errorf(twinkey.Invalid, "The property 'provisioningState' is read-only. Leave it out, or send '%s'.", provisioned)
	}
	access, err := networkAccess(given.PublicNetworkAccess)
	if err != nil {
		return accounts.AccountSpec{}, err
	}
	who, err := body.Identity.encode()
	if err != nil {
		return accounts.AccountSpec{}, err
	}
	return accounts.AccountSpec{
		Kind: body.Kind, Location: body.Location, SKU: body.SKU.Name, Tags: body.Tags, Identity: who,
		Properties: accounts.Properties{
			CustomSubDomainName: given.CustomSubDomainName, DisableLocalAuth: given.DisableLocalAuth,
			PublicNetworkAccess: access, Other: kept(whole.Properties),
		},
	}, nil
}

// networkAccess checks publicNetworkAccess and gives it its proper spelling.
func networkAccess(value string) (string, error) {
	for _, allowed := range []string{"", "Enabled", "Disabled"} {
		if strings.EqualFold(value, allowed) {
			return allowed, nil
		}
	}
	return "", twinkey.Errorf(twinkey.Invalid, "The value '%s' of 'publicNetworkAccess' is invalid. Allowed values: Enabled, Disabled.", twinkey.Printable(value, 40))
}

// kept picks the properties that are stored as they came and shown again. A
// null is as good as absent.
func kept(properties map[string]json.RawMessage) map[string]json.RawMessage {
	other := map[string]json.RawMessage{}
	for name, value := range properties {
		if name = writableName(name); name != "" && string(value) != "null" {
			other[name] = value
		}
	}
	return other
}

// writableName is the proper spelling of a property that is kept as it came, ""
// for one that the service itself answers for (Microsoft.CognitiveServices
// 2024-10-01, AccountProperties). A name nobody knows keeps its spelling.
func writableName(name string) string {
	switch strings.ToLower(name) {
	case "customsubdomainname", "disablelocalauth", "publicnetworkaccess", "restore", "provisioningstate",
		"endpoint", "endpoints", "internalid", "capabilities", "ismigrated", "skuchangeinfo",
		"privateendpointconnections", "datecreated", "callratelimit", "quotalimit", "deletiondate",
		"scheduledpurgedate", "commitmentplanassociations", "abusepenalty":
		return ""
	}
	for _, known := range []string{
		"migrationToken", "networkAcls", "encryption", "userOwnedStorage", "amlWorkspace", "apiProperties",
		"dynamicThrottlingEnabled", "restrictOutboundNetworkAccess", "allowedFqdnList", "locations", "raiMonitorConfig",
		"allowProjectManagement", "defaultProject", "associatedProjects", "networkInjections", "storedCompletionsDisabled",
	} {
		if strings.EqualFold(name, known) {
			return known
		}
	}
	return name
}

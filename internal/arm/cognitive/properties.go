package cognitive

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
)

// knownProperties are the properties that the product acts on, as callers write
// them (Microsoft.CognitiveServices 2024-10-01, AccountProperties).
type knownProperties struct {
	CustomSubDomainName string       `json:"customSubDomainName,omitempty"`
	DisableLocalAuth    *bool        `json:"disableLocalAuth,omitempty"`
	PublicNetworkAccess string       `json:"publicNetworkAccess,omitempty"`
	NetworkACLs         *networkACLs `json:"networkAcls,omitempty"`
	Restore             bool         `json:"restore,omitempty"`
	ProvisioningState   string       `json:"provisioningState,omitempty"`
}

// networkACLs is the network rules on the wire (NetworkRuleSet).
type networkACLs struct {
	DefaultAction       string     `json:"defaultAction"`
	Bypass              string     `json:"bypass,omitempty"`
	IPRules             []ipRule   `json:"ipRules"`
	VirtualNetworkRules []struct{} `json:"virtualNetworkRules"`
}

type ipRule struct {
	Value string `json:"value"`
}

// propertiesOf reads all properties that callers can write; a null is as good
// as absent.
func propertiesOf(given map[string]json.RawMessage) (accounts.Properties, error) {
	text, err := encode(given)
	if err != nil {
		return accounts.Properties{}, err
	}
	var known knownProperties
	if err := json.Unmarshal(text, &known); err != nil {
		return accounts.Properties{}, twinkey.Wrap(err, twinkey.Unreadable, "The request content was invalid and could not be deserialized: the properties do not have the types they must have.")
	}
	p := accounts.Properties{CustomSubDomainName: known.CustomSubDomainName, DisableLocalAuth: known.DisableLocalAuth, Other: map[string]json.RawMessage{}}
	if p.PublicNetworkAccess, err = networkAccess(known.PublicNetworkAccess); err != nil {
		return p, err
	}
	if p.NetworkACLs, err = known.NetworkACLs.rules(); err != nil {
		return p, err
	}
	for name, value := range given {
		if !actedOn(name) && !isNull(value) {
			p.Other[name] = value
		}
	}
	return p, nil
}

// written is propertiesOf backwards.
func written(p accounts.Properties) (map[string]json.RawMessage, error) {
	text, err := encode(knownProperties{
		CustomSubDomainName: p.CustomSubDomainName, DisableLocalAuth: p.DisableLocalAuth,
		PublicNetworkAccess: p.PublicNetworkAccess, NetworkACLs: showRules(p.NetworkACLs),
	})
	if err != nil {
		return nil, err
	}
	all, _, err := object(text)
	if err != nil {
		return nil, err
	}
	maps.Copy(all, p.Other)
	return all, nil
}

func (n *networkACLs) rules() (*accounts.NetworkRules, error) {
	if n == nil {
		return nil, nil
	}
	if len(n.VirtualNetworkRules) > 0 {
		return nil, twinkey.Errorf(twinkey.Unsupported, "There are no virtual networks here, so 'networkAcls.virtualNetworkRules' must be empty. Name addresses in 'networkAcls.ipRules' instead.")
	}
	var addresses []string
	for _, r := range n.IPRules {
		addresses = append(addresses, r.Value)
	}
	return accounts.NewNetworkRules(n.DefaultAction, n.Bypass, addresses)
}

// showRules shows both lists even if they are empty, as clients expect.
func showRules(r *accounts.NetworkRules) *networkACLs {
	if r == nil {
		return nil
	}
	n := &networkACLs{DefaultAction: r.DefaultAction, Bypass: r.Bypass, IPRules: []ipRule{}, VirtualNetworkRules: []struct{}{}}
	for _, a := range r.IPRules {
		n.IPRules = append(n.IPRules, ipRule{a})
	}
	return n
}

// networkAccess checks publicNetworkAccess and gives it its proper spelling.
func networkAccess(value string) (string, error) {
	for _, allowed := range []string{"", accounts.PublicAccessEnabled, accounts.PublicAccessDisabled} {
		if strings.EqualFold(value, allowed) {
			return allowed, nil
		}
	}
	return "", twinkey.Errorf(twinkey.Invalid, "The value '%s' of 'publicNetworkAccess' is invalid. Allowed values: Enabled, Disabled.", twinkey.Printable(value, 40))
}

// writableOnly drops the properties that the service itself answers for, which
// clients send back as they got them, and spells the others properly. Clients
// send "" for a property that is acted on and that they have no wish about.
func writableOnly(properties map[string]json.RawMessage) map[string]json.RawMessage {
	given := map[string]json.RawMessage{}
	for name, value := range properties {
		if name = writableName(name); name != "" && !(actedOn(name) && string(value) == `""`) {
			given[name] = value
		}
	}
	return given
}

// actedOn reports whether a property, properly spelled, has a field of its own.
func actedOn(name string) bool {
	switch name {
	case "customSubDomainName", "disableLocalAuth", "publicNetworkAccess", "networkAcls":
		return true
	}
	return false
}

// writableName is the proper spelling of a property that callers can write, ""
// for one that the service itself answers for (Microsoft.CognitiveServices
// 2024-10-01, AccountProperties). A name nobody knows keeps its spelling.
func writableName(name string) string {
	switch twinkey.Fold(name) {
	case "restore", "provisioningstate", "endpoint", "endpoints", "internalid", "capabilities", "ismigrated",
		"skuchangeinfo", "privateendpointconnections", "datecreated", "callratelimit", "quotalimit", "deletiondate",
		"scheduledpurgedate", "commitmentplanassociations", "abusepenalty":
		return ""
	}
	for _, known := range []string{
		"customSubDomainName", "disableLocalAuth", "publicNetworkAccess", "networkAcls",
		"migrationToken", "encryption", "userOwnedStorage", "amlWorkspace", "apiProperties",
		"dynamicThrottlingEnabled", "restrictOutboundNetworkAccess", "allowedFqdnList", "locations", "raiMonitorConfig",
		"allowProjectManagement", "defaultProject", "associatedProjects", "networkInjections", "storedCompletionsDisabled",
	} {
		if strings.EqualFold(name, known) {
			return known
		}
	}
	return name
}

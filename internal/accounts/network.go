package accounts

import (
	"net/netip"
	"strings"

	"github.com/twinkey/twinkey"
)

// The values of NetworkRules.DefaultAction.
const (
	AllowByDefault = "Allow"
	DenyByDefault  = "Deny"
)

// maxAddressRules bounds what a gateway has to go through for one call.
const maxAddressRules = 200

// NetworkRules say from which addresses an account may be called
// (Microsoft.CognitiveServices 2024-10-01, NetworkRuleSet). They are made by
// NewNetworkRules alone.
type NetworkRules struct {
	DefaultAction string   `json:"defaultAction"`     // for addresses that no rule names
	Bypass        string   `json:"bypass,omitempty"`  // kept and shown; there are no services here that it could concern
	IPRules       []string `json:"ipRules,omitempty"` // addresses and CIDR ranges, as they were written
}

// NewNetworkRules checks rules and gives their words the proper spelling. Without
// any address the default action may be left out, and is to allow.
func NewNetworkRules(defaultAction, bypass string, addresses []string) (*NetworkRules, error) {
	if defaultAction == "" && len(addresses) == 0 {
		defaultAction = AllowByDefault
	}
	action, ok := spelledAs(defaultAction, AllowByDefault, DenyByDefault)
	if !ok {
		return nil, twinkey.Errorf(twinkey.Invalid, "The value '%s' of 'networkAcls.defaultAction' is invalid. Allowed values: Allow, Deny.", twinkey.Printable(defaultAction, 40))
	}
	passing, ok := spelledAs(bypass, "", "None", "AzureServices")
	if !ok {
		return nil, twinkey.Errorf(twinkey.Invalid, "The value '%s' of 'networkAcls.bypass' is invalid. Allowed values: None, AzureServices.", twinkey.Printable(bypass, 40))
	}
	if len(addresses) > maxAddressRules {
		return nil, twinkey.Errorf(twinkey.Invalid, "There are %d entries in 'networkAcls.ipRules'; at most %d are allowed. Join neighbouring addresses to ranges.", len(addresses), maxAddressRules)
	}
	for _, a := range addresses {
		if _, ok := addressRange(a); !ok {
			return nil, twinkey.Errorf(twinkey.Invalid, "The value '%s' in 'networkAcls.ipRules' is invalid. It must be an IPv4 or IPv6 address, such as '203.0.113.7', or a range in CIDR notation, such as '203.0.113.0/24'.", twinkey.Printable(a, 60))
		}
	}
	return &NetworkRules{DefaultAction: action, Bypass: passing, IPRules: addresses}, nil
}

// state is what a gateway is told of the rules. A rule that cannot be read
// admits nobody.
func (r *NetworkRules) state() *twinkey.NetworkRules {
	if r == nil {
		return nil
	}
	state := &twinkey.NetworkRules{DefaultDeny: r.DefaultAction != AllowByDefault}
	for _, a := range r.IPRules {
		if allowed, ok := addressRange(a); ok {
			state.Allow = append(state.Allow, allowed)
		}
	}
	return state
}

// addressRange reads an address or a CIDR range. A zone has no meaning away from
// its own machine, and an IPv4 address in IPv6's clothes would match no caller:
// callers' addresses are compared in their own family.
func addressRange(text string) (netip.Prefix, bool) {
	if !strings.Contains(text, "/") {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" || a.Is4In6() {
			return netip.Prefix{}, false
		}
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, false
	}
	return p.Masked(), true
}

// spelledAs finds a word among those allowed, in any case, and returns it as it
// is spelled there.
func spelledAs(word string, allowed ...string) (string, bool) {
	for _, a := range allowed {
		if strings.EqualFold(word, a) {
			return a, true
		}
	}
	return "", false
}

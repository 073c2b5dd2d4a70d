package cognitive

import (
	"encoding/json"
	"strings"

	"github.com/twinkey/twinkey"
)

// identity is the identity an account would have in Azure
// (Microsoft.CognitiveServices 2024-10-01, Identity). It is kept and shown; no
// principal is made for it.
type identity struct {
	Type         string              `json:"type"`
	UserAssigned map[string]struct{} `json:"userAssignedIdentities,omitempty"`
}

// encode checks an identity and gives its type the proper spelling; nil encodes
// to nil.
func (i *identity) encode() (json.RawMessage, error) {
	if i == nil {
		return nil, nil
	}
	for _, allowed := range []string{"None", "SystemAssigned", "UserAssigned", "SystemAssigned, UserAssigned"} {
		if strings.EqualFold(strings.ReplaceAll(i.Type, " ", ""), strings.ReplaceAll(allowed, " ", "")) {
			return encode(identity{Type: allowed, UserAssigned: i.UserAssigned})
		}
	}
	return nil, twinkey.Errorf(twinkey.Unreadable,
		"The value '%s' of 'identity.type' is invalid. Allowed values: None, SystemAssigned, UserAssigned, 'SystemAssigned, UserAssigned'.", twinkey.Printable(i.Type, 60))
}

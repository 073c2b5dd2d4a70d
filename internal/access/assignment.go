package access

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/twinkey/twinkey"
)

// Assignment gives a principal a role at a scope and everything below it.
type Assignment struct {
	ID            string                `json:"id"` // GUID
	Scope         twinkey.ResourceID    `json:"scope"`
	RoleID        string                `json:"roleId"`      // GUID of the role
	PrincipalID   string                `json:"principalId"` // object id of a user, service principal or group
	PrincipalType twinkey.PrincipalType `json:"principalType"`
	Description   string                `json:"description,omitempty"`
	CreatedBy     string                `json:"createdBy"` // object id
	CreatedOn     time.Time             `json:"createdOn"`
	UpdatedBy     string                `json:"updatedBy,omitempty"` // object id
	UpdatedOn     time.Time             `json:"updatedOn,omitzero"`
	BuiltIn       bool                  `json:"builtIn,omitempty"` // keeps the last way in open: never removed

	Revision twinkey.Revision           `json:"-"` // at which it was read
	Kept     map[string]json.RawMessage `json:"-"` // fields of a newer version, written back unread
}

// concerns reports whether the assignment is to who or to a group it is in.
func (a Assignment) concerns(who twinkey.Principal) bool {
	if a.PrincipalID == "" {
		return false
	}
	if strings.EqualFold(a.PrincipalID, who.ObjectID) {
		return true
	}
	for _, group := range who.Groups {
		if strings.EqualFold(a.PrincipalID, group) {
			return true
		}
	}
	return false
}

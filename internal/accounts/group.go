package accounts

import (
	"encoding/json"
	"time"

	"github.com/twinkey/twinkey"
)

// GroupState says whether a group may gain and change accounts.
type GroupState string

// The states of a group. A group that is Deleting only loses things.
const (
	GroupActive   GroupState = "Active"
	GroupDeleting GroupState = "Deleting"
)

// Group is a resource group.
type Group struct {
	ID        twinkey.ResourceID         `json:"id"`
	Location  string                     `json:"location"`
	Tags      map[string]string          `json:"tags,omitempty"`
	State     GroupState                 `json:"state"`
	Operation string                     `json:"operation,omitempty"` // names the deletion under way
	Created   time.Time                  `json:"created"`
	Modified  time.Time                  `json:"modified"`
	Revision  twinkey.Revision           `json:"-"`
	Kept      map[string]json.RawMessage `json:"-"` // fields of a newer version, written back unread
}

// GroupSpec is what a caller may say about a group. A nil Tags leaves the tags
// as they are on an existing group.
type GroupSpec struct {
	Location string
	Tags     map[string]string
}

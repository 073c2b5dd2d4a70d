package cli

import (
	"slices"
	"strings"

	twinkey "github.com/twinkey/twinkey"
)

// cloudName is what the Azure CLI's users would call this cloud.
const cloudName = "Twinkey"

// profile is profile.json: what is known about each server one has logged in
// to. It holds no secret.
type profile struct {
	Version int                `json:"version"`
	Current string             `json:"current,omitempty"` // endpoint of the last login
	Servers map[string]*server `json:"servers,omitempty"` // by endpoint
}

// server is how to reach one server again, and what may be used there.
type server struct {
	Authority     string         `json:"authority,omitempty"`
	CAFile        string         `json:"caFile,omitempty"`
	Subscriptions []subscription `json:"subscriptions"`
}

// subscription is one of those a user may see.
type subscription struct {
	ID               string `json:"id"`
	Name             string `json:"name"`
	State            string `json:"state"`
	TenantID         string `json:"tenantId"`
	IsDefault        bool   `json:"isDefault"`
	ManagedByTenants []any  `json:"managedByTenants"`
	User             user   `json:"user"`
}

// user is who logged in.
type user struct {
	Name string `json:"name"`
	Type string `json:"type"` // "user" or "servicePrincipal"
}

const (
	typeUser             = "user"
	typeServicePrincipal = "servicePrincipal"
)

// object is the subscription as it is printed; cloudKey is "cloudName" in lists
// and "environmentName" elsewhere.
func (sub subscription) object(cloudKey string) map[string]any {
	managed := sub.ManagedByTenants
	if managed == nil {
		managed = []any{}
	}
	return map[string]any{
		cloudKey: cloudName, "homeTenantId": sub.TenantID, "id": sub.ID, "isDefault": sub.IsDefault,
		"managedByTenants": managed, "name": sub.Name, "state": sub.State, "tenantId": sub.TenantID,
		"user": map[string]any{"name": sub.User.Name, "type": sub.User.Type},
	}
}

// defaultAt returns the place of the default subscription, -1 if there is none.
func (k *server) defaultAt() int {
	return slices.IndexFunc(k.Subscriptions, func(sub subscription) bool { return sub.IsDefault })
}

// find returns the place of the subscription with that id or else that name, in
// any case; -1 if there is none.
func (k *server) find(name string) (int, error) {
	at := -1
	for i, sub := range k.Subscriptions {
		if strings.EqualFold(sub.ID, name) {
			return i, nil
		}
		if strings.EqualFold(sub.Name, name) {
			if at >= 0 {
				return -1, twinkey.Errorf(twinkey.Invalid, "More than one subscription is called '%s'. Give the subscription's ID instead.", name)
			}
			at = i
		}
	}
	return at, nil
}

// merge puts found, which are all of one user's, in the place of what was known
// of that user and of those subscriptions, and makes one of them the default:
// the preferred one, or else the first that is enabled.
func (k *server) merge(found []subscription, preferred string) {
	var kept []subscription
	for _, old := range k.Subscriptions {
		replaced := len(found) > 0 && old.User == found[0].User
		for _, sub := range found {
			replaced = replaced || strings.EqualFold(old.ID, sub.ID)
		}
		if !replaced {
			old.IsDefault = false
			kept = append(kept, old)
		}
	}
	start := len(kept)
	k.Subscriptions = append(kept, found...)
	best := -1
	for i := start; i < len(k.Subscriptions); i++ {
		sub := &k.Subscriptions[i]
		sub.IsDefault = false
		if strings.EqualFold(sub.ID, preferred) {
			best = i
			break
		}
		if best < 0 && sub.State == "Enabled" {
			best = i
		}
	}
	if best >= 0 {
		k.Subscriptions[best].IsDefault = true
	}
}

// drop forgets u's subscriptions and keeps a default among the others.
func (k *server) drop(u user) {
	var kept []subscription
	hasDefault := false
	for _, sub := range k.Subscriptions {
		if sub.User != u {
			kept = append(kept, sub)
			hasDefault = hasDefault || sub.IsDefault
		}
	}
	if !hasDefault && len(kept) > 0 {
		kept[0].IsDefault = true
	}
	k.Subscriptions = kept
}

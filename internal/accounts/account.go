package accounts

import (
	"encoding/json"
	"time"

	"github.com/twinkey/twinkey"
)

// Account is the resource that owns a pair of keys.
type Account struct {
	ID         twinkey.ResourceID         `json:"id"`
	UID        twinkey.UID                `json:"uid"`
	Kind       string                     `json:"kind"`
	Location   string                     `json:"location"` // in the casing it came with
	SKU        string                     `json:"sku"`
	Tags       map[string]string          `json:"tags,omitempty"`
	Identity   json.RawMessage            `json:"identity,omitempty"`
	Properties Properties                 `json:"properties"`
	Slots      [2]Slot                    `json:"slots"`
	Created    Stamp                      `json:"created"`
	Modified   Stamp                      `json:"modified"` // last change of what a caller can write; not of keys
	Revision   twinkey.Revision           `json:"-"`
	Kept       map[string]json.RawMessage `json:"-"` // fields of a newer version, written back unread
}

// Properties are the writable properties of an account. Those the product acts
// on have fields; the rest is kept and shown as it came.
type Properties struct {
	CustomSubDomainName string                     `json:"customSubDomainName,omitempty"`
	DisableLocalAuth    *bool                      `json:"disableLocalAuth,omitempty"`
	PublicNetworkAccess string                     `json:"publicNetworkAccess,omitempty"` // Enabled or Disabled; "" is Enabled
	NetworkACLs         *NetworkRules              `json:"networkAcls,omitempty"`
	Other               map[string]json.RawMessage `json:"other,omitempty"`
}

// The values of Properties.PublicNetworkAccess.
const (
	PublicAccessEnabled  = "Enabled"
	PublicAccessDisabled = "Disabled"
)

// Stamp says who did something and when.
type Stamp struct {
	By     string                `json:"by"`
	ByType twinkey.PrincipalType `json:"byType"`
	At     time.Time             `json:"at"`

	Request string `json:"request,omitempty"` // id of the call that did it
}

// Slot is one of the two places for a key.
type Slot struct {
	Generation twinkey.Generation `json:"generation"`
	Digest     twinkey.Digest     `json:"digest"`
	Sealed     []byte             `json:"sealed"`
	Request    Request            `json:"request"` // the one that made this generation
}

// Request identifies the call that regenerated a slot, so that the same call
// sent again by an SDK gets the same answer.
type Request struct {
	ID        string    `json:"id"`
	ClientID  string    `json:"clientId,omitempty"`
	Principal string    `json:"principal"`
	At        time.Time `json:"at"`
}

// AccountSpec is what a caller may say about an account when putting it. Empty
// fields leave an existing account as it is.
type AccountSpec struct {
	Kind       string
	Location   string
	SKU        string
	Tags       map[string]string
	Identity   json.RawMessage
	Properties Properties
}

// AccountPatch is what a caller may say about an account that exists. Empty
// fields leave it as it is; kind and location cannot become others.
type AccountPatch struct {
	Kind     string
	Location string
	SKU      string
	Tags     map[string]string // the whole set; nil leaves the tags
	Identity json.RawMessage
	// Properties makes of the properties there are those there shall be. It
	// depends on nothing else: it is called again when the account has changed
	// meanwhile. Nil leaves them.
	Properties func(Properties) (Properties, error)
}

// Keys are both keys of an account, in clear.
type Keys struct {
	Key1 twinkey.Secret
	Key2 twinkey.Secret
}

// Outcome says what a change, or a showing of keys, came to.
type Outcome struct {
	Revision   twinkey.Revision
	Generation twinkey.Generation // of the regenerated slot
	Pending    []string           // gateways that may still act on the state before
	Repeated   bool               // the same request again: answered as the first time
	Joined     bool               // somebody else regenerated meanwhile: nothing was changed
}

// KeysDisabled reports whether keys are refused for the account.
func (a *Account) KeysDisabled() bool {
	return a.Properties.DisableLocalAuth != nil && *a.Properties.DisableLocalAuth
}

// State is what a gateway is told of the account.
func (a *Account) State() twinkey.AccountState {
	return twinkey.AccountState{
		ID: a.ID, UID: a.UID, Kind: a.Kind, Location: a.Location, SKU: a.SKU,
		Subdomain:    twinkey.Fold(a.Properties.CustomSubDomainName),
		Digests:      [2]twinkey.Digest{a.Slots[0].Digest, a.Slots[1].Digest},
		Generations:  [2]twinkey.Generation{a.Slots[0].Generation, a.Slots[1].Generation},
		KeysDisabled: a.KeysDisabled(),

		PublicAccessDisabled: a.Properties.PublicNetworkAccess == PublicAccessDisabled,
		Network:              a.Properties.NetworkACLs.state(),
	}
}

package twinkey

import "net/netip"

// AccountState is everything a gateway knows of an account: enough to decide on
// a call, and nothing from which a key could be made.
type AccountState struct {
	ID           ResourceID    `json:"id"`
	UID          UID           `json:"uid"`
	Kind         string        `json:"kind"`
	Location     string        `json:"location"`
	SKU          string        `json:"sku"`
	Subdomain    string        `json:"subdomain,omitempty"`
	Digests      [2]Digest     `json:"digests"`
	Generations  [2]Generation `json:"generations"`
	KeysDisabled bool          `json:"keysDisabled,omitempty"`

	PublicAccessDisabled bool          `json:"publicAccessDisabled,omitempty"`
	Network              *NetworkRules `json:"network,omitempty"` // nil: any address
}

// NetworkRules say from which addresses an account may be called.
type NetworkRules struct {
	DefaultDeny bool           `json:"defaultDeny,omitempty"` // addresses not listed are refused
	Allow       []netip.Prefix `json:"allow,omitempty"`
}

// FromHub is one message to a gateway; exactly one field is set. The structs
// are plain so that a wire can carry them.
type FromHub struct {
	Chunk  *SnapshotChunk `json:"chunk,omitempty"`
	Change *Change        `json:"change,omitempty"`
	Grant  *Grant         `json:"grant,omitempty"`
}

// SnapshotChunk is a part of the whole state at Revision. A gateway builds the
// new table aside and swaps it in with the chunk marked Last.
type SnapshotChunk struct {
	Revision Revision       `json:"revision"`
	Accounts []AccountState `json:"accounts"`
	Last     bool           `json:"last,omitempty"`

	Unreadable []UnreadableAccount `json:"-"` // not among Accounts; for the control plane's log
}

// Change is everything one commit did to accounts. Changes arrive in the order
// of their revisions, each at most once.
type Change struct {
	Revision Revision       `json:"revision"`
	Put      []AccountState `json:"put,omitempty"`
	Removed  []ResourceID   `json:"removed,omitempty"`

	Unreadable []UnreadableAccount `json:"-"` // among Removed; for the control plane's log
}

// UnreadableAccount is one whose stored document is damaged. Gateways are told
// that it is not there: it admits nothing, and the others are not held up.
type UnreadableAccount struct {
	ID    ResourceID // as the document's key has it
	Cause string     // says nothing of what is in the document
}

// Grant answers the ping with the same number: when it arrives, everything up
// to Revision, read after the ping came in, has been sent.
type Grant struct {
	Ping     uint64   `json:"ping"`
	Revision Revision `json:"revision"`
}

// FromGateway is one message to the hub; exactly one field is set.
type FromGateway struct {
	Ack  *Ack  `json:"ack,omitempty"`
	Ping *Ping `json:"ping,omitempty"`
}

// Ack says that the gateway decides on nothing older than Revision any more.
type Ack struct {
	Revision Revision `json:"revision"`
}

// Ping asks for a grant.
type Ping struct {
	Number uint64 `json:"number"`
}

// Confirmation says how far a revision has got.
type Confirmation struct {
	Revision Revision
	Pending  []string // gateways that have not applied it; empty means every one has
}

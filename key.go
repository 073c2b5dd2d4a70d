package twinkey

import (
	"fmt"
	"strings"
)

// KeyName names one of the two slots of an account. The zero value names none.
type KeyName uint8

// The two slots. Every account has both, always.
const (
	Key1 KeyName = 1
	Key2 KeyName = 2
)

// KeyNames lists both slots in order.
func KeyNames() [2]KeyName { return [2]KeyName{Key1, Key2} }

// ParseKeyName reads "key1" or "key2" in any case.
func ParseKeyName(s string) (KeyName, error) {
	switch strings.ToLower(s) {
	case "key1":
		return Key1, nil
	case "key2":
		return Key2, nil
	}
	return 0, Errorf(Invalid, "'%s' is not a key name. Allowed values: Key1, Key2.", Printable(s, 40))
}

// String is the name on the wire: "Key1" or "Key2".
func (k KeyName) String() string { return fmt.Sprintf("Key%d", uint8(k)) }

// Label is the name for people: "key 1" or "key 2".
func (k KeyName) Label() string { return fmt.Sprintf("key %d", uint8(k)) }

// Index is the place of the slot in a two-element array.
func (k KeyName) Index() int { return int(k) - 1 }

// Generation counts how often a slot has been regenerated; the key an account
// is created with has generation 1.
type Generation uint64

// Revision is the store's commit number, the only clock for data.
type Revision int64

// UID identifies an account for ever: 32 lower-case hexadecimal characters,
// drawn at random, never reused (ARM's internalId).
type UID string

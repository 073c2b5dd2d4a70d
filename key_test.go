package twinkey_test

import (
	"testing"

	"github.com/twinkey/twinkey"
)

// Both slots have a name for the wire, one for people and a place, and no other
// text names one: a wrong name must not regenerate a key.
func TestKeyNames(t *testing.T) {
	for i, name := range twinkey.KeyNames() {
		n := string(rune('1' + i))
		if name.String() != "Key"+n || name.Label() != "key "+n || name.Index() != i {
			t.Errorf("slot %d: %q, %q, %d", i, name, name.Label(), name.Index())
		}
		for _, text := range []string{"key" + n, "Key" + n, "KEY" + n, "kEy" + n} {
			if got, err := twinkey.ParseKeyName(text); err != nil || got != name {
				t.Errorf("%q: %v, %v", text, got, err)
			}
		}
	}
	for _, text := range []string{"", "key", "key0", "key3", "key11", "1", "primary", "key 1", " key1", "key1\x00"} {
		got, err := twinkey.ParseKeyName(text)
		if got != 0 || twinkey.KindOf(err) != twinkey.Invalid {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

package snapshot

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/twinkey/twinkey"
)

// Bytes whose checksum happens to be right are read without a panic, and what they
// are read as is what would be written.
func FuzzChange(f *testing.F) {
	id := twinkey.ResourceID{Subscription: "s", Group: "g", Account: "a"}
	network := &twinkey.NetworkRules{DefaultDeny: true, Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	f.Add(appendChange(nil, &twinkey.Change{Revision: 7, Removed: []twinkey.ResourceID{id}}))
	f.Add(appendChange(nil, &twinkey.Change{Revision: 1 << 40, Put: []twinkey.AccountState{{ID: id, UID: "u", KeysDisabled: true, Network: network}}}))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := (&decoder{rest: data}).change()
		if err != nil {
			return
		}
		again, err := (&decoder{rest: appendChange(nil, &c)}).change()
		if err != nil || !reflect.DeepEqual(c, again) {
			t.Errorf("%+v is written and read as %+v, %v", c, again, err)
		}
	})
}

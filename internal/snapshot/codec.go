package snapshot

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"github.com/twinkey/twinkey"
)

// errEncoding says that bytes whose checksum is right are not what was written.
var errEncoding = errors.New("a record does not read as what it must be")

// The bits of an account's flags.
const (
	flagKeysDisabled = 1 << iota
	flagPublicAccessDisabled
	flagNetwork
	flagDefaultDeny

	flagsKnown = 1<<iota - 1
)

// appendState encodes an account. Texts are preceded by their length.
func appendState(b []byte, s *twinkey.AccountState) []byte {
	b = appendID(b, s.ID)
	for _, text := range []string{string(s.UID), s.Kind, s.Location, s.SKU, s.Subdomain} {
		b = appendText(b, text)
	}
	for i := range s.Digests {
		b = append(b, s.Digests[i][:]...)
		b = binary.AppendUvarint(b, uint64(s.Generations[i]))
	}
	flags := byte(0)
	if s.KeysDisabled {
		flags |= flagKeysDisabled
	}
	if s.PublicAccessDisabled {
		flags |= flagPublicAccessDisabled
	}
	if s.Network != nil {
		flags |= flagNetwork
		if s.Network.DefaultDeny {
			flags |= flagDefaultDeny
		}
	}
	b = append(b, flags)
	if s.Network != nil {
		b = binary.AppendUvarint(b, uint64(len(s.Network.Allow)))
		for _, p := range s.Network.Allow {
			text, _ := p.MarshalText() // cannot fail
			b = appendText(b, string(text))
		}
	}
	return b
}

// appendChange encodes a change: its revision, what goes, what comes.
func appendChange(b []byte, c *twinkey.Change) []byte {
	b = binary.AppendUvarint(b, uint64(c.Revision))
	b = binary.AppendUvarint(b, uint64(len(c.Removed)))
	for _, id := range c.Removed {
		b = appendID(b, id)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Put)))
	for i := range c.Put {
		b = appendState(b, &c.Put[i])
	}
	return b
}

func appendID(b []byte, id twinkey.ResourceID) []byte {
	return appendText(appendText(appendText(b, id.Subscription), id.Group), id.Account)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decoder reads what the functions above wrote. After the first thing that
// cannot be read it is bad and returns zero values.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) change() (twinkey.Change, error) {
	c := twinkey.Change{Revision: twinkey.Revision(d.number())}
	for n := d.count(); n > 0 && !d.bad; n-- {
		c.Removed = append(c.Removed, d.id())
	}
	for n := d.count(); n > 0 && !d.bad; n-- {
		c.Put = append(c.Put, d.state())
	}
	if d.bad || len(d.rest) > 0 {
		return twinkey.Change{}, errEncoding
	}
	return c, nil
}

func (d *decoder) state() twinkey.AccountState {
	s := twinkey.AccountState{ID: d.id(), UID: twinkey.UID(d.text())}
	s.Kind, s.Location, s.SKU, s.Subdomain = d.text(), d.text(), d.text(), d.text()
	for i := range s.Digests {
		copy(s.Digests[i][:], d.take(len(s.Digests[i])))
		s.Generations[i] = twinkey.Generation(d.number())
	}
	flags := byte(0)
	if b := d.take(1); len(b) == 1 {
		flags = b[0]
	}
	d.bad = d.bad || flags&^flagsKnown != 0
	s.KeysDisabled, s.PublicAccessDisabled = flags&flagKeysDisabled != 0, flags&flagPublicAccessDisabled != 0
	if flags&flagNetwork != 0 {
		s.Network = &twinkey.NetworkRules{DefaultDeny: flags&flagDefaultDeny != 0}
		for n := d.count(); n > 0 && !d.bad; n-- {
			var p netip.Prefix
			text := d.text()
			d.bad = d.bad || p.UnmarshalText([]byte(text)) != nil
			s.Network.Allow = append(s.Network.Allow, p)
		}
	}
	return s
}

func (d *decoder) id() twinkey.ResourceID {
	return twinkey.ResourceID{Subscription: d.text(), Group: d.text(), Account: d.text()}
}

func (d *decoder) text() string { return string(d.take(d.count())) }

// count is a number of things that take at least a byte each.
func (d *decoder) count() int {
	n := d.number()
	if n > uint64(len(d.rest)) {
		d.bad = true
		return 0
	}
	return int(n)
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	if d.bad || size <= 0 {
		d.bad = true
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *decoder) take(n int) []byte {
	if d.bad || n > len(d.rest) {
		d.bad = true
		return nil
	}
	taken := d.rest[:n]
	d.rest = d.rest[n:]
	return taken
}

package gateway

import (
	"unique"

	"github.com/twinkey/twinkey"
)

// record is an account's state as a Table keeps it: what many accounts have in
// common is there once, and the texts of its own are one string. A record never
// changes. Its 128 bytes are one size class of the allocator: another field
// costs every account 16.
type record struct {
	digests     [2]twinkey.Digest
	generations [2]twinkey.Generation
	group       unique.Handle[groupName]
	offer       unique.Handle[offer]
	network     *twinkey.NetworkRules

	texts            string // the account's name, its uid and its sub-domain
	nameEnd, uidEnd  uint16 // in texts
	keysDisabled     bool
	publicIsDisabled bool
}

// groupName is what the accounts of a group have in common.
type groupName struct{ subscription, group string }

// offer is what the accounts that run the same service have in common.
type offer struct{ kind, location, sku string }

// maxTexts bounds a record's texts. Names have at most 64 characters and
// sub-domains fewer; a feed that says otherwise is not believed.
const maxTexts = 1<<16 - 1

// packer makes records, and remembers what the next probably has in common with
// the last.
type packer struct {
	groupName groupName
	group     unique.Handle[groupName]
	offered   offer
	offer     unique.Handle[offer]
}

// pack fails if the state's names have absurd lengths.
func (p *packer) pack(s *twinkey.AccountState) (*record, bool) {
	texts := s.ID.Account + string(s.UID) + s.Subdomain
	if len(texts) > maxTexts {
		return nil, false
	}
	if g := (groupName{s.ID.Subscription, s.ID.Group}); g != p.groupName || p.group == (unique.Handle[groupName]{}) {
		p.groupName, p.group = g, unique.Make(g)
	}
	if o := (offer{s.Kind, s.Location, s.SKU}); o != p.offered || p.offer == (unique.Handle[offer]{}) {
		p.offered, p.offer = o, unique.Make(o)
	}
	return &record{
		digests: s.Digests, generations: s.Generations, network: s.Network,
		group: p.group, offer: p.offer,
		texts: texts, nameEnd: uint16(len(s.ID.Account)), uidEnd: uint16(len(s.ID.Account) + len(s.UID)),
		keysDisabled: s.KeysDisabled, publicIsDisabled: s.PublicAccessDisabled,
	}, true
}

// state unpacks a record.
func (r *record) state() *twinkey.AccountState {
	o := r.offer.Value()
	return &twinkey.AccountState{
		ID: r.id(), UID: r.uid(), Kind: o.kind, Location: o.location, SKU: o.sku, Subdomain: r.subdomain(),
		Digests: r.digests, Generations: r.generations, KeysDisabled: r.keysDisabled,
		PublicAccessDisabled: r.publicIsDisabled, Network: r.network,
	}
}

func (r *record) id() twinkey.ResourceID {
	g := r.group.Value()
	return twinkey.ResourceID{Subscription: g.subscription, Group: g.group, Account: r.texts[:r.nameEnd]}
}

func (r *record) uid() twinkey.UID  { return twinkey.UID(r.texts[r.nameEnd:r.uidEnd]) }
func (r *record) subdomain() string { return r.texts[r.uidEnd:] }

// lives reports whether what a key of this generation opened may go on: the
// account is there and the same, takes keys, and has not regenerated the slot.
func (r *record) lives(uid twinkey.UID, slot twinkey.KeyName, g twinkey.Generation) bool {
	return r != nil && r.uid() == uid && !r.keysDisabled && r.generations[slot.Index()] == g
}

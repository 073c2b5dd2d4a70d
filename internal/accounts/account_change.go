package accounts

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/sealing"
)

// maxOpaque bounds what an account keeps for its callers without acting on it,
// in bytes. The store takes no document of any size, and changes add up.
const maxOpaque = 256 << 10

// creation plans an account that is not there yet, with both its keys.
func (s *Service) creation(who twinkey.Caller, id twinkey.ResourceID, spec AccountSpec, group *Group) (*Account, Write, error) {
	kind, err := s.offered(spec.Kind, spec.SKU, spec.Location)
	if err != nil {
		return nil, Write{}, err
	}
	stamp := s.stamp(who)
	a := &Account{ID: id, UID: sealing.NewUID(), Kind: kind, Location: spec.Location, SKU: spec.SKU, Tags: spec.Tags,
		Identity: spec.Identity, Properties: spec.Properties, Created: stamp, Modified: stamp}
	if err := a.check(); err != nil {
		return nil, Write{}, err
	}
	for _, name := range twinkey.KeyNames() {
		if a.Slots[name.Index()], err = s.newSlot(who, a.UID, name, 1); err != nil {
			return nil, Write{}, err
		}
	}
	return a, Write{Put: []Document{a}, Require: []Document{group}, Claim: a.Properties.CustomSubDomainName, Activity: s.record(who, ActionWrite, id)}, nil
}

// revision plans the change of an account to what spec says; its properties are
// spec's, whole.
func (s *Service) revision(who twinkey.Caller, a *Account, spec AccountSpec) (*Account, Write, error) {
	next := *a
	if spec.Location != "" && foldLocation(spec.Location) != foldLocation(a.Location) {
		return nil, Write{}, twinkey.Errorf(twinkey.LocationConflict, "The resource '%s' already exists in location '%s' in resource group '%s'. A resource with the same name cannot be created in location '%s'. Please select a new resource name.", a.ID.Account, a.Location, a.ID.Group, twinkey.Printable(spec.Location, 60))
	}
	if spec.Kind != "" && !strings.EqualFold(spec.Kind, a.Kind) {
		return nil, Write{}, twinkey.Errorf(twinkey.KindConflict, "The account '%s' is of kind '%s'; the kind of an account cannot be changed to '%s'. Create another account.", a.ID.Account, a.Kind, twinkey.Printable(spec.Kind, 60))
	}
	if spec.SKU != "" && spec.SKU != a.SKU {
		if _, err := s.offered(a.Kind, spec.SKU, a.Location); err != nil {
			return nil, Write{}, err
		}
		next.SKU = spec.SKU
	}
	if spec.Tags != nil {
		next.Tags = spec.Tags
	}
	if spec.Identity != nil {
		next.Identity = spec.Identity
	}
	next.Properties = spec.Properties
	next.Modified = s.stamp(who)
	if err := next.check(); err != nil {
		return nil, Write{}, err
	}
	w := Write{Put: []Document{&next}, Activity: s.record(who, ActionWrite, a.ID)}
	if next.Properties.CustomSubDomainName != a.Properties.CustomSubDomainName {
		w.Claim, w.Release = next.Properties.CustomSubDomainName, a.Properties.CustomSubDomainName
	}
	return &next, w, nil
}

// check applies the rules for what callers may write, as far as they concern
// the account alone.
func (a *Account) check() error {
	if err := checkSubDomain(a.Properties.CustomSubDomainName); err != nil {
		return err
	}
	if err := checkTags(a.Tags); err != nil {
		return err
	}
	size := len(a.Identity)
	for name, value := range a.Properties.Other {
		size += len(name) + len(value)
	}
	if size > maxOpaque {
		return twinkey.Errorf(twinkey.TooLarge, "The properties of the account would be larger than the limit of %d bytes.", maxOpaque)
	}
	return nil
}

// merged is p with what change says.
func (p Properties) merged(change Properties) Properties {
	if change.CustomSubDomainName != "" {
		p.CustomSubDomainName = change.CustomSubDomainName
	}
	if change.DisableLocalAuth != nil {
		p.DisableLocalAuth = change.DisableLocalAuth
	}
	if change.PublicNetworkAccess != "" {
		p.PublicNetworkAccess = change.PublicNetworkAccess
	}
	if change.NetworkACLs != nil {
		p.NetworkACLs = change.NetworkACLs
	}
	if len(change.Other) == 0 {
		return p
	}
	other, spelling := map[string]json.RawMessage{}, map[string]string{}
	maps.Copy(other, p.Other)
	for name := range other {
		spelling[twinkey.Fold(name)] = name
	}
	for name, value := range change.Other {
		if before, ok := spelling[twinkey.Fold(name)]; ok { // names compare without case; the first spelling stays
			name = before
		}
		other[name] = value
	}
	p.Other = other
	return p
}

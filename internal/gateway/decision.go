package gateway

import (
	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/catalog"
)

// Call is what a decision depends on.
type Call struct {
	Target    string // path as the bytes that came, without the query
	Presented Presented
}

// Admission is the answer yes: whose call it is, by which key, and where it goes.
type Admission struct {
	Account    *twinkey.AccountState
	Slot       twinkey.KeyName
	Generation twinkey.Generation
	Route      catalog.Route
	Path       string // to forward: the bytes that came, leading slashes made one
}

// Decide admits or refuses a call. It is a pure function of what it is given.
// The key comes first: who has none learns nothing about paths.
func Decide(table *Table, services *catalog.Catalog, call Call) (Admission, *Refusal) {
	account, slot, refusal := identify(table, call.Presented)
	if refusal != nil {
		return Admission{}, refusal
	}
	if account.KeysDisabled {
		return Admission{}, &keysDisabled
	}
	path, ok := cleanPath(call.Target)
	if !ok {
		return Admission{}, &ambiguousPath
	}
	kind, ok := services.Kind(account.Kind)
	if !ok {
		return Admission{}, &kindGone
	}
	route, ok := kind.Route(path)
	if !ok {
		return Admission{}, &notFound
	}
	return Admission{Account: account, Slot: slot, Generation: account.Generations[slot.Index()], Route: route, Path: path}, nil
}

func identify(table *Table, p Presented) (*twinkey.AccountState, twinkey.KeyName, *Refusal) {
	if p.Conflict || len(p.Key) > maxKey {
		return nil, 0, &invalidKey
	}
	if p.Key == "" {
		if p.Token != "" {
			return nil, 0, &tokenRefused
		}
		return nil, 0, &missingKey
	}
	account, slot, ok := table.Find(twinkey.DigestOf(p.Key))
	if !ok {
		return nil, 0, &invalidKey
	}
	return account, slot, nil
}

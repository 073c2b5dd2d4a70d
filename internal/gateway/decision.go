package gateway

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/catalog"
)

// Call is what a decision depends on.
type Call struct {
	Method    string
	Target    string // path as the bytes that came, without the query
	Subdomain string // of the host below the gateway's domain; "" for the shared address
	Address   netip.Addr
	Presented Presented
}

// Admission is the answer yes: whose call it is, by which key, and where it goes.
type Admission struct {
	Account    *twinkey.AccountState
	Slot       twinkey.KeyName // 0: no key opened it, an access token has to
	Generation twinkey.Generation
	Route      catalog.Route
	Path       string // the bytes that came, leading slashes made one; Route.Rewrite makes what to forward
	IssueToken bool   // not to forward, but to answer with a key token
	PerMinute  int    // calls the account may make; 0: not limited

	asked   *byte    // the identity of the table; not the table, which long calls would keep
	account *account // in it
}

// Decide admits or refuses a call. It is a pure function of what it is given.
// The credential comes first: who has none learns nothing about paths. An
// admission with Slot 0 still needs its access token checked.
func Decide(table *Table, services *catalog.Catalog, call Call) (Admission, *Refusal) {
	a, refusal := identify(table, call)
	if refusal != nil {
		return Admission{}, refusal
	}
	a.asked = table.identity
	if refusal := restrict(a, call); refusal != nil {
		return Admission{}, refusal
	}
	path, ok := cleanPath(call.Target)
	if !ok {
		return Admission{}, &ambiguousPath
	}
	kind, ok := services.Kind(a.Account.Kind)
	if !ok {
		return Admission{}, &kindGone
	}
	if sku, ok := kind.SKU(a.Account.SKU); ok {
		a.PerMinute = sku.CallsPerMinute
	}
	a.Path = path
	if asksForKeyToken(path) {
		a.IssueToken = true
		if call.Presented.Key == "" {
			return Admission{}, &missingKey
		}
		return a, nil
	}
	if a.Route, ok = kind.Route(path, a.Account.Location); !ok {
		return Admission{}, &notFound
	}
	return a, nil
}

// identify finds the account that the credential opens.
func identify(table *Table, call Call) (Admission, *Refusal) {
	p := call.Presented
	switch {
	case p.Conflict || len(p.Key) > maxKey:
		return Admission{}, &invalidKey
	case p.Key != "":
		state, slot, account := table.open(twinkey.DigestOf(p.Key))
		if state == nil || call.Subdomain != "" && state.Subdomain != call.Subdomain {
			return Admission{}, &invalidKey
		}
		return Admission{Account: state, Slot: slot, Generation: state.Generations[slot.Index()], account: account}, nil
	case p.keyToken != nil:
		return identifyKeyToken(table, call)
	case p.Token == "":
		return Admission{}, &missingKey
	case call.Subdomain == "":
		return Admission{}, &tokenNeedsHost
	}
	state, account := table.atHost(call.Subdomain)
	if state == nil {
		return Admission{}, &tokenRefused
	}
	return Admission{Account: state, account: account}, nil
}

func identifyKeyToken(table *Table, call Call) (Admission, *Refusal) {
	c := call.Presented.keyToken
	id, err := twinkey.ParseResourceID(c.Resource)
	if err != nil {
		return Admission{}, &tokenRefused
	}
	state, account := table.named(id)
	if state == nil || state.UID != c.UID || state.Generations[c.Slot.Index()] != c.Generation || call.Subdomain != "" && state.Subdomain != call.Subdomain {
		return Admission{}, &tokenRefused
	}
	return Admission{Account: state, Slot: c.Slot, Generation: c.Generation, account: account}, nil
}

// restrict applies what the account's owner has closed.
func restrict(a Admission, call Call) *Refusal {
	state := a.Account
	switch {
	case state.KeysDisabled && a.Slot != 0:
		return &keysDisabled
	case state.PublicAccessDisabled:
		return &publicAccessDisabled
	case state.Network == nil || !state.Network.DefaultDeny:
		return nil
	case slices.ContainsFunc(state.Network.Allow, func(p netip.Prefix) bool { return p.Contains(call.Address) }):
		return nil
	}
	return &firewalled
}

// DataAction is the data action a call needs of the principal of an access
// token: the kind, what the path says after its route, and whether it reads.
func (a Admission) DataAction(method string) string {
	verb := "action"
	if method == "GET" || method == "HEAD" {
		verb = "read"
	}
	name := strings.Trim(strings.ReplaceAll(a.Route.Rest(a.Path), ":", "/"), "/")
	if name != "" {
		name += "/"
	}
	return twinkey.Provider + "/accounts/" + a.Account.Kind + "/" + name + verb
}

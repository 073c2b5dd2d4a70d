package accounts_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
)

// properties is a patch that gives an account these properties.
func properties(change func(*accounts.Properties)) accounts.AccountPatch {
	return accounts.AccountPatch{Properties: func(p accounts.Properties) (accounts.Properties, error) {
		change(&p)
		return p, nil
	}}
}

// I6: what a change of properties takes away at the gateway is taken away when
// the change answers, and what it gives back is given back. Calls come from
// 192.0.2.1.
func TestPatchIsInForceWhenItReturns(t *testing.T) {
	w := newWorld(t, nil)
	id := w.create("acct")
	keys := w.keys(id)
	rules := func(action string, addresses ...string) *accounts.NetworkRules {
		r, err := accounts.NewNetworkRules(action, "", addresses)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	yes, no := true, false
	for _, c := range []struct {
		what   string
		change func(*accounts.Properties)
		want   int
	}{
		{"keys off", func(p *accounts.Properties) { p.DisableLocalAuth = &yes }, 403},
		{"keys on", func(p *accounts.Properties) { p.DisableLocalAuth = &no }, 200},
		{"public access off", func(p *accounts.Properties) { p.PublicNetworkAccess = accounts.PublicAccessDisabled }, 403},
		{"public access on", func(p *accounts.Properties) { p.PublicNetworkAccess = "" }, 200},
		{"nobody", func(p *accounts.Properties) { p.NetworkACLs = rules("deny") }, 403},
		{"others", func(p *accounts.Properties) { p.NetworkACLs = rules("Deny", "192.0.2.2", "2001:db8::/32") }, 403},
		{"the caller", func(p *accounts.Properties) { p.NetworkACLs = rules("Deny", "192.0.2.1") }, 200},
		{"the caller's network", func(p *accounts.Properties) { p.NetworkACLs = rules("Deny", "10.0.0.0/8", "192.0.2.77/24") }, 200},
		{"nobody again", func(p *accounts.Properties) { p.NetworkACLs = rules("Deny") }, 403},
		{"anybody", func(p *accounts.Properties) { p.NetworkACLs = rules("Allow", "10.0.0.0/8") }, 200},
		{"no rules", func(p *accounts.Properties) { p.NetworkACLs = nil }, 200},
	} {
		if _, out, err := w.service.PatchAccount(t.Context(), w.who(), id, properties(c.change), accounts.Precondition{}); err != nil || len(out.Pending) > 0 {
			t.Fatalf("%s: %v, pending %v", c.what, err, out.Pending)
		}
		if got := w.call(keys.Key1); got != c.want {
			t.Errorf("%s: a call is answered %d, want %d", c.what, got, c.want)
		}
	}
}

// Changes of different properties at the same time are all there afterwards: a
// patch is worked out on what it replaces.
func TestPatchesDoNotLoseOneAnother(t *testing.T) {
	w := newWorld(t, nil)
	id := w.create("acct")
	var running sync.WaitGroup
	const n = 16
	for i := range n {
		running.Go(func() {
			patch := properties(func(p *accounts.Properties) {
				other := maps.Clone(p.Other)
				if other == nil {
					other = map[string]json.RawMessage{}
				}
				other[fmt.Sprint(i)] = json.RawMessage("true")
				p.Other = other
			})
			if _, _, err := w.service.PatchAccount(t.Context(), w.who(), id, patch, accounts.Precondition{}); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	a, err := w.service.Account(t.Context(), w.who(), id)
	if err != nil || len(a.Properties.Other) != n {
		t.Errorf("%d of %d changes are there: %v", len(a.Properties.Other), n, err)
	}
}

// A patch that fails its precondition, or the rules, changes nothing, and one
// that changes nothing else leaves both keys as they are.
func TestPatchChangesWhatItSays(t *testing.T) {
	w := newWorld(t, nil)
	id := w.create("acct")
	before, err := w.service.Account(t.Context(), w.who(), id)
	if err != nil {
		t.Fatal(err)
	}
	stale := before.Revision - 1
	for kind, patch := range map[twinkey.Kind]accounts.AccountPatch{
		twinkey.KindConflict:     {Kind: "Other"},
		twinkey.LocationConflict: {Location: "local"},
		twinkey.UnknownSKU:       {SKU: "S9"},
		twinkey.Invalid:          {Tags: map[string]string{"a%b": ""}},
		twinkey.InvalidName:      properties(func(p *accounts.Properties) { p.CustomSubDomainName = "-" }),
		twinkey.TooLarge:         {Identity: make(json.RawMessage, 1<<20)},
	} {
		if _, _, err := w.service.PatchAccount(t.Context(), w.who(), id, patch, accounts.Precondition{}); twinkey.KindOf(err) != kind {
			t.Errorf("%+v: %v", patch, err)
		}
	}
	if _, _, err := w.service.PatchAccount(t.Context(), w.who(), id, accounts.AccountPatch{}, accounts.Precondition{Match: &stale}); twinkey.KindOf(err) != twinkey.PreconditionFailed {
		t.Errorf("on a stale revision: %v", err)
	}
	if after, err := w.service.Account(t.Context(), w.who(), id); err != nil || !reflect.DeepEqual(after, before) {
		t.Errorf("refused patches made of %+v this: %+v (%v)", before, after, err)
	}
	after, _, err := w.service.PatchAccount(t.Context(), w.who(), id, accounts.AccountPatch{Tags: map[string]string{"a": "b"}}, accounts.Precondition{Match: &before.Revision})
	if err != nil || !reflect.DeepEqual(after.Slots, before.Slots) || after.Tags["a"] != "b" {
		t.Errorf("%+v became %+v: %v", before, after, err)
	}
}

// A sub-domain belongs to one account at a time, and is free once its account
// gives it up.
func TestSubDomainIsTakenAndFreed(t *testing.T) {
	w := newWorld(t, nil)
	a, b := w.create("first"), w.create("second")
	name := func(text string) accounts.AccountPatch {
		return properties(func(p *accounts.Properties) { p.CustomSubDomainName = text })
	}
	for _, c := range []struct {
		id   twinkey.ResourceID
		name string
		kind twinkey.Kind // Internal: it works
		free bool         // whether "mine" is, afterwards
	}{{a, "Mine", 0, false}, {b, "mINE", twinkey.NameTaken, false}, {a, "mine", 0, false}, {a, "", 0, true}, {b, "mine", 0, false}, {b, "yours", 0, true}} {
		_, _, err := w.service.PatchAccount(t.Context(), w.who(), c.id, name(c.name), accounts.Precondition{})
		if (err == nil) != (c.kind == 0) || twinkey.KindOf(err) != c.kind {
			t.Errorf("%s takes %q: %v", c.id.Account, c.name, err)
		}
		if free, err := w.service.SubDomainFree(t.Context(), w.who(), w.sub, "MINE"); err != nil || free != c.free {
			t.Errorf("after %s takes %q, the name is free: %v (%v)", c.id.Account, c.name, free, err)
		}
	}
}

// A deletion is known to everyone who asked for it, and reads as unknown to
// others.
func TestDeletionIsFollowedByWhoAskedForIt(t *testing.T) {
	w := newWorld(t, nil)
	first, err := w.service.DeleteGroup(t.Context(), w.who(), w.groupID("g"), accounts.Precondition{})
	if err != nil || first.Done() {
		t.Fatalf("%+v: %v", first, err)
	}
	joined := w.who()
	joined.Principal = twinkey.Principal{ObjectID: uuid.NewString(), Type: twinkey.User, Groups: []string{w.owner.ObjectID}} // by a group's role
	second, err := w.service.DeleteGroup(t.Context(), joined, w.groupID("G"), accounts.Precondition{})
	if err != nil || second.Name != first.Name {
		t.Fatalf("%+v: %v", second, err)
	}
	joined.Groups = nil // and has it no more
	stranger := w.who()
	stranger.Principal = twinkey.Principal{ObjectID: uuid.NewString(), Type: twinkey.User}
	w.deleteGroup("g")
	if got, err := w.service.Deletion(t.Context(), joined, w.sub, first.Name); err != nil || !got.Done() {
		t.Errorf("who asked second: %+v, %v", got, err)
	}
	for _, name := range []string{first.Name, "0123456789abcdef-0123456789abcdef", "", "../x", first.Name + "0"} {
		if _, err := w.service.Deletion(t.Context(), stranger, w.sub, name); twinkey.KindOf(err) != twinkey.NotFound {
			t.Errorf("%q for a stranger: %v", name, err)
		}
	}
}

// Operations do not add up: those finished for more than a day go when others
// are made, the rest stays.
func TestOldOperationsGo(t *testing.T) {
	w := newWorld(t, nil)
	remove := func(name string) []accounts.Operation {
		t.Helper()
		if _, _, err := w.service.PutGroup(t.Context(), w.who(), w.groupID(name), accounts.GroupSpec{Location: "westeurope"}, accounts.Precondition{}); err != nil {
			t.Fatal(err)
		}
		w.deleteGroup(name)
		list, err := w.store.Operations(t.Context(), w.sub, 100)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	pass := func(d time.Duration) {
		now := w.now.Load().Add(d)
		w.now.Store(&now)
	}
	for i := range 3 {
		remove(fmt.Sprint("old", i))
	}
	pass(23 * time.Hour)
	if list := remove("stays"); len(list) != 4 {
		t.Fatalf("%d operations after 23 hours", len(list))
	}
	pass(2 * time.Hour)
	if list := remove("last"); len(list) != 2 || list[0].Group.Group != "stays" || list[1].Group.Group != "last" {
		t.Errorf("left are %+v", list)
	}
}

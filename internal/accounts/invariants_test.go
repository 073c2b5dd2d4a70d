package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
)

// I1: whatever is done to an account, and in whatever order, it has two
// different keys, and both open it, as long as it exists.
func TestAccountHasTwoKeysAlways(t *testing.T) {
	w := newWorld(t, nil)
	random := rand.New(rand.NewPCG(3, 4))
	ctx, id := t.Context(), w.create("acct")
	for step := range 150 {
		var err error
		switch random.IntN(5) {
		case 0, 1:
			_, _, err = w.service.Regenerate(ctx, w.who(), id, twinkey.KeyNames()[random.IntN(2)], accounts.Precondition{})
		case 2:
			_, _, _, err = w.service.PutAccount(ctx, w.who(), id, accounts.AccountSpec{Tags: map[string]string{"step": fmt.Sprint(step)}}, accounts.Precondition{})
		case 3:
			if _, _, err = w.service.DeleteAccount(ctx, w.who(), id, accounts.Precondition{}); err == nil {
				w.create("acct")
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		keys := w.keys(id)
		if keys.Key1.IsZero() || keys.Key2.IsZero() || keys.Key1 == keys.Key2 {
			t.Fatal("the account does not have two different keys")
		}
		if w.call(keys.Key1) != 200 || w.call(keys.Key2) != 200 {
			t.Fatalf("step %d: a key of the account is refused", step)
		}
	}
}

// I2: each change is in the activity log exactly once, and what is refused is
// not in it at all.
func TestEveryChangeHasItsOneEntry(t *testing.T) {
	w := newWorld(t, nil)
	ctx, id := t.Context(), w.create("acct")
	stranger := w.who()
	stranger.ObjectID = "00000000-0000-0000-0000-00000000000a"
	if _, _, err := w.service.Regenerate(ctx, stranger, id, twinkey.Key1, accounts.Precondition{}); twinkey.KindOf(err) != twinkey.Forbidden {
		t.Fatalf("a stranger regenerates: %v", err)
	}
	if _, _, err := w.service.Keys(ctx, stranger, id); twinkey.KindOf(err) != twinkey.Forbidden {
		t.Fatalf("a stranger lists keys: %v", err)
	}
	w.keys(id)
	who := w.who()
	who.ClientRequestID = "client-request"
	if _, _, err := w.service.Regenerate(ctx, who, id, twinkey.Key2, accounts.Precondition{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.service.DeleteAccount(ctx, w.who(), id, accounts.Precondition{}); err != nil {
		t.Fatal(err)
	}
	entries, _, err := w.store.Activity(ctx, w.sub, accounts.Page{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Action+" "+e.Details["slot"])
		if e.Caller != w.owner.Name || e.ObjectID != w.owner.ObjectID {
			t.Errorf("%s was done by %s", e.Action, e.Caller)
		}
	}
	want := []string{accounts.ActionWriteGroup + " ", accounts.ActionWrite + " ", accounts.ActionListKeys + " ", accounts.ActionRegenerate + " Key2", accounts.ActionDelete + " "}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("recorded:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// recordless is a store that cannot write the activity log.
type recordless struct{ accounts.Store }

func (s recordless) Commit(ctx context.Context, w accounts.Write) (twinkey.Revision, error) {
	if len(w.Put) == 0 && len(w.Activity) > 0 {
		return 0, twinkey.Errorf(twinkey.Unavailable, "no log today")
	}
	return s.Store.Commit(ctx, w)
}

// I2: keys are not shown when the showing cannot be recorded.
func TestKeysAreNotShownUnrecorded(t *testing.T) {
	w := newWorld(t, func(s accounts.Store) accounts.Store { return recordless{s} })
	id := w.create("acct")
	keys, _, err := w.service.Keys(t.Context(), w.who(), id)
	if err == nil || !keys.Key1.IsZero() || !keys.Key2.IsZero() {
		t.Fatalf("keys were shown, and the error is %v", err)
	}
}

// I4: what a gateway is told holds nothing a key could be made from.
func TestGatewayStateHoldsNoSecret(t *testing.T) {
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		switch {
		case typ == reflect.TypeFor[twinkey.Digest]():
			return
		case typ == reflect.TypeFor[twinkey.Secret](), typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.Uint8, typ.Kind() == reflect.Interface:
			t.Errorf("%s is a %s, which may carry a key", path, typ)
		case typ.Kind() == reflect.Struct:
			for f := range typ.Fields() {
				walk(path+"."+f.Name, f.Type)
			}
		case typ.Kind() == reflect.Pointer, typ.Kind() == reflect.Slice, typ.Kind() == reflect.Array:
			walk(path, typ.Elem())
		}
	}
	walk("FromHub", reflect.TypeFor[twinkey.FromHub]())
}

// I6: deleting an account, switching its keys off, and deleting its group all
// take effect at the gateway before they answer.
func TestTakingAccessAwayIsInForceWhenItReturns(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	a, b, c := w.create("deleted"), w.create("disabled"), w.create("grouped")
	keysA, keysB, keysC := w.keys(a), w.keys(b), w.keys(c)
	if existed, _, err := w.service.DeleteAccount(ctx, w.who(), a, accounts.Precondition{}); err != nil || !existed {
		t.Fatal(err)
	}
	if got := w.call(keysA.Key1); got != 401 {
		t.Errorf("a key of a deleted account is answered %d", got)
	}
	yes := true
	if _, _, _, err := w.service.PutAccount(ctx, w.who(), b, accounts.AccountSpec{Properties: accounts.Properties{DisableLocalAuth: &yes}}, accounts.Precondition{}); err != nil {
		t.Fatal(err)
	}
	if got := w.call(keysB.Key2); got != 403 {
		t.Errorf("a key of an account without keys is answered %d", got)
	}
	if _, _, err := w.service.Keys(ctx, w.who(), b); twinkey.KindOf(err) != twinkey.KeysDisabled {
		t.Errorf("listing its keys: %v", err)
	}
	w.deleteGroup("g")
	if got := w.call(keysC.Key1); got != 401 {
		t.Errorf("a key of a deleted group's account is answered %d", got)
	}
}

// Keys of an account are not the keys of one made later under the same name.
func TestRecreatedAccountHasOtherKeys(t *testing.T) {
	w := newWorld(t, nil)
	id := w.create("acct")
	before := w.keys(id)
	if _, _, err := w.service.DeleteAccount(t.Context(), w.who(), id, accounts.Precondition{}); err != nil {
		t.Fatal(err)
	}
	w.create("ACCT")
	after := w.keys(id)
	if before.Key1 == after.Key1 || w.call(before.Key1) != 401 || w.call(after.Key1) != 200 {
		t.Error("the old account's keys live on")
	}
}

// I9: with the store gone, the gateway keeps accepting good keys and refusing
// others, and the control plane says that it cannot.
func TestGatewayServesWithoutTheStore(t *testing.T) {
	w := newWorld(t, nil)
	id := w.create("acct")
	keys := w.keys(id)
	if err := w.node.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.service.Regenerate(t.Context(), w.who(), id, twinkey.Key1, accounts.Precondition{}); twinkey.KindOf(err) != twinkey.Unavailable {
		t.Errorf("regenerating without a store: %v", err)
	}
	if w.call(keys.Key1) != 200 || w.call(keys.Key2) != 200 || w.call(twinkey.NewSecret("wrong")) != 401 {
		t.Error("the gateway does not serve without the store")
	}
}

// Deleting a group is finished by whoever runs deletions next, wherever the one
// before was interrupted.
func TestGroupDeletionResumes(t *testing.T) {
	var store *failing
	w := newWorld(t, func(s accounts.Store) accounts.Store { store = &failing{Store: s}; return store })
	for i := range 60 {
		w.create(fmt.Sprintf("acct%02d", i))
	}
	if _, err := w.service.DeleteGroup(t.Context(), w.who(), w.groupID("g"), accounts.Precondition{}); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := w.service.PutAccount(t.Context(), w.who(), w.id("late"), accounts.AccountSpec{Kind: "TextAnalytics", SKU: "S", Location: "local"}, accounts.Precondition{}); twinkey.KindOf(err) != twinkey.GroupDeleting {
		t.Errorf("creating in a group that goes: %v", err)
	}
	store.after(2)
	reported := make(chan error, 100)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { w.service.RunDeletions(ctx, nil, func(err error) { reported <- err }) })
	if err := <-reported; !errors.Is(err, errStoreFails) {
		t.Fatal(err)
	}
	cancel()
	running.Wait()
	if left, _, err := w.store.Accounts(t.Context(), w.groupID("g"), accounts.Page{}); err != nil || len(left) == 0 || len(left) == 60 {
		t.Fatalf("interrupted with %d accounts left: %v", len(left), err)
	}
	store.after(-1)
	w.deleteGroup("g")
	if left, _, err := w.store.Accounts(t.Context(), w.groupID("g"), accounts.Page{}); err != nil || len(left) > 0 {
		t.Errorf("%d accounts are left: %v", len(left), err)
	}
}

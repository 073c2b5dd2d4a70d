package accounts_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/catalog"
)

const readerRole = "acdd72a7-3385-48ef-bd42-f606fba81ae7"

// anybody is a directory in which every id is a user's.
type anybody struct{}

func (anybody) Principal(_ context.Context, tenant, oid string) (twinkey.Principal, error) {
	return twinkey.Principal{Tenant: tenant, ObjectID: oid, Type: twinkey.User}, nil
}

// roles is the rules of a world that has a directory, too.
func (w *world) roles() *accounts.Service {
	return accounts.New(accounts.Config{Store: w.store, Ring: w.ring, Confirmer: w.hub, Principals: anybody{},
		Catalog: func() *catalog.Catalog { return w.catalog }, Now: w.clock})
}

func (w *world) held(scope twinkey.ResourceID) []access.Assignment {
	w.t.Helper()
	list, _, err := w.store.AssignmentsWithin(w.t.Context(), scope, accounts.Page{})
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// Whoever gives somebody a role twice at once gives it once: the second is told
// that it was there. Only so does taking it away take it away.
func TestRoleIsGivenOnceHoweverManyGiveIt(t *testing.T) {
	w := newWorld(t, nil)
	service, ctx := w.roles(), t.Context()
	for round := range 20 {
		scope, principal := w.create(fmt.Sprint("a", round)), uuid.NewString()
		var running sync.WaitGroup
		var mu sync.Mutex
		kinds := map[twinkey.Kind]int{}
		for range 6 {
			running.Go(func() {
				_, _, err := service.PutRoleAssignment(ctx, w.who(), scope, uuid.NewString(), accounts.AssignmentSpec{RoleID: readerRole, PrincipalID: principal})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					kinds[0]++
					return
				}
				kinds[twinkey.KindOf(err)]++
			})
		}
		running.Wait()
		if kinds[0] != 1 || kinds[twinkey.RoleAssignmentExists] != 5 || len(w.held(scope)) != 1 {
			t.Fatalf("round %d: given %v, held %d times", round, kinds, len(w.held(scope)))
		}
	}
}

// An assignment that is made while its account is deleted goes with it: one that
// stayed would open the next account of the name.
func TestNoAssignmentOutlivesItsAccount(t *testing.T) {
	w := newWorld(t, nil)
	service, ctx := w.roles(), t.Context()
	for round := range 30 {
		scope := w.create(fmt.Sprint("a", round))
		var running sync.WaitGroup
		running.Go(func() {
			for range 5 {
				_, _, err := service.PutRoleAssignment(ctx, w.who(), scope, uuid.NewString(), accounts.AssignmentSpec{RoleID: ownerRole, PrincipalID: uuid.NewString()})
				if err != nil && twinkey.KindOf(err) != twinkey.NotFound {
					t.Error(err)
				}
			}
		})
		running.Go(func() {
			if _, _, err := service.DeleteAccount(ctx, w.who(), scope, accounts.Precondition{}); err != nil {
				t.Error(err)
			}
		})
		running.Wait()
		if held := w.held(scope); len(held) != 0 {
			t.Fatalf("round %d: the account is gone, and %d assignments are not", round, len(held))
		}
	}
}

// A custom role is deleted, or given, but not both: nobody is left holding a role
// that does not exist.
func TestRoleIsNotDeletedUnderWhoIsGivenIt(t *testing.T) {
	w := newWorld(t, nil)
	service, ctx := w.roles(), t.Context()
	sub := twinkey.ResourceID{Subscription: w.sub}
	spec := accounts.RoleSpec{AssignableScopes: []string{sub.String()}, Permissions: []access.Permission{{Actions: []string{"*/read"}}}}
	given, deleted := 0, 0
	for round := range 40 {
		role := uuid.NewString()
		spec.Name = "role " + role
		if _, err := service.PutRoleDefinition(ctx, w.who(), sub, role, spec); err != nil {
			t.Fatal(err)
		}
		var running sync.WaitGroup
		var assignErr, deleteErr error
		running.Go(func() {
			_, _, assignErr = service.PutRoleAssignment(ctx, w.who(), w.groupID("g"), uuid.NewString(), accounts.AssignmentSpec{RoleID: role, PrincipalID: uuid.NewString()})
		})
		running.Go(func() { _, deleteErr = service.DeleteRoleDefinition(ctx, w.who(), sub, role) })
		running.Wait()
		switch {
		case assignErr == nil && twinkey.KindOf(deleteErr) == twinkey.RoleInUse:
			given++
		case deleteErr == nil && twinkey.KindOf(assignErr) == twinkey.RoleNotFound:
			deleted++
		default:
			t.Fatalf("round %d: giving it: %v; deleting it: %v", round, assignErr, deleteErr)
		}
	}
	t.Logf("%d given, %d deleted", given, deleted)
}

// Names of custom roles are unique, also among those that are made at once.
func TestRoleNamesAreUnique(t *testing.T) {
	w := newWorld(t, nil)
	service, sub := w.roles(), twinkey.ResourceID{Subscription: w.sub}
	var running sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for i := range 8 {
		running.Go(func() {
			name := []string{"Rotator", "ROTATOR"}[i%2]
			_, err := service.PutRoleDefinition(t.Context(), w.who(), sub, uuid.NewString(), accounts.RoleSpec{
				Name: name, AssignableScopes: []string{sub.String()}, Permissions: []access.Permission{{Actions: []string{"*"}}}})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				made++
			} else if twinkey.KindOf(err) != twinkey.RoleNameTaken {
				t.Error(err)
			}
		})
	}
	running.Wait()
	if list, err := w.store.CustomRoles(t.Context()); made != 1 || len(list) != 1 || err != nil {
		t.Errorf("made %d, there are %d, %v", made, len(list), err)
	}
}

// Each change of an assignment, a role and a subscription is in the activity log
// exactly once; what changes nothing, and what is refused, is not in it.
func TestEveryChangeOfAccessHasItsOneEntry(t *testing.T) {
	w := newWorld(t, nil)
	service, ctx, sub := w.roles(), t.Context(), twinkey.ResourceID{Subscription: w.sub}
	before := len(w.entries())
	id, role, principal := uuid.NewString(), uuid.NewString(), uuid.NewString()
	who := w.who()
	who.Tenant = uuid.NewString()
	stranger := w.who()
	stranger.ObjectID = uuid.NewString()
	spec := accounts.RoleSpec{Name: "Own", AssignableScopes: []string{sub.String()}, Permissions: []access.Permission{{Actions: []string{"*/read"}}}}
	steps := []struct {
		want string // in the log, "" for nothing
		do   func() error
	}{
		{accounts.ActionWriteRole, func() error { _, err := service.PutRoleDefinition(ctx, who, sub, role, spec); return err }},
		{accounts.ActionWriteAssignment, func() error {
			_, _, err := service.PutRoleAssignment(ctx, who, sub, id, accounts.AssignmentSpec{RoleID: role, PrincipalID: principal})
			return err
		}},
		{"", func() error {
			_, _, err := service.PutRoleAssignment(ctx, who, sub, id, accounts.AssignmentSpec{RoleID: role, PrincipalID: principal})
			return err
		}},
		{"", func() error {
			if _, err := service.DeleteRoleAssignment(ctx, stranger, sub, id); twinkey.KindOf(err) != twinkey.Forbidden {
				return fmt.Errorf("a stranger takes a role away: %v", err)
			}
			return nil
		}},
		{accounts.ActionDeleteAssignment, func() error { _, err := service.DeleteRoleAssignment(ctx, who, sub, id); return err }},
		{"", func() error { _, err := service.DeleteRoleAssignment(ctx, who, sub, id); return err }},
		{accounts.ActionDeleteRole, func() error { _, err := service.DeleteRoleDefinition(ctx, who, sub, role); return err }},
		{accounts.ActionRenameSubscription, func() error { _, err := service.RenameSubscription(ctx, who, w.sub, "New"); return err }},
		{accounts.ActionCancelSubscription, func() error { _, err := service.DisableSubscription(ctx, who, w.sub); return err }},
		{"", func() error { _, err := service.DisableSubscription(ctx, who, w.sub); return err }},
		{accounts.ActionEnableSubscription, func() error { _, err := service.EnableSubscription(ctx, who, w.sub); return err }},
	}
	var want []string
	for i, s := range steps {
		if err := s.do(); err != nil {
			t.Fatal(i, err)
		}
		if s.want != "" {
			want = append(want, s.want)
		}
		if got := w.entries()[before:]; strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Fatalf("after step %d the log has:\n%s\nwant:\n%s", i, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// entries lists the actions in the activity log of the subscription.
func (w *world) entries() []string {
	w.t.Helper()
	entries, _, err := w.store.Activity(w.t.Context(), w.sub, accounts.Page{})
	if err != nil {
		w.t.Fatal(err)
	}
	var actions []string
	for _, e := range entries {
		actions = append(actions, e.Action)
	}
	return actions
}

// noScan is a store in which nobody may go through all assignments.
type noScan struct{ accounts.Store }

func (noScan) Holds(context.Context, twinkey.ResourceID, []string) (bool, error) {
	return false, errStoreFails
}

// Who sees which subscription: whoever holds a role in it, above it or anywhere
// below it, itself or by a group. For whoever holds one above, as administrators
// do, no assignment below is read, however many there are.
func TestSubscriptionsAreSeenByWhoHoldsARoleThere(t *testing.T) {
	w := newWorld(t, func(s accounts.Store) accounts.Store { return noScan{s} })
	ctx := t.Context()
	if seen, err := w.service.Subscriptions(ctx, w.who()); err != nil || len(seen) != 1 {
		t.Errorf("above all subscriptions: %v, %v", seen, err)
	}
	if sees, err := w.service.Sees(ctx, w.who(), w.sub); err != nil || !sees {
		t.Errorf("above all subscriptions: %v, %v", sees, err)
	}
	service := w.roles()
	second, _, err := service.PutSubscription(ctx, w.who(), uuid.NewString(), "Second")
	if err != nil {
		t.Fatal(err)
	}
	id, member, group := w.id("acct"), uuid.NewString(), uuid.NewString()
	if _, _, _, err := service.PutAccount(ctx, w.who(), id, accounts.AccountSpec{Kind: "TextAnalytics", SKU: "S", Location: "westeurope"}, accounts.Precondition{}); err != nil {
		t.Fatal(err)
	}
	caller := w.who()
	caller.Principal = twinkey.Principal{Tenant: caller.Tenant, ObjectID: member, Groups: []string{uuid.NewString(), group}}
	expect := func(what string, want ...string) {
		t.Helper()
		seen, err := service.Subscriptions(ctx, caller)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, s := range seen {
			ids = append(ids, s.ID)
		}
		if !slices.Equal(slices.Sorted(slices.Values(ids)), slices.Sorted(slices.Values(want))) {
			t.Errorf("%s: sees %v, want %v", what, ids, want)
		}
		for _, s := range []string{w.sub, second.ID} {
			if sees, err := service.Sees(ctx, caller, s); err != nil || sees != slices.Contains(want, s) {
				t.Errorf("%s: sees %s: %v, %v", what, s, sees, err)
			}
		}
	}
	give := func(scope twinkey.ResourceID, principal string) {
		t.Helper()
		if _, _, err := service.PutRoleAssignment(ctx, w.who(), scope, uuid.NewString(), accounts.AssignmentSpec{RoleID: readerRole, PrincipalID: principal}); err != nil {
			t.Fatal(err)
		}
	}
	expect("without a role")
	give(twinkey.ResourceID{Subscription: second.ID}, uuid.NewString())
	expect("with somebody else's")
	give(id, group)
	expect("with a group's at an account", w.sub)
	give(twinkey.ResourceID{Subscription: second.ID}, member)
	expect("with its own at the other", w.sub, second.ID)
}

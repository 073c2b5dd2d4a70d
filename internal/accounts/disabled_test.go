package accounts_test

import (
	"encoding/json"
	"testing"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/catalog"
)

// state is everything in the subscription that a change could have changed.
func (w *world) state() string {
	w.t.Helper()
	ctx, sub := w.t.Context(), twinkey.ResourceID{Subscription: w.sub}
	groups, _, err := w.store.Groups(ctx, w.sub, accounts.Page{})
	if err != nil {
		w.t.Fatal(err)
	}
	all, _, err := w.store.Accounts(ctx, sub, accounts.Page{})
	if err != nil {
		w.t.Fatal(err)
	}
	roles, err := w.store.CustomRoles(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := json.Marshal([]any{groups, all, w.held(sub), roles})
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// When the answer comes that a subscription is read only, it is: a change that
// was under way is refused, and does not land later.
func TestNothingLandsInASubscriptionThatHasBeenDisabled(t *testing.T) {
	var store *lateStore
	w := newWorld(t, func(s accounts.Store) accounts.Store { store = &lateStore{Store: s}; return store })
	service := accounts.New(accounts.Config{Store: store, Ring: w.ring, Confirmer: w.hub, Principals: anybody{},
		Catalog: func() *catalog.Catalog { return w.catalog }, Now: w.clock})
	id, fresh, role := w.create("acct"), w.id("fresh"), uuid.NewString()
	ctx, none := t.Context(), accounts.Precondition{}
	spec := accounts.RoleSpec{Name: "R", AssignableScopes: []string{"/subscriptions/" + w.sub}, Permissions: []access.Permission{{Actions: []string{"*/read"}}}}
	sub := twinkey.ResourceID{Subscription: w.sub}
	if _, err := service.PutRoleDefinition(ctx, w.who(), sub, role, spec); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func() error{
		"creating an account": func() error {
			_, _, _, err := service.PutAccount(ctx, w.who(), fresh, accounts.AccountSpec{Kind: "TextAnalytics", SKU: "S", Location: "westeurope"}, none)
			return err
		},
		"changing an account": func() error {
			_, _, err := service.PatchAccount(ctx, w.who(), id, accounts.AccountPatch{Tags: map[string]string{"a": "b"}}, none)
			return err
		},
		"deleting an account": func() error { _, _, err := service.DeleteAccount(ctx, w.who(), id, none); return err },
		"regenerating a key": func() error {
			_, _, err := service.Regenerate(ctx, w.who(), id, twinkey.Key1, none)
			return err
		},
		"creating a group": func() error {
			_, _, err := service.PutGroup(ctx, w.who(), w.groupID("new"), accounts.GroupSpec{Location: "westeurope"}, none)
			return err
		},
		"changing a group": func() error {
			_, err := service.PatchGroup(ctx, w.who(), w.groupID("g"), accounts.GroupSpec{Tags: map[string]string{"a": "b"}}, none)
			return err
		},
		"deleting a group": func() error { _, err := service.DeleteGroup(ctx, w.who(), w.groupID("g"), none); return err },
		"giving a role": func() error {
			_, _, err := service.PutRoleAssignment(ctx, w.who(), id, uuid.NewString(), accounts.AssignmentSpec{RoleID: readerRole, PrincipalID: uuid.NewString()})
			return err
		},
		"changing a role": func() error {
			changed := spec
			changed.Description = "changed"
			_, err := service.PutRoleDefinition(ctx, w.who(), sub, role, changed)
			return err
		},
		"deleting a role": func() error { _, err := service.DeleteRoleDefinition(ctx, w.who(), sub, role); return err },
	} {
		before, between := w.state(), false
		store.fates = func() fate {
			if between {
				return prompt
			}
			between = true
			store.mu.Unlock() // the subscription is disabled while the commit is under way
			defer store.mu.Lock()
			if _, err := service.DisableSubscription(ctx, w.who(), w.sub); err != nil {
				t.Error(err)
			}
			return prompt
		}
		if err := change(); twinkey.KindOf(err) != twinkey.SubscriptionDisabled {
			t.Errorf("%s: %v", what, err)
		}
		if after := w.state(); !between || after != before {
			t.Errorf("%s, the subscription having been disabled, made of\n%s\nthis:\n%s", what, before, after)
		}
		if _, err := service.EnableSubscription(ctx, w.who(), w.sub); err != nil {
			t.Fatal(err)
		}
	}
}

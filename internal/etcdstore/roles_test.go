package etcdstore_test

import (
	"fmt"
	"slices"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
)

// Whoever holds a role somewhere below a scope is found there and nowhere else,
// however many hold one before them.
func TestHoldersAreFoundBelowTheirScope(t *testing.T) {
	w := newWorld(t)
	sub, other := twinkey.ResourceID{Subscription: w.sub}, twinkey.ResourceID{Subscription: uuid.NewString()}
	holder := map[string]twinkey.ResourceID{
		"root": {}, "sub": sub, "group": w.groupID("G"), "account": w.id("G", "Aa"), "another group": w.groupID("g2"), "elsewhere": other,
	}
	for principal, scope := range holder {
		w.put(&accounts.RoleAssignment{ID: uuid.NewString(), Scope: scope, PrincipalID: principal})
	}
	for _, c := range []struct {
		scope twinkey.ResourceID
		want  []string
	}{
		{twinkey.ResourceID{}, []string{"account", "another group", "elsewhere", "group", "root", "sub"}},
		{sub, []string{"account", "another group", "group", "sub"}},
		{w.groupID("g"), []string{"account", "group"}},
		{w.id("g", "aa"), []string{"account"}},
		{w.id("g", "aab"), nil},
		{other, []string{"elsewhere"}},
	} {
		var found []string
		for principal := range holder {
			held, err := w.store.Holds(t.Context(), c.scope, []string{"nobody", principal})
			if err != nil {
				t.Fatal(err)
			}
			if held {
				found = append(found, principal)
			}
		}
		if slices.Sort(found); !slices.Equal(found, c.want) {
			t.Errorf("at %s or below hold %v, want %v", c.scope, found, c.want)
		}
	}
}

// The same with more assignments than are read at once.
func TestHoldersAreFoundBehindManyOthers(t *testing.T) {
	w := newWorld(t)
	const many, atOnce = 50_100, 100 // more than a page
	for i := 0; i < many; i += atOnce {
		var puts []clientv3.Op
		for j := i; j < i+atOnce; j++ {
			puts = append(puts, clientv3.OpPut(fmt.Sprintf("/tk/r/%s||/%06d", w.sub, j), `{"principalId":"somebody"}`))
		}
		if _, err := w.etcd.Txn(t.Context()).Then(puts...).Commit(); err != nil {
			t.Fatal(err)
		}
	}
	last := &accounts.RoleAssignment{ID: "zzz", Scope: twinkey.ResourceID{Subscription: w.sub}, PrincipalID: "last"}
	w.put(last)
	for principal, want := range map[string]bool{"last": true, "nobody": false} {
		if held, err := w.store.Holds(t.Context(), last.Scope, []string{principal}); held != want || err != nil {
			t.Errorf("%s: %v, %v", principal, held, err)
		}
	}
}

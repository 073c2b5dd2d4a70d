package accounts_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
)

// While a group is deleted, accounts are created in it, changed, given keys and
// roles. What was answered before it began to go has gone with it when it is
// done - accounts, keys, roles and names -, what comes later is refused, and the
// next group of the name begins empty.
func TestNothingOutlivesAGroupHoweverBusyItIs(t *testing.T) {
	w := newWorld(t, nil)
	service, ctx, none := w.roles(), t.Context(), accounts.Precondition{}
	for round := range 6 {
		var mu sync.Mutex
		var shown []twinkey.Secret
		var busy sync.WaitGroup
		begun := make(chan struct{}, 4)
		for worker := range 4 {
			busy.Go(func() {
				id := w.id(fmt.Sprint("acct", worker))
				for n := 0; ; n++ {
					spec := accounts.AccountSpec{Kind: "TextAnalytics", SKU: "S", Location: "westeurope", Properties: accounts.Properties{CustomSubDomainName: fmt.Sprint("name", worker)}}
					_, _, _, err := service.PutAccount(ctx, w.who(), id, spec, none)
					if err == nil {
						var keys accounts.Keys
						if keys, _, err = service.Regenerate(ctx, w.who(), id, twinkey.Key1, none); err == nil {
							mu.Lock()
							shown = append(shown, keys.Key1, keys.Key2)
							mu.Unlock()
							_, _, err = service.PutRoleAssignment(ctx, w.who(), id, uuid.NewString(), accounts.AssignmentSpec{RoleID: ownerRole, PrincipalID: uuid.NewString()})
						}
					}
					if n == 0 {
						begun <- struct{}{}
					}
					switch kind := twinkey.KindOf(err); {
					case err == nil:
					case kind == twinkey.GroupDeleting || kind == twinkey.GroupNotFound:
						return
					case kind != twinkey.NotFound: // the account has gone, the group is about to
						t.Error(err)
						return
					}
				}
			})
		}
		for range 4 {
			<-begun
		}
		w.deleteGroup("g")
		busy.Wait()
		if len(shown) == 0 {
			t.Fatal("no key was shown: the test did not do its work")
		}
		for _, key := range shown {
			if status := w.call(key); status != 401 {
				t.Errorf("round %d: a key of the group that is gone is answered %d", round, status)
			}
		}
		if left, _, err := w.store.Accounts(ctx, w.groupID("g"), accounts.Page{}); err != nil || len(left) > 0 {
			t.Errorf("round %d: %d accounts are left, %v", round, len(left), err)
		}
		if left := w.held(w.groupID("g")); len(left) > 0 {
			t.Errorf("round %d: %d role assignments are left", round, len(left))
		}
		for worker := range 4 {
			if free, err := service.SubDomainFree(ctx, w.who(), w.sub, fmt.Sprint("name", worker)); err != nil || !free {
				t.Errorf("round %d: the sub-domain of worker %d is not free: %v", round, worker, err)
			}
		}
		if _, created, err := service.PutGroup(ctx, w.who(), w.groupID("g"), accounts.GroupSpec{Location: "westeurope"}, none); err != nil || !created {
			t.Fatalf("round %d: the next group of the name: created %v, %v", round, created, err)
		}
	}
}

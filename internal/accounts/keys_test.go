package accounts_test

import (
	"testing"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
)

// When regenerate returns, the old key is refused and the new one accepted at
// the gateway, and the other key has not been touched.
func TestRegenerateIsInForceWhenItReturns(t *testing.T) {
	w := newWorld(t, nil)
	id := w.create("acct")
	before := w.keys(id)
	for range 200 {
		after, out, err := w.service.Regenerate(t.Context(), w.who(), id, twinkey.Key1, accounts.Precondition{})
		if err != nil || len(out.Pending) > 0 {
			t.Fatalf("regenerating: %v, pending %v", err, out.Pending)
		}
		if got := w.call(before.Key1); got != 401 {
			t.Fatalf("the old key 1 is answered %d", got)
		}
		if got := w.call(after.Key1); got != 200 {
			t.Fatalf("the new key 1 is answered %d", got)
		}
		if after.Key2 != before.Key2 || w.call(after.Key2) != 200 {
			t.Fatal("key 2 was disturbed")
		}
		before = after
	}
}

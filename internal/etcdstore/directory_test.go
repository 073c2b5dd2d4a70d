package etcdstore_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
	"github.com/twinkey/twinkey/internal/idp"
)

func (w *world) putPrincipal(rec directory.Record, at twinkey.Revision, names ...string) (twinkey.Revision, error) {
	return w.store.PutPrincipal(w.t.Context(), directory.Write{Record: rec, Revision: at, Names: names})
}

func (w *world) deletePrincipal(rec directory.Record, at twinkey.Revision, names ...string) error {
	_, err := w.store.DeletePrincipal(w.t.Context(), directory.Write{Record: rec, Revision: at, Names: names})
	return err
}

// revisionOf is the revision of the one document under a prefix, 0 for none.
func (w *world) revisionOf(prefix string) twinkey.Revision {
	w.t.Helper()
	got, err := w.etcd.Get(w.t.Context(), prefix, clientv3.WithPrefix())
	if err != nil || len(got.Kvs) > 1 {
		w.t.Fatalf("%s: %v, %v", prefix, got, err)
	}
	if len(got.Kvs) == 0 {
		return 0
	}
	return twinkey.Revision(got.Kvs[0].ModRevision)
}

// joinCount adds to an error that there are more of something than there may be.
func joinCount(err error, n, most int) error {
	if n > most {
		return errors.Join(err, fmt.Errorf("there are %d", n))
	}
	return err
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

func want(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// A principal's document and the names it is found by change together or not at
// all.
func TestPrincipalAndItsNamesAreOne(t *testing.T) {
	w := newWorld(t)
	tenant := uuid.NewString()
	first := directory.Record{Tenant: tenant, ObjectID: uuid.NewString(), DisplayName: "first"}
	second := directory.Record{Tenant: tenant, ObjectID: uuid.NewString(), DisplayName: "second"}
	at, err := w.putPrincipal(first, 0, "one", "uno")
	if err != nil {
		t.Fatal(err)
	}
	unchanged := func(what string, expected error, act func() error) {
		t.Helper()
		before := w.raw("/tk/")
		want(t, what, act(), expected)
		if !maps.Equal(before, w.raw("/tk/")) {
			t.Errorf("%s: something was written", what)
		}
	}
	put := func(rec directory.Record, at twinkey.Revision, names ...string) func() error {
		return func() error { _, err := w.putPrincipal(rec, at, names...); return err }
	}
	remove := func(rec directory.Record, at twinkey.Revision, names ...string) func() error {
		return func() error { return w.deletePrincipal(rec, at, names...) }
	}
	unchanged("a name of another", directory.ErrNameTaken, put(second, 0, "two", "one"))
	unchanged("a document that exists", directory.ErrConflict, put(first, 0, "one"))
	unchanged("another revision", directory.ErrConflict, put(first, at-1, "one", "three"))
	unchanged("another revision and a name of another", directory.ErrNameTaken, put(second, at, "uno"))
	unchanged("deleting at another revision", directory.ErrConflict, remove(first, at-1, "one", "uno"))
	unchanged("deleting what is not there", directory.ErrConflict, remove(second, at, "two"))
	unchanged("deleting at no revision", directory.ErrConflict, remove(first, 0, "one", "uno"))
	unchanged("a principal that is required and has changed", directory.ErrConflict, func() error {
		_, err := w.store.PutPrincipal(t.Context(), directory.Write{Record: second, Names: []string{"two"}, Require: map[string]twinkey.Revision{first.ObjectID: at - 1}})
		return err
	})

	next, err := w.putPrincipal(first, at, "one", "eins")
	if err != nil || next <= at {
		t.Fatalf("revision %d after %d, %v", next, at, err)
	}
	for _, name := range []string{"one", "uno", "eins"} { // names claimed before stay claimed
		rec, revision, err := w.store.PrincipalByName(t.Context(), tenant, name)
		if err != nil || rec.ObjectID != first.ObjectID || revision != next {
			t.Errorf("by name %s: %+v at %d, %v", name, rec, revision, err)
		}
	}
	if err := w.deletePrincipal(first, next, "one", "uno", "eins"); err != nil {
		t.Fatal(err)
	}
	_, _, err = w.store.Principal(t.Context(), tenant, first.ObjectID)
	want(t, "a deleted principal", err, directory.ErrNotFound)
	_, _, err = w.store.PrincipalByName(t.Context(), tenant, "uno")
	want(t, "a name given up", err, directory.ErrNotFound)
	if _, err := w.putPrincipal(second, 0, "one", "uno", "eins"); err != nil {
		t.Errorf("names given up are not free: %v", err)
	}
	_, _, err = w.store.PrincipalByName(t.Context(), uuid.NewString(), "one")
	want(t, "a name in another tenant", err, directory.ErrNotFound)
}

// Of many that want one user name at once one gets it; the others have left no
// document that nobody finds.
func TestOneOfManyGetsAUserName(t *testing.T) {
	w := newWorld(t)
	tenant := uuid.NewString()
	var all sync.WaitGroup
	var winner atomic.Pointer[string]
	for range 16 {
		all.Go(func() {
			rec := directory.Record{Tenant: tenant, ObjectID: uuid.NewString()}
			_, err := w.putPrincipal(rec, 0, "wanted", rec.ObjectID)
			if err == nil && !winner.CompareAndSwap(nil, &rec.ObjectID) {
				t.Error("two have the name")
			} else if err != nil && !errors.Is(err, directory.ErrNameTaken) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	rec, _, err := w.store.PrincipalByName(t.Context(), tenant, "wanted")
	if err != nil || winner.Load() == nil || rec.ObjectID != *winner.Load() {
		t.Errorf("%+v, %v", rec, err)
	}
	list, err := w.store.ListPrincipals(t.Context(), tenant, "", 100)
	if err != nil || len(list) != 1 {
		t.Errorf("%d principals, %v", len(list), err)
	}
}

// A list of principals has each once, in the order of object ids, and none of
// another tenant, whatever the size of the pages.
func TestPrincipalsAreListedInOrder(t *testing.T) {
	w := newWorld(t)
	tenant := uuid.NewString()
	var ids []string
	for range 23 {
		rec := directory.Record{Tenant: tenant, ObjectID: uuid.NewString()}
		ids = append(ids, rec.ObjectID)
		if _, err := w.putPrincipal(rec, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := w.putPrincipal(directory.Record{Tenant: uuid.NewString(), ObjectID: rec.ObjectID}, 0); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(ids)
	for _, limit := range []int{1, 2, 22, 23, 24} {
		var got []string
		for after := ""; ; after = got[len(got)-1] {
			list, err := w.store.ListPrincipals(t.Context(), tenant, after, limit)
			if err != nil || len(list) > limit {
				t.Fatalf("a page of %d, %v", len(list), err)
			}
			if len(list) == 0 {
				break
			}
			for _, rec := range list {
				got = append(got, rec.ObjectID)
			}
		}
		if !slices.Equal(got, ids) {
			t.Errorf("pages of %d: %v", limit, got)
		}
	}
}

// Tenants come the oldest first, since the oldest is the home tenant, and are
// written on what was read alone.
func TestTenantsAreListedByAge(t *testing.T) {
	w := newWorld(t)
	var ids []string
	revisions := map[string]twinkey.Revision{}
	for i := range 9 {
		id := uuid.NewString()
		ids = append(ids, id)
		revision, err := w.store.PutTenant(t.Context(), directory.Tenant{ID: id, Name: fmt.Sprint(i)}, 0)
		if err != nil {
			t.Fatal(err)
		}
		revisions[id] = revision
	}
	for _, id := range ids[:4] {
		if _, err := w.store.PutTenant(t.Context(), directory.Tenant{ID: id, Name: "changed"}, revisions[id]); err != nil {
			t.Error(err)
		}
		for _, at := range []twinkey.Revision{0, revisions[id]} {
			_, err := w.store.PutTenant(t.Context(), directory.Tenant{ID: id, Name: "late"}, at)
			want(t, "a tenant that has changed", err, directory.ErrConflict)
		}
	}
	list, err := w.store.Tenants(t.Context())
	if err != nil || len(list) != len(ids) {
		t.Fatalf("%d tenants, %v", len(list), err)
	}
	for i, tenant := range list {
		if tenant.ID != ids[i] || (tenant.Name == "changed") != (i < 4) {
			t.Errorf("place %d: %+v", i, tenant)
		}
	}
}

// Signing keys are added, never replaced: a token signed with one must be
// verified with the same.
func TestSigningKeysAreNeverReplaced(t *testing.T) {
	w := newWorld(t)
	if err := w.store.PutSigningKey(t.Context(), idp.SealedKey{ID: "a", Sealed: []byte{1, 2}}); err != nil {
		t.Fatal(err)
	}
	want(t, "the same id again", w.store.PutSigningKey(t.Context(), idp.SealedKey{ID: "a", Sealed: []byte{3}}), idp.ErrConflict)
	if err := w.store.PutSigningKey(t.Context(), idp.SealedKey{ID: "aa", Sealed: []byte{4}}); err != nil {
		t.Fatal(err)
	}
	got := map[string][]byte{}
	keys, err := w.store.SigningKeys(t.Context())
	for _, k := range keys {
		got[k.ID] = k.Sealed
	}
	if wanted := map[string][]byte{"a": {1, 2}, "aa": {4}}; err != nil || !reflect.DeepEqual(got, wanted) {
		t.Errorf("%v, %v", got, err)
	}
}

// Sessions are written on what was read alone: a refresh token used twice at
// once must not be good twice.
func TestSessionsAreComparedAndSwapped(t *testing.T) {
	w := newWorld(t)
	tenant, oid := uuid.NewString(), uuid.NewString()
	none, at, err := w.store.Sessions(t.Context(), tenant, oid)
	if err != nil || at != 0 || !reflect.DeepEqual(none, idp.Sessions{}) {
		t.Fatalf("without a document: %+v at %d, %v", none, at, err)
	}
	var all sync.WaitGroup
	var won atomic.Int32
	for i := range 8 {
		all.Go(func() {
			s := idp.Sessions{Tenant: tenant, ObjectID: oid, Sessions: []idp.Session{{ID: fmt.Sprint(i)}}}
			if err := w.store.PutSessions(t.Context(), s, 0); err == nil {
				won.Add(1)
			} else {
				want(t, "losing", err, idp.ErrConflict)
			}
		})
	}
	all.Wait()
	s, at, err := w.store.Sessions(t.Context(), tenant, oid)
	if err != nil || at == 0 || won.Load() != 1 || len(s.Sessions) != 1 {
		t.Fatalf("%d won; %+v at %d, %v", won.Load(), s, at, err)
	}
	if err := w.store.PutSessions(t.Context(), s, at); err != nil {
		t.Error(err)
	}
	want(t, "the revision before", w.store.PutSessions(t.Context(), s, at), idp.ErrConflict)
}

// Nobody who asks without an answer is told that there is no such principal.
func TestNoAnswerIsNotAbsence(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := w.store.Principal(ctx, "t", "o")
	_, _, named := w.store.PrincipalByName(ctx, "t", "n")
	_, _, sessions := w.store.Sessions(ctx, "t", "o")
	_, put := w.store.PutPrincipal(ctx, directory.Write{Record: directory.Record{Tenant: "t", ObjectID: "o"}})
	for _, err := range []error{err, named, sessions, put} {
		if twinkey.KindOf(err) != twinkey.Unavailable || errors.Is(err, directory.ErrNotFound) || errors.Is(err, directory.ErrConflict) {
			t.Errorf("%v", err)
		}
	}
}

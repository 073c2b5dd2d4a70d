package etcdstore_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/directory"
	"github.com/twinkey/twinkey/internal/etcdstore"
	"github.com/twinkey/twinkey/internal/idp"
)

// future are fields that only a newer version knows, byte for byte as they are.
func future() map[string]json.RawMessage {
	return map[string]json.RawMessage{
		"version": json.RawMessage(`2`),
		"zone":    json.RawMessage(`"1<2>&ü\u0000"`),
		"ratio":   json.RawMessage(`12345678901234567890.1200`),
		"list":    json.RawMessage(`[1,null,{"a":{}}]`),
		"none":    json.RawMessage(`null`),
		"-":       json.RawMessage(`true`),
	}
}

// A server of this version between two of a newer one must not lose what the
// newer one has written, nor claim that it has written it.
func TestUnknownFieldsSurviveAWrite(t *testing.T) {
	w := newWorld(t)
	for prefix, change := range w.writers() {
		if err := change(); err != nil {
			t.Fatal(prefix, err)
		}
		key, fields := w.only(prefix)
		if string(fields["version"]) != "1" {
			t.Errorf("%s: a new document has the version %s", prefix, fields["version"])
		}
		maps.Copy(fields, future())
		newer, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		newer = bytes.ReplaceAll(newer, []byte(`\u003c`), []byte(`<`)) // as a newer version may write it
		if _, err := w.etcd.Put(t.Context(), key, string(newer)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := change(); err != nil {
				t.Fatal(prefix, err)
			}
		}
		_, after := w.only(prefix)
		for name, value := range future() {
			if !sameJSON(after[name], value) {
				t.Errorf("%s: field %q was %s and is %s", prefix, name, value, after[name])
			}
		}
		if len(after) != len(fields) {
			t.Errorf("%s: fields %v became %v", prefix, slices.Sorted(maps.Keys(fields)), slices.Sorted(maps.Keys(after)))
		}
	}
}

// What is read comes back as it was written, and the newest revision with it.
func TestDocumentsComeBackAsTheyWere(t *testing.T) {
	w := newWorld(t)
	yes := true
	want := w.newAccount("Grp", "Acc")
	want.Tags = map[string]string{"a": "<&>", "ü": ""}
	want.Properties = accounts.Properties{DisableLocalAuth: &yes, Other: map[string]json.RawMessage{"x": json.RawMessage(`{"y":[1.50]}`)}}
	revision := w.put(w.newGroup("Grp"), want)
	got := w.account(w.id("gRP", "aCC"))
	if got.Revision != revision {
		t.Errorf("revision %d, want %d", got.Revision, revision)
	}
	want.Revision, got.Kept = revision, nil
	a, _ := json.Marshal(want)
	b, _ := json.Marshal(got)
	if !bytes.Equal(a, b) {
		t.Errorf("written:\n%s\nread:\n%s", a, b)
	}
	if g := w.group("gRp"); g.ID.Group != "Grp" || g.Revision != revision {
		t.Errorf("%+v", g)
	}
	for _, id := range []twinkey.ResourceID{w.id("grp", "ac"), w.id("grp", "accc"), w.id("gr", "acc"), {Subscription: uuid.NewString(), Group: "Grp", Account: "Acc"}} {
		if a, err := w.store.Account(t.Context(), id); a != nil || err != nil {
			t.Errorf("%s is there: %v, %v", id, a, err)
		}
	}
}

// An older server must not touch what a newer one has written in a layout it
// does not know.
func TestDataOfANewerVersionIsRefused(t *testing.T) {
	w := newWorld(t)
	for format, want := range map[string]twinkey.Kind{`{"format":2}`: twinkey.Unsupported, `{"format":99,"x":1}`: twinkey.Unsupported, `1`: twinkey.Unavailable, `x`: twinkey.Unavailable} {
		if _, err := w.etcd.Put(t.Context(), "/tk/format", format); err != nil {
			t.Fatal(err)
		}
		before := w.raw("/")
		_, err := etcdstore.Open(t.Context(), w.etcd)
		if err == nil || twinkey.KindOf(err) != want {
			t.Errorf("format %s: %v", format, err)
		}
		if want == twinkey.Unsupported && !strings.Contains(twinkey.MessageOf(err), "newer version") {
			t.Errorf("format %s is refused with %q", format, twinkey.MessageOf(err))
		}
		if !maps.Equal(before, w.raw("/")) {
			t.Errorf("format %s: opening has written", format)
		}
	}
	if _, err := w.etcd.Put(t.Context(), "/tk/format", `{"format":1,"more":true}`); err != nil {
		t.Fatal(err)
	}
	if _, err := etcdstore.Open(t.Context(), w.etcd); err != nil {
		t.Errorf("its own format: %v", err)
	}
}

// However many servers start on an empty store at once, there is one first
// subscription and one administrator of it.
func TestConcurrentBootstrapWritesOnce(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			sub := accounts.Subscription{ID: uuid.NewString(), State: accounts.SubscriptionEnabled}
			owner := access.Assignment{ID: uuid.NewString(), PrincipalID: sub.ID}
			if err := w.store.Bootstrap(t.Context(), sub, []access.Assignment{owner}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	subs, err := w.store.Subscriptions(t.Context())
	if err != nil || len(subs) != 1 {
		t.Fatalf("%d subscriptions, %v", len(subs), err)
	}
	owners, _, err := w.store.AssignmentsWithin(t.Context(), twinkey.ResourceID{}, accounts.Page{})
	if err != nil || len(owners) != 1 || owners[0].PrincipalID != subs[0].ID {
		t.Errorf("owners of %s: %+v, %v", subs[0].ID, owners, err)
	}
}

// writers write one document of each type, by the prefix of its key: first a
// new one, then what they read of it with a change.
func (w *world) writers() map[string]func() error {
	ctx := w.t.Context()
	tenant, oid := uuid.NewString(), uuid.NewString()
	return map[string]func() error{
		"/tk/g/": func() error {
			g, err := w.store.Group(ctx, w.groupID("g"))
			if g == nil {
				g = w.newGroup("g")
			}
			g.Tags = map[string]string{"n": uuid.NewString()}
			w.put(g)
			return err
		},
		"/tk/a/": func() error {
			a, err := w.store.Account(ctx, w.id("g", "aa"))
			if a == nil {
				a = w.newAccount("g", "aa")
			}
			a.Tags = map[string]string{"n": uuid.NewString()}
			w.put(a)
			return err
		},
		"/tk/s/": func() error {
			sub, err := w.store.Subscription(ctx, w.sub)
			if sub == nil {
				sub = &accounts.Subscription{ID: w.sub}
			}
			sub.Name = uuid.NewString()
			w.put(sub)
			return err
		},
		"/tk/o/": func() error {
			o, err := w.store.Operation(ctx, w.sub, "o")
			if o == nil {
				o = &accounts.Operation{Name: "o", Group: w.groupID("g")}
			}
			o.Finished = time.Now()
			w.put(o)
			return err
		},
		"/tk/r/": func() error {
			a, err := w.store.Assignment(ctx, w.groupID("g"), "a")
			if a == nil {
				a = &accounts.RoleAssignment{ID: "a", Scope: w.groupID("g")}
			}
			a.Description = uuid.NewString()
			w.put(a)
			return err
		},
		"/tk/rd/": func() error {
			r, err := w.store.CustomRole(ctx, "r")
			if r == nil {
				r = &accounts.RoleDefinition{Role: access.Role{ID: "r"}}
			}
			r.UpdatedBy = uuid.NewString()
			w.put(r)
			return err
		},
		"/tk/t/": func() error {
			tenants, err := w.store.Tenants(ctx)
			if err != nil {
				return err
			}
			_, err = w.store.PutTenant(ctx, directory.Tenant{ID: tenant, Name: uuid.NewString()}, w.revisionOf("/tk/t/"))
			return joinCount(err, len(tenants), 1)
		},
		"/tk/p/": func() error {
			_, err := w.putPrincipal(directory.Record{Tenant: tenant, ObjectID: oid, DisplayName: uuid.NewString()}, w.revisionOf("/tk/p/"), "name")
			return err
		},
		"/tk/u/": func() error {
			return w.store.PutSessions(ctx, idp.Sessions{Tenant: tenant, ObjectID: oid, Sessions: []idp.Session{{ID: uuid.NewString()}}}, w.revisionOf("/tk/u/"))
		},
	}
}

package etcdstore_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/google/uuid"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/etcdnode"
	"github.com/twinkey/twinkey/internal/etcdstore"
)

// world is a store on a real database, and the database itself.
type world struct {
	t     *testing.T
	store *etcdstore.Store
	etcd  *clientv3.Client
	sub   string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel() // each has a database of its own
	node, err := etcdnode.Start(t.Context(), etcdnode.Config{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Stop(context.Background()) })
	store, err := etcdstore.Open(t.Context(), node.Client())
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, store: store, etcd: node.Client(), sub: uuid.NewString()}
}

func (w *world) groupID(name string) twinkey.ResourceID {
	return twinkey.ResourceID{Subscription: w.sub, Group: name}
}

func (w *world) id(group, name string) twinkey.ResourceID {
	return twinkey.ResourceID{Subscription: w.sub, Group: group, Account: name}
}

// newGroup is the document of a group that does not exist yet.
func (w *world) newGroup(name string) *accounts.Group {
	return &accounts.Group{ID: w.groupID(name), Location: "westeurope", State: accounts.GroupActive}
}

// newAccount is the document of an account that does not exist yet.
func (w *world) newAccount(group, name string) *accounts.Account {
	a := &accounts.Account{ID: w.id(group, name), UID: twinkey.UID(uuid.NewString()), Kind: "TextAnalytics", Location: "westeurope", SKU: "S"}
	for i := range a.Slots {
		a.Slots[i] = accounts.Slot{Generation: 1, Digest: twinkey.DigestOf(uuid.NewString()), Sealed: []byte{1}}
	}
	return a
}

// commit must succeed.
func (w *world) commit(write accounts.Write) twinkey.Revision {
	w.t.Helper()
	revision, err := w.store.Commit(w.t.Context(), write)
	if err != nil {
		w.t.Fatal(err)
	}
	return revision
}

func (w *world) put(docs ...accounts.Document) twinkey.Revision {
	w.t.Helper()
	return w.commit(accounts.Write{Put: docs})
}

// account reads an account that must be there.
func (w *world) account(id twinkey.ResourceID) *accounts.Account {
	w.t.Helper()
	a, err := w.store.Account(w.t.Context(), id)
	if err != nil || a == nil {
		w.t.Fatalf("reading %s: %v, %v", id, a, err)
	}
	return a
}

func (w *world) group(name string) *accounts.Group {
	w.t.Helper()
	g, err := w.store.Group(w.t.Context(), w.groupID(name))
	if err != nil || g == nil {
		w.t.Fatalf("reading group %s: %v, %v", name, g, err)
	}
	return g
}

// raw returns everything in the database under a prefix: the values by key.
func (w *world) raw(prefix string) map[string]string {
	w.t.Helper()
	got, err := w.etcd.Get(w.t.Context(), prefix, clientv3.WithPrefix())
	if err != nil {
		w.t.Fatal(err)
	}
	all := map[string]string{}
	for _, kv := range got.Kvs {
		all[string(kv.Key)] = fmt.Sprint(kv.ModRevision, " ", string(kv.Value))
	}
	return all
}

// only returns the one key under a prefix, and its document.
func (w *world) only(prefix string) (string, map[string]json.RawMessage) {
	w.t.Helper()
	got, err := w.etcd.Get(w.t.Context(), prefix, clientv3.WithPrefix())
	if err != nil || len(got.Kvs) != 1 {
		w.t.Fatalf("%s: %v, %v", prefix, got, err)
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(got.Kvs[0].Value, &fields); err != nil {
		w.t.Fatal(err)
	}
	return string(got.Kvs[0].Key), fields
}

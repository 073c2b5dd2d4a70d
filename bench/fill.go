package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/etcdnode"
	"github.com/twinkey/twinkey/internal/etcdstore"
	"github.com/twinkey/twinkey/internal/sealing"
)

// fill writes accounts straight into a store: the directory, the subscription,
// how many, and how many to a group.
func fill(args []string) {
	n, err := strconv.Atoi(args[2])
	perGroup, err2 := strconv.Atoi(args[3])
	if err = errors.Join(err, err2); err == nil {
		err = filling(args[0], args[1], n, perGroup)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func fillGroupName(n int) string   { return fmt.Sprintf("g%06d", n) }
func fillAccountName(n int) string { return fmt.Sprintf("account%06d", n) }

func filling(dir, sub string, n, perGroup int) error {
	ctx := context.Background()
	node, err := etcdnode.Start(ctx, etcdnode.Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer node.Stop(ctx)
	store, err := etcdstore.Open(ctx, node.Client())
	if err != nil {
		return err
	}
	f := &filler{ctx: ctx, store: store, client: node.Client(), sub: sub}
	for g := 0; g*perGroup < n; g++ {
		if err := f.group(g, min(perGroup, n-g*perGroup)); err != nil {
			return err
		}
	}
	// A start replays the log's end. It shall be as long as it is after ordinary
	// work, not made of the transactions above.
	for range 4000 {
		if _, err := f.client.Put(ctx, "/tk/l/-/bench", strings.Repeat("x", 1000)); err != nil {
			return err
		}
	}
	return nil
}

// filler copies one account that the store itself has written.
type filler struct {
	ctx    context.Context
	store  *etcdstore.Store
	client *clientv3.Client
	sub    string
}

// perWrite is below etcd's limit of 128 operations to a transaction.
const perWrite = 100

func (f *filler) group(g, n int) error {
	group := &accounts.Group{ID: twinkey.ResourceID{Subscription: f.sub, Group: fillGroupName(g)}, Location: "local", State: accounts.GroupActive}
	model, keys := f.model(group.ID)
	if _, err := f.store.Commit(f.ctx, accounts.Write{Put: []accounts.Document{group, model}}); err != nil {
		return err
	}
	prefix := "/tk/a/" + f.sub + "/" + group.ID.Group + "/"
	got, err := f.client.Get(f.ctx, prefix+model.ID.Account)
	if err != nil || len(got.Kvs) != 1 {
		return fmt.Errorf("reading the first account of a group back: %v, %w", got, err)
	}
	var puts []clientv3.Op
	for i := range n {
		puts = append(puts, clientv3.OpPut(prefix+fillAccountName(i), f.copy(string(got.Kvs[0].Value), model, keys, i)))
		if len(puts) == perWrite || i == n-1 {
			if _, err := f.client.Txn(f.ctx).Then(puts...).Commit(); err != nil {
				return err
			}
			puts = nil
		}
	}
	return nil
}

// model is the first account of a group, and the texts of its keys.
func (f *filler) model(group twinkey.ResourceID) (*accounts.Account, [2]string) {
	group.Account = fillAccountName(0)
	by := accounts.Stamp{By: "someone@example.com", ByType: "User", At: time.Now(), Request: string(sealing.NewUID())}
	a := &accounts.Account{ID: group, UID: sealing.NewUID(), Kind: "TextAnalytics", SKU: "S", Location: "local", Created: by, Modified: by}
	var keys [2]string
	for slot := range a.Slots {
		keys[slot] = sealing.NewKey().Reveal()
		a.Slots[slot] = accounts.Slot{Generation: 1, Digest: twinkey.DigestOf(keys[slot]), Sealed: []byte(strings.Repeat(keys[slot], 3)),
			Request: accounts.Request{ID: by.Request, Principal: by.Request, At: by.At}}
	}
	return a, keys
}

// copy is the model's document with another name, uid and keys.
func (f *filler) copy(text string, model *accounts.Account, keys [2]string, i int) string {
	pairs := []string{model.ID.Account, fillAccountName(i), string(model.UID), string(sealing.NewUID())}
	for _, old := range keys {
		key := sealing.NewKey().Reveal()
		before, after := twinkey.DigestOf(old), twinkey.DigestOf(key)
		pairs = append(pairs, hex.EncodeToString(before[:]), hex.EncodeToString(after[:]),
			base64.StdEncoding.EncodeToString([]byte(strings.Repeat(old, 3))), base64.StdEncoding.EncodeToString([]byte(strings.Repeat(key, 3))))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

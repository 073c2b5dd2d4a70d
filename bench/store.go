package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/audit"
	"github.com/twinkey/twinkey/internal/catalog"
	"github.com/twinkey/twinkey/internal/etcdnode"
	"github.com/twinkey/twinkey/internal/etcdstore"
	"github.com/twinkey/twinkey/internal/gateway"
	"github.com/twinkey/twinkey/internal/hub"
	"github.com/twinkey/twinkey/internal/sealing"
	"github.com/twinkey/twinkey/internal/snapshot"
)

const storeRounds = 3000

// store compares a bare commit, one document and one activity entry, with a
// whole regenerate: reads, decision, sealing, commit, gateway told and
// acknowledged, keys opened. They alternate, so that both see the same disk.
func (r *run) store() error {
	log := slog.New(slog.DiscardHandler)
	node, err := etcdnode.Start(r.ctx, etcdnode.Config{Dir: filepath.Join(r.dir, "store"), Log: log})
	if err != nil {
		return err
	}
	defer node.Stop(context.Background())
	store, err := etcdstore.Open(r.ctx, node.Client())
	if err != nil {
		return err
	}
	service, stop, err := r.rules(store, log)
	if err != nil {
		return err
	}
	defer stop()
	group, id := benchID("plain").Parent(), benchID("regenerated")
	if _, _, err := service.PutGroup(r.ctx, benchCaller(), group, accounts.GroupSpec{Location: "local"}, accounts.Precondition{}); err != nil {
		return err
	}
	spec := accounts.AccountSpec{Kind: "K", SKU: "S", Location: "local"}
	for _, account := range []twinkey.ResourceID{benchID("plain"), id} {
		if _, _, _, err := service.PutAccount(r.ctx, benchCaller(), account, spec, accounts.Precondition{}); err != nil {
			return err
		}
	}
	doc, err := store.Account(r.ctx, benchID("plain"))
	if err != nil {
		return err
	}
	var commits, regenerates []time.Duration
	for range storeRounds {
		entry := audit.New(benchCaller(), time.Now(), accounts.ActionWrite, doc.ID)
		begin := time.Now()
		if doc.Revision, err = store.Commit(r.ctx, accounts.Write{Put: []accounts.Document{doc}, Activity: []audit.Entry{entry}}); err != nil {
			return err
		}
		commits = append(commits, time.Since(begin))
		begin = time.Now()
		if _, _, err := service.Regenerate(r.ctx, benchCaller(), id, twinkey.Key1, accounts.Precondition{}); err != nil {
			return err
		}
		regenerates = append(regenerates, time.Since(begin))
	}
	for _, p := range []float64{0.5, 0.99} {
		name := fmt.Sprintf("p%.0f", p*100)
		commit, regenerate := percentile(commits, p), percentile(regenerates, p)
		r.add("regenerate to confirmed, in process, "+name, micros(regenerate), "bare commit "+micros(commit), ratio(regenerate, commit))
	}
	return nil
}

// rules are the accounts service with a gateway behind a hub.
func (r *run) rules(store *etcdstore.Store, log *slog.Logger) (*accounts.Service, func(), error) {
	outer, err := sealing.CreateOuterKey(filepath.Join(r.dir, "outer.key"))
	if err != nil {
		return nil, nil, err
	}
	wrapped, err := outer.NewDataKey(1)
	if err != nil {
		return nil, nil, err
	}
	ring, err := outer.Open(map[uint32][]byte{1: wrapped})
	if err != nil {
		return nil, nil, err
	}
	services, err := catalog.Parse("services.yaml", []byte("services: [{kind: K, skus: [{name: S}], routes: [{path: /, upstream: 'http://127.0.0.1:9'}]}]"))
	if err != nil {
		return nil, nil, err
	}
	current := func() *catalog.Catalog { return services }
	h := hub.New(hub.Config{Source: store, Log: log})
	kept := snapshot.New(filepath.Join(r.dir, "gateway", "snapshot"), log)
	g := gateway.New(gateway.Config{Catalog: current, Log: log, Snapshot: kept})
	feed, err := h.Connect("local")
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(r.ctx)
	go h.Run(ctx)
	go func() { _ = g.Follow(ctx, feed) }()
	go func() {
		for ctx.Err() == nil {
			select {
			case <-kept.Due():
				_ = g.RenewSnapshot(ctx, feed)
			case <-ctx.Done():
			}
		}
	}()
	service := accounts.New(accounts.Config{Store: store, Ring: ring, Confirmer: h, Catalog: current, Now: time.Now})
	owner, _ := access.BuiltInByName("Owner")
	err = service.Bootstrap(r.ctx, accounts.Subscription{ID: benchSub, State: accounts.SubscriptionEnabled},
		access.Assignment{ID: uuid.NewString(), RoleID: owner.ID, PrincipalID: benchCaller().ObjectID})
	return service, cancel, err
}

const benchSub = "0bebc0de-0000-4000-8000-000000000001"

func benchID(name string) twinkey.ResourceID {
	return twinkey.ResourceID{Subscription: benchSub, Group: "bench", Account: name}
}

func benchCaller() twinkey.Caller {
	return twinkey.Caller{Principal: twinkey.Principal{ObjectID: "0bebc0de-0000-4000-8000-000000000002", Type: twinkey.User}, RequestID: uuid.NewString()}
}

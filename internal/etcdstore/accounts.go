package etcdstore

import (
	"context"
	"encoding/json"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
)

var _ accounts.Store = (*Store)(nil)

// How many documents a page of a list has unless asked for fewer. A thousand
// accounts take a while to read and to show, so that many there are only for those
// who ask for them.
const (
	defaultPage  = 1000
	accountsPage = 250
)

// Subscriptions implements accounts.Store.
func (s *Store) Subscriptions(ctx context.Context) ([]accounts.Subscription, error) {
	got, err := s.get(ctx, subPrefix, clientv3.WithPrefix())
	if err != nil {
		return nil, err
	}
	return decodeAll(got.Kvs, decodeSubscription)
}

// Subscription implements accounts.Store.
func (s *Store) Subscription(ctx context.Context, id string) (*accounts.Subscription, error) {
	return one(ctx, s, subKey(id), decodeSubscription)
}

// Group implements accounts.Store.
func (s *Store) Group(ctx context.Context, id twinkey.ResourceID) (*accounts.Group, error) {
	return one(ctx, s, groupKey(id), decodeGroup)
}

// Account implements accounts.Store.
func (s *Store) Account(ctx context.Context, id twinkey.ResourceID) (*accounts.Account, error) {
	return one(ctx, s, accountKey(id), decodeAccount)
}

// Groups implements accounts.Store.
func (s *Store) Groups(ctx context.Context, subscription string, page accounts.Page) ([]accounts.Group, string, error) {
	prefix := groupPrefix + twinkey.Fold(subscription) + "/"
	kvs, next, err := s.page(ctx, prefix, page.After, limitOf(page))
	if err != nil {
		return nil, "", err
	}
	groups, err := decodeAll(kvs, decodeGroup)
	return groups, next, err
}

// Accounts implements accounts.Store.
func (s *Store) Accounts(ctx context.Context, scope twinkey.ResourceID, page accounts.Page) ([]accounts.Account, string, error) {
	if page.Limit <= 0 {
		page.Limit = accountsPage
	}
	read := s.accountsWithin
	if scope.Group != "" {
		read = s.page
	}
	kvs, next, err := read(ctx, accountsIn(scope), page.After, limitOf(page))
	if err != nil {
		return nil, "", err
	}
	list, err := decodeAll(kvs, readAccount)
	return list, next, err
}

// SubDomainTaken implements accounts.Store.
func (s *Store) SubDomainTaken(ctx context.Context, name string) (bool, error) {
	got, err := s.get(ctx, nameKey(name), clientv3.WithCountOnly())
	if err != nil {
		return false, err
	}
	return got.Count > 0, nil
}

// Operation implements accounts.Store.
func (s *Store) Operation(ctx context.Context, subscription, name string) (*accounts.Operation, error) {
	return one(ctx, s, operationKey(subscription, name), decodeOperation)
}

// Operations implements accounts.Store: the names sort by age.
func (s *Store) Operations(ctx context.Context, subscription string, limit int) ([]accounts.Operation, error) {
	kvs, _, err := s.page(ctx, operationKey(subscription, ""), "", limit)
	if err != nil {
		return nil, err
	}
	return decodeAll(kvs, decodeOperation)
}

func limitOf(page accounts.Page) int {
	if page.Limit <= 0 || page.Limit > defaultPage {
		return defaultPage
	}
	return page.Limit
}

func decodeSubscription(kv *mvccpb.KeyValue) (d accounts.Subscription, err error) {
	d.Kept, err = decode(kv.Key, kv.Value, &d)
	d.Revision = twinkey.Revision(kv.ModRevision)
	return d, err
}

func decodeGroup(kv *mvccpb.KeyValue) (d accounts.Group, err error) {
	d.Kept, err = decode(kv.Key, kv.Value, &d)
	d.Revision = twinkey.Revision(kv.ModRevision)
	return d, err
}

// readAccount reads an account that is not to be written back: it leaves aside
// what it does not know, which is half the work.
func readAccount(kv *mvccpb.KeyValue) (d accounts.Account, err error) {
	if err := json.Unmarshal(kv.Value, &d); err != nil {
		return d, damaged(kv.Key, err)
	}
	d.Revision = twinkey.Revision(kv.ModRevision)
	return d, nil
}

func decodeAccount(kv *mvccpb.KeyValue) (d accounts.Account, err error) {
	d.Kept, err = decode(kv.Key, kv.Value, &d)
	d.Revision = twinkey.Revision(kv.ModRevision)
	return d, err
}

func decodeOperation(kv *mvccpb.KeyValue) (d accounts.Operation, err error) {
	d.Kept, err = decode(kv.Key, kv.Value, &d)
	d.Revision = twinkey.Revision(kv.ModRevision)
	return d, err
}

func decodeAll[T any](kvs []*mvccpb.KeyValue, decode func(*mvccpb.KeyValue) (T, error)) ([]T, error) {
	list := make([]T, 0, len(kvs))
	for _, kv := range kvs {
		d, err := decode(kv)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}

// one reads the document under a key, nil if there is none.
func one[T any](ctx context.Context, s *Store, key string, decode func(*mvccpb.KeyValue) (T, error)) (*T, error) {
	got, err := s.get(ctx, key)
	if err != nil || len(got.Kvs) == 0 {
		return nil, err
	}
	d, err := decode(got.Kvs[0])
	if err != nil {
		return nil, err
	}
	return &d, nil
}

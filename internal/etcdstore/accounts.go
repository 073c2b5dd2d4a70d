package etcdstore

import (
	"context"
	"encoding/json"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
)

var _ accounts.Store = (*Store)(nil)

// defaultPage is how many documents a page of a list has unless asked for fewer.
const defaultPage = 1000

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

// Accounts implements accounts.Store. A page never ranges past its group's end,
// since etcd counts all that follows on every page; a subscription's list walks
// the groups.
func (s *Store) Accounts(ctx context.Context, scope twinkey.ResourceID, page accounts.Page) ([]accounts.Account, string, error) {
	sub, limit := twinkey.Fold(scope.Subscription), limitOf(page)
	if scope.Group != "" {
		kvs, next, err := s.page(ctx, acctPrefix+sub+"/"+twinkey.Fold(scope.Group)+"/", page.After, limit)
		if err != nil {
			return nil, "", err
		}
		list, err := decodeAll(kvs, readAccount)
		return list, next, err
	}
	group, name, within := strings.Cut(page.After, "/")
	var list []accounts.Account
	for {
		if !within {
			var err error
			if group, err = s.groupAfter(ctx, sub, group); err != nil || group == "" {
				return list, "", err
			}
		}
		kvs, next, err := s.page(ctx, acctPrefix+sub+"/"+group+"/", name, limit-len(list))
		if err != nil {
			return nil, "", err
		}
		more, err := decodeAll(kvs, readAccount)
		if err != nil {
			return nil, "", err
		}
		list = append(list, more...)
		switch {
		case next != "":
			return list, group + "/" + next, nil
		case len(list) == limit:
			return list, group, nil
		}
		name, within = "", false
	}
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

// page reads up to limit keys under prefix after one, and says where it ended if
// there may be more.
func (s *Store) page(ctx context.Context, prefix, after string, limit int) ([]*mvccpb.KeyValue, string, error) {
	from := prefix
	if after != "" {
		from = prefix + after + "\x00"
	}
	got, err := s.get(ctx, from, clientv3.WithRange(clientv3.GetPrefixRangeEnd(prefix)), clientv3.WithLimit(int64(limit)))
	if err != nil {
		return nil, "", err
	}
	next := ""
	if got.More {
		next = strings.TrimPrefix(string(got.Kvs[len(got.Kvs)-1].Key), prefix)
	}
	return got.Kvs, next, nil
}

// groupAfter is the folded name of the next group of a subscription.
func (s *Store) groupAfter(ctx context.Context, sub, group string) (string, error) {
	kvs, _, err := s.page(ctx, groupPrefix+sub+"/", group, 1)
	if err != nil || len(kvs) == 0 {
		return "", err
	}
	return strings.TrimPrefix(string(kvs[0].Key), groupPrefix+sub+"/"), nil
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

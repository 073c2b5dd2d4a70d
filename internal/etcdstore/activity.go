package etcdstore

import (
	"context"

	"go.etcd.io/etcd/api/v3/mvccpb"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/audit"
)

// Activity lists the entries of one subscription from the oldest on.
func (s *Store) Activity(ctx context.Context, subscription string, page accounts.Page) ([]audit.Entry, string, error) {
	kvs, next, err := s.page(ctx, logPrefix+twinkey.Fold(subscription)+"/", page.After, limitOf(page))
	if err != nil {
		return nil, "", err
	}
	entries, err := decodeAll(kvs, func(kv *mvccpb.KeyValue) (e audit.Entry, err error) {
		_, err = decode(kv.Key, kv.Value, &e)
		return e, err
	})
	return entries, next, err
}

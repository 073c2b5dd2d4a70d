package etcdstore

import (
	"context"
	"encoding/json"
	"fmt"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/idp"
)

var _ idp.Store = (*Store)(nil)

const signingPrefix = secretPrefix + "sign/"

// SigningKeys implements idp.Store.
func (s *Store) SigningKeys(ctx context.Context) ([]idp.SealedKey, error) {
	got, err := s.get(ctx, signingPrefix, clientv3.WithPrefix())
	if err != nil {
		return nil, err
	}
	return decodeAll(got.Kvs, func(kv *mvccpb.KeyValue) (k idp.SealedKey, err error) {
		_, err = decode(kv.Key, kv.Value, &k)
		return k, err
	})
}

// PutSigningKey implements idp.Store.
func (s *Store) PutSigningKey(ctx context.Context, key idp.SealedKey) error {
	data, err := encode(key, nil)
	if err != nil {
		return err
	}
	at := signingPrefix + key.ID
	return s.swap(ctx, absent(at), clientv3.OpPut(at, data), idp.ErrConflict)
}

// Sessions implements idp.Store.
func (s *Store) Sessions(ctx context.Context, tenant, oid string) (idp.Sessions, twinkey.Revision, error) {
	got, err := s.get(ctx, sessionKey(tenant, oid))
	if err != nil || len(got.Kvs) == 0 {
		return idp.Sessions{}, 0, err
	}
	var doc idp.Sessions
	if err := json.Unmarshal(got.Kvs[0].Value, &doc); err != nil {
		return idp.Sessions{}, 0, fmt.Errorf("reading the sessions of %s: %w", oid, err)
	}
	return doc, twinkey.Revision(got.Kvs[0].ModRevision), nil
}

// PutSessions implements idp.Store.
func (s *Store) PutSessions(ctx context.Context, doc idp.Sessions, ifRevision twinkey.Revision) error {
	key := sessionKey(doc.Tenant, doc.ObjectID)
	data, err := s.encodeOver(ctx, key, doc, &idp.Sessions{})
	if err != nil {
		return err
	}
	return s.swap(ctx, at(key, ifRevision), clientv3.OpPut(key, data), idp.ErrConflict)
}

// swap writes one document on one condition.
func (s *Store) swap(ctx context.Context, when clientv3.Cmp, put clientv3.Op, conflict error) error {
	done, err := s.txn(ctx, []clientv3.Cmp{when}, []clientv3.Op{put}, nil)
	if err != nil {
		return inDoubt(err)
	}
	if !done.Succeeded {
		return conflict
	}
	return nil
}

func sessionKey(tenant, oid string) string { return sessionPrefix + tenant + "/" + oid }

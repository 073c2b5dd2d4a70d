package etcdstore

import (
	"context"
	"fmt"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
)

var _ directory.Store = (*Store)(nil)

// Tenants implements directory.Store.
func (s *Store) Tenants(ctx context.Context) ([]directory.Tenant, error) {
	got, err := s.get(ctx, tenantPrefix, clientv3.WithPrefix(), clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortAscend))
	if err != nil {
		return nil, err
	}
	return decodeAll(got.Kvs, decodeTenant)
}

// PutTenant implements directory.Store.
func (s *Store) PutTenant(ctx context.Context, t directory.Tenant, ifRevision twinkey.Revision) (twinkey.Revision, error) {
	data, err := s.encodeOver(ctx, tenantPrefix+t.ID, t, &directory.Tenant{})
	if err != nil {
		return 0, err
	}
	key := tenantPrefix + t.ID
	done, err := s.txn(ctx, []clientv3.Cmp{at(key, ifRevision)}, []clientv3.Op{clientv3.OpPut(key, data)}, nil)
	if err != nil {
		return 0, inDoubt(err)
	}
	if !done.Succeeded {
		return 0, directory.ErrConflict
	}
	return twinkey.Revision(done.Header.Revision), nil
}

// Principal implements directory.Store.
func (s *Store) Principal(ctx context.Context, tenant, oid string) (directory.Record, twinkey.Revision, error) {
	got, err := s.get(ctx, principalKey(tenant, oid))
	if err != nil {
		return directory.Record{}, 0, err
	}
	if len(got.Kvs) == 0 {
		return directory.Record{}, 0, directory.ErrNotFound
	}
	rec, err := decodePrincipal(got.Kvs[0])
	return rec, twinkey.Revision(got.Kvs[0].ModRevision), err
}

// PrincipalByName implements directory.Store. The index and the document are
// two reads; a document that has gone meanwhile, or holds the name no more,
// reads as absent.
func (s *Store) PrincipalByName(ctx context.Context, tenant, name string) (directory.Record, twinkey.Revision, error) {
	got, err := s.get(ctx, principalNameKey(tenant, name))
	if err != nil {
		return directory.Record{}, 0, err
	}
	if len(got.Kvs) == 0 {
		return directory.Record{}, 0, directory.ErrNotFound
	}
	return s.Principal(ctx, tenant, string(got.Kvs[0].Value))
}

// PutPrincipal implements directory.Store.
func (s *Store) PutPrincipal(ctx context.Context, w directory.Write) (twinkey.Revision, error) {
	rec := w.Record
	key := principalKey(rec.Tenant, rec.ObjectID)
	data, err := s.encodeOver(ctx, key, rec, &directory.Record{})
	if err != nil {
		return 0, err
	}
	t := principalChange(w)
	t.then = append(t.then, clientv3.OpPut(key, data))
	for _, name := range w.Names {
		nameKey := principalNameKey(rec.Tenant, name)
		held, err := s.get(ctx, nameKey)
		if err != nil {
			return 0, err
		}
		if len(held.Kvs) > 0 && string(held.Kvs[0].Value) == rec.ObjectID {
			t.when = append(t.when, clientv3.Compare(clientv3.Value(nameKey), "=", rec.ObjectID))
			continue
		}
		t.when = append(t.when, absent(nameKey))
		t.then = append(t.then, clientv3.OpPut(nameKey, rec.ObjectID))
		t.otherwise = append(t.otherwise, clientv3.OpGet(nameKey))
	}
	return s.commitPrincipal(ctx, t, rec.ObjectID)
}

// DeletePrincipal implements directory.Store.
func (s *Store) DeletePrincipal(ctx context.Context, w directory.Write) (twinkey.Revision, error) {
	if w.Revision == 0 {
		return 0, directory.ErrConflict
	}
	t := principalChange(w)
	t.delete(principalKey(w.Record.Tenant, w.Record.ObjectID))
	for _, name := range w.Names {
		t.delete(principalNameKey(w.Record.Tenant, name))
	}
	return s.commitPrincipal(ctx, t, w.Record.ObjectID)
}

// principalChange is the part that putting and deleting have in common.
func principalChange(w directory.Write) *transaction {
	t := &transaction{when: []clientv3.Cmp{at(principalKey(w.Record.Tenant, w.Record.ObjectID), w.Revision)}}
	for oid, revision := range w.Require {
		t.when = append(t.when, at(principalKey(w.Record.Tenant, oid), revision))
	}
	for _, e := range w.Activity {
		t.record(e)
	}
	return t
}

func (s *Store) commitPrincipal(ctx context.Context, t *transaction, oid string) (twinkey.Revision, error) {
	if t.err != nil {
		return 0, t.err
	}
	done, err := s.txn(ctx, t.when, t.then, t.otherwise)
	if err != nil {
		return 0, inDoubt(err)
	}
	if done.Succeeded {
		return twinkey.Revision(done.Header.Revision), nil
	}
	for _, r := range done.Responses {
		if kvs := r.GetResponseRange().GetKvs(); len(kvs) > 0 && string(kvs[0].Value) != oid {
			return 0, directory.ErrNameTaken
		}
	}
	return 0, directory.ErrConflict
}

// ListPrincipals implements directory.Store.
func (s *Store) ListPrincipals(ctx context.Context, tenant, after string, limit int) ([]directory.Record, error) {
	kvs, _, err := s.page(ctx, whoPrefix+tenant+"/", after, limit)
	if err != nil {
		return nil, err
	}
	return decodeAll(kvs, decodePrincipal)
}

// encodeOver encodes doc with the unknown fields of what is stored now. If that
// changes before the write, the write's own condition fails.
func (s *Store) encodeOver(ctx context.Context, key string, doc, scratch any) (string, error) {
	got, err := s.get(ctx, key)
	if err != nil {
		return "", err
	}
	var unknown kept
	if len(got.Kvs) > 0 {
		if unknown, err = decode(got.Kvs[0].Key, got.Kvs[0].Value, scratch); err != nil {
			return "", err
		}
	}
	return encode(doc, unknown)
}

func principalKey(tenant, oid string) string { return whoPrefix + tenant + "/" + oid }

func principalNameKey(tenant, name string) string {
	return fmt.Sprintf("%s%s/%s", whoNames, tenant, name)
}

func decodeTenant(kv *mvccpb.KeyValue) (t directory.Tenant, err error) {
	_, err = decode(kv.Key, kv.Value, &t)
	return t, err
}

func decodePrincipal(kv *mvccpb.KeyValue) (r directory.Record, err error) {
	_, err = decode(kv.Key, kv.Value, &r)
	return r, err
}

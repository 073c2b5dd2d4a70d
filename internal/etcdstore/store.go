// Package etcdstore keeps the product's documents in etcd: the layout of the
// keys, the form of the documents, and the transactions. It is the one place
// that speaks etcd's client API, embedded and remote alike.
//
// It refuses to apply rules, to retry a write whose outcome is unknown, and to
// open data written by a newer version.
package etcdstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/twinkey/twinkey"
)

// format is the newest layout this version reads and writes.
const format = 1

// operationTimeout bounds one request to etcd. A request in flight when a
// member dies answers only when its own deadline ends.
const operationTimeout = 3 * time.Second

// Store is the database.
type Store struct {
	client *clientv3.Client
	counts txnCounts
}

// Open checks that the database is one this version can work with, and marks an
// empty one as its own.
func Open(ctx context.Context, client *clientv3.Client) (*Store, error) {
	s := &Store{client: client}
	var stored struct {
		Format int `json:"format"`
	}
	got, err := s.get(ctx, formatKey)
	if err != nil {
		return nil, err
	}
	if len(got.Kvs) == 0 {
		stored.Format = format
		data, _ := json.Marshal(stored)
		_, err := s.txn(ctx, []clientv3.Cmp{absent(formatKey)}, []clientv3.Op{clientv3.OpPut(formatKey, string(data))}, nil)
		return s, err
	}
	if err := json.Unmarshal(got.Kvs[0].Value, &stored); err != nil {
		return nil, twinkey.Wrap(err, twinkey.Unavailable, "The store is damaged: its format cannot be read: %v.", err)
	}
	if stored.Format > format {
		return nil, twinkey.Errorf(twinkey.Unsupported, "The data was written by a newer version of twinkey (format %d; this version knows %d). Run that version, or restore a backup made by this one.", stored.Format, format)
	}
	return s, nil
}

// get is a linearizable read.
func (s *Store) get(ctx context.Context, key string, options ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	got, err := s.client.Get(ctx, key, options...)
	if err != nil {
		return nil, unavailable(err)
	}
	return got, nil
}

// txn commits, or fails with errUnknown if nobody knows whether it did.
func (s *Store) txn(ctx context.Context, when []clientv3.Cmp, then, otherwise []clientv3.Op) (*clientv3.TxnResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	done, err := s.client.Txn(ctx).If(when...).Then(then...).Else(otherwise...).Commit()
	s.counts.note(done, err)
	switch {
	case err == nil:
		return done, nil
	case refusedForCertain(err):
		return nil, unavailable(err)
	}
	return nil, fmt.Errorf("%w: %v", errUnknown, err)
}

// errUnknown marks a write whose outcome is not known.
var errUnknown = errors.New("the outcome of the write is not known")

// inDoubt words a write of unknown outcome for whoever asked.
func inDoubt(err error) error {
	if errors.Is(err, errUnknown) {
		return twinkey.Wrap(err, twinkey.Unavailable, "The store did not answer in time; whether the change was made is not known. Look before you try again.")
	}
	return err
}

// refusedForCertain lists what etcd says before it proposes anything.
func refusedForCertain(err error) bool {
	for _, certain := range []error{rpctypes.ErrNoSpace, rpctypes.ErrTooManyRequests, rpctypes.ErrRequestTooLarge, rpctypes.ErrTooManyOps, rpctypes.ErrDuplicateKey, rpctypes.ErrNoLeader} {
		if errors.Is(err, certain) || errors.Is(rpctypes.Error(err), certain) {
			return true
		}
	}
	return false
}

func unavailable(err error) error {
	if errors.Is(err, rpctypes.ErrNoSpace) || errors.Is(rpctypes.Error(err), rpctypes.ErrNoSpace) {
		return twinkey.Wrap(err, twinkey.Unavailable, "The store is full and takes no changes. Keys keep working; ask the operator to make room.")
	}
	return twinkey.Wrap(err, twinkey.Unavailable, "The store cannot answer now. Try again in a moment.")
}

func absent(key string) clientv3.Cmp {
	return clientv3.Compare(clientv3.CreateRevision(key), "=", 0)
}

// at holds if the key was last written at the revision; 0 means it is absent.
func at(key string, revision twinkey.Revision) clientv3.Cmp {
	if revision == 0 {
		return absent(key)
	}
	return clientv3.Compare(clientv3.ModRevision(key), "=", int64(revision))
}

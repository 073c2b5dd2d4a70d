package etcdstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const dataKeyPrefix = secretPrefix + "data/"

// DataKeys returns the wrapped data keys by their ids.
func (s *Store) DataKeys(ctx context.Context) (map[uint32][]byte, error) {
	got, err := s.get(ctx, dataKeyPrefix, clientv3.WithPrefix())
	if err != nil {
		return nil, err
	}
	keys := map[uint32][]byte{}
	for _, kv := range got.Kvs {
		id, err := strconv.ParseUint(strings.TrimPrefix(string(kv.Key), dataKeyPrefix), 10, 32)
		if err != nil {
			return nil, fmt.Errorf("reading the data keys: %w", err)
		}
		keys[uint32(id)] = kv.Value
	}
	return keys, nil
}

// AddDataKey stores a wrapped data key under an id that must be free.
func (s *Store) AddDataKey(ctx context.Context, id uint32, wrapped []byte) error {
	key := dataKeyPrefix + strconv.FormatUint(uint64(id), 10)
	done, err := s.txn(ctx, []clientv3.Cmp{absent(key)}, []clientv3.Op{clientv3.OpPut(key, string(wrapped))}, nil)
	if err == nil && !done.Succeeded {
		err = fmt.Errorf("data key %d exists already", id)
	}
	return err
}

package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	dataKeyPrefix = secretPrefix + "data/"
	sealedPrefix  = secretPrefix + "sealed/"
)

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

// SealedSecret returns a sealed secret of the installation by its name, nil if
// there is none yet.
func (s *Store) SealedSecret(ctx context.Context, name string) ([]byte, error) {
	got, err := s.get(ctx, sealedPrefix+name)
	if err != nil || len(got.Kvs) == 0 {
		return nil, err
	}
	return got.Kvs[0].Value, nil
}

// AddSealedSecret stores a sealed secret unless there is one of that name, and
// returns the one that is stored then.
func (s *Store) AddSealedSecret(ctx context.Context, name string, sealed []byte) ([]byte, error) {
	key := sealedPrefix + name
	if err := s.swap(ctx, absent(key), clientv3.OpPut(key, string(sealed)), errExists); err != nil && !errors.Is(err, errExists) {
		return nil, err
	}
	return s.SealedSecret(ctx, name)
}

var errExists = errors.New("exists already")

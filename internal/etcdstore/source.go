package etcdstore

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/hub"
)

var _ hub.Source = (*Store)(nil)

// bulkPage is large because etcd counts to the end of the range on every page,
// which makes many small pages over one prefix quadratic.
const bulkPage = 50_000

// Revision implements hub.Source.
func (s *Store) Revision(ctx context.Context) (twinkey.Revision, error) {
	got, err := s.get(ctx, formatKey)
	if err != nil {
		return 0, err
	}
	return twinkey.Revision(got.Header.Revision), nil
}

// Snapshot implements hub.Source.
func (s *Store) Snapshot(ctx context.Context) iter.Seq2[twinkey.SnapshotChunk, error] {
	return func(yield func(twinkey.SnapshotChunk, error) bool) {
		from, revision := acctPrefix, int64(0)
		for {
			got, err := s.client.Get(ctx, from, clientv3.WithRange(clientv3.GetPrefixRangeEnd(acctPrefix)),
				clientv3.WithLimit(bulkPage), clientv3.WithRev(revision))
			if err != nil {
				yield(twinkey.SnapshotChunk{}, unavailable(err))
				return
			}
			if revision == 0 {
				revision = got.Header.Revision
			}
			chunk := twinkey.SnapshotChunk{Revision: twinkey.Revision(revision), Last: !got.More}
			for _, kv := range got.Kvs {
				a, err := readAccount(kv)
				if err != nil {
					yield(twinkey.SnapshotChunk{}, err)
					return
				}
				chunk.Accounts = append(chunk.Accounts, a.State())
			}
			if !yield(chunk, nil) || chunk.Last {
				return
			}
			from = string(got.Kvs[len(got.Kvs)-1].Key) + "\x00"
		}
	}
}

// Watch implements hub.Source. The whole key space is watched, so that every
// revision is seen, also one that did nothing to accounts.
func (s *Store) Watch(ctx context.Context, after twinkey.Revision) iter.Seq2[twinkey.Change, error] {
	return func(yield func(twinkey.Change, error) bool) {
		ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
		defer cancel()
		for response := range s.client.Watch(ctx, root, clientv3.WithPrefix(), clientv3.WithRev(int64(after)+1)) {
			if err := response.Err(); err != nil {
				yield(twinkey.Change{}, fmt.Errorf("watching the store: %w", err))
				return
			}
			for change, err := range changes(response.Events) {
				if !yield(change, err) || err != nil {
					return
				}
			}
		}
		yield(twinkey.Change{}, fmt.Errorf("watching the store: the watch has ended"))
	}
}

// changes groups events by the commit they come from. All events of a commit
// arrive in one response.
func changes(events []*clientv3.Event) iter.Seq2[twinkey.Change, error] {
	return func(yield func(twinkey.Change, error) bool) {
		var c twinkey.Change
		for _, e := range events {
			if revision := twinkey.Revision(e.Kv.ModRevision); revision != c.Revision {
				if c.Revision != 0 && !yield(c, nil) {
					return
				}
				c = twinkey.Change{Revision: revision}
			}
			if err := include(&c, e); err != nil {
				yield(twinkey.Change{}, err)
				return
			}
		}
		if c.Revision != 0 {
			yield(c, nil)
		}
	}
}

func include(c *twinkey.Change, e *clientv3.Event) error {
	if !strings.HasPrefix(string(e.Kv.Key), acctPrefix) {
		return nil
	}
	if e.Type == mvccpb.DELETE {
		if id, ok := accountOf(string(e.Kv.Key)); ok {
			c.Removed = append(c.Removed, id)
		}
		return nil
	}
	a, err := readAccount((*mvccpb.KeyValue)(e.Kv))
	if err != nil {
		return err
	}
	c.Put = append(c.Put, a.State())
	return nil
}

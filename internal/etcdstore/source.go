package etcdstore

import (
	"context"
	"fmt"
	"iter"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/hub"
)

var _ hub.Source = (*Store)(nil)

// Revision implements hub.Source.
func (s *Store) Revision(ctx context.Context) (twinkey.Revision, error) {
	got, err := s.get(ctx, formatKey)
	if err != nil {
		return 0, err
	}
	return twinkey.Revision(got.Header.Revision), nil
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
			for change := range changes(response.Events) {
				if !yield(change, nil) {
					return
				}
			}
		}
		yield(twinkey.Change{}, fmt.Errorf("watching the store: the watch has ended"))
	}
}

// changes groups events by the commit they come from. All events of a commit
// arrive in one response.
func changes(events []*clientv3.Event) iter.Seq[twinkey.Change] {
	return func(yield func(twinkey.Change) bool) {
		var c twinkey.Change
		for _, e := range events {
			if revision := twinkey.Revision(e.Kv.ModRevision); revision != c.Revision {
				if c.Revision != 0 && !yield(c) {
					return
				}
				c = twinkey.Change{Revision: revision}
			}
			include(&c, e)
		}
		if c.Revision != 0 {
			yield(c)
		}
	}
}

// include adds an event to a change. An account whose document cannot be read is
// taken from the gateways, which would else admit by what it was before.
func include(c *twinkey.Change, e *clientv3.Event) {
	id, ok := accountOf(string(e.Kv.Key))
	if !ok {
		return
	}
	if e.Type == mvccpb.DELETE {
		c.Removed = append(c.Removed, id)
		return
	}
	state, err := new(stateReader).read((*mvccpb.KeyValue)(e.Kv))
	if err != nil {
		c.Removed = append(c.Removed, id)
		c.Unreadable = append(c.Unreadable, twinkey.UnreadableAccount{ID: id, Cause: err.Error()})
		return
	}
	c.Put = append(c.Put, state)
}

package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/twinkey/twinkey"
)

// exportCursorKey holds the revision up to which the log has been exported.
const exportCursorKey = root + "x/activity"

const (
	exportScan  = 10_000 // entries a page when the log is read from its beginning
	exportBatch = 1000   // entries after which a batch is handed over, if more are waiting
)

// ActivityBatch is a part of the log in the order of its commits.
type ActivityBatch struct {
	Entries  [][]byte         // as they are stored: one JSON object each, on one line
	Oldest   time.Time        // the time of the first
	Revision twinkey.Revision // everything up to it is in this batch or one before; 0: unknown yet
}

// ExportCursor is the revision of the last SetExportCursor, 0 if there was none.
func (s *Store) ExportCursor(ctx context.Context) (twinkey.Revision, error) {
	doc, err := one(ctx, s, exportCursorKey, func(kv *mvccpb.KeyValue) (c exportCursor, err error) {
		_, err = decode(kv.Key, kv.Value, &c)
		return c, err
	})
	if err != nil || doc == nil {
		return 0, err
	}
	return doc.Revision, nil
}

// SetExportCursor stores how far the log has been exported.
func (s *Store) SetExportCursor(ctx context.Context, revision twinkey.Revision) error {
	data, err := encode(exportCursor{Revision: revision}, nil)
	if err == nil {
		_, err = s.txn(ctx, nil, []clientv3.Op{clientv3.OpPut(exportCursorKey, data)}, nil)
	}
	return err
}

type exportCursor struct {
	Revision twinkey.Revision `json:"revision"`
}

// FollowActivity yields every entry committed after a revision, then new ones as
// they are committed. The order is that of the commits and not that of the
// entries' times: a clock that is set back hides nothing. Where the revision is
// too old to follow from, the entries there are come first, in the order of
// their keys; those trimmed since are not among them.
func (s *Store) FollowActivity(ctx context.Context, after twinkey.Revision) iter.Seq2[ActivityBatch, error] {
	return func(yield func(ActivityBatch, error) bool) {
		f := follower{store: s, after: after, yield: yield}
		err := error(rpctypes.ErrCompacted) // there is nothing to follow from
		if after > 0 {
			err = f.watch(ctx)
		}
		for errors.Is(err, rpctypes.ErrCompacted) {
			if err = f.scan(ctx); err == nil {
				err = f.watch(ctx)
			}
		}
		if !errors.Is(err, errEnough) {
			yield(ActivityBatch{}, fmt.Errorf("following the activity log: %w", err))
		}
	}
}

// errEnough says that whoever follows the log wants no more of it.
var errEnough = errors.New("enough")

// follower is one reader of the log.
type follower struct {
	store *Store
	after twinkey.Revision // everything up to here has been yielded
	yield func(ActivityBatch, error) bool
}

// scan yields the entries that are there now and were committed after the
// revision; they are read in pages at one revision.
func (f *follower) scan(ctx context.Context) error {
	from, at := logPrefix, int64(0)
	for {
		got, err := f.store.get(ctx, from, clientv3.WithRange(clientv3.GetPrefixRangeEnd(logPrefix)), clientv3.WithLimit(exportScan), clientv3.WithRev(at))
		if err != nil {
			return err
		}
		if at == 0 {
			at = got.Header.Revision
		}
		var b batch
		for _, kv := range got.Kvs {
			if twinkey.Revision(kv.ModRevision) > f.after {
				b.add(kv)
			}
		}
		if !got.More {
			b.Revision = twinkey.Revision(at)
		}
		if len(b.Entries) > 0 || !got.More {
			if !f.yield(b.ActivityBatch, nil) {
				return errEnough
			}
		}
		if !got.More {
			f.after = twinkey.Revision(at)
			return nil
		}
		from = string(got.Kvs[len(got.Kvs)-1].Key) + "\x00"
	}
}

// watch yields what is committed after the revision, as many commits at once as
// have come together while the one before was dealt with.
func (f *follower) watch(ctx context.Context) error {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	responses := f.store.client.Watch(ctx, logPrefix, clientv3.WithPrefix(), clientv3.WithRev(int64(f.after)+1), clientv3.WithFilterDelete())
	for response := range responses {
		var b batch
		if err := b.take(response); err != nil {
			return err
		}
		for more := true; more && len(b.Entries) < exportBatch; {
			select {
			case response, more = <-responses:
				if err := b.take(response); err != nil {
					return err
				}
			default:
				more = false
			}
		}
		if len(b.Entries) == 0 {
			continue
		}
		f.after = b.Revision
		if !f.yield(b.ActivityBatch, nil) {
			return errEnough
		}
	}
	return errors.New("the watch has ended")
}

// batch is an ActivityBatch being filled.
type batch struct{ ActivityBatch }

func (b *batch) take(response clientv3.WatchResponse) error {
	if err := response.Err(); err != nil {
		return err
	}
	for _, e := range response.Events {
		b.add((*mvccpb.KeyValue)(e.Kv))
		b.Revision = twinkey.Revision(e.Kv.ModRevision)
	}
	return nil
}

func (b *batch) add(kv *mvccpb.KeyValue) {
	if len(b.Entries) == 0 {
		if e, err := decodeEntry(kv); err == nil {
			b.Oldest = e.At
		}
	}
	b.Entries = append(b.Entries, kv.Value)
}

package etcdstore

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/twinkey/twinkey"
)

// A snapshot is read in parts of about snapshotPart accounts, each a range of its
// own between two groups: etcd counts to the end of the range on every page, which
// makes many pages of one range quadratic. Of a group with very many accounts the
// pages are larger.
const (
	snapshotPart = 10_000
	bulkPage     = 50_000
)

// part is some of a snapshot's documents.
type part struct {
	kvs      []*mvccpb.KeyValue
	revision int64
	last     bool
}

// Snapshot implements hub.Source. While one part is taken, the next is read and
// the one after it fetched.
func (s *Store) Snapshot(ctx context.Context) iter.Seq2[twinkey.SnapshotChunk, error] {
	return func(yield func(twinkey.SnapshotChunk, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		parts, chunks := make(chan part), make(chan twinkey.SnapshotChunk)
		var failed error // read once chunks is closed
		go func() {
			defer close(parts)
			failed = s.fetch(ctx, parts)
		}()
		go func() {
			defer close(chunks)
			var reader stateReader
			for p := range parts {
				if !send(ctx, chunks, reader.chunk(p)) {
					break // none may follow: it would seem that nothing is missing
				}
			}
			for range parts { // until the fetching has ended
			}
		}()
		defer func() {
			cancel()
			for range chunks { // until all has ended
			}
		}()
		for chunk := range chunks {
			if !yield(chunk, nil) || chunk.Last {
				return
			}
		}
		yield(twinkey.SnapshotChunk{}, unavailable(cmp.Or(failed, ctx.Err())))
	}
}

// chunk reads the documents of a part.
func (r *stateReader) chunk(p part) twinkey.SnapshotChunk {
	chunk := twinkey.SnapshotChunk{Revision: twinkey.Revision(p.revision), Last: p.last, Accounts: make([]twinkey.AccountState, 0, len(p.kvs))}
	for i, kv := range p.kvs {
		p.kvs[i] = nil
		id, ok := accountOf(string(kv.Key))
		if !ok {
			continue
		}
		state, err := r.read(kv)
		if err != nil {
			chunk.Unreadable = append(chunk.Unreadable, twinkey.UnreadableAccount{ID: id, Cause: err.Error()})
			continue
		}
		chunk.Accounts = append(chunk.Accounts, state)
	}
	return chunk
}

// fetch sends all accounts at one revision.
func (s *Store) fetch(ctx context.Context, parts chan<- part) error {
	ends, revision, err := s.groupEnds(ctx)
	if err != nil {
		return err
	}
	from, step := acctPrefix, 1
	for {
		last := step >= len(ends)
		to := clientv3.GetPrefixRangeEnd(acctPrefix)
		if !last {
			to, ends = ends[step-1], ends[step:]
		}
		count := int64(0)
		for more := true; more; {
			got, err := s.client.Get(ctx, from, clientv3.WithRange(to), clientv3.WithLimit(bulkPage), clientv3.WithRev(revision))
			if err != nil {
				return err
			}
			count, more = max(count, got.Count), got.More
			if more {
				from = string(got.Kvs[len(got.Kvs)-1].Key) + "\x00"
			}
			if !send(ctx, parts, part{kvs: got.Kvs, revision: revision, last: last && !more}) {
				return ctx.Err()
			}
		}
		switch {
		case last:
			return nil
		case count > snapshotPart:
			step = max(1, step/2)
		case count < snapshotPart/2:
			step *= 2
		}
		from = to
	}
}

// groupEnds returns keys between the accounts of one group and the next, in
// order, and the newest revision. That accounts have a group is not relied on.
func (s *Store) groupEnds(ctx context.Context) ([]string, int64, error) {
	var ends []string
	from, revision := groupPrefix, int64(0)
	for {
		got, err := s.client.Get(ctx, from, clientv3.WithRange(clientv3.GetPrefixRangeEnd(groupPrefix)),
			clientv3.WithKeysOnly(), clientv3.WithLimit(bulkPage), clientv3.WithRev(revision))
		if err != nil {
			return nil, 0, err
		}
		if revision == 0 {
			revision = got.Header.Revision
		}
		for _, kv := range got.Kvs {
			ends = append(ends, acctPrefix+strings.TrimPrefix(string(kv.Key), groupPrefix)+"/")
		}
		if !got.More {
			slices.Sort(ends) // '/' sorts after characters that names may have
			return ends, revision, nil
		}
		from = string(got.Kvs[len(got.Kvs)-1].Key) + "\x00"
	}
}

// send reports whether anybody has taken the value.
func send[T any](ctx context.Context, to chan<- T, value T) bool {
	select {
	case to <- value:
		return true
	case <-ctx.Done():
		return false
	}
}

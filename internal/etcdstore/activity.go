package etcdstore

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

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
	entries, err := decodeAll(kvs, decodeEntry)
	return entries, next, err
}

// RecentActivity lists the entries of one subscription between two moments,
// both included, from the newest on. The store reads forwards only, so the end
// of the range is looked for in windows of time that grow over quiet times and
// shrink over busy ones: what a page costs depends on the page, not on the log.
func (s *Store) RecentActivity(ctx context.Context, subscription string, from, to time.Time, page accounts.Page) ([]audit.Entry, string, error) {
	log := activityLog{prefix: logPrefix + twinkey.Fold(subscription) + "/"}
	from, to = later(from, time.Unix(0, 0)), earlier(to, time.Unix(0, math.MaxInt64-1))
	end, endAt := log.key(to.Add(1)), to
	if page.After != "" {
		at, err := entryTime(page.After)
		if err != nil {
			return nil, "", twinkey.Wrap(err, twinkey.Invalid, "The value of $skipToken is invalid. Use the nextLink of the page before as it is.")
		}
		if at.Before(endAt) {
			end, endAt = log.prefix+page.After, at
		}
	}
	limit := limitOf(page)
	var found []audit.Entry
	for window := time.Hour; !endAt.Before(from); {
		begin := later(from, endAt.Add(-window))
		kvs, fits, err := s.upTo(ctx, log.key(begin), end, limit, window <= time.Microsecond)
		switch {
		case err != nil:
			return nil, "", err
		case !fits:
			window /= 8
			continue
		}
		slices.Reverse(kvs)
		for i, kv := range kvs {
			e, err := decodeEntry(kv)
			if err != nil {
				return nil, "", err
			}
			found = append(found, e)
			if len(found) == limit && (i < len(kvs)-1 || begin.After(from)) {
				return found, strings.TrimPrefix(string(kv.Key), log.prefix), nil
			}
		}
		if len(kvs) == 0 {
			window = min(8*window, maxWindow)
		}
		end, endAt = log.key(begin), begin.Add(-1)
	}
	return found, "", nil
}

// upTo reads a range of the log if it is not much larger than a page, or if it
// cannot be made smaller.
func (s *Store) upTo(ctx context.Context, from, end string, limit int, whole bool) ([]*mvccpb.KeyValue, bool, error) {
	count, err := s.get(ctx, from, clientv3.WithRange(end), clientv3.WithCountOnly())
	if err != nil || count.Count == 0 {
		return nil, true, err
	}
	if count.Count > int64(2*limit+100) && !whole {
		return nil, false, nil
	}
	got, err := s.get(ctx, from, clientv3.WithRange(end))
	if err != nil {
		return nil, false, err
	}
	return got.Kvs, true, nil
}

// maxWindow is how far back the search goes in one step over times in which
// nothing happened.
const maxWindow = 365 * 24 * time.Hour

// activityLog is the part of the key space that holds one subscription's log.
// Its keys are in the order of the entries' times.
type activityLog struct{ prefix string }

// key is before every entry of a moment or later, and after every earlier one.
func (l activityLog) key(at time.Time) string {
	at = at.UTC()
	return fmt.Sprintf("%s%s/%016x", l.prefix, hourOf(at), at.UnixNano())
}

// hourOf names the hour of a moment as audit.Entry.Hour does.
func hourOf(at time.Time) string { return audit.Entry{At: at}.Hour() }

// entryTime reads the time off an entry's place in the log: "<hour>/<id>".
func entryTime(place string) (time.Time, error) {
	_, id, _ := strings.Cut(place, "/")
	var nanos [8]byte
	if n, err := hex.Decode(nanos[:], []byte(id[:min(len(id), 16)])); err != nil || n != len(nanos) {
		return time.Time{}, fmt.Errorf("%q is no place in the log", twinkey.Printable(place, 60))
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(nanos[:]))).UTC(), nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func decodeEntry(kv *mvccpb.KeyValue) (e audit.Entry, err error) {
	_, err = decode(kv.Key, kv.Value, &e)
	return e, err
}

package etcdstore

import (
	"context"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/twinkey/twinkey"
)

// trimBatch is how many entries one transaction removes; etcd takes 128
// operations.
const trimBatch = 100

// ActivityLimit says what the log may keep.
type ActivityLimit struct {
	Now     time.Time        // the hour it is in stays, and so does everything later
	Since   time.Time        // hours that ended before it go
	Entries int64            // beyond so many, the oldest hours go
	Until   twinkey.Revision // entries committed later stay; negative: none does for that
}

// TrimActivity removes whole hours of the log, in transactions of bounded size,
// and returns how many entries it has removed and how many there are left. An
// hour whose entries are not all old enough for Until stays, and ends it.
func (s *Store) TrimActivity(ctx context.Context, limit ActivityLimit) (removed, left int64, err error) {
	logs, err := s.activityLogs(ctx)
	if err != nil {
		return 0, 0, err
	}
	cutoff := min(hourOf(limit.Since), hourOf(limit.Now))
	for _, log := range logs {
		n, _, err := s.trim(ctx, log.prefix, log.prefix+cutoff, limit.Until)
		if removed += n; err != nil {
			return removed, 0, err
		}
	}
	if left, err = s.CountActivity(ctx); err != nil {
		return removed, 0, err
	}
	for left > limit.Entries {
		log, hour, err := s.oldestHour(ctx, logs)
		if err != nil || hour == "" || hour >= hourOf(limit.Now) {
			return removed, left, err
		}
		n, done, err := s.trim(ctx, log.prefix+hour+"/", log.prefix+hour+"0", limit.Until)
		removed, left = removed+n, left-n
		if err != nil || !done {
			return removed, left, err
		}
	}
	return removed, left, nil
}

// CountActivity counts the entries of all logs.
func (s *Store) CountActivity(ctx context.Context) (int64, error) {
	got, err := s.get(ctx, logPrefix, clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		return 0, err
	}
	return got.Count, nil
}

// activityLogs finds the logs there are, by looking for the first entry after
// each one's end.
func (s *Store) activityLogs(ctx context.Context) ([]activityLog, error) {
	var logs []activityLog
	for from := logPrefix; ; {
		got, err := s.get(ctx, from, clientv3.WithRange(clientv3.GetPrefixRangeEnd(logPrefix)), clientv3.WithLimit(1), clientv3.WithKeysOnly())
		if err != nil || len(got.Kvs) == 0 {
			return logs, err
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(string(got.Kvs[0].Key), logPrefix), "/")
		log := activityLog{prefix: logPrefix + name + "/"}
		logs = append(logs, log)
		from = clientv3.GetPrefixRangeEnd(log.prefix)
	}
}

// oldestHour is the first hour that any of the logs has, "" if they are empty.
func (s *Store) oldestHour(ctx context.Context, logs []activityLog) (oldest activityLog, hour string, err error) {
	for _, log := range logs {
		got, err := s.get(ctx, log.prefix, clientv3.WithPrefix(), clientv3.WithLimit(1), clientv3.WithKeysOnly())
		if err != nil {
			return log, "", err
		}
		if len(got.Kvs) == 0 {
			continue
		}
		first, _, _ := strings.Cut(strings.TrimPrefix(string(got.Kvs[0].Key), log.prefix), "/")
		if hour == "" || first < hour {
			oldest, hour = log, first
		}
	}
	return oldest, hour, nil
}

// trim removes the entries in a range of keys, each by its name, so that one
// that is written meanwhile stays. It is not done if it met one committed after
// until.
func (s *Store) trim(ctx context.Context, from, end string, until twinkey.Revision) (removed int64, done bool, err error) {
	for {
		got, err := s.get(ctx, from, clientv3.WithRange(end), clientv3.WithLimit(trimBatch), clientv3.WithKeysOnly())
		if err != nil || len(got.Kvs) == 0 {
			return removed, true, err
		}
		var deletes []clientv3.Op
		for _, kv := range got.Kvs {
			if until >= 0 && twinkey.Revision(kv.ModRevision) > until {
				break
			}
			deletes = append(deletes, clientv3.OpDelete(string(kv.Key)))
		}
		if len(deletes) > 0 {
			if _, err := s.txn(ctx, nil, deletes, nil); err != nil {
				return removed, false, err
			}
		}
		if removed += int64(len(deletes)); len(deletes) < len(got.Kvs) {
			return removed, false, nil
		}
	}
}

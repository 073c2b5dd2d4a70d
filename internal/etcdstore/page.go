package etcdstore

import (
	"context"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// pageReader reads keys in order, from one on, range by range until there are
// enough, all at one revision. etcd counts to the end of the range on every read:
// whoever gives it short ranges keeps a page's cost apart from how much follows.
type pageReader struct {
	store    *Store
	prefix   string // of all keys
	from     string
	limit    int
	options  []clientv3.OpOption
	revision int64
	kvs      []*mvccpb.KeyValue // one more than limit says that there are more
}

func (s *Store) pageReader(prefix, after string, limit int, options ...clientv3.OpOption) *pageReader {
	p := &pageReader{store: s, prefix: prefix, from: prefix, limit: limit, options: options}
	if after != "" {
		p.from += after + "\x00"
	}
	return p
}

// through reads on to the last key that begins with the prefix and what follows
// it, and reports whether that was needed no more.
func (p *pageReader) through(ctx context.Context, beginning string) (bool, error) {
	to := clientv3.GetPrefixRangeEnd(p.prefix + beginning)
	if len(p.kvs) > p.limit || to <= p.from {
		return len(p.kvs) > p.limit, nil
	}
	got, err := p.store.get(ctx, p.from, append([]clientv3.OpOption{clientv3.WithRange(to),
		clientv3.WithLimit(int64(p.limit + 1 - len(p.kvs))), clientv3.WithRev(p.revision)}, p.options...)...)
	if err != nil {
		return false, err
	}
	if p.revision == 0 {
		p.revision = got.Header.Revision
	}
	p.kvs, p.from = append(p.kvs, got.Kvs...), to
	return len(p.kvs) > p.limit, nil
}

// near reads the keys that begin as one does: first with all of it, then with
// less and less, down to its first least bytes.
func (p *pageReader) near(ctx context.Context, key string, least int) (full bool, err error) {
	for common := len(key); common >= least && !full && err == nil; common-- {
		full, err = p.through(ctx, key[:common])
	}
	return full, err
}

// result is the page, and where it ended if there are more.
func (p *pageReader) result() ([]*mvccpb.KeyValue, string) {
	if len(p.kvs) <= p.limit {
		return p.kvs, ""
	}
	return p.kvs[:p.limit], strings.TrimPrefix(string(p.kvs[p.limit-1].Key), p.prefix)
}

// page reads up to limit keys under prefix after one, and says where it ended if
// there are more.
func (s *Store) page(ctx context.Context, prefix, after string, limit int) ([]*mvccpb.KeyValue, string, error) {
	p := s.pageReader(prefix, after, limit)
	if _, err := p.near(ctx, after, 0); err != nil {
		return nil, "", err
	}
	kvs, next := p.result()
	return kvs, next, nil
}

// How many groups a subscription's list reads of at once, while it finds few
// accounts in them, and how many names of groups it reads at once.
const (
	groupsAtOnce = 8
	groupNames   = 64
)

// accountsWithin is page for the accounts of a subscription, prefix. What is left
// of the group it is in comes first, then ranges that end where groups end.
func (s *Store) accountsWithin(ctx context.Context, prefix, after string, limit int) ([]*mvccpb.KeyValue, string, error) {
	p := s.pageReader(prefix, after, limit)
	group, _, within := strings.Cut(after, "/")
	full, err := false, error(nil)
	if within {
		full, err = p.near(ctx, after, len(group)+1)
	}
	names := groupPrefix + strings.TrimPrefix(prefix, acctPrefix)
	for step := 1; !full && err == nil; {
		groups := s.pageReader(names, group, groupNames, clientv3.WithKeysOnly())
		if _, err = groups.near(ctx, group, 0); err != nil {
			break
		}
		if len(groups.kvs) == 0 {
			_, err = p.through(ctx, "")
			break
		}
		for left := groups.kvs; len(left) > 0 && !full && err == nil; step = min(2*step, groupsAtOnce) {
			at := min(step, len(left)) - 1
			group = strings.TrimPrefix(string(left[at].Key), names)
			full, err = p.through(ctx, group+"/")
			left = left[at+1:]
		}
	}
	if err != nil {
		return nil, "", err
	}
	kvs, next := p.result()
	return kvs, next, nil
}

package etcdstore

import (
	"sync/atomic"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Stats counts the transactions since the store was opened, by what came of
// them.
type Stats struct {
	Committed  uint64
	Conflicted uint64 // something was not as it had been read
	Refused    uint64 // the store takes none now
	Unknown    uint64 // nobody knows whether it happened
}

// Stats reads the counters.
func (s *Store) Stats() Stats {
	return Stats{
		Committed: s.counts.committed.Load(), Conflicted: s.counts.conflicted.Load(),
		Refused: s.counts.refused.Load(), Unknown: s.counts.unknown.Load(),
	}
}

type txnCounts struct{ committed, conflicted, refused, unknown atomic.Uint64 }

func (c *txnCounts) note(done *clientv3.TxnResponse, err error) {
	switch {
	case err == nil && done.Succeeded:
		c.committed.Add(1)
	case err == nil:
		c.conflicted.Add(1)
	case refusedForCertain(err):
		c.refused.Add(1)
	default:
		c.unknown.Add(1)
	}
}

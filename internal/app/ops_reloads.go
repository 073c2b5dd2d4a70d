package app

import (
	"sync/atomic"
	"time"
)

// reloads counts how often the services were read again, and what came of it.
type reloads struct {
	done, failed atomic.Uint64
	last         atomic.Int64 // when those in force were read, Unix milliseconds
}

func (r *reloads) note(err error) {
	if err != nil {
		r.failed.Add(1)
		return
	}
	r.done.Add(1)
	r.last.Store(time.Now().UnixMilli())
}

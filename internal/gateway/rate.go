package gateway

import (
	"sync/atomic"
	"time"
)

// rate counts an account's calls in the minute that runs: the minute's number
// above, the count in the lower 24 bits, so that one swap changes both. Each
// gateway counts for itself.
type rate struct{ packed atomic.Uint64 }

const rateCountBits = 24

// take counts one call. If the minute has no room left it returns how long until
// the next one, in whole seconds and at least one.
func (r *rate) take(now time.Time, perMinute int) (retryAfterSeconds int, ok bool) {
	if perMinute <= 0 {
		return 0, true
	}
	minute := uint64(now.Unix() / 60)
	for {
		old := r.packed.Load()
		count := old & (1<<rateCountBits - 1)
		if old>>rateCountBits != minute {
			count = 0
		}
		if count >= uint64(perMinute) {
			return int(60 - now.Unix()%60), false
		}
		if r.packed.CompareAndSwap(old, minute<<rateCountBits|(count+1)) {
			return 0, true
		}
	}
}

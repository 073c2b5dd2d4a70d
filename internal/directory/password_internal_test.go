package directory

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Memory for hashing is bounded: two at once, some waiting, the rest refused.
// It needs work that lasts as long as the test wants, so it is inside.
func TestHashesAtOnceAreBounded(t *testing.T) {
	h := newHasher(Cost{Memory: 64, Passes: 1, Lanes: 1})
	started, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	for range hashesAtOnce {
		wg.Go(func() {
			if err := h.inSlot(t.Context(), func() { started <- struct{}{}; <-release }); err != nil {
				t.Error(err)
			}
		})
		<-started
	}
	waiting, stop := context.WithCancel(t.Context())
	results := make(chan error)
	for range hashesWaiting + 1 {
		go func() { results <- h.inSlot(waiting, func() { t.Error("a third one ran") }) }()
	}
	if err := <-results; !errors.Is(err, Busy) { // the one for which there is no room
		t.Error(err)
	}
	stop()
	for range hashesWaiting {
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	close(release)
	wg.Wait()
	ran := false
	if err := h.inSlot(t.Context(), func() { ran = true }); err != nil || !ran {
		t.Error("nothing runs any more", err)
	}
}

// However many names and addresses are tried, memory is bounded, and the ones
// tried last are remembered.
func TestFailuresAreBounded(t *testing.T) {
	now := time.Unix(0, 0)
	one := Limit{Failures: 1, Window: time.Minute}
	f := newFailures(func() time.Time { return now }, one, Limit{Failures: 1 << 30, Window: time.Minute})
	for i := range maxTracked + 10 {
		if _, err := f.charge("t", strconv.Itoa(i), netip.Addr{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.levels) != maxTracked || f.order.Len() != maxTracked {
		t.Fatalf("%d and %d are tracked", len(f.levels), f.order.Len())
	}
	if _, err := f.charge("t", strconv.Itoa(maxTracked+9), netip.Addr{}); err == nil {
		t.Error("the newest was forgotten")
	}
	if _, err := f.charge("t", "0", netip.Addr{}); err != nil {
		t.Error("the oldest is remembered", err)
	}
}

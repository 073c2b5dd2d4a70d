package directory

import (
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"sync"
	"time"
)

// What zero Limits stand for.
const (
	userFailures    = 10
	addressFailures = 50
	failureWindow   = 10 * time.Minute
)

// maxTracked is how many users and addresses are remembered. Each takes some
// two hundred bytes; beyond that the one that failed longest ago is forgotten.
const maxTracked = 1 << 16

// Limit admits so many failures in a row; one more is forgiven each time an
// equal part of the window has passed.
type Limit struct {
	Failures int
	Window   time.Duration
}

// outcome is what became of an attempt that was charged as a failure.
type outcome uint8

const (
	undecided outcome = iota // nothing was checked
	succeeded
)

// failures counts wrong passwords, by user and by address, in bounded memory.
type failures struct {
	now           func() time.Time
	user, address Limit

	mu     sync.Mutex
	levels map[trackedKey]*list.Element // of *level
	order  *list.List                   // the one charged last in front
}

// trackedKey stands for a user or an address, in the same few bytes however
// long the name.
type trackedKey [sha256.Size]byte

// level is a leaking bucket of failures.
type level struct {
	key  trackedKey
	full float64 // failures not forgiven yet, as of at
	at   time.Time
}

func newFailures(now func() time.Time, user, address Limit) *failures {
	if user == (Limit{}) {
		user = Limit{Failures: userFailures, Window: failureWindow}
	}
	if address == (Limit{}) {
		address = Limit{Failures: addressFailures, Window: failureWindow}
	}
	return &failures{now: now, user: user, address: address, levels: map[trackedKey]*list.Element{}, order: list.New()}
}

// charge counts a failure ahead of the check, so that attempts made side by
// side cannot pass the limit together. The function it returns takes the charge
// back when the check did not fail. It refuses, charging nothing, beyond a limit.
func (f *failures) charge(tenant, name string, address netip.Addr) (func(outcome), error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	userKey := sha256.Sum256([]byte("user\x00" + tenant + "\x00" + name))
	addressKey := sha256.Sum256([]byte("address\x00" + network(address)))
	if f.levelOf(userKey, f.user, now)+1 > float64(f.user.Failures) || f.levelOf(addressKey, f.address, now)+1 > float64(f.address.Failures) {
		return nil, refuse(TooManyFailures, "Too many failed attempts to sign in. Wait a few minutes and try again.")
	}
	f.add(userKey, f.user, now)
	f.add(addressKey, f.address, now)
	return func(o outcome) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.refund(addressKey, 1)
		if o == succeeded {
			f.refund(userKey, float64(f.user.Failures))
		} else {
			f.refund(userKey, 1)
		}
	}, nil
}

// levelOf is how full a bucket is now.
func (f *failures) levelOf(key trackedKey, limit Limit, now time.Time) float64 {
	e, ok := f.levels[key]
	if !ok {
		return 0
	}
	l := e.Value.(*level)
	leaked := float64(limit.Failures) * float64(now.Sub(l.at)) / float64(limit.Window)
	return max(0, l.full-max(0, leaked))
}

func (f *failures) add(key trackedKey, limit Limit, now time.Time) {
	full := f.levelOf(key, limit, now) + 1
	if e, ok := f.levels[key]; ok {
		l := e.Value.(*level)
		l.full, l.at = full, now
		f.order.MoveToFront(e)
		return
	}
	f.levels[key] = f.order.PushFront(&level{key: key, full: full, at: now})
	for f.order.Len() > maxTracked {
		oldest := f.order.Remove(f.order.Back()).(*level)
		delete(f.levels, oldest.key)
	}
}

func (f *failures) refund(key trackedKey, n float64) {
	e, ok := f.levels[key]
	if !ok {
		return
	}
	l := e.Value.(*level)
	if l.full -= n; l.full <= 0 {
		f.order.Remove(e)
		delete(f.levels, key)
	}
}

// network is what one visitor cannot easily change of an address: an IPv4
// address, or the 64 bits of an IPv6 network.
func network(a netip.Addr) string {
	a = a.Unmap()
	if a.Is6() {
		b := a.As16()
		return string(binary.BigEndian.AppendUint64([]byte("6"), binary.BigEndian.Uint64(b[:8])))
	}
	return a.String()
}

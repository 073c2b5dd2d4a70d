package idp

import (
	"crypto/sha256"
	"sync"
	"time"
)

// How many assertions are remembered, in all and of one application. Each takes
// some hundred bytes until it expires.
const (
	maxReplays      = 1 << 17
	maxReplaysOfApp = 1 << 14
)

// How often expired assertions are looked for, and how often when there is no
// room.
const (
	sweepEvery   = time.Minute
	sweepCrowded = time.Second
)

// replays remembers which assertions have been used (RFC 7523, section 3, item
// 7). It forgets none before it expires: when it is full, it admits no more.
type replays struct {
	now func() time.Time

	mu    sync.Mutex
	used  map[[sha256.Size]byte]replay
	ofApp map[string]int
	swept time.Time
}

type replay struct {
	app     string
	expires time.Time
}

// verdict is what replays says of an assertion.
type verdict uint8

const (
	fresh verdict = iota
	replayed
	full
)

func newReplays(now func() time.Time) *replays {
	return &replays{now: now, used: map[[sha256.Size]byte]replay{}, ofApp: map[string]int{}}
}

// use marks an assertion as used until it expires.
func (m *replays) use(app, id, purpose string, expires time.Time) verdict {
	key := sha256.Sum256([]byte(app + "\x00" + purpose + "\x00" + id))
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if _, ok := m.used[key]; ok {
		return replayed // it is checked for expiry elsewhere
	}
	if now.Sub(m.swept) >= sweepEvery || m.crowded(app) && now.Sub(m.swept) >= sweepCrowded {
		m.sweep(now)
	}
	if m.crowded(app) {
		return full
	}
	m.used[key] = replay{app: app, expires: expires}
	m.ofApp[app]++
	return fresh
}

func (m *replays) crowded(app string) bool {
	return len(m.used) >= maxReplays || m.ofApp[app] >= maxReplaysOfApp
}

func (m *replays) sweep(now time.Time) {
	for key, r := range m.used {
		if now.Before(r.expires) {
			continue
		}
		delete(m.used, key)
		if m.ofApp[r.app]--; m.ofApp[r.app] == 0 {
			delete(m.ofApp, r.app)
		}
	}
	m.swept = now
}

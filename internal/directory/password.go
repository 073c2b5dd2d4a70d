package directory

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"sync/atomic"

	"golang.org/x/crypto/argon2"

	"github.com/twinkey/twinkey"
)

// What a zero Cost stands for: some tens of milliseconds and 19 MiB (OWASP
// Password Storage Cheat Sheet, "Argon2id").
const (
	defaultMemory = 19 << 10
	defaultPasses = 2
	defaultLanes  = 1
)

// How many hashes are computed at once, which bounds the memory they take, and
// how many more may wait for that.
const (
	hashesAtOnce  = 2
	hashesWaiting = 64
)

// Lengths of salt and hash, in bytes (RFC 9106, section 3.1).
const (
	saltLength = 16
	hashLength = 32
)

// Cost is what one Argon2id hash takes (RFC 9106, section 3.1).
type Cost struct {
	Memory uint32 `json:"m"` // KiB
	Passes uint32 `json:"t"`
	Lanes  uint8  `json:"p"`
}

// hasher makes and checks password hashes, few at a time.
type hasher struct {
	cost  Cost
	decoy Password // what a name without a password is checked against
	slots chan struct{}
	queue atomic.Int64
}

func newHasher(cost Cost) *hasher {
	if cost == (Cost{}) {
		cost = Cost{Memory: defaultMemory, Passes: defaultPasses, Lanes: defaultLanes}
	}
	return &hasher{
		cost:  cost,
		decoy: Password{Cost: cost, Salt: random(saltLength), Hash: random(hashLength)},
		slots: make(chan struct{}, hashesAtOnce),
	}
}

// hash makes the form of a password that is kept.
func (h *hasher) hash(ctx context.Context, password twinkey.Secret) (Password, error) {
	p := Password{ID: newID(), Cost: h.cost, Salt: random(saltLength)}
	err := h.inSlot(ctx, func() { p.Hash = p.derive(password) })
	return p, err
}

// matches reports whether password is the known one. It takes as long when none
// is known.
func (h *hasher) matches(ctx context.Context, password twinkey.Secret, known *Password) (bool, error) {
	against := known
	if against == nil {
		against = &h.decoy
	}
	var equal bool
	err := h.inSlot(ctx, func() {
		equal = subtle.ConstantTimeCompare(against.derive(password), against.Hash) == 1
	})
	return equal && known != nil, err
}

// inSlot runs work when its turn comes; it does not wait beyond ctx, nor behind
// too many others.
func (h *hasher) inSlot(ctx context.Context, work func()) error {
	defer h.queue.Add(-1)
	if h.queue.Add(1) > hashesAtOnce+hashesWaiting {
		return refuse(Busy, "Too many people are signing in. Try again in a moment.")
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	work()
	return nil
}

func (p *Password) derive(password twinkey.Secret) []byte {
	return argon2.IDKey([]byte(password.Reveal()), p.Salt, p.Cost.Passes, p.Cost.Memory, p.Cost.Lanes, hashLength)
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return b
}

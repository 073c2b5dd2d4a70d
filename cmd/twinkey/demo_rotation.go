package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// How much the two clients call: until each of them has been accepted often
// enough before the regenerate, and has called often enough after its answer.
const (
	callsBefore = 200
	callsAfter  = 500
)

// rotationTime bounds the whole step.
const rotationTime = time.Minute

// attempt is one call of a client, by the monotonic clock.
type attempt struct {
	sent     time.Time // before the first byte was written
	answered time.Time // after the last one was read
	status   int
}

// rotation is what was seen of a regenerate while its key was used.
type rotation struct {
	asked, answered time.Time // the regenerate's own request and answer
	old             []attempt // with the key that was regenerated
	other           []attempt // with the other key
	fresh           attempt   // the first with the new key
	keys            [2]string // as they are afterwards
}

// client calls with one key, one call after the other, over a connection of its
// own.
type client struct {
	service *textService
	key     string
	warm    chan struct{} // closed after callsBefore calls that were accepted
	calls   []attempt
}

func newClient(url string, roots *x509.CertPool, key string) *client {
	return &client{service: &textService{url: url, http: trusting(roots)}, key: key, warm: make(chan struct{})}
}

// once makes one call.
func (c *client) once(ctx context.Context) (attempt, error) {
	sent := time.Now()
	status, _, err := c.service.post(ctx, c.key, sentimentPath, reviews()[:1])
	return attempt{sent, time.Now(), status}, err
}

// run calls until it has sent callsAfter calls later than turn.
func (c *client) run(ctx context.Context, turn *atomic.Pointer[time.Time]) error {
	defer c.service.http.CloseIdleConnections()
	accepted := 0
	for after := 0; after < callsAfter; {
		a, err := c.once(ctx)
		if err != nil {
			return err
		}
		c.calls = append(c.calls, a)
		if a.status == http.StatusOK {
			if accepted++; accepted == callsBefore {
				close(c.warm)
			}
		}
		if at := turn.Load(); at != nil && a.sent.After(*at) {
			after++
		}
	}
	return nil
}

// regenerate replaces key 1 while one client uses it and another uses key 2.
func (t *tour) regenerate(ctx context.Context) error {
	t.out.say("Two clients call without a pause, one with key 1 and one with key 2, each over its own connection.")
	r, err := t.rotate(ctx)
	if err != nil {
		return err
	}
	seen, err := r.judge(t.keys)
	if err != nil {
		return err
	}
	t.out.good("key 1 is now %s; key 2 is still %s", hint(r.keys[0]), hint(r.keys[1]))
	t.keys = r.keys
	t.out.say("Measured by the clients, in milliseconds from the instant the answer came. A call that was")
	t.out.say("under way at that instant may still be answered:")
	t.out.table(seen.rows(r))
	t.out.good("old key 1: %d calls accepted before; of %d sent after the answer came, %d accepted", seen.oldAccepted, seen.oldAfter, seen.oldAfterAccepted)
	t.out.good("key 2: %d calls (%d before, %d during, %d after), every one answered 200", len(r.other), seen.otherBefore, seen.otherDuring, seen.otherAfter)
	return nil
}

// rotate runs the clients and, once both are going, the regenerate.
func (t *tour) rotate(ctx context.Context) (*rotation, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, rotationTime, fmt.Errorf("the clients were not done in %s", rotationTime))
	defer cancel()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var turn atomic.Pointer[time.Time]
	var running sync.WaitGroup
	old, other := newClient(t.gateway.url, t.roots, t.keys[0]), newClient(t.gateway.url, t.roots, t.keys[1])
	for _, c := range []*client{old, other} {
		running.Go(func() {
			if err := c.run(ctx, &turn); err != nil {
				fail(err)
			}
		})
	}
	r := &rotation{}
	if err := t.turn(ctx, r, &turn, old, other); err != nil {
		fail(err)
	}
	running.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	r.old, r.other = old.calls, other.calls
	return r, nil
}

// turn waits for the clients, regenerates, and uses the new key.
func (t *tour) turn(ctx context.Context, r *rotation, turn *atomic.Pointer[time.Time], clients ...*client) error {
	for _, c := range clients {
		select {
		case <-c.warm:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	r.asked = time.Now()
	resp, err := t.callAccount(ctx, http.MethodPost, map[string]string{"keyName": "Key1"}, "regenerateKey")
	r.answered = time.Now()
	if err != nil {
		return err
	}
	turn.Store(&r.answered)
	if r.keys, err = readKeys(resp); err != nil {
		return err
	}
	if r.fresh, err = (&client{service: t.gateway, key: r.keys[0]}).once(ctx); err != nil {
		return err
	}
	if c := resp.Confirmation; c == nil || len(c.Pending) > 0 {
		return errors.New("the answer does not say that every gateway has confirmed")
	}
	return nil
}

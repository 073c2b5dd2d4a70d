package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// restTime is how long an upstream that could not be reached is passed over
// while there are others.
const restTime = 5 * time.Second

// errSlow says that a route's own time limit ended before the answer began.
var errSlow = errors.New("the upstream did not begin its answer in the route's time")

// upstreams takes a call to one of its route's upstreams: each in turn, those
// that could not be reached lately last. A call whose connection was never made
// goes to the next one; one that may have been received is not sent again, unless
// it asks for nothing to be done and went to a connection that had been closed.
type upstreams struct {
	transport *http.Transport
	log       *slog.Logger
	now       func() time.Time
	turn      atomic.Uint32
	resting   sync.Map // host -> time.Time until which it is passed over
}

// RoundTrip implements http.RoundTripper.
func (u *upstreams) RoundTrip(r *http.Request) (*http.Response, error) {
	x := r.Context().Value(exchangeKey{}).(*exchange)
	body := r.Body
	if body != nil {
		r.Body = io.NopCloser(body) // the transport closes it on every attempt
	}
	var answer *http.Response
	var err error
	for _, upstream := range u.order(x.admission.Route.Upstreams) {
		answer, err = u.try(r, x, upstream)
		if err == nil || !neverConnected(err) || r.Context().Err() != nil {
			break
		}
		u.rest(upstream, err)
	}
	if body != nil && err != nil {
		_ = body.Close()
	}
	return answer, err
}

// try sends the call to one upstream, within the route's time if it has one.
func (u *upstreams) try(r *http.Request, x *exchange, upstream *url.URL) (*http.Response, error) {
	x.upstream = upstream
	r.URL.Scheme, r.URL.Host, r.Host = upstream.Scheme, upstream.Host, upstream.Host
	r.URL.Opaque = upstream.Path + x.admission.Route.Rewrite(x.admission.Path)
	limit := x.admission.Route.Timeout
	if limit <= 0 {
		return u.transport.RoundTrip(r)
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	timer := time.AfterFunc(limit, func() { cancel(errSlow) })
	answer, err := u.transport.RoundTrip(r.WithContext(ctx))
	if !timer.Stop() && errors.Is(context.Cause(ctx), errSlow) {
		if err == nil {
			_ = answer.Body.Close()
		}
		answer, err = nil, errSlow
	}
	if err != nil {
		cancel(nil)
	}
	return answer, err // ctx ends with the request it is made of
}

// rest passes an upstream over for a while, and says so once.
func (u *upstreams) rest(upstream *url.URL, err error) {
	now := u.now()
	before, _ := u.resting.Swap(upstream.Host, now.Add(restTime))
	if until, ok := before.(time.Time); !ok || now.After(until) {
		u.log.Warn("an upstream cannot be reached", "upstream", upstream.Host, "error", err)
	}
}

// order is the upstreams from the next one on, those that rest at the end.
func (u *upstreams) order(all []*url.URL) []*url.URL {
	if len(all) == 1 {
		return all
	}
	start, now := int(u.turn.Add(1)%uint32(len(all))), u.now()
	var fit, tired []*url.URL
	for i := range all {
		upstream := all[(start+i)%len(all)]
		if until, ok := u.resting.Load(upstream.Host); ok && now.Before(until.(time.Time)) {
			tired = append(tired, upstream)
		} else {
			fit = append(fit, upstream)
		}
	}
	return append(fit, tired...)
}

// neverConnected reports whether nothing of the call can have been received.
func neverConnected(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

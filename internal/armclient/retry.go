package armclient

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"
)

const (
	maxAttempts = 4
	firstPause  = 100 * time.Millisecond
	// retryWindow is how long after the first attempt the last one may start.
	// It stays below the 30 s for which a server knows a repeated regenerate.
	retryWindow = 20 * time.Second
)

// send repeats k while that is safe and may help. All attempts carry the same
// x-ms-client-request-id.
func (c *Client) send(ctx context.Context, k call) (*Response, error) {
	began := c.now()
	pause := firstPause
	for number := 1; ; number++ {
		resp, err := c.attempt(ctx, k, number)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if resp != nil {
			resp.Elapsed = c.now().Sub(began)
		}
		if number == maxAttempts || !k.mayRepeat(resp, err) {
			return resp, err
		}
		wait := pause
		if resp != nil && resp.retryAfter > 0 {
			wait = resp.retryAfter
		}
		if c.now().Sub(began)+wait > retryWindow {
			return resp, err
		}
		if err := c.wait(ctx, wait); err != nil {
			return nil, err
		}
		pause *= 2
	}
}

// mayRepeat decides on what came of one attempt.
func (k call) mayRepeat(resp *Response, err error) bool {
	if err != nil {
		return !permanent(err) && (k.repeatable || neverArrived(err))
	}
	switch resp.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return true
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return k.repeatable
	}
	return false
}

// permanent reports whether err will come again however often one tries.
func permanent(err error) bool {
	var unreachable *unreachableError
	if !errors.As(err, &unreachable) {
		return true
	}
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	dns, lookup := errors.AsType[*net.DNSError](err)
	return certificate || record || lookup && dns.IsNotFound
}

// neverArrived reports whether the connection was not even made.
func neverArrived(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

package armclient

import (
	"context"
	"net/http"
	"time"

	twinkey "github.com/twinkey/twinkey"
)

// pollPause is how long to wait when the server does not say; pollFloor keeps a
// server that says 0 from being asked without pause.
const (
	pollPause = time.Second
	pollFloor = 100 * time.Millisecond
)

// Complete follows an answer of 202 to its end: it asks the Location, as often
// as Retry-After allows, until the answer is another one, and returns that
// (Azure Resource Manager RPC, Addendum.md, "Asynchronous Operations"). Any
// other answer it returns as it is. Elapsed counts from the first call.
func (c *Client) Complete(ctx context.Context, token twinkey.Secret, r *Response) (*Response, error) {
	began := c.now().Add(-r.Elapsed)
	location := r.location
	for r.Status == http.StatusAccepted {
		if r.location != "" {
			location = r.location
		}
		if location == "" {
			return nil, twinkey.Errorf(twinkey.Unreadable, "the server accepted the call but does not say where its end can be seen")
		}
		pause := r.retryAfter
		if pause == 0 {
			pause = pollPause
		}
		if err := c.wait(ctx, max(pause, pollFloor)); err != nil {
			return nil, err
		}
		next, err := c.follow(ctx, token, location, "operation", "")
		if err != nil {
			return nil, err
		}
		r = next
		r.Elapsed = c.now().Sub(began)
	}
	return r, nil
}

// Package armclient talks to one Azure Resource Manager endpoint, and to the
// token service and the directory (Microsoft Graph) that belong to it: any ARM
// endpoint, not only Twinkey's.
//
// It refuses to send a token anywhere but to the endpoint it was made for: it
// follows no redirect, takes no next link and no operation URL of another
// origin, and speaks plain HTTP only to the loopback interface. It keeps
// nothing on disk, asks nobody anything, and no error or trace it makes holds a
// password, a key or a token.
package armclient

import (
	"context"
	"net/http"
	"net/url"
	"time"

	twinkey "github.com/twinkey/twinkey"
)

// Config says where the endpoint is and how to reach it.
type Config struct {
	// Endpoint is the management URL: https, or http to a loopback address.
	// Required.
	Endpoint string
	// Authority is the base URL of the token service; zero means Endpoint.
	Authority string
	// TenantID is the tenant to ask for tokens; zero means "organizations",
	// the tenant the user signs in to.
	TenantID string
	// CAFile holds PEM certificates trusted besides the system's; zero means
	// none.
	CAFile string
	// Version is what the User-Agent calls this program; zero means "dev".
	Version string
	// Timeout bounds each attempt of each call; zero means one minute.
	Timeout time.Duration
	// Trace is told of every attempt; zero means nobody is.
	Trace func(Exchange)
	// Now tells the time that assertions and token lifetimes are made of; zero
	// means time.Now.
	Now func() time.Time
	// Wait pauses between attempts and polls, or returns the context's error;
	// zero means a timer.
	Wait func(context.Context, time.Duration) error
}

// Client calls one endpoint. It is safe for concurrent use.
type Client struct {
	endpoint  *url.URL
	authority *url.URL
	tenant    string
	userAgent string
	timeout   time.Duration
	http      *http.Client
	trace     func(Exchange)
	now       func() time.Time
	wait      func(context.Context, time.Duration) error
}

// New checks cfg and reads the CA file; it connects to nothing.
func New(cfg Config) (*Client, error) {
	endpoint, err := baseURL("endpoint", cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	authority := endpoint
	if cfg.Authority != "" {
		if authority, err = baseURL("authority", cfg.Authority); err != nil {
			return nil, err
		}
	}
	transport, err := newTrust(cfg.CAFile)
	if err != nil {
		return nil, err
	}
	c := &Client{
		endpoint:  endpoint,
		authority: authority,
		tenant:    orText(cfg.TenantID, "organizations"),
		userAgent: "twinkey/" + orText(cfg.Version, "dev"),
		timeout:   cfg.Timeout,
		http:      &http.Client{Transport: transport, CheckRedirect: keepRedirect},
		trace:     cfg.Trace,
		now:       cfg.Now,
		wait:      cfg.Wait,
	}
	if c.timeout == 0 {
		c.timeout = time.Minute
	}
	if c.trace == nil {
		c.trace = func(Exchange) {}
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.wait == nil {
		c.wait = sleep
	}
	return c, nil
}

// Exchange is one attempt of one call, for people who look for what went wrong.
// It holds no header but the two ids and no body.
type Exchange struct {
	Method          string
	URL             string
	Attempt         int // 1 is the first
	Status          int // 0 when no answer came
	ClientRequestID string
	RequestID       string // the server's own
	Took            time.Duration
	Err             error // why no answer came
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// badURL is what every refusal of a configured URL looks like.
func badURL(what, text, why string) error {
	return twinkey.Errorf(twinkey.Invalid, "the %s '%s' cannot be used: %s", what, twinkey.Printable(text, 200), why)
}

package armclient

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	twinkey "github.com/twinkey/twinkey"
)

// Response is an answer below 400.
type Response struct {
	Status    int
	Body      []byte
	RequestID string        // x-ms-request-id
	Elapsed   time.Duration // from sending the first attempt to having read this answer
	// Confirmation says at which revision the answer stands and which gateways
	// have not applied it; nil when the server does not say.
	Confirmation *twinkey.Confirmation
	// Generation is the generation of the key that was asked for; 0 when the
	// server does not say.
	Generation twinkey.Generation
	// Repeated says that the server had done this very call before and gave
	// the same answer again.
	Repeated bool

	location   string
	retryAfter time.Duration // 0 when the server does not say
}

// Decode reads the body, one JSON value, into v. Numbers that land in an
// interface keep their text (json.Number).
func (r *Response) Decode(v any) error { return decode(r.Body, v) }

func decode(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("reading the answer: more than one JSON value")
	}
	return nil
}

func newResponse(answer *http.Response, body []byte, now time.Time) *Response {
	h := answer.Header
	r := &Response{
		Status:     answer.StatusCode,
		Body:       body,
		RequestID:  h.Get("x-ms-request-id"),
		Repeated:   strings.EqualFold(h.Get("x-twinkey-repeated"), "true"),
		location:   h.Get("Location"),
		retryAfter: retryAfter(h.Get("Retry-After"), now),
	}
	if n, err := strconv.ParseUint(h.Get("x-twinkey-generation"), 10, 64); err == nil {
		r.Generation = twinkey.Generation(n)
	}
	if n, err := strconv.ParseInt(h.Get("x-twinkey-revision"), 10, 64); err == nil && h.Get("x-twinkey-confirmed") != "" {
		r.Confirmation = &twinkey.Confirmation{Revision: twinkey.Revision(n), Pending: pending(h.Get("x-twinkey-confirmed"))}
	}
	return r
}

// pending reads x-twinkey-confirmed: "all", or "pending=" and names. A value
// that says neither confirms nothing.
func pending(value string) []string {
	value = strings.TrimSpace(value)
	if value == "all" {
		return nil
	}
	var names []string
	for name := range strings.SplitSeq(strings.TrimPrefix(value, "pending="), ",") {
		names = append(names, orText(twinkey.Printable(strings.TrimSpace(name), 100), "(unnamed)"))
	}
	return names
}

// retryAfter reads both forms of the header (RFC 9110, section 10.2.3).
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

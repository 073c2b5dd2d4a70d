package idp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
	"github.com/twinkey/twinkey/internal/web"
)

// retryAfter is what a client is told to wait when it comes too often or the
// store is away, in seconds.
const retryAfter = "10"

// errorAnswer is the body of a refusal (RFC 6749, section 5.2; Microsoft Learn,
// "Microsoft identity platform and the OAuth 2.0 client credentials flow",
// "Error response").
type errorAnswer struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []code `json:"error_codes"`
	Timestamp     string `json:"timestamp"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
	URI           string `json:"error_uri"`
}

// answerError writes a refusal in Entra's form.
func (p *Provider) answerError(w http.ResponseWriter, r *http.Request, err error) {
	c, text := codeOf(err)
	status, word := c.answer()
	if twinkey.KindOf(err) == twinkey.TooLarge {
		status = http.StatusRequestEntityTooLarge
	}
	web.Note(r).Code = c.Error()
	who := web.Caller(r)
	body := errorAnswer{
		Error: word, Codes: []code{c}, Timestamp: p.now().UTC().Format("2006-01-02 15:04:05Z"),
		TraceID: who.RequestID, CorrelationID: correlationID(r, who),
		URI: fmt.Sprintf("%s/error?code=%d", p.publicURL, int(c)),
	}
	body.Description = fmt.Sprintf("%s: %s Trace ID: %s Correlation ID: %s Timestamp: %s", c.Error(), text, body.TraceID, body.CorrelationID, body.Timestamp)
	setHeaders(w, r, who)
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	if status == http.StatusUnauthorized && r.Header.Get("Authorization") != "" {
		w.Header().Set("WWW-Authenticate", `Basic realm="twinkey"`)
	}
	_ = web.WriteJSON(w, status, body) // strings and numbers: cannot fail
}

// codeOf is the one table from errors to codes and the texts that go with them.
func codeOf(err error) (code, string) {
	if c, ok := errors.AsType[code](err); ok {
		return c, twinkey.MessageOf(err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return codeTransient, "The server is not ready yet. Please try again."
	}
	switch twinkey.KindOf(err) {
	case twinkey.Unavailable:
		return codeTransient, "A transient error has occurred. Please try again."
	case twinkey.TooManyRequests:
		if errors.Is(err, directory.Busy) {
			return codeBusy, twinkey.MessageOf(err)
		}
		return codeLockedOut, "The account is locked, you've tried to sign in too many times with an incorrect user ID or password. Wait a few minutes and try again."
	case twinkey.TooLarge, twinkey.Unreadable, twinkey.Invalid:
		return codeMalformed, twinkey.MessageOf(err)
	}
	return codeInternal, "There's an issue with our sign-in service. The log of the server says more, under the trace id."
}

// refusedClient says in Entra's words why the directory refused an application.
func refusedClient(err error, appID string, tenant directory.Tenant) error {
	why, ok := errors.AsType[directory.Refusal](err)
	if !ok {
		return err
	}
	appID = twinkey.Printable(appID, 60)
	switch why {
	case directory.UnknownApplication:
		return failing(codeUnknownApplication, err, "Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.", appID, tenant.Name)
	case directory.WrongSecret:
		return failing(codeWrongSecret, err, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", appID)
	case directory.ExpiredCredential:
		return failing(codeExpiredSecret, err, "The provided client secret keys for app '%s' are expired. Create new keys for the app and try again.", appID)
	case directory.Disabled:
		return failing(codeDisabledApplication, err, "Application '%s' is disabled.", appID)
	case directory.Gone:
		return failing(codeBadAssertion, err, "The key used to sign the client assertion has expired or was removed from application '%s'.", appID)
	}
	return err
}

// refusedUser says in Entra's words why the directory refused a user.
func refusedUser(err error) error {
	why, ok := errors.AsType[directory.Refusal](err)
	if !ok {
		return err
	}
	switch why {
	case directory.WrongPassword:
		return failing(codeWrongPassword, err, "Error validating credentials due to invalid username or password.")
	case directory.Disabled:
		return failing(codeDisabledUser, err, "The user account is disabled.")
	case directory.Gone:
		return failing(codeRevoked, err, "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.")
	}
	return err
}

// setHeaders sets what every answer of the token endpoint carries (RFC 6749,
// section 5.1).
func setHeaders(w http.ResponseWriter, r *http.Request, who twinkey.Caller) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Set("x-ms-request-id", who.RequestID)
	if id := r.Header.Get("client-request-id"); twinkey.IsGUID(id) {
		h.Set("client-request-id", id)
	}
}

// correlationID is the client's own, which MSAL sends as client-request-id.
func correlationID(r *http.Request, who twinkey.Caller) string {
	if id := r.Header.Get("client-request-id"); twinkey.IsGUID(id) {
		return id
	}
	return who.CorrelationID
}

// seconds is a duration as token answers write it.
func seconds(d time.Duration) int64 { return int64(d / time.Second) }

package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/web"
)

// Body is Microsoft Graph's error envelope (Microsoft Graph, "Microsoft Graph
// error responses and resource types").
type Body struct {
	Error Detail `json:"error"`
}

// Detail is a code for programs, a message for people, and what finds the
// request again.
type Detail struct {
	Code       string     `json:"code"`
	Message    string     `json:"message"`
	InnerError InnerError `json:"innerError"`
}

// InnerError names the request.
type InnerError struct {
	Date            string `json:"date"`
	RequestID       string `json:"request-id"`
	ClientRequestID string `json:"client-request-id"`
}

// codedError carries a code that takes the place of the table's.
type codedError struct {
	code string
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

func withCode(code string, err error) error { return &codedError{code: code, err: err} }

// statusOf returns the HTTP status and the code of err. An error without a kind
// is the server's fault.
func statusOf(err error) (status int, code string) {
	kind := twinkey.KindOf(err)
	if kind == twinkey.Internal && errors.Is(err, context.DeadlineExceeded) {
		return http.StatusGatewayTimeout, "GatewayTimeout"
	}
	status, code = dialect(kind)
	if e, ok := errors.AsType[*codedError](err); ok {
		code = e.code
	}
	return status, code
}

// dialect is the table from the product's kinds to Graph's statuses and codes.
// What has no row of its own is something about the request.
func dialect(kind twinkey.Kind) (status int, code string) {
	switch kind {
	case twinkey.Internal:
		return http.StatusInternalServerError, "InternalServerError"
	case twinkey.Unauthenticated, twinkey.TokenExpired, twinkey.WrongAudience:
		return http.StatusUnauthorized, "InvalidAuthenticationToken"
	case twinkey.Forbidden:
		return http.StatusForbidden, "Authorization_RequestDenied"
	case twinkey.NotFound, twinkey.PrincipalNotFound:
		return http.StatusNotFound, "Request_ResourceNotFound"
	case twinkey.MethodNotAllowed:
		return http.StatusMethodNotAllowed, "Request_BadRequest"
	case twinkey.TooLarge:
		return http.StatusRequestEntityTooLarge, "RequestEntityTooLarge"
	case twinkey.Conflict:
		return http.StatusConflict, "Directory_ConcurrencyViolation"
	case twinkey.Unavailable:
		return http.StatusServiceUnavailable, "ServiceUnavailable"
	case twinkey.TooManyRequests:
		return http.StatusTooManyRequests, "TooManyRequests"
	}
	return http.StatusBadRequest, "Request_BadRequest"
}

// WriteError answers with err. What went wrong inside the server is for the
// log, where the line of the request has it; what a caller lacks is not named,
// as Graph does not.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	who := web.Caller(r)
	status, code := statusOf(err)
	message := twinkey.MessageOf(err)
	switch {
	case status == http.StatusForbidden:
		message = "Insufficient privileges to complete the operation."
	case status == http.StatusInternalServerError || message == "":
		message = fmt.Sprintf("The server could not answer the request because of an internal error. The request id is '%s'.", who.RequestID)
	}
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	web.Note(r).Code = code
	inner := InnerError{Date: time.Now().UTC().Format("2006-01-02T15:04:05"), RequestID: who.RequestID, ClientRequestID: who.ClientRequestID}
	_ = web.WriteJSON(w, status, Body{Detail{Code: code, Message: message, InnerError: inner}}) // texts alone: cannot fail
}

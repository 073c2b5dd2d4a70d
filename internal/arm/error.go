package arm

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/web"
)

// Body is the error envelope of every surface that speaks ARM's dialect (Azure
// Resource Manager RPC, common-api-details.md, "Error Response Content").
type Body struct {
	Error Detail `json:"error"`
}

// Detail is a code for programs and a message for people.
type Detail struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// WithCode gives err a code of its own where Azure has a narrower one than the
// table has for err's kind.
func WithCode(code string, err error) error { return &codedError{code: code, err: err} }

// codedError carries a code that takes the place of the table's.
type codedError struct {
	code string
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// StatusOf returns the HTTP status and the code of err. An error without a kind
// is the server's fault.
func StatusOf(err error) (status int, code string) {
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

// dialect is the table from the product's kinds to ARM's statuses and codes.
func dialect(kind twinkey.Kind) (status int, code string) {
	switch kind {
	case twinkey.Invalid:
		return http.StatusBadRequest, "BadRequest"
	case twinkey.InvalidName:
		return http.StatusBadRequest, "InvalidResourceName"
	case twinkey.Unreadable:
		return http.StatusBadRequest, "InvalidRequestContent"
	case twinkey.TooLarge:
		return http.StatusRequestEntityTooLarge, "RequestEntityTooLarge"
	case twinkey.Unauthenticated:
		return http.StatusUnauthorized, "InvalidAuthenticationToken"
	case twinkey.TokenExpired:
		return http.StatusUnauthorized, "ExpiredAuthenticationToken"
	case twinkey.WrongAudience:
		return http.StatusUnauthorized, "InvalidAuthenticationTokenAudience"
	case twinkey.Forbidden:
		return http.StatusForbidden, "AuthorizationFailed"
	case twinkey.SubscriptionNotFound:
		return http.StatusNotFound, "SubscriptionNotFound"
	case twinkey.SubscriptionDisabled:
		return http.StatusConflict, "ReadOnlyDisabledSubscription"
	case twinkey.GroupNotFound:
		return http.StatusNotFound, "ResourceGroupNotFound"
	case twinkey.GroupDeleting:
		return http.StatusConflict, "ResourceGroupBeingDeleted"
	case twinkey.NotFound:
		return http.StatusNotFound, "ResourceNotFound"
	case twinkey.RouteNotFound:
		return http.StatusNotFound, "NotFound"
	case twinkey.MethodNotAllowed:
		return http.StatusMethodNotAllowed, "MethodNotAllowed"
	case twinkey.Conflict:
		return http.StatusConflict, "Conflict"
	case twinkey.LocationConflict:
		return http.StatusConflict, "InvalidResourceLocation"
	case twinkey.KindConflict:
		return http.StatusConflict, "InvalidResourceKind"
	case twinkey.NameTaken:
		return http.StatusConflict, "CustomDomainInUse"
	case twinkey.PreconditionFailed:
		return http.StatusPreconditionFailed, "PreconditionFailed"
	case twinkey.KeysDisabled:
		return http.StatusBadRequest, "BadRequest"
	case twinkey.UnknownService:
		return http.StatusBadRequest, "InvalidApiSetId"
	case twinkey.UnknownSKU:
		return http.StatusBadRequest, "InvalidSkuId"
	case twinkey.UnknownLocation:
		return http.StatusBadRequest, "LocationNotAvailableForResourceType"
	case twinkey.Unavailable:
		return http.StatusServiceUnavailable, "ServiceUnavailable"
	case twinkey.TooManyRequests:
		return http.StatusTooManyRequests, "TooManyRequests"
	case twinkey.PrincipalNotFound:
		return http.StatusBadRequest, "PrincipalNotFound"
	case twinkey.RoleNotFound:
		return http.StatusNotFound, "RoleDefinitionDoesNotExist"
	case twinkey.RoleAssignmentExists:
		return http.StatusConflict, "RoleAssignmentExists"
	case twinkey.PrincipalTypeMismatch:
		return http.StatusBadRequest, "UnmatchedPrincipalType"
	case twinkey.RoleNameTaken:
		return http.StatusConflict, "RoleDefinitionWithSameNameExists"
	case twinkey.RoleInUse:
		return http.StatusBadRequest, "RoleDefinitionHasAssignments"
	case twinkey.RoleAssignmentFixed:
		return http.StatusBadRequest, "RoleAssignmentUpdateNotPermitted"
	case twinkey.Unsupported:
		return http.StatusBadRequest, "NotSupported"
	case twinkey.MissingAPIVersion:
		return http.StatusBadRequest, "MissingApiVersionParameter"
	case twinkey.InvalidAPIVersion:
		return http.StatusBadRequest, "InvalidApiVersionParameter"
	}
	return http.StatusInternalServerError, "InternalServerError"
}

// WriteError answers with err. What went wrong inside the server is for the
// log, where the line of the request has it.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	status, code := StatusOf(err)
	message := twinkey.MessageOf(err)
	if status == http.StatusInternalServerError || message == "" {
		message = fmt.Sprintf("The server could not answer the request because of an internal error. The request id is '%s'.", web.Caller(r).RequestID)
	}
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	web.Note(r).Code = code
	w.Header().Set("x-ms-error-code", code)
	_ = web.WriteJSON(w, status, Body{Detail{Code: code, Message: message}}) // two strings: cannot fail
}

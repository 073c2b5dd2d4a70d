package idp

import (
	"fmt"
	"net/http"

	"github.com/twinkey/twinkey"
)

// code is the number of an error as Entra writes it (Microsoft Learn,
// "Microsoft Entra authentication and authorization error codes"). It is the
// cause inside an error, for the answer to be made from.
type code int

const (
	codeMalformed           code = 9002313
	codeMissingParameter    code = 900144
	codeRepeatedParameter   code = 9000411
	codeMethod              code = 900561
	codeNoSuchPath          code = 90023
	codeUnknownTenant       code = 90002
	codeUnknownInstance     code = 50049
	codeUnsupportedGrant    code = 70003
	codeInvalidScope        code = 70011
	codeScopeNotDefault     code = 1002012
	codeSeveralResources    code = 28000
	codeUnknownResource     code = 500011
	codeUnknownApplication  code = 700016
	codeNotThisClient       code = 70001
	codeDisabledApplication code = 7000112
	codeWrongSecret         code = 7000215
	codeNoClientCredential  code = 7000218
	codeExpiredSecret       code = 7000222
	codePublicClient        code = 700025
	codeBadAssertion        code = 700027
	codeAssertionTime       code = 700024
	codeAssertionAudience   code = 700023
	codeAssertionClient     code = 700021
	codeAssertionReplayed   code = 50013
	codeWrongPassword       code = 50126
	codeDisabledUser        code = 50057
	codeLockedOut           code = 50053
	codeBusy                code = 90055
	codeBadRefreshToken     code = 70000
	codeExpiredRefreshToken code = 700082
	codeRevoked             code = 50173
	codeTransient           code = 90033
	codeInternal            code = 50000
)

// Error writes the number the way it begins a description.
func (c code) Error() string { return fmt.Sprintf("AADSTS%d", int(c)) }

// answer is the status and the word of RFC 6749, section 5.2, or of Entra, that
// go with the number.
func (c code) answer() (int, string) {
	switch c {
	case codeUnsupportedGrant:
		return http.StatusBadRequest, "unsupported_grant_type"
	case codeInvalidScope, codeScopeNotDefault, codeSeveralResources:
		return http.StatusBadRequest, "invalid_scope"
	case codeUnknownResource:
		return http.StatusBadRequest, "invalid_resource"
	case codeUnknownInstance:
		return http.StatusBadRequest, "invalid_instance"
	case codeUnknownApplication, codeDisabledApplication, codeNotThisClient:
		return http.StatusBadRequest, "unauthorized_client"
	case codeWrongSecret, codeNoClientCredential, codeExpiredSecret, codePublicClient,
		codeBadAssertion, codeAssertionTime, codeAssertionAudience, codeAssertionClient, codeAssertionReplayed:
		return http.StatusUnauthorized, "invalid_client"
	case codeWrongPassword, codeDisabledUser, codeBadRefreshToken, codeExpiredRefreshToken, codeRevoked:
		return http.StatusBadRequest, "invalid_grant"
	case codeLockedOut:
		return http.StatusTooManyRequests, "invalid_grant"
	case codeBusy:
		return http.StatusTooManyRequests, "temporarily_unavailable"
	case codeTransient:
		return http.StatusServiceUnavailable, "temporarily_unavailable"
	case codeInternal:
		return http.StatusInternalServerError, "server_error"
	case codeMethod:
		return http.StatusMethodNotAllowed, "invalid_request"
	case codeNoSuchPath:
		return http.StatusNotFound, "invalid_request"
	}
	return http.StatusBadRequest, "invalid_request"
}

// fail makes an error of a code and a text that is shown.
func fail(c code, format string, args ...any) error {
	return failing(c, nil, format, args...)
}

// failing does the same with a cause that is logged.
func failing(c code, cause error, format string, args ...any) error {
	status, _ := c.answer()
	kind := twinkey.Invalid
	switch status {
	case http.StatusUnauthorized:
		kind = twinkey.Unauthenticated
	case http.StatusTooManyRequests:
		kind = twinkey.TooManyRequests
	case http.StatusServiceUnavailable:
		kind = twinkey.Unavailable
	}
	if cause == nil {
		return twinkey.Wrap(c, kind, format, args...)
	}
	return twinkey.Wrap(fmt.Errorf("%w: %w", c, cause), kind, format, args...)
}

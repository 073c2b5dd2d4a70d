package twinkey

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Kind says what went wrong, in words every surface can translate. The list is
// append-only: each edge keeps one table from Kind to its own dialect.
type Kind uint8

// The kinds. Internal is the zero value: an error that carries no Kind is a
// defect or a broken machine, and its text is never shown.
const (
	Internal        Kind = iota
	Invalid              // a value in the request is wrong
	InvalidName          // a resource name breaks the naming rules
	Unreadable           // the request body cannot be read as what it claims to be
	TooLarge             // the request is larger than allowed
	Unauthenticated      // no credential, or none that is valid
	TokenExpired         // the token was good once
	WrongAudience        // the token is for somebody else
	Forbidden            // authenticated, but not allowed
	SubscriptionNotFound
	SubscriptionDisabled
	GroupNotFound
	GroupDeleting      // the group is on its way out; nothing may change in it
	NotFound           // the resource does not exist
	RouteNotFound      // no such operation
	MethodNotAllowed   // the operation exists under another method
	Conflict           // the resource changed meanwhile, too often to keep trying
	LocationConflict   // the resource exists in another location
	KindConflict       // the resource exists with another kind
	NameTaken          // the sub-domain belongs to another account
	PreconditionFailed // If-Match or If-None-Match did not hold
	KeysDisabled       // local authentication is switched off for the account
	UnknownService     // the catalog has no such kind
	UnknownSKU         // the kind has no such SKU
	UnknownLocation    // the kind is not offered there
	Unavailable        // the store cannot answer now; try again
	TooManyRequests    // slow down
	PrincipalNotFound
	RoleNotFound
	RoleAssignmentExists
	Unsupported // understood, and refused on purpose
	MissingAPIVersion
	InvalidAPIVersion
	PrincipalTypeMismatch // the principal is of another type than was said
	RoleNameTaken         // another role has the name
	RoleInUse             // somebody holds the role
	RoleAssignmentFixed   // whom an assignment is for, and what it gives, cannot be changed
)

// Error is the one error type inside the product. Msg may be shown to whoever
// asked and says what to do next; Err is for the log alone.
type Error struct {
	Kind Kind
	Msg  string
	Err  error
}

// Error returns both texts, for logs.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Msg
	}
	return e.Msg + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an error whose text may be shown.
func Errorf(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Msg: fmt.Sprintf(format, args...)}
}

// Wrap gives err a kind and a text that may be shown; err itself is only logged.
func Wrap(err error, kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Msg: fmt.Sprintf(format, args...), Err: err}
}

// KindOf returns the kind of err, Internal if it has none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// MessageOf returns the text of err that may be shown, "" if there is none.
func MessageOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Msg
	}
	return ""
}

// Printable makes a caller's text fit for an error message: at most limit
// runes, control and formatting characters replaced.
func Printable(s string, limit int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n == limit {
			b.WriteString("...")
			break
		}
		if !unicode.IsPrint(r) {
			r = '?'
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

package directory

import "github.com/twinkey/twinkey"

// Refusal is why somebody could not prove who they are. It is the cause inside
// an error, for surfaces whose protocol tells the reasons apart.
type Refusal uint8

// The refusals.
const (
	UnknownApplication Refusal = iota + 1 // no application has the id
	WrongSecret                           // not a client secret of the application
	WrongPassword                         // no such user, or not the password
	ExpiredCredential                     // the secret was good once
	Disabled                              // the right credential of a disabled principal
	Gone                                  // the principal or the credential does not exist any more
	TooManyFailures                       // guessed too often; nothing was checked
	Busy                                  // too many passwords are being checked; nothing was
)

// Error names the refusal.
func (r Refusal) Error() string {
	switch r {
	case UnknownApplication:
		return "unknown application"
	case WrongSecret:
		return "wrong client secret"
	case WrongPassword:
		return "wrong user name or password"
	case ExpiredCredential:
		return "expired credential"
	case Disabled:
		return "disabled principal"
	case Gone:
		return "principal or credential gone"
	case TooManyFailures:
		return "too many failures"
	case Busy:
		return "too many passwords being checked"
	}
	return "unknown refusal"
}

// refuse makes the error for a refusal.
func refuse(why Refusal, format string, args ...any) error {
	kind := twinkey.Unauthenticated
	if why == TooManyFailures || why == Busy {
		kind = twinkey.TooManyRequests
	}
	return twinkey.Wrap(why, kind, format, args...)
}

package idp

import (
	"context"
	"errors"
	"time"

	"github.com/twinkey/twinkey"
)

// ErrConflict says for certain that nothing was written, because the document
// was not at the revision named.
var ErrConflict = errors.New("changed since it was read")

// Store keeps signing keys, sealed, and the sessions of users. Reads are
// linearizable; what they return belongs to the caller.
type Store interface {
	// SigningKeys returns all signing keys, in any order.
	SigningKeys(ctx context.Context) ([]SealedKey, error)
	// PutSigningKey adds a signing key. It fails with ErrConflict if there is
	// one with that id.
	PutSigningKey(ctx context.Context, key SealedKey) error

	// Sessions returns the sessions of a user, and the modification revision of
	// the document. Without a document it returns the zero Sessions, revision 0
	// and no error. Ids come in lower case.
	Sessions(ctx context.Context, tenant, oid string) (Sessions, twinkey.Revision, error)
	// PutSessions writes the document, which must be at ifRevision; 0 means that
	// it must not exist. It fails with ErrConflict.
	PutSessions(ctx context.Context, s Sessions, ifRevision twinkey.Revision) error
}

// SealedKey is a signing key as it is stored.
type SealedKey struct {
	ID     string `json:"id"` // the "kid" of tokens: base64url characters
	Sealed []byte `json:"sealed"`
}

// Sessions is the document of one user's sessions. It has a bounded number of
// them, so that signing in, however often, cannot fill the store.
type Sessions struct {
	Tenant   string    `json:"tenant"`
	ObjectID string    `json:"objectId"`
	Sessions []Session `json:"sessions"` // the oldest first
}

// Session is what came of one sign-in: the chain of refresh tokens that began
// with it.
type Session struct {
	ID           string         `json:"id"`
	ClientID     string         `json:"clientId"`
	CredentialID string         `json:"credentialId"` // with which the user signed in
	Started      time.Time      `json:"started"`
	Expires      time.Time      `json:"expires"` // whatever happens in between
	Tokens       []RefreshToken `json:"tokens"`  // the oldest first
}

// RefreshToken is what is kept of a refresh token.
type RefreshToken struct {
	Digest twinkey.Digest `json:"digest"`
	Issued time.Time      `json:"issued"`
	Used   time.Time      `json:"used,omitzero"` // for the first time
}

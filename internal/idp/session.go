package idp

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
)

// attempts bounds how often a change of a user's sessions is tried again after
// a conflict.
const attempts = 32

// How many sessions a user has, and how many tokens a session remembers. Beyond
// that the oldest are forgotten, which for a session means signing in again.
const (
	maxSessions = 32
	maxTokens   = 32
)

// A refresh token is the tenant, the user and 256 random bits, in base64url: the
// first two find the document in which the digest of the whole is looked for.
const (
	idLength     = 16
	randomLength = 32
	tokenLength  = 2*idLength + randomLength
)

// presentedToken is a refresh token as it was presented.
type presentedToken struct {
	tenant, oid string
	digest      twinkey.Digest
}

// readRefreshToken takes a refresh token apart.
func readRefreshToken(text twinkey.Secret) (presentedToken, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text.Reveal())
	if err != nil || len(b) != tokenLength {
		return presentedToken{}, false
	}
	return presentedToken{
		tenant: formatGUID(b[:idLength]), oid: formatGUID(b[idLength : 2*idLength]),
		digest: twinkey.DigestOf(text.Reveal()),
	}, true
}

// newRefreshToken makes a refresh token for a user.
func newRefreshToken(tenant, oid string) (twinkey.Secret, error) {
	b, err := hex.DecodeString(strings.ReplaceAll(tenant+oid, "-", ""))
	if err != nil || len(b) != 2*idLength {
		return twinkey.Secret{}, errors.New("tenant and object id must be GUIDs")
	}
	b = append(b, make([]byte, randomLength)...)
	_, _ = rand.Read(b[2*idLength:]) // never fails: crypto/rand ends the process instead
	return twinkey.NewSecret(base64.RawURLEncoding.EncodeToString(b)), nil
}

// beginSession starts a session for a user who has just signed in and returns
// its first refresh token.
func (p *Provider) beginSession(ctx context.Context, who directory.Identity, c client) (twinkey.Secret, error) {
	text, err := newRefreshToken(who.Tenant, who.ObjectID)
	if err != nil {
		return twinkey.Secret{}, err
	}
	now := p.now().UTC()
	session := Session{
		ID: newTokenID(), ClientID: twinkey.Fold(c.id), CredentialID: who.CredentialID,
		Started: now, Expires: now.Add(p.refresh),
		Tokens: []RefreshToken{{Digest: twinkey.DigestOf(text.Reveal()), Issued: now}},
	}
	err = p.changeSessions(ctx, who.Tenant, who.ObjectID, func(s *Sessions) error {
		// What was begun with a credential that is gone can continue no more.
		s.Sessions = slices.DeleteFunc(s.Sessions, func(old Session) bool {
			return old.CredentialID != who.CredentialID || !now.Before(old.Expires)
		})
		s.Sessions = append(s.Sessions, session)
		if extra := len(s.Sessions) - maxSessions; extra > 0 {
			s.Sessions = slices.Delete(s.Sessions, 0, extra)
		}
		return nil
	})
	return text, err
}

// errUnchanged ends a change without writing.
var errUnchanged = errors.New("nothing to write")

// continueSession finds the session a refresh token belongs to and who it is
// for. With rotate the token counts as used and another one is returned.
//
// A used token still works for the grace period, and gets a token of its own,
// so that two processes sharing a cache do not lose the session to each other.
// After that only a thief, or the one stolen from, would present it: the
// session ends (RFC 9700, section 4.14.2).
func (p *Provider) continueSession(ctx context.Context, presented presentedToken, c client, rotate bool) (directory.Identity, twinkey.Secret, error) {
	next, err := newRefreshToken(presented.tenant, presented.oid)
	if err != nil {
		return directory.Identity{}, twinkey.Secret{}, err
	}
	var who directory.Identity
	var refused error
	err = p.changeSessions(ctx, presented.tenant, presented.oid, func(s *Sessions) error {
		now := p.now().UTC()
		at, used := s.find(presented.digest)
		if at < 0 || s.Sessions[at].ClientID != twinkey.Fold(c.id) {
			return badRefreshToken()
		}
		session := &s.Sessions[at]
		if !now.Before(session.Expires) {
			return fail(codeExpiredRefreshToken, "The refresh token has expired. The session began on %s and ended on %s. Sign in again.", session.Started.Format(time.RFC3339), session.Expires.Format(time.RFC3339))
		}
		if !used.Used.IsZero() && now.Sub(used.Used) > p.grace {
			s.Sessions = slices.Delete(s.Sessions, at, at+1)
			refused = fail(codeRevoked, "The refresh token was used before, by somebody else who had it. The session has ended; sign in again.")
			return nil
		}
		var err error
		if who, err = p.directory.Identify(ctx, presented.tenant, presented.oid, session.CredentialID); err != nil {
			return refusedUser(err)
		}
		if !rotate {
			return errUnchanged
		}
		if used.Used.IsZero() {
			used.Used = now
		}
		session.add(RefreshToken{Digest: twinkey.DigestOf(next.Reveal()), Issued: now}, p.grace)
		return nil
	})
	switch {
	case errors.Is(err, errUnchanged):
		return who, twinkey.Secret{}, nil
	case err != nil:
		return directory.Identity{}, twinkey.Secret{}, err
	case refused != nil:
		return directory.Identity{}, twinkey.Secret{}, refused
	}
	return who, next, nil
}

// changeSessions changes a user's sessions by compare and swap. change may run
// more than once, each time on a document read anew.
func (p *Provider) changeSessions(ctx context.Context, tenant, oid string, change func(*Sessions) error) error {
	for range attempts {
		s, revision, err := p.store.Sessions(ctx, tenant, oid)
		if err != nil {
			return fmt.Errorf("reading sessions: %w", err)
		}
		s.Tenant, s.ObjectID = tenant, oid
		if err := change(&s); err != nil {
			return err
		}
		err = p.store.PutSessions(ctx, s, revision)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return fmt.Errorf("writing sessions: %w", err)
		}
		return nil
	}
	return fail(codeTransient, "Too many tokens of this user are being refreshed at once. Please try again.")
}

// find returns the index of the session with a token, -1 if there is none, and
// the token.
func (s *Sessions) find(digest twinkey.Digest) (int, *RefreshToken) {
	for i := range s.Sessions {
		for j := range s.Sessions[i].Tokens {
			if s.Sessions[i].Tokens[j].Digest == digest {
				return i, &s.Sessions[i].Tokens[j]
			}
		}
	}
	return -1, nil
}

// add appends a token and forgets another if there are too many: the oldest
// that works no longer, or else the oldest.
func (s *Session) add(t RefreshToken, grace time.Duration) {
	s.Tokens = append(s.Tokens, t)
	if len(s.Tokens) <= maxTokens {
		return
	}
	at := max(0, slices.IndexFunc(s.Tokens, func(old RefreshToken) bool {
		return !old.Used.IsZero() && t.Issued.Sub(old.Used) > grace
	}))
	s.Tokens = slices.Delete(s.Tokens, at, at+1)
}

// formatGUID writes 16 bytes as a GUID in lower case.
func formatGUID(b []byte) string {
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

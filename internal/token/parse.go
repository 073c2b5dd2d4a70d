package token

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"

	"github.com/twinkey/twinkey"
)

// parse reads the compact form of a JWS (RFC 7515, section 3.1), in the one
// spelling it has: a text that differs from the one that was issued in so much
// as an unused bit is another text.
func parse(text string) (*jose.JSONWebSignature, error) {
	if text == "" {
		return nil, twinkey.Errorf(twinkey.Unauthenticated, "The access token is missing.")
	}
	if len(text) > MaxLength {
		return nil, malformed(errors.New("too long"))
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, malformed(errors.New("not three parts"))
	}
	for _, part := range parts {
		if !canonical(part) {
			return nil, malformed(errors.New("not canonical base64url"))
		}
	}
	parsed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, malformed(err)
	}
	return parsed, nil
}

// decode reads claims and asks that those are there which nothing works without.
func decode(payload []byte) (Claims, error) {
	var c Claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return Claims{}, malformed(err)
	}
	complete := twinkey.IsGUID(c.Tenant) && twinkey.IsGUID(c.ObjectID) && c.Credential != "" && c.Audience != "" &&
		(c.IDType == IDTypeApp || c.IDType == IDTypeUser) && c.Expires != 0
	if !complete {
		return Claims{}, malformed(errors.New("a claim is missing"))
	}
	return c, nil
}

// canonical reports whether s is what encoding to base64url yields (RFC 4648,
// section 3.5): Go's decoder skips line breaks, and unused bits unless strict.
func canonical(s string) bool {
	if strings.ContainsAny(s, "\r\n") {
		return false
	}
	_, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil
}

func malformed(err error) error {
	return twinkey.Wrap(err, twinkey.Unauthenticated, "The access token is invalid.")
}

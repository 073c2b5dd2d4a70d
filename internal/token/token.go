// Package token reads access tokens: it checks the signature with public keys,
// and issuer, audience and times, and says whom the token speaks of.
//
// It refuses to sign anything, to accept any algorithm but RS256 or any key a
// token brings along, and to say whether the principal still exists: that is
// asked of the directory on every call.
package token

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/twinkey/twinkey"
)

// MaxLength is the longest token that is looked at, in bytes.
const MaxLength = 8 << 10

// Skew is how far the clocks of two members may be apart.
const Skew = 30 * time.Second

// Claims are what an access token says, in the form and under the names of
// Entra's version 1.0 tokens (Microsoft Learn, "Access token claims
// reference"); Credential is our own.
type Claims struct {
	Audience   string          `json:"aud"`
	Issuer     string          `json:"iss"`
	IssuedAt   jwt.NumericDate `json:"iat"`
	NotBefore  jwt.NumericDate `json:"nbf"`
	Expires    jwt.NumericDate `json:"exp"`
	AppID      string          `json:"appid"`
	AppAuth    string          `json:"appidacr"` // how the client proved itself: 0 not, 1 secret, 2 key
	IDType     string          `json:"idtyp"`    // "app" or "user"
	Name       string          `json:"name,omitempty"`
	ObjectID   string          `json:"oid"`
	Scope      string          `json:"scp,omitempty"`
	Subject    string          `json:"sub"`
	Tenant     string          `json:"tid"`
	UPN        string          `json:"upn,omitempty"`
	ID         string          `json:"uti"`
	Version    string          `json:"ver"`
	Credential string          `json:"twk_cred"` // id of the credential the token was issued for
}

// Values of Claims.IDType and Claims.Version.
const (
	IDTypeApp  = "app"
	IDTypeUser = "user"
	Version    = "1.0"
)

// Config says which tokens are good; Now alone may be zero.
type Config struct {
	PublicURL string                   // the issuer's, without a path
	Audiences []string                 // any of them, with or without a trailing slash
	Keys      func() []jose.JSONWebKey // the public keys in force now
	Now       func() time.Time         // zero: time.Now
}

// Verifier checks access tokens.
type Verifier struct {
	publicURL string
	audiences map[string]bool
	keys      func() []jose.JSONWebKey
	now       func() time.Time
}

// NewVerifier makes a Verifier. It fails if c is not complete.
func NewVerifier(c Config) (*Verifier, error) {
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return nil, errors.New("public URL is not absolute")
	}
	if len(c.Audiences) == 0 || c.Keys == nil {
		return nil, errors.New("audiences and keys are required")
	}
	v := &Verifier{publicURL: c.PublicURL, audiences: map[string]bool{}, keys: c.Keys, now: c.Now}
	if v.now == nil {
		v.now = time.Now
	}
	for _, a := range c.Audiences {
		v.audiences[FoldAudience(a)] = true
	}
	return v, nil
}

// Issuer is the issuer of a tenant's access tokens.
func Issuer(publicURL, tenant string) string {
	return strings.TrimRight(publicURL, "/") + "/" + tenant + "/"
}

// FoldAudience maps the spellings of an audience, with or without trailing
// slashes and in any casing, to one.
func FoldAudience(audience string) string {
	return strings.TrimRight(twinkey.Fold(audience), "/")
}

// Verify checks a token and returns what it says. It fails with kind
// Unauthenticated, TokenExpired or WrongAudience.
func (v *Verifier) Verify(text string) (Claims, error) {
	parsed, err := parse(text)
	if err != nil {
		return Claims{}, err
	}
	key, err := v.key(parsed.Signatures[0].Protected.KeyID)
	if err != nil {
		return Claims{}, err
	}
	payload, err := parsed.Verify(key)
	if err != nil {
		return Claims{}, twinkey.Wrap(err, twinkey.Unauthenticated, "The access token signature is invalid.")
	}
	claims, err := decode(payload)
	if err != nil {
		return Claims{}, err
	}
	if err := v.check(claims); err != nil {
		return Claims{}, err
	}
	return claims, nil
}

// Principal is whom the token speaks of, as far as the token tells.
func (c Claims) Principal() twinkey.Principal {
	p := twinkey.Principal{Tenant: c.Tenant, ObjectID: c.ObjectID, Type: twinkey.ServicePrincipal, AppID: c.AppID}
	if c.IDType == IDTypeUser {
		p.Type, p.AppID, p.Name = twinkey.User, "", c.UPN
	}
	return p
}

// key returns the public key with an id. There is no key for a token that names
// none.
func (v *Verifier) key(id string) (any, error) {
	for _, k := range v.keys() {
		if id != "" && k.KeyID == id && k.IsPublic() {
			return k.Key, nil
		}
	}
	return nil, twinkey.Errorf(twinkey.Unauthenticated, "The access token was signed with a key this server does not know. Sign in again.")
}

// check applies the rules to claims whose signature is good.
func (v *Verifier) check(c Claims) error {
	now := v.now()
	switch {
	case c.Issuer != Issuer(v.publicURL, c.Tenant) || c.Version != Version:
		return twinkey.Errorf(twinkey.Unauthenticated, "The access token is from the wrong issuer '%s'. It must match the tenant associated with this server.", twinkey.Printable(c.Issuer, 200))
	case !now.Before(c.Expires.Time().Add(Skew)):
		return twinkey.Errorf(twinkey.TokenExpired, "The access token expiry UTC time '%s' is earlier than current UTC time '%s'.", stamp(c.Expires.Time()), stamp(now))
	case now.Add(Skew).Before(c.NotBefore.Time()):
		return twinkey.Errorf(twinkey.Unauthenticated, "The access token is not valid before UTC time '%s'; current UTC time is '%s'.", stamp(c.NotBefore.Time()), stamp(now))
	case !v.audiences[FoldAudience(c.Audience)]:
		return twinkey.Errorf(twinkey.WrongAudience, "The access token has been obtained for wrong audience or resource '%s'. Request a token for this server.", twinkey.Printable(c.Audience, 200))
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

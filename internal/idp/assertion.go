package idp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
)

// assertionTypeJWT is the type of assertion there is (RFC 7523, section 2.2).
const assertionTypeJWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// assertionSkew is how far a client's clock may be off, as in Entra.
const assertionSkew = 5 * time.Minute

// assertionLifetime is how far ahead an assertion may expire: it has to be
// remembered for as long. MSAL asks for ten minutes.
const assertionLifetime = time.Hour

// assertionClaims are the claims of a client assertion (RFC 7523, section 3).
// Dates may have fractions: MSAL for Python writes them.
type assertionClaims struct {
	Issuer    string           `json:"iss"`
	Subject   string           `json:"sub"`
	Audience  jwt.Audience     `json:"aud"`
	Expires   *jwt.NumericDate `json:"exp"`
	NotBefore *jwt.NumericDate `json:"nbf"`
	ID        string           `json:"jti"`
}

// byAssertion authenticates a client by a JWT it signed (RFC 7523).
func (p *Provider) byAssertion(ctx context.Context, req request, tenant directory.Tenant, t target) (client, error) {
	switch {
	case req.assertionType != assertionTypeJWT:
		return client{}, fail(codeBadAssertion, "The 'client_assertion_type' must be '%s'.", assertionTypeJWT)
	case req.assertion.IsZero():
		return client{}, missing("client_assertion")
	case !req.secret.IsZero():
		return client{}, fail(codeMalformed, "Invalid request. Present one client credential only, 'client_assertion' or 'client_secret'.")
	}
	parsed, err := jose.ParseSignedCompact(req.assertion.Reveal(), assertionAlgorithms())
	if err != nil {
		return client{}, failing(codeBadAssertion, err, "The client assertion is not a JWT signed with one of %s.", strings.Join(assertionAlgorithmNames(), ", "))
	}
	id, err := claimedClient(req, parsed)
	if err != nil {
		return client{}, err
	}
	principal, registered, err := p.directory.KeysOf(ctx, tenant.ID, id)
	if err != nil {
		return client{}, refusedClient(err, id, tenant)
	}
	payload, key, err := checkSignature(parsed, registered, id)
	if err != nil {
		return client{}, err
	}
	var claims assertionClaims
	if err := josejson.Unmarshal(payload, &claims); err != nil {
		return client{}, failing(codeBadAssertion, err, "The claims of the client assertion cannot be read.")
	}
	if err := p.checkAssertion(ctx, claims, tenant); err != nil {
		return client{}, err
	}
	identity, err := p.directory.Identify(ctx, tenant.ID, principal.ObjectID, key.ID)
	if err != nil {
		return client{}, refusedClient(err, id, tenant)
	}
	if err := p.useOnce(claims, req, principal, t); err != nil {
		return client{}, err
	}
	return client{id: id, identity: identity, proved: provedKey}, nil
}

// claimedClient reads which client an assertion, not checked yet, is from.
func claimedClient(req request, parsed *jose.JSONWebSignature) (string, error) {
	var claims assertionClaims
	if err := josejson.Unmarshal(parsed.UnsafePayloadWithoutVerification(), &claims); err != nil {
		return "", failing(codeBadAssertion, err, "The claims of the client assertion cannot be read.")
	}
	same := claims.Issuer != "" && strings.EqualFold(claims.Issuer, claims.Subject)
	if !same || req.clientID != "" && !strings.EqualFold(claims.Issuer, req.clientID) {
		return "", fail(codeAssertionClient, "Client assertion application identifier doesn't match 'client_id' parameter. The claims 'iss' and 'sub' must both be the client id.")
	}
	if req.clientID != "" {
		return req.clientID, nil
	}
	return claims.Issuer, nil
}

// checkSignature tries the registered keys the assertion's header names.
func checkSignature(parsed *jose.JSONWebSignature, registered []directory.Key, id string) ([]byte, directory.Key, error) {
	header := parsed.Signatures[0].Protected
	found := false
	for _, k := range registered {
		if !names(header, k) {
			continue
		}
		found = true
		var key jose.JSONWebKey
		if err := json.Unmarshal(k.JWK, &key); err != nil {
			return nil, k, fmt.Errorf("reading key credential %s: %w", k.ID, err)
		}
		if key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		if payload, err := parsed.Verify(key.Key); err == nil {
			return payload, k, nil
		}
	}
	if !found {
		return nil, directory.Key{}, fail(codeBadAssertion, "The certificate with identifier used to sign the client assertion is not registered on application '%s'. Name it in the header as 'kid', 'x5t' or 'x5t#S256'.", twinkey.Printable(id, 60))
	}
	return nil, directory.Key{}, fail(codeBadAssertion, "Client assertion failed signature validation.")
}

// names reports whether a header names the key: by key id, or by the
// certificate's thumbprint, which MSAL for Python pads.
func names(header jose.Header, k directory.Key) bool {
	sha1, _ := header.ExtraHeaders["x5t"].(string)
	sha256, _ := header.ExtraHeaders["x5t#S256"].(string)
	return header.KeyID != "" && header.KeyID == k.KeyID ||
		sha1 != "" && strings.TrimRight(sha1, "=") == k.ThumbprintSHA1 ||
		sha256 != "" && strings.TrimRight(sha256, "=") == k.ThumbprintSHA256
}

// checkAssertion checks times and audience.
func (p *Provider) checkAssertion(ctx context.Context, claims assertionClaims, tenant directory.Tenant) error {
	now := p.now()
	if claims.Expires == nil {
		return fail(codeBadAssertion, "The client assertion has no claim 'exp'.")
	}
	expires := claims.Expires.Time()
	early := claims.NotBefore != nil && now.Add(assertionSkew).Before(claims.NotBefore.Time())
	if early || !now.Before(expires.Add(assertionSkew)) || expires.After(now.Add(assertionLifetime+assertionSkew)) {
		return fail(codeAssertionTime, "Client assertion is not within its valid time range, which may end %s ahead at most. Current time: %s, expiry time of assertion: %s.",
			assertionLifetime, now.UTC().Format(time.RFC3339), expires.UTC().Format(time.RFC3339))
	}
	for _, audience := range claims.Audience {
		ours, err := p.isTokenEndpoint(ctx, audience, tenant)
		if err != nil {
			return err
		}
		if ours {
			return nil
		}
	}
	return fail(codeAssertionAudience, "Client assertion audience claim does not match Realm issuer. Expected %s.", p.tokenEndpoint(tenant.ID))
}

// isTokenEndpoint reports whether a URL is the token endpoint of a tenant under
// any of its names and in either version.
func (p *Provider) isTokenEndpoint(ctx context.Context, text string, tenant directory.Tenant) (bool, error) {
	u, err := url.Parse(text)
	if err != nil || !strings.EqualFold(u.Scheme+"://"+u.Host, p.publicURL) || u.RawQuery != "" {
		return false, nil
	}
	at, ok := parsePath(u.Path)
	if !ok || at.endpoint != endpointToken {
		return false, nil
	}
	named, err := p.tenant(ctx, at.tenant)
	if _, refused := errors.AsType[code](err); refused {
		return false, nil
	}
	return err == nil && (named.ID == tenant.ID || isAlias(at.tenant)), err
}

// useOnce refuses an assertion that was used before. One that is used for
// another audience is not refused: MSAL for Python and others send the same
// assertion for each audience while it lasts.
func (p *Provider) useOnce(claims assertionClaims, req request, app twinkey.Principal, t target) error {
	id := "jti " + claims.ID
	if claims.ID == "" {
		digest := twinkey.DigestOf(req.assertion.Reveal())
		id = "digest " + string(digest[:])
	}
	switch p.replays.use(app.ObjectID, id, t.audience, claims.Expires.Time().Add(assertionSkew)) {
	case replayed:
		return fail(codeAssertionReplayed, "The client assertion has been used before. Sign another one, with another 'jti'.")
	case full:
		return fail(codeTransient, "Too many client assertions are in use. Please try again, with assertions that expire sooner.")
	}
	return nil
}

// assertionAlgorithms are the signatures a client may make.
func assertionAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256}
}

func assertionAlgorithmNames() []string {
	var names []string
	for _, a := range assertionAlgorithms() {
		names = append(names, string(a))
	}
	return names
}

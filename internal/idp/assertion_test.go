package idp_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/twinkey/twinkey/internal/directory"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// clientKey makes one key for all tests of the process.
var clientKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// signer is a client that signs assertions.
type signer struct {
	f      *fixture
	alg    jose.SignatureAlgorithm
	key    crypto.PrivateKey
	header map[jose.HeaderKey]any
}

// withKey registers a key with the fixture's application.
func withKey(f *fixture, alg jose.SignatureAlgorithm, key crypto.Signer, jwk jose.JSONWebKey, header map[jose.HeaderKey]any) (signer, string) {
	f.t.Helper()
	jwk.Key = key.Public()
	raw, err := json.Marshal(jwk)
	if err != nil {
		f.t.Fatal(err)
	}
	change, err := f.directory.AddKeyCredential(f.t.Context(), f.who, f.tenant, f.app.ObjectID, raw, f.now.Add(24*time.Hour))
	if err != nil {
		f.t.Fatal(err)
	}
	return signer{f: f, alg: alg, key: key, header: header}, change.CredentialID
}

func rsaSigner(f *fixture) (signer, string) {
	return withKey(f, jose.RS256, clientKey(), jose.JSONWebKey{KeyID: "k1"}, map[jose.HeaderKey]any{"kid": "k1"})
}

// claims are what MSAL for Python sends: dates with fractions.
func (s signer) claims(id string) map[string]any {
	now := float64(s.f.clock().Unix()) + 0.25
	return map[string]any{
		"aud": publicURL + "/" + s.f.tenant + "/oauth2/v2.0/token", "iss": s.f.app.AppID, "sub": s.f.app.AppID,
		"iat": now, "exp": now + 600, "jti": id,
	}
}

func (s signer) sign(claims any) string {
	s.f.t.Helper()
	opts := (&jose.SignerOptions{ExtraHeaders: s.header}).WithType("JWT")
	made, err := jose.NewSigner(jose.SigningKey{Algorithm: s.alg, Key: s.key}, opts)
	if err != nil {
		s.f.t.Fatal(err)
	}
	text, err := jwt.Signed(made).Claims(claims).Serialize()
	if err != nil {
		s.f.t.Fatal(err)
	}
	return text
}

func (s signer) send(path, assertion string) answer {
	s.f.t.Helper()
	return s.f.post(path, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {s.f.app.AppID}, "scope": {publicURL + "//.default"},
		"client_assertion_type": {assertionType}, "client_assertion": {assertion},
	})
}

// An application gets a token with an assertion, in each signature and with
// each way to name the key that clients use.
func TestAssertion(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sha1, sha256 := make([]byte, 20), make([]byte, 32)
	sha1[0], sha256[0] = 0xff, 0xfe
	byCertificate := jose.JSONWebKey{CertificateThumbprintSHA1: sha1, CertificateThumbprintSHA256: sha256}
	for name, c := range map[string]struct {
		alg    jose.SignatureAlgorithm
		key    crypto.Signer
		jwk    jose.JSONWebKey
		header map[jose.HeaderKey]any
	}{
		"RS256 kid":        {jose.RS256, clientKey(), jose.JSONWebKey{KeyID: "k1"}, map[jose.HeaderKey]any{"kid": "k1"}},
		"PS256 kid":        {jose.PS256, clientKey(), jose.JSONWebKey{KeyID: "k1"}, map[jose.HeaderKey]any{"kid": "k1"}},
		"ES256 kid":        {jose.ES256, ec, jose.JSONWebKey{KeyID: "k1"}, map[jose.HeaderKey]any{"kid": "k1"}},
		"RS256 padded x5t": {jose.RS256, clientKey(), byCertificate, map[jose.HeaderKey]any{"x5t": base64.URLEncoding.EncodeToString(sha1)}},
		"PS256 x5t#S256":   {jose.PS256, clientKey(), byCertificate, map[jose.HeaderKey]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(sha256)}},
	} {
		f := newFixture(t)
		s, credential := withKey(f, c.alg, c.key, c.jwk, c.header)
		got := f.verify(wantToken(t, s.send("/organizations/oauth2/v2.0/token", s.sign(s.claims("1")))))
		if got.AppAuth != "2" || got.Credential != credential || got.ObjectID != f.app.ObjectID {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Every address of the token endpoint is an audience, in any casing; no other
// is (RFC 7523, section 3, item 3).
func TestAssertionAudience(t *testing.T) {
	f := newFixture(t)
	s, _ := rsaSigner(f)
	other, _, err := f.directory.CreateTenant(t.Context(), f.who, directory.NewTenant{Name: "Other", Domains: []string{"other.test"}})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		audience any
		good     bool
	}{
		{publicURL + "/adfs/oauth2/token", true},
		{publicURL + "/" + strings.ToUpper(f.tenant) + "/oauth2/token", true},
		{publicURL + "/organizations/oauth2/v2.0/token", true},
		{publicURL + "/example.test/oauth2/v2.0/token", true},
		{[]string{"https://other.test", publicURL + "//common/oauth2/v2.0/token"}, true},
		{[]string{}, false},
		{publicURL, false},
		{publicURL + "/" + f.tenant + "/discovery/v2.0/keys", false},
		{publicURL + "/" + f.app.ObjectID + "/oauth2/v2.0/token", false},
		{publicURL + "/" + other.ID + "/oauth2/v2.0/token", false},
		{"https://login.microsoftonline.com/" + f.tenant + "/oauth2/v2.0/token", false},
		{"https://id.example.test:8443.evil.test/" + f.tenant + "/oauth2/v2.0/token", false},
		{"https://evil@id.example.test:8443:x/" + f.tenant + "/oauth2/v2.0/token", false},
	} {
		claims := s.claims(fmt.Sprint(i))
		claims["aud"] = c.audience
		a := s.send(adfsToken, s.sign(claims))
		if c.good {
			wantToken(t, a)
		} else {
			wantCode(t, a, http.StatusUnauthorized, 700023)
		}
	}
}

// An assertion that is wrong in anything is refused.
func TestAssertionRefusals(t *testing.T) {
	f := newFixture(t)
	s, _ := rsaSigner(f)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	at := float64(f.now.Unix())
	change := func(name string, value any) string {
		claims := s.claims(name)
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
		return s.sign(claims)
	}
	variant := func(change func(*signer)) string {
		v := s
		change(&v)
		return v.sign(s.claims("v"))
	}
	whole := s.sign(s.claims("w"))
	for name, c := range map[string]struct {
		assertion string
		code      int
	}{
		"not a JWT":         {"x", 700027},
		"cut":               {whole[:len(whole)-4], 700027},
		"other key":         {variant(func(v *signer) { v.key = other }), 700027},
		"unknown key id":    {variant(func(v *signer) { v.header = map[jose.HeaderKey]any{"kid": "k2"} }), 700027},
		"no key id":         {variant(func(v *signer) { v.header = nil }), 700027},
		"x5t of other type": {variant(func(v *signer) { v.header = map[jose.HeaderKey]any{"x5t": 7} }), 700027},
		"RS512":             {variant(func(v *signer) { v.alg = jose.RS512 }), 700027},
		"HMAC":              {variant(func(v *signer) { v.alg, v.key = jose.HS256, clientKey().N.Bytes() }), 700027},
		"issuer":            {change("iss", f.tenant), 700021},
		"subject":           {change("sub", f.tenant), 700021},
		"both another's":    {s.sign(map[string]any{"iss": f.tenant, "sub": f.tenant}), 700021},
		"no expiry":         {change("exp", nil), 700027},
		"expired":           {change("exp", at-301), 700024},
		"lasts too long":    {change("exp", at+2*3600), 700024},
		"not begun":         {change("nbf", at+302), 700024},
		"absurd date":       {change("exp", 1e300), 700027},
		"no audience":       {change("aud", nil), 700023},
		"audience a number": {change("aud", 7), 700027},
	} {
		a := s.send(adfsToken, c.assertion)
		if a.status != http.StatusUnauthorized || a.code() != c.code || a.field("error") != "invalid_client" {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
	}
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {publicURL + "//.default"}, "client_assertion": {whole}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}}
	wantCode(t, f.post(adfsToken, form), http.StatusUnauthorized, 700027)
	form.Set("client_assertion_type", assertionType)
	wantToken(t, f.post(adfsToken, form)) // the client id is in the assertion
}

// A key that says which algorithm it is for is used with no other.
func TestAssertionAlgorithmOfKey(t *testing.T) {
	f := newFixture(t)
	s, _ := withKey(f, jose.RS256, clientKey(), jose.JSONWebKey{KeyID: "k1", Algorithm: "PS256"}, map[jose.HeaderKey]any{"kid": "k1"})
	wantCode(t, s.send(adfsToken, s.sign(s.claims("1"))), http.StatusUnauthorized, 700027)
	s.alg = jose.PS256
	wantToken(t, s.send(adfsToken, s.sign(s.claims("2"))))
}

// An assertion works once for each audience, with or without a jti, as long as
// it lasts; a refused one is not used up.
func TestAssertionReplay(t *testing.T) {
	f := newFixture(t)
	s, _ := rsaSigner(f)
	without := s.claims("")
	delete(without, "jti")
	for _, assertion := range []string{s.sign(s.claims("1")), s.sign(without)} {
		form := url.Values{
			"grant_type": {"client_credentials"}, "client_id": {f.app.AppID}, "scope": {"https://graph.microsoft.com/.default"},
			"client_assertion_type": {assertionType}, "client_assertion": {assertion},
		}
		wantCode(t, f.post(adfsToken, form), http.StatusBadRequest, 500011)
		wantToken(t, s.send(adfsToken, assertion))
		wantCode(t, s.send("/organizations/oauth2/v2.0/token", assertion), http.StatusUnauthorized, 50013)
		form.Set("scope", "https://management.azure.com/.default")
		wantToken(t, f.post(adfsToken, form))
		wantCode(t, f.post(adfsToken, form), http.StatusUnauthorized, 50013)
	}
	resigned := s.claims("1")
	resigned["extra"] = "x"
	wantCode(t, s.send(adfsToken, s.sign(resigned)), http.StatusUnauthorized, 50013)
	last := s.sign(s.claims("last"))
	wantToken(t, s.send(adfsToken, last))
	f.pass(14 * time.Minute) // ten minutes and most of the skew
	wantCode(t, s.send(adfsToken, last), http.StatusUnauthorized, 50013)
	f.pass(2 * time.Minute)
	wantCode(t, s.send(adfsToken, last), http.StatusUnauthorized, 700024)
}

// Of the same assertion sent many times at once, one gets a token.
func TestAssertionReplayAtOnce(t *testing.T) {
	f := newFixture(t)
	s, _ := rsaSigner(f)
	assertion := s.sign(s.claims("1"))
	var wg sync.WaitGroup
	statuses := make(chan int, 16)
	for range 16 {
		wg.Go(func() { statuses <- s.send(adfsToken, assertion).status })
	}
	wg.Wait()
	close(statuses)
	got := map[int]int{}
	for status := range statuses {
		got[status]++
	}
	if got[http.StatusOK] != 1 || got[http.StatusUnauthorized] != 15 {
		t.Fatal(got)
	}
}

// A key that was removed, has expired, or whose application is disabled, opens
// nothing.
func TestAssertionKeyGone(t *testing.T) {
	f := newFixture(t)
	s, credential := rsaSigner(f)
	if _, err := f.directory.Disable(t.Context(), f.who, f.tenant, f.app.ObjectID); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.send(adfsToken, s.sign(s.claims("1"))), http.StatusBadRequest, 7000112)
	if _, err := f.directory.Enable(t.Context(), f.who, f.tenant, f.app.ObjectID); err != nil {
		t.Fatal(err)
	}
	wantToken(t, s.send(adfsToken, s.sign(s.claims("2"))))
	f.pass(24 * time.Hour)
	wantCode(t, s.send(adfsToken, s.sign(s.claims("3"))), http.StatusUnauthorized, 700027)
	if _, err := f.directory.RemoveKeyCredential(t.Context(), f.who, f.tenant, f.app.ObjectID, credential); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.send(adfsToken, s.sign(s.claims("4"))), http.StatusUnauthorized, 700027)
}

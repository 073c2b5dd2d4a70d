package token_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/token"
)

const (
	publicURL = "https://id.example.test:8443"
	tenant    = "11111111-2222-3333-4444-555555555555"
	oid       = "66666666-7777-8888-9999-000000000000"
)

var now = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// pair makes one signing key for all tests of the process, and one that nobody
// published.
var pair = sync.OnceValue(func() [2]*rsa.PrivateKey {
	var keys [2]*rsa.PrivateKey
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

func verifier(t testing.TB, audiences ...string) *token.Verifier {
	if len(audiences) == 0 {
		audiences = []string{publicURL, "https://management.azure.com/"}
	}
	v, err := token.NewVerifier(token.Config{
		PublicURL: publicURL, Audiences: audiences, Now: func() time.Time { return now },
		Keys: func() []jose.JSONWebKey {
			return []jose.JSONWebKey{{Key: pair()[0].Public(), KeyID: "k1", Algorithm: "RS256", Use: "sig"}}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func claims() token.Claims {
	return token.Claims{
		Audience: publicURL, Issuer: token.Issuer(publicURL, tenant),
		IssuedAt: *jwt.NewNumericDate(now), NotBefore: *jwt.NewNumericDate(now), Expires: *jwt.NewNumericDate(now.Add(time.Hour)),
		AppID: "app", AppAuth: "1", IDType: token.IDTypeApp, ObjectID: oid, Subject: oid, Tenant: tenant,
		ID: "id", Version: token.Version, Credential: "credential",
	}
}

func sign(t testing.TB, alg jose.SignatureAlgorithm, key any, kid string, claims any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func good(t testing.TB, change func(*token.Claims)) string {
	c := claims()
	if change != nil {
		change(&c)
	}
	return sign(t, jose.RS256, pair()[0], "k1", c)
}

// A token that was issued says whom it speaks of.
func TestVerify(t *testing.T) {
	got, err := verifier(t).Verify(good(t, nil))
	if err != nil || got != claims() {
		t.Fatalf("%+v, %v", got, err)
	}
	p := got.Principal()
	if p.Tenant != tenant || p.ObjectID != oid || p.Type != twinkey.ServicePrincipal || p.AppID != "app" {
		t.Fatalf("%+v", p)
	}
	got, err = verifier(t).Verify(good(t, func(c *token.Claims) { c.IDType, c.UPN = token.IDTypeUser, "a@example.test" }))
	if p = got.Principal(); err != nil || p.Type != twinkey.User || p.Name != "a@example.test" || p.AppID != "" {
		t.Fatalf("%+v, %v", p, err)
	}
}

// Audiences are equal with and without a trailing slash, on both sides, and a
// token for somebody else is told apart from a bad one.
func TestAudience(t *testing.T) {
	for _, c := range []struct {
		audience string
		want     twinkey.Kind
	}{
		{publicURL, twinkey.Internal}, {publicURL + "/", twinkey.Internal}, {strings.ToUpper(publicURL), twinkey.Internal},
		{"https://management.azure.com", twinkey.Internal}, {"https://management.azure.com/", twinkey.Internal},
		{"https://cognitiveservices.azure.com", twinkey.WrongAudience}, {publicURL + ".evil.test", twinkey.WrongAudience},
		{publicURL + "/x", twinkey.WrongAudience}, {"", twinkey.Unauthenticated},
	} {
		_, err := verifier(t).Verify(good(t, func(tc *token.Claims) { tc.Audience = c.audience }))
		if twinkey.KindOf(err) != c.want || (err == nil) != (c.want == twinkey.Internal) {
			t.Errorf("%q: %v", c.audience, err)
		}
	}
}

// A token is good from its nbf to its exp, give or take the skew.
func TestTimes(t *testing.T) {
	for _, c := range []struct {
		name         string
		begins, ends time.Duration
		want         twinkey.Kind
	}{
		{"now", 0, time.Hour, twinkey.Internal},
		{"just begun", token.Skew, time.Hour, twinkey.Internal},
		{"not begun", token.Skew + time.Second, time.Hour, twinkey.Unauthenticated},
		{"just ended", -time.Hour, -token.Skew + time.Second, twinkey.Internal},
		{"ended", -time.Hour, -token.Skew, twinkey.TokenExpired},
		{"never ends", 0, -now.Sub(time.Unix(0, 0)), twinkey.Unauthenticated},
	} {
		_, err := verifier(t).Verify(good(t, func(tc *token.Claims) {
			tc.NotBefore, tc.Expires = *jwt.NewNumericDate(now.Add(c.begins)), *jwt.NewNumericDate(now.Add(c.ends))
		}))
		if twinkey.KindOf(err) != c.want || (err == nil) != (c.want == twinkey.Internal) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Nothing but a token of ours, signed with RS256 and a published key, is taken.
func TestForgeries(t *testing.T) {
	unsigned := func(header string) string {
		payload, err := json.Marshal(claims())
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	modulus := pair()[0].N.Bytes()
	embedded, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: pair()[1]}, &jose.SignerOptions{EmbedJWK: true})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: pair()[0], KeyID: "k1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	brings, err := jwt.Signed(embedded).Claims(claims()).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	list, err := plain.Sign([]byte("[]"))
	if err != nil {
		t.Fatal(err)
	}
	claimsList, err := list.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	whole := good(t, nil)
	parts := strings.Split(whole, ".")
	swapped := good(t, func(c *token.Claims) { c.ObjectID = tenant })
	for name, text := range map[string]string{
		"empty":                 "",
		"not a token":           "Bearer",
		"two parts":             parts[0] + "." + parts[1],
		"four parts":            whole + ".x",
		"no algorithm":          unsigned(`{"alg":"none","kid":"k1"}`),
		"no algorithm, None":    unsigned(`{"alg":"None","kid":"k1"}`),
		"no signature":          parts[0] + "." + parts[1] + ".",
		"other key":             sign(t, jose.RS256, pair()[1], "k1", claims()),
		"unknown key id":        sign(t, jose.RS256, pair()[0], "k2", claims()),
		"no key id":             sign(t, jose.RS256, pair()[0], "", claims()),
		"brings its key":        brings,
		"public key as secret":  sign(t, jose.HS256, modulus, "k1", claims()),
		"PS256":                 sign(t, jose.PS256, pair()[0], "k1", claims()),
		"RS512":                 sign(t, jose.RS512, pair()[0], "k1", claims()),
		"ES256":                 sign(t, jose.ES256, ec, "k1", claims()),
		"other claims":          parts[0] + "." + strings.Split(swapped, ".")[1] + "." + parts[2],
		"line break":            parts[0] + "\n." + parts[1] + "." + parts[2],
		"padding":               whole + "=",
		"blank":                 whole + " ",
		"other issuer":          good(t, func(c *token.Claims) { c.Issuer = "https://sts.windows.net/" + tenant + "/" }),
		"another tenant's":      good(t, func(c *token.Claims) { c.Issuer = token.Issuer(publicURL, oid) }),
		"id token's issuer":     good(t, func(c *token.Claims) { c.Issuer = publicURL + "/" + tenant + "/v2.0" }),
		"id token's version":    good(t, func(c *token.Claims) { c.Version = "2.0" }),
		"no tenant":             good(t, func(c *token.Claims) { c.Tenant = "" }),
		"no object id":          good(t, func(c *token.Claims) { c.ObjectID = "" }),
		"no credential":         good(t, func(c *token.Claims) { c.Credential = "" }),
		"no type":               good(t, func(c *token.Claims) { c.IDType = "" }),
		"other type":            good(t, func(c *token.Claims) { c.IDType = "device" }),
		"claims of other types": sign(t, jose.RS256, pair()[0], "k1", map[string]any{"aud": []string{publicURL}, "oid": 7}),
		"claims no object":      claimsList,
		"too long":              good(t, func(c *token.Claims) { c.Name = strings.Repeat("x", token.MaxLength) }),
	} {
		got, err := verifier(t).Verify(text)
		if twinkey.KindOf(err) != twinkey.Unauthenticated || got != (token.Claims{}) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && len(text) > 20 && strings.Contains(err.Error(), text[:20]) {
			t.Errorf("%s: the error holds the token", name)
		}
	}
}

// A token signed with a key that has been withdrawn is refused at once.
func TestKeysAreAskedForEachTime(t *testing.T) {
	published := []jose.JSONWebKey{{Key: pair()[0].Public(), KeyID: "k1"}}
	v, err := token.NewVerifier(token.Config{PublicURL: publicURL, Audiences: []string{publicURL}, Now: func() time.Time { return now }, Keys: func() []jose.JSONWebKey { return published }})
	if err != nil {
		t.Fatal(err)
	}
	text := good(t, nil)
	if _, err := v.Verify(text); err != nil {
		t.Fatal(err)
	}
	published = nil
	if _, err := v.Verify(text); twinkey.KindOf(err) != twinkey.Unauthenticated {
		t.Fatal(err)
	}
}

// An incomplete configuration is refused, not read as "anything goes".
func TestConfigIsChecked(t *testing.T) {
	keys := func() []jose.JSONWebKey { return nil }
	for _, c := range []token.Config{
		{}, {PublicURL: publicURL, Keys: keys}, {PublicURL: publicURL, Audiences: []string{"x"}}, {PublicURL: "id", Audiences: []string{"x"}, Keys: keys},
	} {
		if _, err := token.NewVerifier(c); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}

// FuzzMutation: no text but the one that was issued verifies, be it different
// in a single unused bit.
func FuzzMutation(f *testing.F) {
	issued := good(f, nil)
	v := verifier(f)
	if _, err := v.Verify(issued); err != nil {
		f.Fatal(err)
	}
	f.Add(uint16(0), uint8(1), "A")
	f.Add(uint16(len(issued)-1), uint8(1), "B")
	f.Add(uint16(strings.Index(issued, ".")), uint8(0), "\n")
	f.Add(uint16(len(issued)), uint8(0), "=")
	f.Fuzz(func(t *testing.T, at uint16, cut uint8, insert string) {
		begin := int(at) % (len(issued) + 1)
		end := min(begin+int(cut), len(issued))
		mutated := issued[:begin] + insert + issued[end:]
		if _, err := v.Verify(mutated); (err == nil) != (mutated == issued) {
			t.Errorf("%s: %v", fmt.Sprintf("[%d:%d] -> %q", begin, end, insert), err)
		}
	})
}

// The last character of each part has bits that decode to nothing; every other
// character in its place is another text.
func TestUnusedBits(t *testing.T) {
	issued := good(t, nil)
	v := verifier(t)
	for i, part := range strings.Split(issued, ".") {
		for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
			parts := strings.Split(issued, ".")
			parts[i] = part[:len(part)-1] + string(c)
			mutated := strings.Join(parts, ".")
			if _, err := v.Verify(mutated); (err == nil) != (mutated == issued) {
				t.Errorf("part %d ending in %c: %v", i, c, err)
			}
		}
	}
}

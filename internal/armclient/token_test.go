package armclient_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/url"
	"testing"
	"time"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const tokenAnswer = `{"token_type":"Bearer","expires_in":3599,"access_token":"AT","refresh_token":"RT"}`

// If this fails, token services that know the Azure CLI do not know this one.
func TestGrantForms(t *testing.T) {
	for _, tt := range []struct {
		name  string
		grant armclient.Grant
		want  url.Values
		user  bool
	}{
		{"password", armclient.PasswordGrant("ann@example.test", twinkey.NewSecret("p&w=")), url.Values{
			"grant_type": {"password"}, "client_id": {"04b07795-8ddb-461a-bbee-02f9e1bf7b46"}, "username": {"ann@example.test"}, "password": {"p&w="}}, true},
		{"refresh", armclient.RefreshGrant(twinkey.NewSecret("r")), url.Values{
			"grant_type": {"refresh_token"}, "client_id": {"04b07795-8ddb-461a-bbee-02f9e1bf7b46"}, "refresh_token": {"r"}}, true},
		{"secret", armclient.SecretGrant("app", twinkey.NewSecret("s")), url.Values{
			"grant_type": {"client_credentials"}, "client_id": {"app"}, "client_secret": {"s"}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, answer(200, tokenAnswer))
			c, p := newClient(t, s.URL, nil)
			got, err := c.Token(t.Context(), "", tt.grant)
			if err != nil {
				t.Fatal(err)
			}
			if got.Access.Reveal() != "AT" || got.Refresh.Reveal() != "RT" || !got.Expires.Equal(p.time().Add(3599*time.Second)) {
				t.Errorf("got %q %q %s", got.Access.Reveal(), got.Refresh.Reveal(), got.Expires)
			}
			asked := s.all()[0]
			if asked.path != "/organizations/oauth2/v2.0/token" || asked.header.Get("Content-Type") != "application/x-www-form-urlencoded" || asked.header.Get("Authorization") != "" {
				t.Errorf("asked %s as %s", asked.path, asked.header)
			}
			tt.want.Set("scope", s.URL+"/.default")
			if tt.user {
				tt.want.Set("scope", s.URL+"/.default offline_access openid profile")
			}
			tt.want.Set("client_info", "1")
			if asked.body != tt.want.Encode() {
				t.Errorf("sent %s\nwant %s", asked.body, tt.want.Encode())
			}
		})
	}
}

// If this fails, tokens are asked of the wrong tenant or the wrong service.
func TestTokenGoesToAuthorityAndTenant(t *testing.T) {
	authority := newServer(t, answer(200, `{"token_type":"bearer","expires_in":"60","access_token":"AT"}`))
	c, _ := newClient(t, "http://localhost:1", func(cfg *armclient.Config) { cfg.Authority, cfg.TenantID = authority.URL+"/", "t 1" })
	for _, tt := range []struct{ tenant, path string }{{"", "/t%201/oauth2/v2.0/token"}, {"t2", "/t2/oauth2/v2.0/token"}} {
		got, err := c.Token(t.Context(), tt.tenant, armclient.SecretGrant("a", twinkey.NewSecret("s")))
		if err != nil {
			t.Fatal(err)
		}
		if all := authority.all(); all[len(all)-1].path != tt.path || !got.Refresh.IsZero() {
			t.Errorf("asked %s", all[len(all)-1].path)
		}
	}
}

// If this fails, a refusal cannot be told from a broken service.
func TestTokenErrors(t *testing.T) {
	for _, tt := range []struct {
		status     int
		body       string
		code, text string
	}{
		{400, `{"error":"invalid_grant","error_description":"AADSTS50126: no.","error_codes":[50126]}`, "invalid_grant", "AADSTS50126: no."},
		{401, `{"error":"invalid_client"}`, "invalid_client", "the server answered 401 Unauthorized without saying why"},
		{500, `{"error":{"code":"x"}}`, "", "the server answered 500 Internal Server Error without saying why"},
	} {
		s := newServer(t, answer(tt.status, tt.body))
		c, _ := newClient(t, s.URL, nil)
		_, err := c.Token(t.Context(), "", armclient.SecretGrant("a", twinkey.NewSecret("s")))
		refused, ok := errors.AsType[*armclient.TokenError](err)
		if !ok || refused.Status != tt.status || refused.Code != tt.code || err.Error() != tt.text {
			t.Errorf("%s: got %v", tt.body, err)
		}
		if len(s.all()) != 1 {
			t.Errorf("a password was offered %d times", len(s.all()))
		}
	}
	for _, body := range []string{``, `[]`, `{"access_token":"A"}`, `{"access_token":"A","expires_in":1,"token_type":"pop"}`, `{"token_type":"Bearer","expires_in":-1,"access_token":"A"}`, `{"token_type":"Bearer","expires_in":1}`} {
		s := newServer(t, answer(200, body))
		c, _ := newClient(t, s.URL, nil)
		if _, err := c.Token(t.Context(), "", armclient.SecretGrant("a", twinkey.NewSecret("s"))); twinkey.KindOf(err) != twinkey.Unreadable {
			t.Errorf("%s: got %v", body, err)
		}
	}
}

func keyFile(t *testing.T, private any, headers map[string]string) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Headers: headers, Bytes: der})
}

func owner() map[string]string {
	return map[string]string{"Twinkey-Client-Id": "app-1", "Twinkey-Key-Id": "kid-1"}
}

// If this fails, "login --local" sends an assertion nobody can verify, or one
// that is good elsewhere or for ever.
func TestAssertionVerifies(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for algorithm, private := range map[jose.SignatureAlgorithm]crypto.Signer{jose.ES256: ec, jose.RS256: rs} {
		s := newServer(t, answer(200, tokenAnswer))
		c, p := newClient(t, s.URL, nil)
		key, err := armclient.ParseAssertionKey(keyFile(t, private, owner()))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := c.Token(t.Context(), "t1", armclient.AssertionGrant(key)); err != nil {
				t.Fatal(err)
			}
		}
		ids := map[string]bool{}
		for _, asked := range s.all() {
			form, err := url.ParseQuery(asked.body)
			if err != nil {
				t.Fatal(err)
			}
			if form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" || form.Get("client_id") != "app-1" || form.Get("grant_type") != "client_credentials" {
				t.Errorf("sent %v", form)
			}
			parsed, err := jwt.ParseSigned(form.Get("client_assertion"), []jose.SignatureAlgorithm{algorithm})
			if err != nil {
				t.Fatal(err)
			}
			var claims jwt.Claims
			if err := parsed.Claims(private.Public(), &claims); err != nil {
				t.Fatal(err)
			}
			if parsed.Headers[0].KeyID != "kid-1" {
				t.Errorf("kid %q", parsed.Headers[0].KeyID)
			}
			err = claims.ValidateWithLeeway(jwt.Expected{Issuer: "app-1", Subject: "app-1", AnyAudience: jwt.Audience{s.URL + "/t1/oauth2/v2.0/token"}, Time: p.time()}, 0)
			if err != nil || claims.Expiry.Time().Sub(p.time()) > 10*time.Minute || claims.ID == "" {
				t.Errorf("claims %+v: %v", claims, err)
			}
			ids[claims.ID] = true
		}
		if len(ids) != 2 {
			t.Error("two assertions share an id")
		}
	}
}

// If this fails, a key file that cannot work is found out by the server's no.
func TestBadKeyFiles(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"no PEM":         []byte("hello"),
		"certificate":    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}}),
		"no headers":     keyFile(t, ec, nil),
		"no key id":      keyFile(t, ec, map[string]string{"Twinkey-Client-Id": "a"}),
		"no PKCS #8":     pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Headers: owner(), Bytes: []byte{1}}),
		"another curve":  keyFile(t, p384, owner()),
		"truncated file": keyFile(t, ec, owner())[:60],
	} {
		if _, err := armclient.ParseAssertionKey(text); twinkey.KindOf(err) != twinkey.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

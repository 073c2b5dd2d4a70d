package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
	"github.com/twinkey/twinkey/internal/token"
)

// An application gets a token for itself with its secret, under every name the
// endpoint has, whatever the Host header says.
func TestClientSecret(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{
		"/" + f.tenant + "/oauth2/v2.0/token", "/" + strings.ToUpper(f.tenant) + "/OAuth2/V2.0/Token",
		"/organizations/oauth2/v2.0/token", "/common/oauth2/v2.0/token", "/example.test/oauth2/v2.0/token",
		"//" + f.tenant + "//oauth2/v2.0//token", adfsToken, "/ADFS/oauth2/token",
		"/" + f.tenant + "/oauth2/v2.0/token?client-request-id=x",
	} {
		a := f.post(path, f.secretForm())
		text := wantToken(t, a)
		c := f.verify(text)
		want := token.Claims{
			Audience: publicURL, Issuer: publicURL + "/" + f.tenant + "/", IssuedAt: c.IssuedAt, NotBefore: c.IssuedAt, Expires: c.IssuedAt + 3600,
			AppID: f.app.AppID, AppAuth: "1", IDType: "app", ObjectID: f.app.ObjectID, Subject: f.app.ObjectID,
			Tenant: f.tenant, ID: c.ID, Version: "1.0", Credential: f.app.CredentialID,
		}
		if c != want || c.ID == "" || !c.IssuedAt.Time().Equal(f.now) {
			t.Errorf("%s: %+v", path, c)
		}
		if a.fields["expires_in"] != 3599.0 || a.fields["ext_expires_in"] != 3599.0 || strings.Contains(a.text, "attacker") {
			t.Errorf("%s: %s", path, a.text)
		}
		for _, absent := range []string{"refresh_token", "id_token", "client_info", "scope", "resource"} {
			if _, ok := a.fields[absent]; ok {
				t.Errorf("%s: %s is there", path, absent)
			}
		}
		if a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: may be cached", path)
		}
		if _, err := f.directory.Resolve(t.Context(), c.Tenant, c.ObjectID, c.Credential); err != nil {
			t.Error(err)
		}
	}
}

// Version 1 asks with resource= and answers numbers as strings.
func TestVersion1(t *testing.T) {
	f := newFixture(t)
	form := f.secretForm()
	form.Del("scope")
	form.Set("resource", "https://cognitiveservices.azure.com/")
	a := f.post("/"+f.tenant+"/oauth2/token", form)
	c := f.verify(wantToken(t, a), "https://cognitiveservices.azure.com")
	if a.field("expires_in") != "3599" || a.field("expires_on") != "1893557045" || a.field("not_before") != "1893553445" || a.field("resource") != c.Audience {
		t.Fatal(a.fields)
	}
}

// Every way clients write a scope names its audience, and only ours are served.
func TestScopes(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		scope, resource, audience string
		code                      int
	}{
		{scope: publicURL + "/.default", audience: publicURL},
		{scope: publicURL + "//.default", audience: publicURL},
		{scope: strings.ToUpper(publicURL) + "//.default", audience: publicURL},
		{scope: publicURL + "/.default openid offline_access profile", audience: publicURL},
		{scope: " openid  " + publicURL + "/.default ", audience: publicURL},
		{scope: "https://management.azure.com//.default", audience: "https://management.azure.com"},
		{scope: "https://management.core.windows.net//.default", audience: "https://management.core.windows.net"},
		{scope: "https://cognitiveservices.azure.com/.default", audience: "https://cognitiveservices.azure.com"},
		{resource: publicURL, audience: publicURL},
		{resource: publicURL + "/", scope: publicURL + "/.default", audience: publicURL},
		{scope: "https://graph.microsoft.com/.default", code: 500011},
		{scope: publicURL + ".evil.test/.default", code: 500011},
		{scope: publicURL + "/sub/.default", code: 500011},
		{scope: publicURL + "/user_impersonation", code: 1002012},
		{scope: publicURL + "/.default https://management.azure.com/.default", code: 28000},
		{resource: publicURL, scope: "https://management.azure.com/.default", code: 28000},
		{scope: ".default", code: 70011},
		{scope: "openid", code: 900144},
		{code: 900144},
	} {
		form := f.secretForm()
		form.Set("scope", c.scope)
		form.Set("resource", c.resource)
		a := f.post("/"+f.tenant+"/oauth2/v2.0/token", form)
		if c.code != 0 {
			wantCode(t, a, http.StatusBadRequest, c.code)
			continue
		}
		f.verify(wantToken(t, a), c.audience)
	}
}

// Each refusal has Entra's code, word and status, and its form whole.
func TestClientRefusals(t *testing.T) {
	f := newFixture(t)
	disabled, err := f.directory.CreateServicePrincipal(t.Context(), f.who, directory.NewServicePrincipal{Tenant: f.tenant, Name: "off"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.directory.Disable(t.Context(), f.who, f.tenant, disabled.ObjectID); err != nil {
		t.Fatal(err)
	}
	short, err := f.directory.AddSecret(t.Context(), f.who, f.tenant, f.app.ObjectID, directory.NewSecret{NotAfter: f.now.Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	f.pass(time.Minute)
	good := "/" + f.tenant + "/oauth2/v2.0/token"
	for name, c := range map[string]struct {
		path   string
		change map[string]string
		status int
		code   int
		word   string
	}{
		"wrong secret":       {good, map[string]string{"client_secret": "x"}, 401, 7000215, "invalid_client"},
		"no credential":      {good, map[string]string{"client_secret": ""}, 401, 7000218, "invalid_client"},
		"expired secret":     {good, map[string]string{"client_secret": short.Secret.Reveal()}, 401, 7000222, "invalid_client"},
		"unknown app":        {good, map[string]string{"client_id": f.tenant}, 400, 700016, "unauthorized_client"},
		"unknown, no secret": {good, map[string]string{"client_id": f.tenant, "client_secret": ""}, 400, 700016, "unauthorized_client"},
		"a user's name":      {good, map[string]string{"client_id": "alex@example.test"}, 400, 700016, "unauthorized_client"},
		"disabled":           {good, map[string]string{"client_id": disabled.AppID, "client_secret": disabled.Secret.Reveal()}, 400, 7000112, "unauthorized_client"},
		"no client id":       {good, map[string]string{"client_id": ""}, 400, 900144, "invalid_request"},
		"public client":      {good, map[string]string{"client_id": cli}, 401, 700025, "invalid_client"},
		"public, no secret":  {good, map[string]string{"client_id": cli, "client_secret": ""}, 401, 7000218, "invalid_client"},
		"no grant":           {good, map[string]string{"grant_type": ""}, 400, 900144, "invalid_request"},
		"unknown grant":      {good, map[string]string{"grant_type": "authorization_code"}, 400, 70003, "unsupported_grant_type"},
		"unknown tenant":     {"/" + f.user.ObjectID + "/oauth2/v2.0/token", nil, 400, 90002, "invalid_request"},
		"unknown domain":     {"/nowhere.test/oauth2/v2.0/token", nil, 400, 90002, "invalid_request"},
		"user's grant":       {good, map[string]string{"grant_type": "password", "username": "a", "password": "b"}, 400, 70001, "unauthorized_client"},
		"two credentials":    {good, map[string]string{"client_assertion": "x", "client_assertion_type": assertionType}, 400, 9002313, "invalid_request"},
	} {
		form := f.secretForm()
		for k, v := range c.change {
			form.Set(k, v)
		}
		r := newPost(c.path, form)
		r.Header.Set("client-request-id", "01234567-89ab-cdef-0123-456789abcdef")
		a := f.do(r)
		if a.status != c.status || a.code() != c.code || a.field("error") != c.word {
			t.Errorf("%s: %d %d %s", name, a.status, a.code(), a.text)
		}
		if a.field("correlation_id") != "01234567-89ab-cdef-0123-456789abcdef" || !twinkey.IsGUID(a.field("trace_id")) || a.field("timestamp") != "2030-01-02 03:05:05Z" ||
			!strings.HasPrefix(a.field("error_uri"), publicURL) || !strings.HasPrefix(a.field("error_description"), "AADSTS") ||
			!strings.Contains(a.field("error_description"), "Trace ID: "+a.field("trace_id")+" Correlation ID: ") {
			t.Errorf("%s: %s", name, a.text)
		}
	}
}

// The secret may come in the Authorization header, form-encoded (RFC 6749,
// section 2.3.1), but not in two places.
func TestBasic(t *testing.T) {
	f := newFixture(t)
	form := f.secretForm()
	form.Del("client_secret")
	form.Del("client_id")
	basic := func(id, secret string, form url.Values) answer {
		r := newPost(adfsToken, form)
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
		return f.do(r)
	}
	wantToken(t, basic(f.app.AppID, f.app.Secret.Reveal(), form))
	a := basic(f.app.AppID, "wrong:%", form)
	wantCode(t, a, http.StatusUnauthorized, 7000215)
	if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Basic") {
		t.Error("no challenge (RFC 6749, section 5.2)")
	}
	wantCode(t, basic(f.app.AppID, f.app.Secret.Reveal(), f.secretForm()), http.StatusBadRequest, 9002313)
	form.Set("client_id", f.tenant)
	wantCode(t, basic(f.app.AppID, f.app.Secret.Reveal(), form), http.StatusBadRequest, 9002313)
	r := newPost(adfsToken, form)
	r.Header.Set("Authorization", "Bearer x")
	wantCode(t, f.do(r), http.StatusBadRequest, 9002313)
}

// A disabled application gets no further token, and the one it has names a
// principal that resolves no more.
func TestDisabledApplicationIsOutAtOnce(t *testing.T) {
	f := newFixture(t)
	c := f.verify(wantToken(t, f.post(adfsToken, f.secretForm())))
	if _, err := f.directory.Disable(t.Context(), f.who, f.tenant, f.app.ObjectID); err != nil {
		t.Fatal(err)
	}
	wantCode(t, f.post(adfsToken, f.secretForm()), http.StatusBadRequest, 7000112)
	_, err := f.directory.Resolve(t.Context(), c.Tenant, c.ObjectID, c.Credential)
	if twinkey.KindOf(err) != twinkey.Unauthenticated {
		t.Fatal(err)
	}
}

// A store that is away is said to be, with a hint when to come back.
func TestStoreAway(t *testing.T) {
	f := newFixture(t)
	f.store.broken = twinkey.Errorf(twinkey.Unavailable, "no leader")
	a := f.post(adfsToken, f.secretForm())
	wantCode(t, a, http.StatusServiceUnavailable, 90033)
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

package idp_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/twinkey/twinkey/internal/idp"
)

// Every way to name a tenant leads to a discovery document with addresses under
// the public URL, and to nothing that is not there.
func TestDiscovery(t *testing.T) {
	f := newFixture(t)
	for path, name := range map[string]string{
		"/" + f.tenant + "/v2.0/.well-known/openid-configuration":                    f.tenant,
		"//" + strings.ToUpper(f.tenant) + "//V2.0/.Well-Known/OpenID-Configuration": f.tenant,
		"/example.test/v2.0/.well-known/openid-configuration":                        f.tenant,
		"/organizations/v2.0/.well-known/openid-configuration":                       "organizations",
		"/common/v2.0/.well-known/openid-configuration":                              "common",
		"/adfs/.well-known/openid-configuration":                                     "adfs",
	} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = "attacker.test"
		a := f.do(r)
		version := "/oauth2/v2.0"
		if name == "adfs" {
			version = "/oauth2"
		}
		if a.status != 200 || a.field("token_endpoint") != publicURL+"/"+name+version+"/token" || a.field("authorization_endpoint") != publicURL+"/"+name+version+"/authorize" ||
			a.field("issuer") != publicURL+"/"+f.tenant+"/v2.0" || strings.Contains(a.text, "attacker") || strings.Contains(a.text, "device") {
			t.Errorf("%s: %s", path, a.text)
		}
		for _, field := range []string{"token_endpoint", "jwks_uri"} {
			u, err := url.Parse(a.field(field))
			if err != nil || !idp.Matches(u.Path) {
				t.Errorf("%s: %s leads nowhere", path, field)
			}
		}
		u, _ := url.Parse(a.field("jwks_uri"))
		keys, _ := f.get(u.Path).fields["keys"].([]any)
		if len(keys) != 1 {
			t.Fatalf("%s: keys %v", path, keys)
		}
		key := keys[0].(map[string]any)
		if key["kid"] != f.PublicKeys()[0].KeyID || key["kty"] != "RSA" || key["use"] != "sig" || key["d"] != nil {
			t.Errorf("%v", key)
		}
		for _, grant := range a.fields["grant_types_supported"].([]any) {
			if code := f.post("/"+f.tenant+"/oauth2/v2.0/token", url.Values{"grant_type": {grant.(string)}}).code(); code == 70003 {
				t.Errorf("grant %s is announced and not there", grant)
			}
		}
	}
	wantCode(t, f.get("/nowhere.test/v2.0/.well-known/openid-configuration"), http.StatusBadRequest, 90002)
}

// The instance query vouches for this server, whose port MSAL for Python leaves
// out, and for no other.
func TestInstance(t *testing.T) {
	f := newFixture(t)
	ask := func(endpoint string) answer {
		return f.get("/common/discovery/instance?api-version=1.1&authorization_endpoint=" + url.QueryEscape(endpoint))
	}
	for endpoint, name := range map[string]string{
		publicURL + "/organizations/oauth2/v2.0/authorize":                                "organizations",
		"https://ID.example.test/" + strings.ToUpper(f.tenant) + "/oauth2/v2.0/authorize": f.tenant,
	} {
		a := ask(endpoint)
		if a.status != 200 || a.field("tenant_discovery_endpoint") != publicURL+"/"+name+"/v2.0/.well-known/openid-configuration" {
			t.Errorf("%s: %s", endpoint, a.text)
		}
	}
	for _, endpoint := range []string{"", "https://evil.test/common/oauth2/v2.0/authorize", "https://id.example.test:1/common/oauth2/v2.0/authorize", "::"} {
		a := ask(endpoint)
		wantCode(t, a, http.StatusBadRequest, 50049)
		if a.field("error") != "invalid_instance" {
			t.Error(a.text)
		}
	}
}

// The realm query says the same of every user, there or not.
func TestRealm(t *testing.T) {
	f := newFixture(t)
	var bodies []string
	for _, user := range []string{"Alex@example.test", "nobody%40example.test"} {
		a := f.get("/common/UserRealm/" + user + "?api-version=1.0")
		if a.status != 200 || a.field("account_type") != "Managed" || a.field("domain_name") != "example.test" {
			t.Error(a.text)
		}
		bodies = append(bodies, a.text)
	}
	if bodies[0] != bodies[1] {
		t.Error(bodies)
	}
}

// The provider claims its own paths and leaves all others alone.
func TestMatches(t *testing.T) {
	f := newFixture(t)
	for path, want := range map[string]bool{
		"/x/oauth2/token": true, "/x/oauth2/v2.0/token/": true, "/common/userrealm/a@b": true, "/adfs/discovery/keys": true,
		"/": false, "": false, "/adfs": false, "/adfs/oauth2/v2.0/token": false, "/adfs/oauth2/devicecode": false, "/common/oauth2/v2.0/authorize": false,
		"/common/oauth2/v2.0/devicecode": false, "/subscriptions/x/providers": false, "/metadata/endpoints": false, "/portal/": false,
		"/common/userrealm": false, "/common/userrealm/a/b": false, "/a/b/oauth2/token": false, "/" + strings.Repeat("x", 2000) + "/oauth2/token": false,
	} {
		if idp.Matches(path) != want {
			t.Errorf("%q: %v", path, !want)
		}
	}
	wantCode(t, f.get("/nothing"), http.StatusNotFound, 90023)
	a := f.get("/common/oauth2/v2.0/token")
	wantCode(t, a, http.StatusMethodNotAllowed, 900561)
	if a.header.Get("Allow") != http.MethodPost {
		t.Error(a.header)
	}
	wantCode(t, f.post("/adfs/.well-known/openid-configuration", nil), http.StatusMethodNotAllowed, 900561)
}

// A configuration that cannot work is refused at the start.
func TestConfigIsChecked(t *testing.T) {
	f := newFixture(t)
	good := idp.Config{PublicURL: publicURL, Directory: f.directory, Store: f.store, Sealer: sharedVault().ring}
	for name, change := range map[string]func(*idp.Config){
		"no URL": func(c *idp.Config) { c.PublicURL = "" }, "no scheme": func(c *idp.Config) { c.PublicURL = "id.example.test" },
		"path": func(c *idp.Config) { c.PublicURL += "/x" }, "user": func(c *idp.Config) { c.PublicURL = "https://a@b" },
		"no directory": func(c *idp.Config) { c.Directory = nil }, "no store": func(c *idp.Config) { c.Store = nil }, "no sealer": func(c *idp.Config) { c.Sealer = nil },
	} {
		c := good
		change(&c)
		if _, err := idp.New(c); err == nil {
			t.Error(name)
		}
	}
}

package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/catalog"
	"github.com/twinkey/twinkey/internal/gateway"
)

// decider decides on paths with a key that is good.
func decider(t testing.TB) func(target string) (gateway.Admission, *gateway.Refusal) {
	t.Helper()
	services, err := catalog.Parse("services.yaml", []byte(`services: [{kind: K, skus: [{name: S}], routes: [{path: /text/, upstream: 'http://a'}, {path: /text/deep/, upstream: 'http://b'}, {path: '/speech:', upstream: 'http://c'}]}]`))
	if err != nil {
		t.Fatal(err)
	}
	table := gateway.NewTable()
	s := state("a", 1, 2)
	s.Kind, s.SKU = "K", "S"
	table.Apply(twinkey.Change{Revision: 1, Put: []twinkey.AccountState{s}})
	return func(target string) (gateway.Admission, *gateway.Refusal) {
		return gateway.Decide(table, services, gateway.Call{Target: target, Presented: gateway.Presented{Key: "key 1"}})
	}
}

// A path that an upstream may read as another than the one that was decided on
// is refused; every other goes on as it is, but for slashes at its front.
func TestPathsThatCanBeReadInTwoWaysAreRefused(t *testing.T) {
	decide := decider(t)
	for target, want := range map[string]string{
		"/text/x": "/text/x", "//text/x": "/text/x", "////text/x": "/text/x", "/text/": "/text/",
		"/speech:recognize": "/speech:recognize", "/text/analytics/v3.1/languages": "/text/analytics/v3.1/languages",
		"/text/a%2Fb": "/text/a%2Fb", "/text/a%2fb%2F": "/text/a%2fb%2F", "/text/100%25": "/text/100%25", "/text/%25zz": "/text/%25zz",
		"/text//x": "/text//x", "/text/...": "/text/...", "/text/.x": "/text/.x", "/text/x.": "/text/x.", "/text/..x/y..": "/text/..x/y..",
		"/text/a;v=1": "/text/a;v=1", "/text/a;..": "/text/a;..", "/text/a%20b": "/text/a%20b", "/text/%e4%bd%a0": "/text/%e4%bd%a0", "/text/\xe4\xbd\xa0": "/text/\xe4\xbd\xa0",
		"/text/%C3%A9%E9": "/text/%C3%A9%E9", "/text/a+b,c:d@e!$&'()*=[]~": "/text/a+b,c:d@e!$&'()*=[]~", "/text/x%3Fy%23z": "/text/x%3Fy%23z", "/text/deep/x": "/text/deep/x",
	} {
		if a, refusal := decide(target); refusal != nil || a.Path != want {
			t.Errorf("%q: %+v, %+v", target, a.Path, refusal)
		}
	}
	for _, target := range []string{
		"", "text/x", "*", "gateway:443",
		"/text/..", "/text/../x", "/text/.", "/text/./x", "/..", "/./text/x", "//../text/x", "/text/a/../../x",
		"/text/..%2fx", "/text/%2e%2e/x", "/text/%2E./x", "/text/.%2e", "/text/%2e", "/text%2f..%2fx", "/text/x%2f%2e%2e", "/text/a%2f..%2f..%2fx",
		"/text/%252e%252e/x", "/text/..%252fx", "/text/%25%32%65%25%32%65/x", "/text/a%252f%2e%2e",
		"/text/..;/x", "/text/..;a=b/x", "/text/..%3b/x", "/text/%2e%2e%3Bx", "/text/.;/x", "/text/..%253b/x",
		`/text/..\x`, `/text/a\b`, "/text/a%5cb", "/text/a%5Cb", "/text/%255c", "/text/a%00", "/text/%00.", "/text/%2500", "/text/%0d%0a", "/text/%1f", "/text/%7f", "/text/%7F",
		"/text/a\x00", "/text/a\n", "/text/a b", "/text/a\x7f", "/text/a#b", "/text/\t",
		"/text/%zz", "/text/%", "/text/%2", "/text/a%2", "/text/%u002e", "/text/%-1",
		"/text/%c0%ae%c0%ae/x", "/text/%c0%af", "/text/\xc0\xae", "/text/%c1%9c", "/text/%e0%80%ae", "/text/%f0%80%80%ae",
	} {
		if a, refusal := decide(target); refusal == nil || refusal.Status != http.StatusBadRequest {
			t.Errorf("%q: %+v, %+v", target, a.Path, refusal)
		}
	}
	for _, target := range []string{"/", "//", "/text", "/Text/x", "/text%2fx", "/%74ext/x", "/textx", "/speech", "/speech%3arecognize", "/other/text/x"} {
		if a, refusal := decide(target); refusal == nil || refusal.Status != http.StatusNotFound {
			t.Errorf("%q: %+v, %+v", target, a.Path, refusal)
		}
	}
}

var parameter = regexp.MustCompile(`;[^/]*`)

// However an upstream reads an admitted path - as it is or decoded, once or
// twice, with backslashes for slashes, without what follows a semicolon - it
// stays below the prefix whose upstream it was sent to.
func FuzzAdmittedPathStaysBelowItsPrefix(f *testing.F) {
	for _, seed := range []string{"/text/x", "//text/..;/x", "/text/%2e%2e%2fx", "/text/%252e%252e/x", `/text/..\x`, "/speech:..%2f", "/text/deep/%5c..", "/text/%c0%ae", "/text/.%00.", "/text/a;/..;x/b", "/text/%25%32%65"} {
		f.Add(seed)
	}
	decide := decider(f)
	f.Fuzz(func(t *testing.T, target string) {
		a, refusal := decide(target)
		if refusal != nil {
			return
		}
		if want := "/" + strings.TrimLeft(target, "/"); a.Path != want {
			t.Errorf("%q is sent on as %q", target, a.Path)
		}
		once, err := url.PathUnescape(a.Path)
		if err != nil {
			t.Fatalf("%q cannot be decoded: %v", a.Path, err)
		}
		readings := []string{a.Path, once}
		if twice, err := url.PathUnescape(once); err == nil {
			readings = append(readings, twice)
		}
		for _, reading := range readings {
			if strings.ContainsFunc(reading, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
				t.Errorf("%q reads as %q", target, reading)
			}
			slashed := strings.ReplaceAll(reading, `\`, "/")
			for _, p := range []string{reading, slashed, parameter.ReplaceAllString(reading, ""), parameter.ReplaceAllString(slashed, "")} {
				cleaned := path.Clean(p)
				if !strings.HasPrefix(cleaned, a.Route.Prefix) && cleaned+"/" != a.Route.Prefix {
					t.Errorf("%q, sent on below %q, reads as %q", target, a.Route.Prefix, cleaned)
				}
			}
		}
	})
}

// Clients of Azure match on status, code and message, byte for byte.
func TestRefusalsAreAzuresByteForByte(t *testing.T) {
	const invalid = `{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource."}}`
	if len(invalid) != 224 {
		t.Fatalf("the test's own text has %d bytes", len(invalid))
	}
	s := newStage(t, http.HandlerFunc(ok), nil)
	check := func(what, target, key string, status int, body string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, target, strings.NewReader("{}"))
		if key != "" {
			r.Header.Set(keyName, key)
		}
		rec := httptest.NewRecorder()
		s.gateway.ServeHTTP(rec, r)
		h := rec.Header()
		if rec.Code != status || rec.Body.String() != body || h.Get("Content-Type") != "application/json" || h.Get("Content-Length") != strconv.Itoa(len(body)) {
			t.Errorf("%s: %d %s\n%v", what, rec.Code, rec.Body, h)
		}
		if challenge := h.Get("Www-Authenticate"); (status == http.StatusUnauthorized) != (challenge != "") {
			t.Errorf("%s: %d with challenge %q", what, status, challenge)
		}
	}
	check("a wrong key", "/text/x", "wrong", 401, invalid)
	check("a wrong key on a path that is nowhere", "/nowhere", "wrong", 401, invalid)
	check("a wrong key on a bad path", "/text/..%2f", "wrong", 401, invalid)
	check("keys that differ", "/text/x?subscription-key=b", "a", 401, invalid)
	check("a key that is too long", "/text/x", strings.Repeat("k", 257), 401, invalid)
	check("no key", "/text/x", "", 401, `{"error":{"code":"401","message":"Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API."}}`)
	check("a path that is nowhere", "/nowhere", stageKey1, 404, `{"error":{"code":"404","message": "Resource not found"}}`)
	s.change(func(a *twinkey.AccountState) { a.Kind = "Gone" })
	check("a kind that is gone", "/text/x", stageKey1, 404, `{"error":{"code":"404","message":"The service this account is for is not offered by this server any more. Ask its operator."}}`)
	s.change(func(a *twinkey.AccountState) { a.Kind, a.KeysDisabled = "TextAnalytics", true })
	const disabled = `{"error":{"code":"AuthenticationTypeDisabled","message":"Key based authentication is disabled for this resource."}}`
	check("keys switched off", "/text/x", stageKey1, 403, disabled)
	check("keys switched off, path nowhere", "/nowhere", stageKey1, 403, disabled)
	s.change(func(a *twinkey.AccountState) { a.KeysDisabled, a.PublicAccessDisabled = false, true })
	check("public access off", "/text/x", stageKey1, 403, `{"error":{"code":"403","message":"Public access is disabled. Please configure private endpoint."}}`)
	s.send(twinkey.FromHub{Change: &twinkey.Change{Revision: 99, Removed: []twinkey.ResourceID{s.state.ID}}})
	check("a removed account", "/text/x", stageKey1, 401, invalid)
}

package catalog_test

import (
	"testing"

	"github.com/twinkey/twinkey/internal/catalog"
)

const shared = `
services:
  - kind: Closed
    skus: [{name: S0}]
    routes: [{path: /a/, upstream: "http://a"}]
  - kind: Narrow
    skus: [{name: S0}]
    routes:
      - path: /a/
        upstream: http://a
        cors: {origins: ["https://app.example"], methods: [GET, POST], headers: [Content-Type, Api-Key]}
      - {path: /a/closed/, upstream: "http://a"}
  - kind: Wide
    skus: [{name: S0}]
    routes: [{path: "/a/{x}/", upstream: "http://a", cors: {origins: ["*"], maxAge: 1h}}]
`

// A preflight carries no key, so it is answered if some account's call could be;
// a page whose origin no route names gets nothing.
func TestCORSWithoutAnAccount(t *testing.T) {
	c := parse(t, shared)
	for _, tt := range []struct {
		path, origin string
		want         bool
	}{
		{"/a/b", "https://app.example", true},
		{"/a/b", "https://app.example:8443", false},
		{"/a/b", "https://evil.example", false},
		{"/a/b", "http://app.example", false},
		{"/a/b", "", false},
		{"/b/b", "https://app.example", false},
		{"/a/b/c", "https://evil.example", true},
		{"/a/closed/c", "https://evil.example", true}, // an account of kind Wide could call it
		{"/a/closed", "https://app.example", true},
	} {
		if got := c.CORS(tt.path, tt.origin); (got != nil) != tt.want {
			t.Errorf("%s from %q: %+v, want %v", tt.path, tt.origin, got, tt.want)
		}
	}
	var nobody *catalog.CORS
	if _, ok := nobody.Preflight("https://app.example", "GET", ""); ok || nobody.Allows("https://app.example") || new(catalog.Catalog).CORS("/a/b", "https://app.example") != nil {
		t.Error("a route without settings lets a page of another origin call")
	}
}

// A preflight is granted exactly what the route lists, and where it lists
// nothing, what was asked for.
func TestPreflight(t *testing.T) {
	c := parse(t, shared)
	narrow, wide := c.CORS("/a/b", "https://app.example"), c.CORS("/a/b/c", "https://other.example")
	for _, tt := range []struct {
		cors                    *catalog.CORS
		origin, method, headers string
		want                    catalog.Preflight
		ok                      bool
	}{
		{narrow, "https://app.example", "POST", "content-type, api-key", catalog.Preflight{Methods: "GET, POST", Headers: "Content-Type, Api-Key"}, true},
		{narrow, "https://app.example", "GET", "", catalog.Preflight{Methods: "GET, POST", Headers: "Content-Type, Api-Key"}, true},
		{narrow, "https://app.example", "GET", " , API-KEY,", catalog.Preflight{Methods: "GET, POST", Headers: "Content-Type, Api-Key"}, true},
		{narrow, "https://app.example", "DELETE", "", catalog.Preflight{}, false},
		{narrow, "https://app.example", "get", "", catalog.Preflight{}, false},
		{narrow, "https://app.example", "", "", catalog.Preflight{}, false},
		{narrow, "https://app.example", "GET", "api-key, x-other", catalog.Preflight{}, false},
		{narrow, "https://evil.example", "GET", "", catalog.Preflight{}, false},
		{wide, "https://evil.example", "PATCH", "x-ms-useragent", catalog.Preflight{Methods: "PATCH", Headers: "x-ms-useragent"}, true},
		{wide, "", "GET", "", catalog.Preflight{}, false},
	} {
		if got, ok := tt.cors.Preflight(tt.origin, tt.method, tt.headers); got != tt.want || ok != tt.ok {
			t.Errorf("%s %s %q: %+v, %v, want %+v, %v", tt.origin, tt.method, tt.headers, got, ok, tt.want, tt.ok)
		}
	}
}

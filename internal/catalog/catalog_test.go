package catalog_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twinkey/twinkey/internal/catalog"
)

const services = `
services:
  - kind: TextAnalytics
    locations: [westeurope, local, "West US"]
    skus: [{name: F0, callsPerMinute: 20}, {name: S}]
    routes:
      - {path: /text/analytics/, upstream: "http://127.0.0.1:5000"}
      - {path: /language/, upstream: "https://language.internal/"}
      - {path: "/language/:", upstream: "http://[::1]:5001"}
  - kind: LUIS.Authoring
    skus: [{name: S0}]
    routes: [{path: /, upstream: "http://luis:80"}]
  - kind: Face
    skus: [{name: S0}]
    routes: [{path: /face/, upstream: "http://face:80"}]
    includes: [textanalytics]
  - kind: CognitiveServices
    skus: [{name: S0, callsPerMinute: 1000}]
    includes: [Face, TextAnalytics]
`

func parse(t *testing.T, text string) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Parse("services.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func kind(t *testing.T, c *catalog.Catalog, name string) catalog.Kind {
	t.Helper()
	k, ok := c.Kind(name)
	if !ok {
		t.Fatalf("no kind %q", name)
	}
	return k
}

// Kinds, SKUs and locations are found however a client writes them.
func TestLookUps(t *testing.T) {
	c := parse(t, services)
	var names []string
	for _, k := range c.Kinds() {
		names = append(names, k.Name())
	}
	if got, want := fmt.Sprint(names), "[TextAnalytics LUIS.Authoring Face CognitiveServices]"; got != want {
		t.Errorf("kinds = %s, want %s", got, want)
	}
	for _, name := range []string{"", "Text", "TextAnalytics ", "TextAnalyticſ", strings.Repeat("a", 65)} {
		if _, ok := c.Kind(name); ok {
			t.Errorf("Kind(%q) found something", name)
		}
	}
	k := kind(t, c, "TEXTanalytics")
	if k.Name() != "TextAnalytics" {
		t.Errorf("name = %q, want the casing of the file", k.Name())
	}
	if s, ok := k.SKU("f0"); !ok || s != (catalog.SKU{Name: "F0", CallsPerMinute: 20}) {
		t.Errorf("SKU f0 = %+v, %v", s, ok)
	}
	if s, ok := k.SKU("S"); !ok || s.CallsPerMinute != 0 {
		t.Errorf("SKU S = %+v, %v, want no limit", s, ok)
	}
	if _, ok := k.SKU("S0"); ok {
		t.Error("SKU S0 of another kind found")
	}
	for location, want := range map[string]bool{"westus": true, "West US": true, "WEST EUROPE": true, "local": true, "eastus": false, "": false, " ": false} {
		if k.OffersLocation(location) != want {
			t.Errorf("OffersLocation(%q) = %v", location, !want)
		}
	}
	if any := kind(t, c, "Face"); !any.OffersLocation("anywhere") || any.OffersLocation("") {
		t.Error("a kind without locations is offered in every named location, and only there")
	}
}

// The longest prefix wins, byte for byte, and a prefix ends where it says.
func TestRoute(t *testing.T) {
	c := parse(t, services)
	for _, tt := range []struct{ kind, path, prefix, upstream string }{
		{"TextAnalytics", "/text/analytics/v3.1/languages", "/text/analytics/", "http://127.0.0.1:5000"},
		{"TextAnalytics", "/text/analytics/", "/text/analytics/", "http://127.0.0.1:5000"},
		{"TextAnalytics", "/text/analytics", "", ""},
		{"TextAnalytics", "/text/analyticsx/", "", ""},
		{"TextAnalytics", "/Text/analytics/v3.1", "", ""},
		{"TextAnalytics", "/language/:analyze-text", "/language/:", "http://[::1]:5001"},
		{"TextAnalytics", "/language/x:y", "/language/", "https://language.internal"},
		{"TextAnalytics", "", "", ""},
		{"TextAnalytics", "/zzz", "", ""},
		{"LUIS.Authoring", "/anything", "/", "http://luis:80"},
		{"LUIS.Authoring", "*", "", ""},
		{"CognitiveServices", "/face/detect", "/face/", "http://face:80"},
		{"CognitiveServices", "/text/analytics/x", "/text/analytics/", "http://127.0.0.1:5000"},
		{"Face", "/text/analytics/x", "/text/analytics/", "http://127.0.0.1:5000"},
		{"TextAnalytics", "/face/detect", "", ""},
	} {
		r, ok := kind(t, c, tt.kind).Route(tt.path, "local")
		if ok != (tt.prefix != "") || ok && (r.Prefix != tt.prefix || r.Upstream.String() != tt.upstream) {
			t.Errorf("%s %s goes to %+v, %v, want %q %s", tt.kind, tt.path, r, ok, tt.prefix, tt.upstream)
		}
	}
}

// What a caller does with a returned list does not change the catalog.
func TestImmutable(t *testing.T) {
	c := parse(t, services)
	c.Kinds()[0] = catalog.Kind{}
	k := kind(t, c, "TextAnalytics")
	k.SKUs()[0].CallsPerMinute = 0
	k.Locations()[0] = "nowhere"
	k.Routes()[0] = catalog.Route{}
	again := kind(t, c, "TextAnalytics")
	s, _ := again.SKU("F0")
	_, routed := again.Route("/language/x", "")
	if s.CallsPerMinute != 20 || !again.OffersLocation("westeurope") || !routed || c.Kinds()[0].Name() != "TextAnalytics" {
		t.Error("a returned list is the catalog's own")
	}
}

// manyRoutes has nested prefixes among many others, as a multi-service account
// would.
func manyRoutes() string {
	var b strings.Builder
	b.WriteString("services:\n  - kind: Many\n    skus: [{name: S0}]\n    routes:\n")
	for i := range 40 {
		for _, path := range []string{"/s%d/", "/s%d/deployments/", "/s%d/deployments/chat:", "/s%d/v1/"} {
			fmt.Fprintf(&b, "      - {path: \""+path+"\", upstream: \"http://127.0.0.1:%d\"}\n", i, 1000+i)
		}
	}
	return b.String()
}

// The two look-ups of every call at a gateway do not allocate.
func TestHotPathDoesNotAllocate(t *testing.T) {
	c, err := catalog.Parse("services.yaml", []byte(manyRoutes()))
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		k, _ := c.Kind("many")
		if _, ok := k.Route("/s17/deployments/chat:complete", "westeurope"); !ok {
			t.Fatal("no route")
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkRoute(b *testing.B) {
	c, err := catalog.Parse("services.yaml", []byte(manyRoutes()))
	if err != nil {
		b.Fatal(err)
	}
	for name, path := range map[string]string{"hit": "/s17/deployments/chat:complete", "parent": "/s17/deployments/other", "miss": "/s/x"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				k, _ := c.Kind("Many")
				k.Route(path, "westeurope")
			}
		})
	}
}

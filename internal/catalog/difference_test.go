package catalog_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twinkey/twinkey/internal/catalog"
)

// What changed is named, and nothing else is.
func TestSince(t *testing.T) {
	before := parse(t, services)
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", services, "+[] -[] ~[]"},
		{"a comment", "# new\n" + services, "+[] -[] ~[]"},
		{"a kind more", services + "  - {kind: New, skus: [{name: S0}], includes: [Face]}\n", "+[New] -[] ~[]"},
		{"a rate", strings.Replace(services, "callsPerMinute: 20", "callsPerMinute: 21", 1), "+[] -[] ~[TextAnalytics]"},
		{"a route that others include", strings.Replace(services, "127.0.0.1:5000", "127.0.0.1:5001", 1), "+[] -[] ~[TextAnalytics Face CognitiveServices]"},
		{"a kind renamed", strings.Replace(services, "kind: LUIS.Authoring", "kind: LUIS", 1), "+[LUIS] -[LUIS.Authoring] ~[]"},
		{"a timeout", strings.Replace(services, "path: /face/,", "path: /face/, timeout: 1s,", 1), "+[] -[] ~[Face CognitiveServices]"},
	} {
		d := parse(t, tt.text).Since(before)
		if got := fmt.Sprintf("+%v -%v ~%v", d.Added, d.Removed, d.Changed); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if d := new(catalog.Catalog).Since(before); len(d.Removed) != 4 || len(d.Added)+len(d.Changed) != 0 {
		t.Errorf("to nothing: %+v", d)
	}
}

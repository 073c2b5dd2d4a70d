package arm_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/arm"
)

// Clients spell paths as they please and must reach the same resource, under
// the name they gave it.
func TestPaths(t *testing.T) {
	h := serve(echo())
	account := "/subscriptions/" + subscription + "/resourceGroups/My-Rg/providers/Microsoft.CognitiveServices/accounts/Acct.1"
	for path, want := range map[string]seen{
		account:                  {Route: "GET " + arm.AccountPath, ID: twinkey.ResourceID{Subscription: subscription, Group: "My-Rg", Account: "Acct.1"}},
		strings.ToLower(account): {Route: "GET " + arm.AccountPath, ID: twinkey.ResourceID{Subscription: subscription, Group: "my-rg", Account: "acct.1"}},
		strings.ToUpper(account): {Route: "GET " + arm.AccountPath, ID: twinkey.ResourceID{Subscription: strings.ToUpper(subscription), Group: "MY-RG", Account: "ACCT.1"}},
		"/" + account + "//":     {Route: "GET " + arm.AccountPath, ID: twinkey.ResourceID{Subscription: subscription, Group: "My-Rg", Account: "Acct.1"}},
		strings.ReplaceAll(account, "Microsoft", "%4dicrosoft"):         {Route: "GET " + arm.AccountPath, ID: twinkey.ResourceID{Subscription: subscription, Group: "My-Rg", Account: "Acct.1"}},
		"/subscriptions/" + subscription + "/resourcegroups/gru%CC%88n": {Route: "GET " + arm.GroupPath, ID: twinkey.ResourceID{Subscription: subscription, Group: "grün"}},
		"/subscriptions/" + subscription + "/resourcegroups/a%2Fb":      {Route: "GET " + arm.GroupPath, ID: twinkey.ResourceID{Subscription: subscription, Group: "a/b"}},
		"/subscriptions/" + subscription + "/providers/X":               {Route: "GET " + arm.SubscriptionPath + "/providers/{name}", ID: twinkey.ResourceID{Subscription: subscription}, Name: "X"},
		"/providers/microsoft.cognitiveservices/THINGS/One":             {Route: "GET /providers/Microsoft.CognitiveServices/things/{name}", Name: "One"},
	} {
		want.Version, want.Caller = "2024-10-01", "ada"
		if got := echoed(t, call(t, h, "GET", path+someVersion, "")); got != want {
			t.Errorf("%s: got %+v, want %+v", path, got, want)
		}
	}
}

// What is not there is said in the form that clients of Azure know, and nobody
// is sent elsewhere.
func TestUnrouted(t *testing.T) {
	h := serve(echo())
	sub := "/subscriptions/" + subscription
	for _, c := range []struct {
		method, path  string
		status        int
		code, message string
	}{
		{"GET", sub + "/nonsense", 404, "NotFound", "no operation"},
		{"GET", sub + "/resourceGroups/g/providers/Microsoft.Unknown/things/x", 404, "InvalidResourceNamespace", "The resource namespace 'Microsoft.Unknown' is invalid."},
		{"GET", sub + "/providers/Microsoft.CognitiveServices/things", 404, "InvalidResourceType", "The resource type 'things' could not be found in the namespace 'Microsoft.CognitiveServices' for api version '2024-10-01'."},
		{"GET", sub + "/resourceGroups/g/providers/microsoft.cognitiveservices/accounts/a/foos/b", 404, "InvalidResourceType", "The resource type 'accounts/foos' could not be found in the namespace 'Microsoft.CognitiveServices'"},
		{"GET", "/providers", 404, "MissingSubscription", "did not have a subscription"},
		{"GET", "/subscriptions/not-a-guid/resourceGroups", 400, "InvalidSubscriptionId", "'not-a-guid' is malformed"},
		{"GET", "/subscriptions/00000000-0000-0000-0000-00000000dead/nonsense", 404, "SubscriptionNotFound", "could not be found"},
		{"PATCH", sub + "/resourceGroups/g", 405, "MethodNotAllowed", "Supported: GET, HEAD."},
		{"POST", "/text/analytics/v3.1/languages", 404, "NotFound", "calls of the web API go to " + gatewayURL},
		{"POST", "//openai/deployments/x/chat/completions", 404, "NotFound", gatewayURL},
		{"GET", "/", 404, "NotFound", gatewayURL},
		{"GET", sub + "/resourceGroups/%ff", 400, "BadRequest", "UTF-8"},
		{"GET", sub + someVersion + "&Api-Version=2021-04-30", 400, "BadRequest", "given twice"},
	} {
		path := c.path
		if !strings.Contains(path, "?") {
			path += someVersion
		}
		w := call(t, h, c.method, path, "")
		got := refusal(t, w)
		if w.Code != c.status || got.Code != c.code || !strings.Contains(got.Message, c.message) {
			t.Errorf("%s %s: got %d %+v, want %d %s %q", c.method, c.path, w.Code, got, c.status, c.code, c.message)
		}
		if allow := w.Header().Get("Allow"); (c.status == 405) != (allow == "GET, HEAD") {
			t.Errorf("%s %s: Allow is %q", c.method, c.path, allow)
		}
	}
}

// Two casings of one path are one resource, slashes do not count, and no path
// redirects, breaks the server or reaches a handler with an empty name.
func FuzzPaths(f *testing.F) {
	for _, seed := range []string{
		"/subscriptions/" + subscription + "/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a/listKeys",
		"//subscriptions//" + subscription + "/resourcegroups/%67%2f/..", "/providers/Microsoft.CognitiveServices/things/ſK%E2%84%AA",
		"/metadata/endpoints", "/text/analytics", "/%", "/subscriptions/%00/../x", "/a%CC%8A",
	} {
		f.Add(seed)
	}
	h := serve(echo())
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.ParseRequestURI(path)
		if err != nil || u.Host != "" || u.Opaque != "" {
			return
		}
		outcome := func(escaped string) (int, string) {
			u, err := url.ParseRequestURI(escaped)
			if err != nil {
				t.Skip()
			}
			u.RawQuery = "api-version=2024-10-01"
			r := httptest.NewRequest("GET", "/", nil)
			r.URL = u
			r.Header.Set("Authorization", "Bearer good")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			var s seen
			if w.Code == http.StatusOK && json.Unmarshal(w.Body.Bytes(), &s) == nil && s.Route != "" {
				if strings.Contains(s.Route, "{group}") && s.ID.Group == "" {
					t.Errorf("%q reaches %s without a group", escaped, s.Route)
				}
				return w.Code, fmt.Sprint(s.Route, s.ID.Folded(), twinkey.Fold(s.Name))
			}
			return w.Code, w.Header().Get("x-ms-error-code")
		}
		escaped := u.EscapedPath()
		status, what := outcome(escaped)
		if status >= 300 && status < 400 || status >= 500 {
			t.Errorf("%q: %d", escaped, status)
		}
		for _, other := range []string{swapCase(escaped), strings.ReplaceAll(escaped, "/", "//"), escaped + "/"} {
			if s, w := outcome(other); s != status || w != what {
				t.Errorf("%q: %d %s, but %q: %d %s", escaped, status, what, other, s, w)
			}
		}
	})
}

// swapCase swaps the case of ASCII letters.
func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, s)
}

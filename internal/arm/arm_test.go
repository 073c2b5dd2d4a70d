package arm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
	"github.com/twinkey/twinkey/internal/web"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	publicURL    = "https://keys.example.com:8443"
	gatewayURL   = "https://ai.example.com:8444"
	subscription = "5c6dcb18-9d7e-4f20-9d8a-1e1e3a3f1d01"
	tenant       = "7a3b4c5d-1111-4222-8333-944455556666"
	someVersion  = "?api-version=2024-10-01"
)

// authenticate is an Authenticator.
type authenticate func(bearer string) (twinkey.Principal, error)

func (f authenticate) Authenticate(_ context.Context, bearer string) (twinkey.Principal, error) {
	return f(bearer)
}

// onlySubscription knows one subscription.
type onlySubscription struct{}

func (onlySubscription) Subscription(_ context.Context, id string) (accounts.Subscription, error) {
	if !strings.EqualFold(id, subscription) {
		return accounts.Subscription{}, twinkey.Errorf(twinkey.SubscriptionNotFound, "The subscription '%s' could not be found.", id)
	}
	return accounts.Subscription{ID: subscription, Tenant: tenant}, nil
}

// seen is what a handler was given.
type seen struct {
	Route        string
	ID           twinkey.ResourceID
	Name         string
	Version      string
	Caller       string
	Precondition accounts.Precondition
	Body         string
}

// echo is a table whose handlers answer with what they were given.
func echo() []arm.Route {
	var routes []arm.Route
	for _, r := range []arm.Route{
		{Method: "GET", Pattern: arm.SubscriptionPath},
		{Method: "GET", Pattern: arm.GroupPath},
		{Method: "HEAD", Pattern: arm.GroupPath},
		{Method: "GET", Pattern: arm.AccountPath, Action: "Microsoft.CognitiveServices/accounts/read", Display: arm.Display{Provider: "p", Resource: "r", Operation: "o", Description: "d"}},
		{Method: "PUT", Pattern: arm.AccountPath, Action: "Microsoft.CognitiveServices/accounts/write"},
		{Method: "DELETE", Pattern: arm.AccountPath},
		{Method: "POST", Pattern: arm.AccountPath + "/listKeys"},
		{Method: "GET", Pattern: arm.SubscriptionPath + "/providers/{name}"},
		{Method: "GET", Pattern: arm.SubscriptionPath + "/providers/Microsoft.CognitiveServices/accounts"},
		{Method: "GET", Pattern: "/providers/Microsoft.CognitiveServices/things/{name}"},
	} {
		r.Handle = func(_ context.Context, req *arm.Request) (*arm.Response, error) {
			return arm.Answer(http.StatusOK, seen{
				Route: r.Method + " " + r.Pattern, ID: req.ID, Name: req.Name("name"), Version: req.Version,
				Caller: req.Who.Name, Precondition: req.Precondition, Body: string(req.Body),
			}), nil
		}
		routes = append(routes, r)
	}
	return routes
}

// serve is the surface over some tables, for a caller whose token is "good".
func serve(tables ...[]arm.Route) http.Handler {
	return arm.New(arm.Config{
		PublicURL: publicURL + "/", GatewayURL: gatewayURL + "/", Subscriptions: onlySubscription{},
		Authenticator: authenticate(func(bearer string) (twinkey.Principal, error) {
			switch bearer {
			case "good":
				return twinkey.Principal{Name: "ada", Type: twinkey.User}, nil
			case "old":
				return twinkey.Principal{}, twinkey.Errorf(twinkey.TokenExpired, "The access token expiry UTC time is earlier than current UTC time.")
			case "other":
				return twinkey.Principal{}, twinkey.Errorf(twinkey.WrongAudience, `The access token is for "somebody\else".`)
			case "down":
				return twinkey.Principal{}, twinkey.Errorf(twinkey.Unavailable, "Try again.")
			}
			return twinkey.Principal{}, twinkey.Errorf(twinkey.Unauthenticated, "The access token is invalid.")
		}),
	}, tables...)
}

// call sends one request with a good token.
func call(t *testing.T, h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer good")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// refusal reads an error envelope and checks that header and body agree.
func refusal(t *testing.T, w *httptest.ResponseRecorder) arm.Detail {
	t.Helper()
	var body arm.Body
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("%d is not an error envelope: %q", w.Code, w.Body)
	}
	if got := w.Header().Get("x-ms-error-code"); got != body.Error.Code || got == "" {
		t.Errorf("x-ms-error-code is %q, the code %q", got, body.Error.Code)
	}
	return body.Error
}

func echoed(t *testing.T, w *httptest.ResponseRecorder) seen {
	t.Helper()
	var s seen
	if err := json.Unmarshal(w.Body.Bytes(), &s); w.Code != http.StatusOK || err != nil {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return s
}

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

// An api-version is needed, in a form it can have; clients of ten years ago and
// of next year are served.
func TestVersions(t *testing.T) {
	h := serve(echo())
	for version, code := range map[string]string{
		"":                    "MissingApiVersionParameter",
		"2017-04-18":          "",
		"2026-05-15-preview":  "",
		"2021-04-01-PREVIEW":  "",
		"2014-01-01":          "",
		"2030-12-31":          "",
		"2013-12-31":          "InvalidApiVersionParameter",
		"2031-01-01":          "InvalidApiVersionParameter",
		"2024-02-30":          "InvalidApiVersionParameter",
		"2024-1-1":            "InvalidApiVersionParameter",
		"2024-10-01-alpha":    "InvalidApiVersionParameter",
		"2024-10-01preview":   "InvalidApiVersionParameter",
		"1.0":                 "InvalidApiVersionParameter",
		"latest":              "InvalidApiVersionParameter",
		"2024-10-01\x00":      "InvalidApiVersionParameter",
		"2024-10-01-preview ": "InvalidApiVersionParameter",
	} {
		for _, name := range []string{"api-version", "API-Version"} {
			w := call(t, h, "GET", "/subscriptions/"+subscription+"?"+name+"="+url.QueryEscape(version), "")
			if code == "" {
				if got := echoed(t, w); got.Version != version {
					t.Errorf("%q became %q", version, got.Version)
				}
			} else if got := refusal(t, w); w.Code != 400 || got.Code != code {
				t.Errorf("%q: %d %+v", version, w.Code, got)
			}
		}
	}
	w := call(t, h, "GET", "/subscriptions/"+subscription, "")
	if got := refusal(t, w); got.Message != "The api-version query parameter (?api-version=) is required for all requests." {
		t.Error(got.Message)
	}
}

// Who has no good token learns the tenant of a subscription that exists, and of
// one that does not exist that it does not.
func TestAuthentication(t *testing.T) {
	h := serve(echo())
	sub := "/subscriptions/" + subscription + someVersion
	for _, c := range []struct {
		path, header string
		status       int
		code         string
		challenge    string
	}{
		{sub, "", 401, "AuthenticationFailed", `Bearer authorization_uri="` + publicURL + "/" + tenant + `", error="invalid_token", error_description="Authentication failed. The 'Authorization' header is missing."`},
		{sub, "Basic good", 401, "AuthenticationFailed", tenant},
		{sub, "Bearer", 401, "AuthenticationFailed", tenant},
		{sub, "Bearer good good", 401, "AuthenticationFailed", tenant},
		{sub, "bearer good", 200, "", ""},
		{sub, "Bearer bad", 401, "InvalidAuthenticationToken", tenant},
		{sub, "Bearer old", 401, "ExpiredAuthenticationToken", tenant},
		{sub, "Bearer other", 401, "InvalidAuthenticationTokenAudience", `error_description="The access token is for 'somebody'else'."`},
		{sub, "Bearer down", 503, "ServiceUnavailable", ""},
		{"/providers/Microsoft.CognitiveServices/things/x" + someVersion, "", 401, "AuthenticationFailed", publicURL + "/common"},
		{"/subscriptions/" + subscription + "/nonsense" + someVersion, "", 401, "AuthenticationFailed", tenant},
		{"/subscriptions/00000000-0000-0000-0000-00000000dead" + someVersion, "", 404, "SubscriptionNotFound", ""},
		{"/subscriptions/" + subscription, "", 400, "MissingApiVersionParameter", ""},
	} {
		r := httptest.NewRequest("GET", c.path, nil)
		r.Host = "attacker.example.net"
		if c.header != "" {
			r.Header.Set("Authorization", c.header)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status || c.code != w.Header().Get("x-ms-error-code") {
			t.Errorf("%s with %q: %d %s", c.path, c.header, w.Code, w.Body)
		}
		challenge := w.Header().Get("WWW-Authenticate")
		if !strings.Contains(challenge, c.challenge) || (challenge != "") != (c.status == 401) {
			t.Errorf("%s with %q: challenge %q", c.path, c.header, challenge)
		}
	}
	r := httptest.NewRequest("GET", sub, nil)
	r.Header["Authorization"] = []string{"Bearer good", "Bearer bad"}
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != 401 {
		t.Errorf("two tokens at once: %d", w.Code)
	}
}

// Every answer, good or bad, carries the ids by which a call is found again,
// and what keeps caches and browsers off.
func TestCommonHeaders(t *testing.T) {
	const correlation, client = "0f8fad5b-d9cb-469f-a165-70867728950e", "client-7"
	h := serve(echo())
	for _, path := range []string{"/subscriptions/" + subscription + someVersion, "/subscriptions/" + subscription, "/nowhere"} {
		w := call(t, h, "GET", path, "", "x-ms-correlation-request-id", correlation, "x-ms-client-request-id", client, "x-ms-return-client-request-id", "True")
		for name, want := range map[string]string{
			"x-ms-correlation-request-id": correlation, "x-ms-client-request-id": client, "Cache-Control": "no-cache", "Pragma": "no-cache",
			"Expires": "-1", "Strict-Transport-Security": "max-age=31536000", "X-Content-Type-Options": "nosniff",
			"Content-Type": "application/json; charset=utf-8",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		id := w.Header().Get("x-ms-request-id")
		if !twinkey.IsGUID(id) || !strings.HasSuffix(w.Header().Get("x-ms-routing-request-id"), ":"+id) {
			t.Errorf("%s: ids %q and %q", path, id, w.Header().Get("x-ms-routing-request-id"))
		}
	}
	if w := call(t, h, "GET", "/nowhere", "", "x-ms-client-request-id", client); w.Header().Get("x-ms-client-request-id") != "" {
		t.Error("the client's id comes back unasked")
	}
}

// A body that is too large is refused as such.
func TestBodyLimit(t *testing.T) {
	h := serve(echo())
	account := "/subscriptions/" + subscription + "/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/acct" + someVersion
	if got := echoed(t, call(t, h, "PUT", account, strings.Repeat("x", 4<<20))); len(got.Body) != 4<<20 {
		t.Errorf("%d bytes arrived", len(got.Body))
	}
	w := call(t, h, "PUT", account, strings.Repeat("x", 4<<20+1))
	if got := refusal(t, w); w.Code != 413 || got.Code != "RequestEntityTooLarge" {
		t.Errorf("%d %+v", w.Code, got)
	}
}

// Preconditions reach the rules as they were meant; a tag that is not one of
// ours matches nothing rather than everything.
func TestPreconditions(t *testing.T) {
	h := serve(echo())
	account := "/subscriptions/" + subscription + "/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/acct" + someVersion
	ours, none := twinkey.Revision(0x1f), twinkey.Revision(-1)
	for _, c := range []struct {
		match, noneMatch string
		want             accounts.Precondition
	}{
		{"", "", accounts.Precondition{}},
		{"*", "", accounts.Precondition{MatchAny: true}},
		{"", "*", accounts.Precondition{Absent: true}},
		{arm.ETag(ours), "", accounts.Precondition{Match: &ours}},
		{"1f", "", accounts.Precondition{Match: &ours}},
		{`W/"1f"`, "", accounts.Precondition{Match: &none}},
		{`"01f"`, "", accounts.Precondition{Match: &none}},
		{`"1F"`, "", accounts.Precondition{Match: &none}},
		{`"-1"`, "", accounts.Precondition{Match: &none}},
		{`"`, "", accounts.Precondition{Match: &none}},
		{`"7d002afd-0000-0500-0000-64bf54870000"`, "", accounts.Precondition{Match: &none}},
	} {
		got := echoed(t, call(t, h, "PUT", account, "", "If-Match", c.match, "If-None-Match", c.noneMatch)).Precondition
		same := got.MatchAny == c.want.MatchAny && got.Absent == c.want.Absent && (got.Match == nil) == (c.want.Match == nil)
		if !same || got.Match != nil && *got.Match != *c.want.Match {
			t.Errorf("If-Match %s, If-None-Match %s: got %+v", c.match, c.noneMatch, got)
		}
	}
	for _, headers := range [][]string{{"If-Match", `"1f", "20"`}, {"If-None-Match", `"1f"`}} {
		if w := call(t, h, "PUT", account, "", headers...); w.Code != 400 {
			t.Errorf("%v: %d", headers, w.Code)
		}
	}
}

// What clients read before they sign in.
func TestMetadata(t *testing.T) {
	h := serve()
	for version, file := range map[string]string{
		"1.0": "stack", "2015-01-01": "stack", "2017-12-01": "stack", "2019-05-01": "list", "2020-06-01": "list",
		"2022-09-01": "object", "2024-05-01": "object", "2026-01-01-preview": "object",
	} {
		r := httptest.NewRequest("GET", "//METADATA/endpoints?API-version="+version, nil)
		r.Host = "attacker.example.net"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var got bytes.Buffer
		if err := json.Indent(&got, w.Body.Bytes(), "", "  "); w.Code != 200 || err != nil {
			t.Fatalf("%s: %d %s", version, w.Code, w.Body)
		}
		got.WriteByte('\n')
		path := filepath.Join("testdata", "metadata-"+file+".json")
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || got.String() != string(want) {
			t.Errorf("%s is not as in %s (%v):\n%s", version, path, err, got.String())
		}
	}
	for query, code := range map[string]string{"": "MissingApiVersionParameter", "?api-version=0.9": "InvalidApiVersionParameter"} {
		w := call(t, h, "GET", "/metadata/endpoints"+query, "")
		if got := refusal(t, w); got.Code != code {
			t.Errorf("%q: %+v", query, got)
		}
	}
}

// The list of operations has every action of the tables once.
func TestOperations(t *testing.T) {
	w := call(t, serve(echo()), "GET", "/providers/Microsoft.CognitiveServices/operations"+someVersion, "")
	var list struct {
		Value []struct {
			Name    string
			Display map[string]string
			Origin  string
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Value) != 2 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	first := list.Value[0]
	if first.Name != "Microsoft.CognitiveServices/accounts/read" || first.Display["operation"] != "o" || first.Origin != "user,system" {
		t.Errorf("%+v", first)
	}
}

// answering is a surface with one operation.
func answering(h arm.Handler) http.Handler {
	return serve([]arm.Route{{Method: "POST", Pattern: arm.SubscriptionPath + "/things/{name}", Handle: h}})
}

const things = "/Subscriptions/" + subscription + "/things/My%20One"

// A page leads to the next one, whatever the Host header says, and with what
// else was asked for.
func TestPages(t *testing.T) {
	var page accounts.Page
	h := answering(func(_ context.Context, req *arm.Request) (*arm.Response, error) {
		var err error
		if page, err = req.Page(); err != nil {
			return nil, err
		}
		next := "a/b ?&"
		if page.After != "" {
			next = ""
		}
		return arm.AnswerList([]int{1}, req.NextLink(next)), nil
	})
	var list arm.List[int]
	w := call(t, h, "POST", things+someVersion+"&$TOP=5000&$Filter=a%20eq%20%27b%27", "", "Host", "attacker.example.net")
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	rest, ours := strings.CutPrefix(list.NextLink, publicURL)
	if !ours || page != (accounts.Page{Limit: 1000}) {
		t.Errorf("page %+v, next %s", page, list.NextLink)
	}
	w = call(t, h, "POST", rest, "")
	if w.Code != 200 || page != (accounts.Page{After: "a/b ?&", Limit: 1000}) || strings.Contains(w.Body.String(), "nextLink") {
		t.Errorf("%s gives page %+v and %s", rest, page, w.Body)
	}
	if u, err := url.Parse(list.NextLink); err != nil || u.Query().Get("$filter") != "a eq 'b'" || u.Query().Get("api-version") != "2024-10-01" {
		t.Errorf("%s has lost something (%v)", list.NextLink, err)
	}
	for _, bad := range []string{"&$top=0", "&$top=x", "&$skiptoken=", "&$skipToken=***"} {
		if w := call(t, h, "POST", things+someVersion+bad, ""); w.Code != 400 {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
}

// A body that is not one JSON object gets a clear refusal.
func TestDecode(t *testing.T) {
	h := answering(func(_ context.Context, req *arm.Request) (*arm.Response, error) {
		var body struct {
			KeyName string `json:"keyName"`
		}
		if err := req.Decode(&body); err != nil {
			return nil, err
		}
		return arm.Answer(http.StatusOK, body), nil
	})
	for body, message := range map[string]string{
		"":                                    "no body",
		"null":                                "is null",
		"[]":                                  "must be an object",
		`{"keyName":1}`:                       "'keyName' must be a string",
		`{"keyName":"Key1","KeyName":"Key2"}`: "twice",
	} {
		w := call(t, h, "POST", things+someVersion, body)
		if got := refusal(t, w); w.Code != 400 || got.Code != "InvalidRequestContent" || !strings.Contains(got.Message, message) {
			t.Errorf("%q: %d %+v", body, w.Code, got)
		}
	}
	if w := call(t, h, "POST", things+someVersion, `{"x":"`+strings.Repeat("y", 256<<10)+`"}`); w.Code != 413 {
		t.Errorf("a description that the store could not hold: %d", w.Code)
	}
}

// A change says in its headers how far it has got.
func TestConfirm(t *testing.T) {
	for _, c := range []struct {
		out  accounts.Outcome
		want string
	}{
		{accounts.Outcome{}, "||||"},
		{accounts.Outcome{Revision: 12}, "12|all|||"},
		{accounts.Outcome{Revision: 12, Generation: 3, Pending: []string{"gw-1", "gw-2"}, Repeated: true}, "12|pending=gw-1,gw-2|3|true|"},
		{accounts.Outcome{Revision: 12, Generation: 4, Joined: true}, "12|all|4||true"},
	} {
		h := answering(func(context.Context, *arm.Request) (*arm.Response, error) {
			return arm.Answer(http.StatusOK, nil).Confirm(c.out), nil
		})
		w := call(t, h, "POST", things+someVersion, "")
		var got []string
		for _, name := range []string{"revision", "confirmed", "generation", "repeated", "joined"} {
			got = append(got, w.Header().Get("x-twinkey-"+name))
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%+v: %v", c.out, got)
		}
	}
}

// A broken server says nothing about its inside to callers, and says it once to
// its log; a slow one says that it was slow.
func TestInternalErrors(t *testing.T) {
	cause := errors.New("disk 7 is on fire")
	for _, c := range []struct {
		err    error
		status int
	}{
		{fmt.Errorf("reading account: %w", cause), 500},
		{twinkey.Wrap(cause, twinkey.Internal, "secret plans"), 500},
		{twinkey.Wrap(cause, twinkey.Unavailable, "Try again."), 503},
		{fmt.Errorf("%w: %w", context.DeadlineExceeded, cause), 504},
	} {
		var log bytes.Buffer
		h := answering(func(context.Context, *arm.Request) (*arm.Response, error) { return nil, c.err })
		server := web.NewServer(web.Config{Name: "management", Handler: h, Log: slog.New(slog.NewJSONHandler(&log, nil)), OnPanic: arm.WriteError})
		w := call(t, server, "POST", things+someVersion, "")
		got := refusal(t, w)
		if w.Code != c.status || strings.Contains(w.Body.String(), "fire") || strings.Contains(w.Body.String(), "plans") || got.Message == "" {
			t.Errorf("%v: %d %s", c.err, w.Code, w.Body)
		}
		if n := strings.Count(log.String(), "disk 7 is on fire"); n != 1 {
			t.Errorf("%v is logged %d times", c.err, n)
		}
	}
}

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
func call(t testing.TB, h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
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
func refusal(t testing.TB, w *httptest.ResponseRecorder) arm.Detail {
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

package armclient_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"
)

// If this fails, servers see requests other than ARM's: no api-version, no
// token, a body where there is none.
func TestRequestIsARMs(t *testing.T) {
	s := newServer(t, answer(200, `{"key1":"a","key2":"b"}`))
	c, _ := newClient(t, s.URL+"/", nil)
	if _, err := c.Do(t.Context(), token, regenerate); err != nil {
		t.Fatal(err)
	}
	list := regenerate
	list.Body = nil
	if _, err := c.Do(t.Context(), token, list); err != nil {
		t.Fatal(err)
	}
	with, without := s.all()[0], s.all()[1]
	if with.path != "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a/regenerateKey" || with.query != "api-version=2025-06-01" {
		t.Errorf("asked for %s?%s", with.path, with.query)
	}
	if with.body != `{"keyName":"Key1"}` || with.header.Get("Content-Type") != "application/json" {
		t.Errorf("sent %q as %q", with.body, with.header.Get("Content-Type"))
	}
	if without.body != "" || without.header.Get("Content-Type") != "" {
		t.Errorf("sent %q as %q without a body", without.body, without.header.Get("Content-Type"))
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer " + token.Reveal(), "User-Agent": "twinkey/1.2.3", "CommandName": regenerate.Command,
	} {
		if got := with.header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	first, second := with.header.Get("x-ms-client-request-id"), without.header.Get("x-ms-client-request-id")
	if !twinkey.IsGUID(first) || !twinkey.IsGUID(second) || first == second {
		t.Errorf("client request ids %q and %q", first, second)
	}
}

// If this fails, the directory's calls are not Microsoft Graph's, or its lists
// are cut at the first page.
func TestRequestsToTheDirectory(t *testing.T) {
	var next string
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		answer(200, `{"value":[1],"@odata.nextLink":"`+next+`"}`)(w, r)
	}, answer(200, `{"value":[2]}`))
	next = s.URL + "/v1.0/users?$skiptoken=x"
	c, _ := newClient(t, s.URL, nil)
	list, err := c.List(t.Context(), token, armclient.Request{
		Method: http.MethodGet, Path: []string{"v1.0", "users"}, Query: url.Values{"$filter": {"displayName eq 'a'"}},
	})
	if err != nil || len(list) != 2 {
		t.Fatalf("%s, %v", list, err)
	}
	if _, err := c.Do(t.Context(), token, armclient.Request{Method: http.MethodPost, Path: []string{"v1.0", "groups", "g", "members", "$ref"}, Body: 1}); err != nil {
		t.Fatal(err)
	}
	asked := s.all()
	if asked[0].query != "%24filter=displayName+eq+%27a%27" || asked[1].query != "$skiptoken=x" || asked[2].query != "" || asked[2].path != "/v1.0/groups/g/members/$ref" {
		t.Errorf("asked %v", asked)
	}
}

// If this fails, a name can change which resource is meant.
func FuzzPathNamesOneSegment(f *testing.F) {
	for _, name := range []string{"plain", "a/b", "..", ".", "", "%2e%2e", "a?b#c", "(x) y", "ü", "\x00", "a\\b", "//"} {
		f.Add(name)
	}
	var got string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.URL.EscapedPath() }))
	f.Cleanup(s.Close)
	c, err := armclient.New(armclient.Config{Endpoint: s.URL})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		_, err := c.Do(t.Context(), token, armclient.Request{Method: http.MethodGet, Path: []string{"accounts", name, "listKeys"}, APIVersion: "1"})
		if name == "" || name == "." || name == ".." {
			if twinkey.KindOf(err) != twinkey.Invalid {
				t.Fatalf("%q was sent: %v", name, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(got, "/")
		if len(parts) != 4 {
			t.Fatalf("%q became the path %q", name, got)
		}
		if back, err := url.PathUnescape(parts[2]); err != nil || back != name {
			t.Fatalf("%q became %q (%v)", name, back, err)
		}
	})
}

// If this fails, people and scripts read something else than the server said.
func TestErrorMapping(t *testing.T) {
	for _, tt := range []struct {
		name          string
		status        int
		body          string
		code, message string
	}{
		{"document", 404, `{"error":{"code":"ResourceGroupNotFound","message":"Resource group 'x' could not be found."}}`, "ResourceGroupNotFound", "Resource group 'x' could not be found."},
		{"forbidden", 403, `{"error":{"code":"AuthorizationFailed","message":"no","details":[]}}`, "AuthorizationFailed", "no"},
		{"no document", 404, `<html>`, "", "the server answered 404 Not Found without saying why"},
		{"empty", 409, ``, "", "the server answered 409 Conflict without saying why"},
		{"no error member", 400, `{"code":"x"}`, "", "the server answered 400 Bad Request without saying why"},
		{"odd types", 400, `{"error":{"code":7,"message":[]}}`, "", "the server answered 400 Bad Request without saying why"},
		{"null", 400, `null`, "", "the server answered 400 Bad Request without saying why"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, answer(tt.status, tt.body, "x-ms-request-id", "r1"))
			c, _ := newClient(t, s.URL, nil)
			_, err := c.Do(t.Context(), token, get)
			refused, ok := errors.AsType[*armclient.ResponseError](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if refused.Status != tt.status || refused.Code != tt.code || refused.Message != tt.message || refused.RequestID != "r1" {
				t.Errorf("got %+v", refused)
			}
		})
	}
}

// If this fails, a token reaches a server it was not made for.
func TestRedirectsAndForeignLinksAreRefused(t *testing.T) {
	thief := newServer(t, answer(200, `{"value":[]}`))
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
	}{
		{"redirect of the method", answer(307, "", "Location", thief.URL)},
		{"redirect to get", answer(302, "", "Location", thief.URL)},
		{"next link", answer(200, `{"value":[],"nextLink":"`+thief.URL+`/more"}`)},
		{"next link with a user", answer(200, `{"value":[],"nextLink":"`+strings.Replace(thief.URL, "//", "//u@", 1)+`"}`)},
		{"operation", answer(202, "", "Location", thief.URL+"/op")},
		{"operation without scheme", answer(202, "", "Location", strings.TrimPrefix(thief.URL, "http:")+"/op")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, tt.answer)
			c, _ := newClient(t, s.URL, nil)
			if _, err := c.List(t.Context(), token, get); tt.name[0] != 'o' && twinkey.KindOf(err) != twinkey.Unsupported {
				t.Errorf("got %v", err)
			}
			resp, err := c.Do(t.Context(), token, regenerate)
			if err == nil {
				_, err = c.Complete(t.Context(), token, resp)
			}
			if tt.name[0] == 'o' && twinkey.KindOf(err) != twinkey.Unsupported {
				t.Errorf("got %v", err)
			}
			if n := len(thief.all()); n > 0 {
				t.Errorf("the other server was asked %d times", n)
			}
		})
	}
}

// If this fails, the rest of a long list is missing.
func TestListFollowsPages(t *testing.T) {
	var s *server
	s = newServer(t,
		func(w http.ResponseWriter, r *http.Request) {
			answer(200, `{"value":[{"n":1},{"n":2}],"nextLink":"`+s.URL+`/subscriptions?$skiptoken=x%2Fy"}`)(w, r)
		},
		answer(200, `{"value":[],"nextLink":"/subscriptions?page=3"}`),
		answer(200, `{"value":[{"n":3}]}`))
	c, _ := newClient(t, s.URL, nil)
	got, err := c.List(t.Context(), token, get)
	if err != nil || len(got) != 3 || string(got[2]) != `{"n":3}` {
		t.Fatalf("got %s, %v", got, err)
	}
	if q := s.all()[1].query; q != "$skiptoken=x%2Fy" {
		t.Errorf("the next link was asked as %q", q)
	}
	if s.all()[2].header.Get("Authorization") == "" {
		t.Error("a page was asked for without the token")
	}
}

// If this fails, a deletion is reported as done while it goes on, or the server
// is asked more often than it wants.
func TestCompleteHonoursRetryAfter(t *testing.T) {
	var s *server
	accepted := func(seconds string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			answer(202, "", "Location", s.URL+"/operations/1", "Retry-After", seconds)(w, r)
		}
	}
	s = newServer(t, accepted("3"), accepted("0"), answer(202, ""), answer(200, `{"done":true}`, "x-twinkey-revision", "9", "x-twinkey-confirmed", "all"))
	c, p := newClient(t, s.URL, nil)
	r := get
	r.Method = http.MethodDelete
	resp, err := c.Do(t.Context(), token, r)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err = c.Complete(t.Context(), token, resp); err != nil {
		t.Fatal(err)
	}
	if string(resp.Body) != `{"done":true}` || resp.Elapsed != 5*time.Second || resp.Confirmation == nil {
		t.Errorf("got %s after %s", resp.Body, resp.Elapsed)
	}
	if want := []time.Duration{3 * time.Second, time.Second, time.Second}; len(p.list) != 3 || p.list[0] != want[0] || p.list[1] != want[1] || p.list[2] != want[2] {
		t.Errorf("waited %v, want %v", p.list, want)
	}
	if last := s.all()[3]; last.method != http.MethodGet || last.path != "/operations/1" {
		t.Errorf("asked %s %s", last.method, last.path)
	}
}

// If this fails, an operation that went wrong passes for done.
func TestCompleteReportsFailure(t *testing.T) {
	var s *server
	s = newServer(t, func(w http.ResponseWriter, r *http.Request) { answer(202, "", "Location", s.URL+"/op")(w, r) },
		answer(409, `{"error":{"code":"Conflict","message":"no"}}`))
	c, _ := newClient(t, s.URL, nil)
	resp, err := c.Do(t.Context(), token, get)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Complete(t.Context(), token, resp); err == nil || err.Error() != "(Conflict) no" {
		t.Errorf("got %v", err)
	}
	nowhere := newServer(t, answer(202, ""))
	c, _ = newClient(t, nowhere.URL, nil)
	if resp, err = c.Do(t.Context(), token, get); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Complete(t.Context(), token, resp); twinkey.KindOf(err) != twinkey.Unreadable {
		t.Errorf("without a Location: got %v", err)
	}
}

// If this fails, a gateway that still admits an old key is not named.
func TestConfirmationHeaders(t *testing.T) {
	for _, tt := range []struct {
		revision, confirmed string
		known               bool
		pending             string
	}{
		{"57", "all", true, ""},
		{"57", "pending=a, b", true, "a|b"},
		{"57", "pending=", true, "(unnamed)"},
		{"57", "some", true, "some"},
		{"57", "pending=a\x1b[2J", true, "a?[2J"},
		{"", "all", false, ""},
		{"57", "", false, ""},
		{"x", "all", false, ""},
	} {
		s := newServer(t, answer(200, `{}`, "x-twinkey-revision", tt.revision, "x-twinkey-confirmed", tt.confirmed,
			"x-twinkey-generation", "2", "x-twinkey-repeated", "true"))
		c, _ := newClient(t, s.URL, nil)
		resp, err := c.Do(t.Context(), token, get)
		if err != nil {
			if !strings.ContainsRune(tt.confirmed, '\x1b') {
				t.Fatal(err)
			}
			continue // the transport refuses the header, which is as good
		}
		if (resp.Confirmation != nil) != tt.known {
			t.Fatalf("%+v: got %+v", tt, resp.Confirmation)
		}
		if tt.known && (resp.Confirmation.Revision != 57 || strings.Join(resp.Confirmation.Pending, "|") != tt.pending) {
			t.Errorf("%+v: got %+v", tt, resp.Confirmation)
		}
		if resp.Generation != 2 || !resp.Repeated {
			t.Errorf("generation %d, repeated %t", resp.Generation, resp.Repeated)
		}
	}
}

// If this fails, numbers change on their way to the user.
func TestDecodeKeepsNumbersAndWantsOneValue(t *testing.T) {
	s := newServer(t, answer(200, `{"n":5000.0}`), answer(200, `{} {}`), answer(200, `{`))
	c, _ := newClient(t, s.URL, nil)
	for i, ok := range []bool{true, false, false} {
		resp, err := c.Do(t.Context(), token, get)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := resp.Decode(&v); (err == nil) != ok {
			t.Errorf("answer %d: %v", i, err)
		}
		if i == 0 {
			if n, ok := v.(map[string]any)["n"].(interface{ String() string }); !ok || n.String() != "5000.0" {
				t.Errorf("got %v", v)
			}
		}
	}
}

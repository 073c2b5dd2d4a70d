package arm_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/twinkey/twinkey"
)

const (
	groupPath   = "/subscriptions/" + subscription + "/resourceGroups/rg"
	accountPath = groupPath + "/providers/Microsoft.CognitiveServices/accounts/acct"
	freshGroup  = `{"location": "westeurope", "tags": {}}`
	freshBody   = `{"kind": "CognitiveServices", "sku": {"name": "S0"}, "location": "westeurope", "tags": {"a": "b"},
		"identity": {"type": "None"}, "properties": {"customSubDomainName": "mine", "disableLocalAuth": false, "publicNetworkAccess": "Enabled",
		"networkAcls": {"defaultAction": "Allow", "ipRules": [{"value": "203.0.113.0/24"}]}, "apiProperties": {"x": [1, {"y": null}]}}}`
)

// takers are the operations that read a body.
func takers() []struct{ method, path string } {
	provider := "/subscriptions/" + subscription + "/providers/Microsoft.CognitiveServices"
	return []struct{ method, path string }{
		{"PUT", accountPath}, {"PATCH", accountPath}, {"PUT", groupPath}, {"PATCH", groupPath},
		{"POST", accountPath + "/regenerateKey"}, {"POST", accountPath + "/listKeys"}, {"POST", provider + "/locations/westeurope/checkSkuAvailability"},
		{"POST", provider + "/checkDomainAvailability"}, {"POST", provider + "/register"}, {"POST", provider + "/unregister"},
	}
}

// site is a server with one group and one account in it.
type site struct {
	testing.TB
	h http.Handler
}

func newSite(t testing.TB) *site {
	t.Helper()
	h, _ := server(t)
	s := &site{TB: t, h: h}
	s.reset()
	return s
}

// reset makes group and account as they were at first.
func (s *site) reset() {
	s.Helper()
	s.want(s.ask("PUT", groupPath, freshGroup), 200, 201)
	s.want(s.ask("DELETE", accountPath, ""), 200, 204)
	s.want(s.ask("PUT", accountPath, freshBody), 201)
}

func (s *site) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	return call(s, s.h, method, path+someVersion, body, append([]string{"Authorization", "Bearer owner"}, headers...)...)
}

func (s *site) want(w *httptest.ResponseRecorder, statuses ...int) *httptest.ResponseRecorder {
	s.Helper()
	for _, status := range statuses {
		if w.Code == status {
			return w
		}
	}
	s.Fatalf("%d %s, want %v", w.Code, w.Body, statuses)
	return w
}

// state is all that a caller can see of group and account, keys aside.
func (s *site) state() string {
	s.Helper()
	return s.want(s.ask("GET", groupPath, ""), 200).Body.String() + s.want(s.ask("GET", accountPath, ""), 200).Body.String()
}

// Whatever is sent, the server answers: it changes what it says it changes, and
// what it refuses, with a code and a sentence, has changed nothing. What it
// shows can be sent back to it and says the same again.
func FuzzBodies(f *testing.F) {
	for i := range takers() {
		for _, body := range []string{
			"", "{}", "null", "[]", `{"keyName": "Key2"}`, freshBody, freshGroup, `{"properties": {"restore": true}}`, `{"tags": {"a": null, "<": "b"}}`,
			`{"properties": {"APIPROPERTIES": {"X": null, "new": {"a": null}}, "ſ": 1, "S": {}}}`, `{"properties": {"proviſioningState": "Succeeded"}}`,
			`{"properties": {"apiProperties": {"X": null, "new": {"a": null}}, " ": {}}, "location": "westeurope", "sku": {"name": "S0"}, "kind": "CognitiveServices"}`,
			`{"properties": {"networkAcls": {"ipRules": [{"value": "::/0"}], "virtualNetworkRules": [null]}}}`, `{"identity": {"type": "UserAssigned", "userAssignedIdentities": {"&": {}}}}`,
			`{"skus": ["S"], "kind": "TextAnalytics", "type": "Microsoft.CognitiveServices/accounts"}`, `{"subdomainName": "mine", "type": "microsoft.cognitiveservices/accounts"}`,
			`{"properties": {"x": 1e999, "y": "\ud800", "z": 12345678901234567890}}`, `{"location": "a\u0000b"}`, `{"sku": {"name": "s0", "capacity": "1"}}`,
		} {
			f.Add(uint8(i), []byte(body))
		}
	}
	s := newSite(f)
	changed := false
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		s := &site{TB: t, h: s.h}
		if changed {
			s.reset()
			changed = false
		}
		op := takers()[int(which)%len(takers())]
		before := s.state()
		w := s.ask(op.method, op.path, string(body))
		switch {
		case w.Code >= 500 || w.Code < 200 || w.Code >= 300 && w.Code < 400:
			t.Fatalf("%s %s %q: %d %s", op.method, op.path, body, w.Code, w.Body)
		case w.Code >= 400:
			if got := refusal(t, w); got.Message == "" {
				t.Errorf("%d without a sentence", w.Code)
			}
			if after := s.state(); after != before {
				t.Errorf("%s %s %q is refused, and has made of\n%s\nthis:\n%s", op.method, op.path, body, before, after)
			}
			return
		}
		changed = true
		if op.path == accountPath {
			s.sendBack(w)
		}
	})
}

// sendBack puts an account as it was shown, and expects it to stay so.
func (s *site) sendBack(shown *httptest.ResponseRecorder) {
	s.Helper()
	if read := s.want(s.ask("GET", accountPath, ""), 200); read.Body.String() != shown.Body.String() {
		s.Errorf("answered\n%s\nbut it reads\n%s", shown.Body, read.Body)
	}
	for _, method := range []string{"PUT", "PATCH"} {
		again := s.want(s.ask(method, accountPath, shown.Body.String()), 200)
		if a, b := withoutTimes(s, shown), withoutTimes(s, again); !reflect.DeepEqual(a, b) {
			s.Errorf("%s of\n%s\nmade of it\n%s", method, shown.Body, again.Body)
		}
	}
}

// withoutTimes is an account without what every change of it changes.
func withoutTimes(t testing.TB, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
	dec.UseNumber()
	var account map[string]any
	if err := dec.Decode(&account); err != nil {
		t.Fatal(err)
	}
	delete(account, "etag")
	delete(account, "systemData")
	return account
}

// A name is taken if the rule for names allows it, and is then found under all
// its casings; any other gets a refusal.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"a", "ab", "A.b_c-9", "-a", "a/b", "..", "a\x00b", "ſK", strings.Repeat("x", 65), "a\u0301b", "%2e%2e", "a?b#c"} {
		f.Add(name)
	}
	s := newSite(f)
	f.Fuzz(func(t *testing.T, name string) {
		s := &site{TB: t, h: s.h}
		at := strings.TrimSuffix(accountPath, "acct") + url.PathEscape(name)
		w := s.ask("PUT", at, `{"kind": "CognitiveServices", "sku": {"name": "S0"}, "location": "x"}`)
		if allowed := twinkey.CheckAccountName(name) == nil; allowed && !strings.EqualFold(name, "acct") {
			s.want(w, 201)
			s.want(s.ask("GET", swapCase(at), ""), 200)
			s.want(s.ask("DELETE", at, ""), 200)
		} else if !allowed && (w.Code < 400 || w.Code >= 500) {
			t.Errorf("the name %q: %d %s", name, w.Code, w.Body)
		}
		w = s.ask("PUT", "/subscriptions/"+subscription+"/resourceGroups/"+url.PathEscape(name), freshGroup)
		if w.Code >= 500 || w.Code >= 300 && w.Code < 400 {
			t.Errorf("the group name %q: %d %s", name, w.Code, w.Body)
		}
	})
}

// Every byte at every place of a name: what the rule allows makes an account,
// the rest makes none.
func TestEveryByteInNames(t *testing.T) {
	s := newSite(t)
	made := map[string]bool{"acct": true}
	for b := range 256 {
		for _, name := range []string{string([]byte{byte(b), 'a', 'a'}), string([]byte{'b', byte(b), 'b'}), string([]byte{'c', 'c', byte(b)})} {
			w := s.ask("PUT", strings.TrimSuffix(accountPath, "acct")+fmt.Sprintf("%%%02x%%%02x%%%02X", name[0], name[1], name[2]), `{"kind": "CognitiveServices", "sku": {"name": "S0"}, "location": "x"}`)
			switch {
			case twinkey.CheckAccountName(name) == nil:
				made[strings.ToLower(name)] = true
				s.want(w, 200, 201)
			case w.Code != http.StatusBadRequest || refusal(t, w).Message == "":
				t.Errorf("the name %q: %d %s", name, w.Code, w.Body)
			}
		}
	}
	var list struct{ Value []struct{ Name string } }
	w := s.ask("GET", strings.TrimSuffix(accountPath, "/acct"), "")
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Value) != len(made) {
		t.Errorf("there are %d accounts, want %d: %v", len(list.Value), len(made), err)
	}
}

// A body that breaks off anywhere is refused as a whole.
func TestTruncatedBodies(t *testing.T) {
	s := newSite(t)
	before := s.state()
	for _, method := range []string{"PUT", "PATCH"} {
		for n := range len(freshBody) - 1 {
			if w := s.ask(method, accountPath, freshBody[:n]); w.Code != 400 || refusal(t, w).Code != "InvalidRequestContent" {
				t.Fatalf("%s with %d bytes: %d %s", method, n, w.Code, w.Body)
			}
		}
	}
	if after := s.state(); after != before {
		t.Errorf("half a body has made of\n%s\nthis:\n%s", before, after)
	}
}

// A body of 10 MB is refused by every operation, whether it says its length or
// not, and what would fit one request but not the store is refused as well.
func TestLargeBodies(t *testing.T) {
	s := newSite(t)
	large := `{"tags": {}, "properties": {"x": "` + strings.Repeat("y", 10<<20) + `"}}`
	before := s.state()
	for _, op := range takers() {
		for _, length := range []int64{int64(len(large)), -1} {
			r := httptest.NewRequest(op.method, op.path+someVersion, strings.NewReader(large))
			r.Header.Set("Authorization", "Bearer owner")
			r.ContentLength = length
			w := httptest.NewRecorder()
			s.h.ServeHTTP(w, r)
			if w.Code != 413 || refusal(t, w).Code != "RequestEntityTooLarge" {
				t.Errorf("%s %s, length %d: %d %s", op.method, op.path, length, w.Code, w.Body)
			}
		}
	}
	if after := s.state(); after != before {
		t.Errorf("large bodies have made of\n%s\nthis:\n%s", before, after)
	}
	refused := false
	for i := range 20 {
		w := s.ask("PATCH", accountPath, fmt.Sprintf(`{"properties": {"x%d": %q}}`, i, strings.Repeat("y", 100<<10)))
		refused = refused || w.Code == 413
		s.want(w, 200, 413)
	}
	if !refused {
		t.Error("an account grows without end")
	}
}

// JSON is read whatever the content type says of it; other encodings are refused.
func TestContentTypes(t *testing.T) {
	s := newSite(t)
	const body = `{"tags": {"ü": "ü"}}`
	for _, name := range []string{"", "application/json", "application/json; charset=utf-8", "application/merge-patch+json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "nonsense/;;"} {
		s.want(s.ask("PATCH", accountPath, body, "Content-Type", name), 200)
	}
	s.want(s.ask("PATCH", accountPath, "\xef\xbb\xbf"+body), 200)
	var zipped, wide bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte(body)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	for _, unit := range utf16.Encode([]rune(body)) {
		wide.Write([]byte{byte(unit), byte(unit >> 8)})
	}
	s.want(s.ask("PATCH", accountPath, zipped.String(), "Content-Encoding", "gzip"), 400)
	s.want(s.ask("PATCH", accountPath, wide.String(), "Content-Type", "application/json; charset=utf-16"), 400)
	s.want(s.ask("PATCH", accountPath, strings.ReplaceAll(body, "ü", "\xfc"), "Content-Type", "application/json; charset=latin-1"), 400)
}

// JSON that the product does not act on comes back as the bytes that were sent,
// also after a change of something else.
func TestOpaqueJSONComesBackAsItCame(t *testing.T) {
	s := newSite(t)
	for _, value := range []string{
		`1.0`, `1e400`, `-0`, `123456789012345678901234567890`, `"<&>\u003c\u0026\u2028"`, "\"\u2028<\"", `"\ud800"`, `"\/"`, `{"b":1,"a":{"<":[null,{}]}}`, `[]`, `false`, `""`,
	} {
		s.reset()
		s.want(s.ask("PUT", accountPath, `{"properties": {"opaque": `+value+`, "beside": {"same": `+value+`}}}`), 200)
		s.want(s.ask("PATCH", accountPath, `{"properties": {"other": 1, "beside": {"more": 1}}}`), 200)
		var shown struct {
			Properties struct {
				Opaque json.RawMessage
				Beside struct{ Same json.RawMessage }
			}
		}
		w := s.want(s.ask("GET", accountPath, ""), 200)
		if err := json.Unmarshal(w.Body.Bytes(), &shown); err != nil || string(shown.Properties.Opaque) != value || string(shown.Properties.Beside.Same) != value {
			t.Errorf("%s came back as %s and %s (%v)", value, shown.Properties.Opaque, shown.Properties.Beside.Same, err)
		}
	}
}

package gateway_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/twinkey/twinkey/internal/gateway"
)

// asked reads a request off the wire as the server does. The lines are the
// header's.
func asked(t testing.TB, query string, lines ...string) (*http.Request, error) {
	t.Helper()
	text := "GET /text/x?" + query + " HTTP/1.1\r\nHost: gateway\r\n"
	for _, line := range lines {
		text += line + "\r\n"
	}
	return http.ReadRequest(bufio.NewReader(strings.NewReader(text + "\r\n")))
}

const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJ4IjoxfQ.c2ln"

// Every place in which clients put a key is looked at; what is not a key is not
// taken for one; and keys that contradict each other are no key at all.
func TestCredentialsAreFoundWhereverTheyAre(t *testing.T) {
	type presented = gateway.Presented
	key := presented{Key: "k1"}
	conflict := presented{Key: "k1", Conflict: true}
	for _, c := range []struct {
		what, query string
		lines       []string
		want        presented
	}{
		{"nothing", "", nil, presented{}},
		{"header", "", []string{"Ocp-Apim-Subscription-Key: k1"}, key},
		{"header in lower case", "", []string{"ocp-apim-subscription-key:k1"}, key},
		{"header in upper case", "", []string{"OCP-APIM-SUBSCRIPTION-KEY: \t k1 "}, key},
		{"api-key", "", []string{"api-key: k1"}, key},
		{"API-Key", "", []string{"API-Key: k1"}, key},
		{"query", "subscription-key=k1", nil, key},
		{"query in another case", "a=b&Subscription-Key=k1&c", nil, key},
		{"query under the header's name", "ocp-apim-SUBSCRIPTION-key=k1", nil, key},
		{"query, encoded", "%73ubscription%2Dkey=%6B1", nil, key},
		{"query, encoded twice", "subscription%252Dkey=k1", nil, presented{}},
		{"query under another name", "api-key=k1&key=k1&subscription_key=k1&xsubscription-key=k1", nil, presented{}},
		{"query after a semicolon", "a=b;subscription-key=k1", nil, presented{}},
		{"bearer", "", []string{"Authorization: Bearer k1"}, key},
		{"bearer in another case", "", []string{"authorization: bEARER   k1"}, key},
		{"bearer that is a token", "", []string{"Authorization: Bearer " + jwt}, presented{Token: jwt}},
		{"bearer that nearly is a token", "", []string{"Authorization: Bearer " + jwt + "="}, presented{Key: jwt + "="}},
		{"bearer with two dots alone", "", []string{"Authorization: Bearer a.b.c"}, presented{Key: "a.b.c"}},
		{"another scheme", "", []string{"Authorization: Basic azE6azE=", "Authorization: k1"}, presented{}},
		{"token beside a key", "", []string{"Authorization: Bearer " + jwt, "api-key: k1"}, presented{Key: "k1", Token: jwt}},
		{"the same everywhere", "subscription-key=k1&Ocp-Apim-Subscription-Key=k1", []string{"Ocp-Apim-Subscription-Key: k1", "api-key: k1", "Authorization: Bearer k1", "api-key: k1"}, key},
		{"two headers", "", []string{"Ocp-Apim-Subscription-Key: k1", "api-key: k2"}, conflict},
		{"one header twice", "", []string{"api-key: k1", "api-key: k2"}, conflict},
		{"header and query", "subscription-key=k2", []string{"api-key: k1"}, conflict},
		{"query twice", "subscription-key=k1&subscription-key=k2", nil, conflict},
		{"header and bearer", "", []string{"api-key: k1", "Authorization: Bearer k2"}, conflict},
		{"keys that differ in case", "", []string{"api-key: K1", "Ocp-Apim-Subscription-Key: k1"}, conflict},
		{"empty ones", "subscription-key=&subscription-key&Ocp-Apim-Subscription-Key", []string{"Ocp-Apim-Subscription-Key:", "api-key: ", "Authorization: Bearer ", "Authorization:"}, presented{}},
		{"empty ones beside a key", "subscription-key=&&=&subscription-key=k1", []string{"api-key:"}, key},
		{"a value that cannot be decoded", "subscription-key=k%zz", nil, presented{Key: "k%zz"}},
		{"a value with an equals sign", "subscription-key=k1=", nil, presented{Key: "k1="}},
	} {
		r, err := asked(t, c.query, c.lines...)
		if err != nil {
			t.Fatal(c.what, err)
		}
		if got := gateway.Extract(r.Header, r.URL.RawQuery); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.what, got, c.want)
		}
	}
}

// What contradicts itself, or is longer than any key, opens nothing.
func TestKeysThatAreRefusedUnseen(t *testing.T) {
	s := newStage(t, http.HandlerFunc(ok), nil)
	long := strings.Repeat("k", 256)
	s.regenerate(2, long)
	s.expect(200, "a key of 256 bytes", "/text/x", "", keyName, long)
	s.regenerate(2, long+"k")
	s.expect(401, "a key of 257 bytes", "/text/x", "", keyName, long+"k")
	s.regenerate(2, stageKey2)
	s.expect(200, "the same key twice", "/text/x?subscription-key="+stageKey1, "", keyName, stageKey1)
	s.expect(401, "both keys of one account", "/text/x?subscription-key="+stageKey1, "", keyName, stageKey2)
	s.expect(401, "a key beside another that is none", "/text/x?subscription-key=none", "", keyName, stageKey1)
	s.expect(200, "a token beside a key", "/text/x", "", keyName, stageKey1, "Authorization", "Bearer "+jwt)
	s.expect(401, "a token alone", "/text/x", "", "Authorization", "Bearer "+jwt)
	s.expect(401, "nothing", "/text/x", "")
}

// Whatever is presented, nothing of it is found again after the call has been
// stripped, neither by the gateway nor by an upstream that reads queries its own
// way; and of a query every other byte stays, in its place.
func FuzzNothingPassesOn(f *testing.F) {
	f.Add("Ocp-Apim-Subscription-Key: k1", "subscription-key=k1&a=%zz")
	f.Add("aPI-kEY: x", "%73ubscription%2Dkey=k&;=;&&")
	f.Add("Authorization: Bearer "+jwt, "Ocp-Apim-SUBSCRIPTION-Key&x=y")
	f.Add("authorization: bearer\tk", "a=b;subscription-key=k")
	f.Add("X: y", "ſubscription-%4bey=1&subscription-key%zz=2&+subscription-key=3")
	f.Fuzz(func(t *testing.T, line, query string) {
		r, err := asked(t, query, line)
		if err != nil {
			return // the server would have refused it
		}
		query = r.URL.RawQuery
		before := gateway.Extract(r.Header, query)
		gateway.StripHeaders(r.Header, false)
		stripped := gateway.StripQuery(query)
		if left := gateway.Extract(r.Header, stripped); left != (gateway.Presented{}) {
			t.Errorf("of %+v %+v is left in %v and %q", before, left, r.Header, stripped)
		}
		if gateway.StripQuery(stripped) != stripped {
			t.Errorf("%q is stripped to %q, and then to %q", query, stripped, gateway.StripQuery(stripped))
		}
		values, _ := url.ParseQuery(stripped)
		for name := range values {
			if isKeyName(name) {
				t.Errorf("%q is stripped to %q, in which there is %q", query, stripped, name)
			}
		}
		var kept []string
		for part := range strings.SplitSeq(query, "&") {
			name, _, _ := strings.Cut(part, "=")
			if decoded, err := url.QueryUnescape(name); err == nil {
				name = decoded
			}
			if !isKeyName(name) {
				kept = append(kept, part)
			}
		}
		if want := strings.Join(kept, "&"); stripped != want {
			t.Errorf("%q is stripped to %q, want %q", query, stripped, want)
		}
	})
}

func isKeyName(name string) bool {
	return strings.EqualFold(name, "subscription-key") || strings.EqualFold(name, "ocp-apim-subscription-key")
}

// What only a proxy in front may say is dropped with the credentials, unless a
// trusted one says it; what is the caller's own stays.
func TestHeadersThatStay(t *testing.T) {
	for _, fromProxy := range []bool{false, true} {
		r, err := asked(t, "", "X-Forwarded-For: 1.2.3.4", "x-forwarded-anything: x", "Forwarded: for=1.2.3.4", "X-Twinkey-Revision: 9", "x-twinkey-account: x",
			"X-Forward: y", "Accept: a", "Accept: b", "X-Api-Key: mine", "Cookie: c=d", "api-key: k")
		if err != nil {
			t.Fatal(err)
		}
		gateway.StripHeaders(r.Header, fromProxy)
		var left []string
		for name, values := range r.Header {
			left = append(left, fmt.Sprint(name, values))
		}
		slices.Sort(left)
		want := []string{"Accept[a b]", "Cookie[c=d]", "X-Api-Key[mine]", "X-Forward[y]"}
		if fromProxy {
			want = append(want, "Forwarded[for=1.2.3.4]", "X-Forwarded-Anything[x]", "X-Forwarded-For[1.2.3.4]")
			slices.Sort(want)
		}
		if !slices.Equal(left, want) {
			t.Errorf("from a proxy: %v: left are %v", fromProxy, left)
		}
	}
}

package gateway_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/twinkey/twinkey"
)

// A path or query means to the service what the client meant by it: the bytes
// arrive as they were sent, but for slashes at the front and the key.
func TestPathAndQueryArriveAsTheyWereSent(t *testing.T) {
	s, upstream := rawStage(t, plainAnswer)
	for sent, want := range map[string]string{
		"/text/x":                           "/text/x",
		"//text/x":                          "/text/x",
		"/text/a%2Fb%2f":                    "/text/a%2Fb%2f",
		"/text//x///":                       "/text//x///",
		"/text/%41%7e~%e4%bd%a0":            "/text/%41%7e~%e4%bd%a0",
		"/text/\xe4\xbd\xa0":                "/text/\xe4\xbd\xa0",
		"/text/a;b=c,d:e@f!$&'()*+=[]|^`{}": "/text/a;b=c,d:e@f!$&'()*+=[]|^`{}",
		"/text/x?":                          "/text/x?",
		"/text/x??":                         "/text/x??",
		"/text/x?a=%20+&b=;c&&=&d%zz=\"<>":  "/text/x?a=%20+&b=;c&&=&d%zz=\"<>",
		"/text/x?a=../..%2f&b=/text/..":     "/text/x?a=../..%2f&b=/text/..",
		"/text/x?\xff\xc0=\xe4":             "/text/x?\xff\xc0=\xe4",
		"/text/x?a=b#c":                     "/text/x?a=b#c",
		"http://gateway/text/x%2f?a=b":      "/text/x%2f?a=b",
		"/text/x?subscription-key=KEY":      "/text/x",
		"/text/x?a=1&subscription-key=KEY":  "/text/x?a=1",
		"/text/x?subscription-key=KEY&a=1&": "/text/x?a=1&",
		"/text/x?a=%31&Subscription%2DKey=KEY&&OCP-apim-subscription-key=KEY&b": "/text/x?a=%31&&b",
	} {
		sent = strings.ReplaceAll(sent, "KEY", stageKey1)
		w := s.raw(head(http.MethodGet, sent, "Connection: close"))
		if r, body := w.answer(t, http.MethodGet); r.StatusCode != http.StatusOK {
			t.Errorf("%q: %d %s", sent, r.StatusCode, body)
			continue
		}
		line, _, _ := strings.Cut(<-upstream.got, "\r\n")
		if line != "GET "+want+" HTTP/1.1" {
			t.Errorf("%q arrives as %q", sent, line)
		}
	}
}

// A service must never see a key of its users: not in a header, a query or a
// trailer, in no spelling; nor may a caller speak for the gateway or a proxy.
func TestNoCredentialArrives(t *testing.T) {
	s, upstream := rawStage(t, plainAnswer)
	key := strings.ToLower(rand.Text()) + "/+="
	s.regenerate(twinkey.Key1, key)
	basic := base64.StdEncoding.EncodeToString([]byte("user:" + key))
	forms := []string{key, key[:16], url.QueryEscape(key), strings.ToUpper(key[:16]), basic[8:24], base64.StdEncoding.EncodeToString([]byte(key))[:16]}
	arrives := func(method, target string, lines ...string) string {
		t.Helper()
		w := s.raw(method + " " + target + " HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n" + strings.Join(lines, "\r\n"))
		if r, body := w.answer(t, method); r.StatusCode != http.StatusOK {
			t.Fatalf("%s %v: %d %s", target, lines, r.StatusCode, body)
		}
		return <-upstream.got
	}
	shows := func(text string) bool {
		for _, f := range forms {
			if strings.Contains(text, f) {
				return true
			}
		}
		return false
	}
	for _, planted := range []string{key, url.QueryEscape(key), basic} {
		if !shows(arrives("GET", "/text/x", "api-key: "+key, "X-Planted: "+planted, "", "")) {
			t.Fatalf("%q is not seen at the upstream; the test is blind", planted)
		}
	}
	for _, c := range [][]string{
		{"GET", "/text/x", "Ocp-Apim-Subscription-Key: " + key, "", ""},
		{"GET", "/text/x", "oCP-aPIM-sUBSCRIPTION-kEY: " + key, "OCP-APIM-SUBSCRIPTION-KEY: " + key, "", ""},
		{"GET", "/text/x", "api-key: " + key, "Api-Key: " + key, "", ""},
		{"GET", "/text/x", "Authorization: Bearer " + key, "authorization: Basic " + basic, "", ""},
		{"GET", "/text/x?subscription-key=" + url.QueryEscape(key), "", ""},
		{"GET", "/text/x?a&%53ubscription%2dkey=" + url.QueryEscape(key) + "&b", "", ""},
		{"GET", "/text/x", "api-key: " + key, "X-Twinkey-Account: " + key, "x-twinkey-anything: " + key, "", ""},
		{"GET", "/text/x", "api-key: " + key, "Proxy-Authorization: Basic " + basic, "", ""},
		{"GET", "/text/x", "api-key: " + key, "X-Forwarded-For: " + key, "X-Forwarded-Host: " + key, "x-forwarded-user: " + key, "Forwarded: for=" + key, "", ""},
		{"GET", "/text/x", "api-key: " + key, "Connection: X-Mine", "X-Mine: " + key, "", ""},
		{"POST", "/text/x", "api-key: " + key, "Transfer-Encoding: chunked", "Trailer: Api-Key, Authorization", "", "2\r\nhi\r\n0\r\nApi-Key: " + key, "Authorization: Bearer " + key, "", ""},
		{"POST", "/text/x", "api-key: " + key, "Transfer-Encoding: chunked", "", "2\r\nhi\r\n0\r\nOcp-Apim-Subscription-Key: " + key, "", ""},
		{"GET", "/text/x", "api-key: " + key, "Connection: Upgrade", "Upgrade: websocket", "Authorization: Bearer " + key, "", ""},
	} {
		if got := arrives(c[0], c[1], c[2:]...); shows(got) {
			t.Errorf("of %q arrives:\n%s", c, got)
		}
	}
}

// What is said between two hops ends at the hop, both ways, and what proxies say
// is the gateway's own.
func TestHopByHopHeadersEndAtTheGateway(t *testing.T) {
	s, upstream := rawStage(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: X-Up\r\nX-Up: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nX-Stays: 1\r\n\r\nok")
	w := s.raw(head(http.MethodGet, "/text/x", "Connection: close, X-Down", "X-Down: 1", "Keep-Alive: 1", "TE: gzip", "Proxy-Connection: keep-alive", "Upgrade: h2c",
		"X-Stays: 1", "User-Agent: ua", "Accept-Encoding: br", "X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9", "X-Forwarded-Proto: https"))
	answer, _ := w.answer(t, http.MethodGet)
	lines := strings.Split(strings.TrimSpace(<-upstream.got), "\r\n")
	want := map[string]bool{"X-Stays: 1": true, "User-Agent: ua": true, "Accept-Encoding: br": true, "X-Forwarded-For: 127.0.0.1": true, "X-Forwarded-Host: gateway": true, "X-Forwarded-Proto: http": true,
		"Host: " + strings.TrimPrefix(upstream.url, "http://"): true}
	for _, line := range lines[1:] {
		if !want[line] {
			t.Errorf("the upstream is told %q", line)
		}
		delete(want, line)
	}
	if len(want) > 0 {
		t.Errorf("the upstream is not told %v", want)
	}
	for _, name := range []string{"X-Up", "Keep-Alive", "Proxy-Authenticate"} {
		if answer.Header.Get(name) != "" {
			t.Errorf("the client is told %s: %s", name, answer.Header.Get(name))
		}
	}
	if answer.Header.Get("X-Stays") != "1" {
		t.Error("the client is not told X-Stays")
	}
}

// The gateway adds no client of its own to what a service sees.
func TestNoUserAgentIsMadeUp(t *testing.T) {
	s, upstream := rawStage(t, plainAnswer)
	s.raw(head(http.MethodGet, "/text/x", "Connection: close")).answer(t, http.MethodGet)
	if got := strings.ToLower(<-upstream.got); strings.Contains(got, "user-agent") || strings.Contains(got, "accept-encoding") {
		t.Errorf("the upstream is told:\n%s", got)
	}
}

// A service that is not there, or goes away without an answer, is a 502 in
// Azure's form; one that goes away in the midst of its answer is a broken
// answer, not a short one.
func TestUpstreamThatFails(t *testing.T) {
	const down = `{"error":{"code":"502","message":"The service behind this endpoint cannot be reached. Try again later."}}`
	for what, answer := range map[string]string{"no answer": "", "half an answer's head": "HTTP/1.1 200 OK\r\nContent-Le", "no HTTP": "SSH-2.0-x\r\n"} {
		s, _ := rawStage(t, answer)
		w := s.raw(head(http.MethodPost, "/text/x", "Content-Length: 2") + "hi")
		if r, body := w.answer(t, http.MethodPost); r.StatusCode != http.StatusBadGateway || body != down || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", what, r.StatusCode, body)
		}
	}
	for what, answer := range map[string]string{"half a body": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "half of the chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"} {
		s, _ := rawStage(t, answer)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/text/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(keyName, stageKey1)
		got, err := s.server.Client().Do(r)
		if err != nil {
			continue // cut before the head was through: no answer at all
		}
		var body bytes.Buffer
		if _, err := body.ReadFrom(got.Body); err == nil {
			t.Errorf("%s: the answer ends as if it were whole: %d %q", what, got.StatusCode, body.String())
		}
		got.Body.Close()
	}
}

// An answer's status, header and body pass as they are, also when they are
// unusual.
func TestAnswersPassAsTheyAre(t *testing.T) {
	for _, status := range []int{200, 201, 202, 204, 206, 304, 400, 401, 403, 404, 418, 429, 500, 503, 599} {
		body := "body"
		if status == 204 || status == 304 {
			body = ""
		}
		length := ""
		if body != "" {
			length = "Content-Length: 4\r\n"
		}
		s, _ := rawStage(t, fmt.Sprintf("HTTP/1.1 %d Whatever\r\n%sConnection: close\r\nWWW-Authenticate: Bearer\r\nX-Ms-Region: a\r\nX-Ms-Region: b\r\nContent-Type: x/y\r\n\r\n%s", status, length, body))
		r, got := s.raw(head(http.MethodGet, "/text/x", "Connection: close")).answer(t, http.MethodGet)
		if r.StatusCode != status || got != body || len(r.Header["X-Ms-Region"]) != 2 || r.Header.Get("Www-Authenticate") != "Bearer" || status != 304 && r.Header.Get("Content-Type") != "x/y" {
			t.Errorf("%d: %d %q %v", status, r.StatusCode, got, r.Header)
		}
	}
}

package gateway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// A client that follows what an answer points at comes back to the gateway, by
// the route it came, however the service writes its own address; what does not
// name the service's host or begin with a slash is the client's to resolve.
func TestLinksInAnswersLeadBackThroughTheRoute(t *testing.T) {
	pointers := []string{"Location", "Operation-Location", "Azure-AsyncOperation", "Content-Location"}
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range pointers {
			w.Header().Set(name, strings.ReplaceAll(r.URL.Query().Get("to"), "UP", r.Host))
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(up.Close)
	s := routed(t, fmt.Sprintf("{path: '/text/{model}/', rewrite: /v1/, upstream: '%s/base'}, {path: /, upstream: '%[1]s/base'}", up.URL))
	const at = "https://api.example.test:8444"
	for _, c := range []struct{ location, plain, rewritten string }{
		{"http://UP/base/v1/jobs/7?x=1", at + "/v1/jobs/7?x=1", at + "/text/gpt/jobs/7?x=1"},
		{"HTTPS://UP/base/v1/jobs/7#part", at + "/v1/jobs/7#part", at + "/text/gpt/jobs/7#part"},
		{"//UP/base/v1/jobs/7", at + "/v1/jobs/7", at + "/text/gpt/jobs/7"},
		{"/base/v1/jobs/7", "/v1/jobs/7", "/text/gpt/jobs/7"},
		{"/base/v1/a%2Fb%20c?x=%2F#y%20z", "/v1/a%2Fb%20c?x=%2F#y%20z", "/text/gpt/a%2Fb%20c?x=%2F#y%20z"},
		{"/base/v1/", "/v1/", "/text/gpt/"},
		{"/elsewhere", "/elsewhere", "/elsewhere"},
		{"/basement/x", "/basement/x", "/basement/x"},
		{"http://UP/basement/x", at + "/basement/x", at + "/basement/x"},
		{"/base//evil.example/x", "/evil.example/x", "/evil.example/x"},
		{"http://UP", at, at},
		{"jobs/7", "jobs/7", "jobs/7"},
		{"../jobs/7", "../jobs/7", "../jobs/7"},
		{"?x=1", "?x=1", "?x=1"},
		{"//elsewhere.example/base/v1/x", "//elsewhere.example/base/v1/x", "//elsewhere.example/base/v1/x"},
		{"///base/v1/x", "///base/v1/x", "///base/v1/x"},
		{"ftp://UP/base/v1/x", "ftp://UP/base/v1/x", "ftp://UP/base/v1/x"},
		{"mailto:a@b.example", "mailto:a@b.example", "mailto:a@b.example"},
		{"/base/%zz", "/base/%zz", "/base/%zz"},
	} {
		for path, want := range map[string]string{"/text/gpt/x": c.rewritten, "/plain/x": c.plain} {
			_, _, header := s.call(path+"?to="+url.QueryEscape(c.location), "", keyName, stageKey1)
			for _, name := range pointers {
				if got := strings.ReplaceAll(header.Get(name), strings.TrimPrefix(up.URL, "http://"), "UP"); got != want {
					t.Errorf("%s: %s %s is %q, want %q", path, name, c.location, got, want)
				}
			}
		}
	}
}

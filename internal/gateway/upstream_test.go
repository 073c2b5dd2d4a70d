package gateway_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/twinkey/twinkey/internal/catalog"
	"github.com/twinkey/twinkey/internal/gateway"
)

// routed is a stage whose route is written by the test.
func routed(t *testing.T, route string) *stage {
	t.Helper()
	services, err := catalog.Parse("services.yaml", []byte("services: [{kind: TextAnalytics, skus: [{name: S}], routes: ["+route+"]}]"))
	if err != nil {
		t.Fatal(err)
	}
	return newStage(t, http.NotFoundHandler(), func(c *gateway.Config) {
		c.Catalog, c.Log = func() *catalog.Catalog { return services }, slog.New(slog.DiscardHandler)
	})
}

// With several upstreams each gets its turn, and one that cannot be reached
// costs no call: the call goes to another, body and all.
func TestUpstreamThatIsGoneCostsNoCall(t *testing.T) {
	counts := map[string]int{}
	answer := func(name string) *httptest.Server {
		up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s", name, body)
		}))
		t.Cleanup(up.Close)
		return up
	}
	one, two := answer("one"), answer("two")
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	s := routed(t, fmt.Sprintf("{path: /text/, upstreams: ['%s', 'http://%s', '%s']}", one.URL, gone.Addr(), two.URL))
	for i := range 30 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+"/text/x", strings.NewReader(fmt.Sprint("body ", i)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(keyName, stageKey1)
		got, err := s.server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(got.Body)
		got.Body.Close()
		name, rest, _ := strings.Cut(string(body), " ")
		if got.StatusCode != 200 || rest != fmt.Sprint("body ", i) {
			t.Fatalf("call %d: %d %q", i, got.StatusCode, body)
		}
		counts[name]++
	}
	if counts["one"] < 8 || counts["two"] < 8 {
		t.Errorf("the upstreams got %v of 30 calls", counts)
	}
}

// An upstream that does not begin to answer in the route's time is given up on,
// in the form clients know; one that has begun may take as long as it likes.
func TestRouteTimeEndsWhenTheAnswerBegins(t *testing.T) {
	release := make(chan struct{})
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/begins") {
			w.WriteHeader(200)
			_ = http.NewResponseController(w).Flush()
			<-release
			fmt.Fprint(w, "late")
			return
		}
		<-r.Context().Done()
	}))
	t.Cleanup(up.Close)
	s := routed(t, "{path: /text/, upstream: '"+up.URL+"', timeout: 100ms}")
	if body := s.expect(504, "an upstream that says nothing", "/text/silent", "", keyName, stageKey1); !strings.Contains(body, `"code":"504"`) {
		t.Error(body)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/text/begins", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(keyName, stageKey1)
	got, err := s.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	s.expect(504, "meanwhile, longer than the route's time", "/text/silent", "", keyName, stageKey1)
	close(release)
	if body, err := io.ReadAll(got.Body); err != nil || string(body) != "late" {
		t.Errorf("the answer that had begun: %q, %v", body, err)
	}
}

// Pages of other origins may call where the route says so, and nowhere else.
func TestPreflightsWhereTheRouteAllowsThem(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		fmt.Fprint(w, "ok")
	}))
	t.Cleanup(up.Close)
	s := routed(t, fmt.Sprintf("{path: /text/, upstream: '%s', cors: {origins: ['https://app.example'], maxAge: 10m}}, {path: /closed/, upstream: '%s'}", up.URL, up.URL))
	ask := func(path, origin string) (int, http.Header) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, s.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Headers", "ocp-apim-subscription-key")
		got, err := s.server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
		return got.StatusCode, got.Header
	}
	status, header := ask("/text/x", "https://app.example")
	if status != 204 || header.Get("Access-Control-Allow-Origin") != "https://app.example" || header.Get("Access-Control-Allow-Headers") != "ocp-apim-subscription-key" || header.Get("Access-Control-Max-Age") != "600" {
		t.Errorf("an allowed preflight: %d %v", status, header)
	}
	for _, refused := range [][2]string{{"/text/x", "https://other.example"}, {"/closed/x", "https://app.example"}, {"/text/../closed/x", "https://app.example"}} {
		if status, header := ask(refused[0], refused[1]); status < 400 || header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("a preflight for %s from %s: %d %v", refused[0], refused[1], status, header)
		}
	}
	if _, _, header := s.call("/text/x", "", keyName, stageKey1, "Origin", "https://app.example"); header.Get("Access-Control-Allow-Origin") != "https://app.example" {
		t.Errorf("an answer to an allowed origin: %v", header)
	}
	if _, _, header := s.call("/text/x", "", keyName, stageKey1, "Origin", "https://other.example"); header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("an answer to another origin: %v", header)
	}
}

package armclient_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"
)

// seen is what a server noticed of one request.
type seen struct {
	method, path, query, body string
	header                    http.Header
}

// server answers each request with the next of its answers, the last one for
// ever, and remembers what it was asked.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests []seen
	answers  []http.HandlerFunc
}

func newServer(t *testing.T, answers ...http.HandlerFunc) *server {
	t.Helper()
	s := &server{answers: answers}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	answer := s.answers[min(len(s.requests), len(s.answers)-1)]
	s.requests = append(s.requests, seen{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, string(body), r.Header.Clone()})
	s.mu.Unlock()
	answer(w, r)
}

func (s *server) all() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// pauses records how long a client would have waited, and moves its clock.
type pauses struct {
	mu   sync.Mutex
	now  time.Time
	list []time.Duration
}

func (p *pauses) time() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now.IsZero() {
		p.now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	}
	return p.now
}

func (p *pauses) wait(ctx context.Context, d time.Duration) error {
	now := p.time()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, d)
	p.now = now.Add(d)
	return ctx.Err()
}

func newClient(t *testing.T, url string, change func(*armclient.Config)) (*armclient.Client, *pauses) {
	t.Helper()
	p := &pauses{}
	cfg := armclient.Config{Endpoint: url, Version: "1.2.3", Now: p.time, Wait: p.wait}
	if change != nil {
		change(&cfg)
	}
	c, err := armclient.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c, p
}

// answer replies with a status, a body, and headers given as name, value, ...
func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// lost does what it was asked, for all the client knows, and never answers.
func lost(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }

var (
	token      = twinkey.NewSecret("header.payload/+=.signature")
	get        = armclient.Request{Method: http.MethodGet, Path: []string{"subscriptions"}, APIVersion: "2022-12-01"}
	regenerate = armclient.Request{
		Method: http.MethodPost, Path: []string{"subscriptions", "s", "resourceGroups", "g", "providers", twinkey.Provider, "accounts", "a", "regenerateKey"},
		APIVersion: "2025-06-01", Body: map[string]any{"keyName": "Key1"}, Command: "cognitiveservices account keys regenerate", Repeatable: true,
	}
)

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/twinkey/twinkey/examples/textanalytics"
	"github.com/twinkey/twinkey/internal/testenv"
)

// doorman stands where the gateway should be and may lie: about a call with the
// n-th different key he has seen (counted from 0; "no key" is one), when it is
// the call-th with that key (from 1).
type doorman struct {
	truth http.Handler
	text  http.Handler
	lie   func(key, call int) int // the status to answer; 0: the truth

	mu    sync.Mutex
	keys  []string
	calls map[string]int
}

// ServeHTTP implements http.Handler.
func (d *doorman) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Ocp-Apim-Subscription-Key")
	d.mu.Lock()
	if !slices.Contains(d.keys, key) {
		d.keys = append(d.keys, key)
	}
	d.calls[key]++
	status := d.lie(slices.Index(d.keys, key), d.calls[key])
	d.mu.Unlock()
	switch status {
	case 0:
		d.truth.ServeHTTP(w, r)
	case http.StatusOK:
		d.text.ServeHTTP(w, r)
	default:
		http.Error(w, `{"error":{"code":"0","message":"a lie"}}`, status)
	}
}

// The keys a tour shows, in its order.
const (
	noKey = iota
	wrongKey
	firstKey
	secondKey
	newKey
)

// If this fails, the tour says "ok" although it is not so: to a gateway that
// lets in whom it should not, that keeps accepting a key that has been
// regenerated, or that stops a client whose key was not touched.
func TestTourNoticesLies(t *testing.T) {
	e := testenv.Start(t, testenv.Options{})
	for _, tt := range []struct {
		name string
		lie  func(key, call int) int
		want string // in the error; "" for none
	}{
		{"the truth", func(int, int) int { return 0 }, ""},
		{"an open door", func(int, int) int { return 200 }, `step 3 of 4, "The service behind its keys", went wrong: a call with no key was answered 200 instead of 401`},
		{"any key opens", only(wrongKey, 1, 200), `step 3 of 4, "The service behind its keys", went wrong: a call with a wrong key was answered 200 instead of 401`},
		{"key 2 does not open", only(secondKey, 1, 401), `step 3 of 4, "The service behind its keys", went wrong: a call with key 2 was answered 401 instead of 200`},
		{"the old key lives on", func(key, _ int) int { return map[int]int{firstKey: 200}[key] }, `step 4 of 4, "Key 1 regenerated while it is used", went wrong: 500 of 500 calls with the old key 1 that were sent after the answer came were accepted`},
		{"the old key comes back once", only(firstKey, callsBefore+callsAfter-50, 200), `calls with the old key 1 that were sent after the answer came were accepted`},
		{"key 2 stumbles", only(secondKey, callsBefore+callsAfter-50, 401), `step 4 of 4, "Key 1 regenerated while it is used", went wrong: a call with key 2 was answered 401`},
		{"the new key comes late", only(newKey, 1, 401), `step 4 of 4, "Key 1 regenerated while it is used", went wrong: the first call with the new key 1 was answered 401`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at := e.Endpoints
			at.Gateway = serveDoorman(t, e, tt.lie)
			var out bytes.Buffer
			tour, err := newTour(e.Upstream, at, newPrinter(&out, false))
			if err != nil {
				t.Fatal(err)
			}
			err = tour.run(t.Context())
			if (err == nil) != (tt.want == "") || !strings.Contains(fmt.Sprint(err), tt.want) {
				t.Errorf("the tour ended with %v\nwant %s\n%s", err, tt.want, out.String())
			}
		})
	}
}

// If this fails, a service that does not answer as it should passes.
func TestTourNoticesABrokenService(t *testing.T) {
	e := testenv.Start(t, testenv.Options{})
	for answer, want := range map[string]string{
		`{"documents":[]}`:            `step 1 of 4, "A service without security", went wrong: 4 texts were sent and 0 answered`,
		`{"documents":[{},{},{},{}]}`: `step 1 of 4, "A service without security", went wrong: a text in English was taken for ""`,
		`nonsense`:                    `step 1 of 4, "A service without security", went wrong: reading the answer: `,
	} {
		service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
		defer service.Close()
		tour, err := newTour(service.URL, e.Endpoints, newPrinter(io.Discard, false))
		if err != nil {
			t.Fatal(err)
		}
		if err := tour.run(t.Context()); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("the tour ended with %v, want %s", err, want)
		}
	}
}

func only(key, call, status int) func(int, int) int {
	return func(k, c int) int {
		if k == key && c == call {
			return status
		}
		return 0
	}
}

// serveDoorman puts a doorman in front of a server's gateway.
func serveDoorman(t *testing.T, e *testenv.Env, lie func(key, call int) int) string {
	t.Helper()
	gateway, err := url.Parse(e.Endpoints.Gateway)
	if err != nil {
		t.Fatal(err)
	}
	truth := httputil.NewSingleHostReverseProxy(gateway)
	truth.Transport = e.Client(t).Transport
	server := httptest.NewServer(&doorman{truth: truth, text: textanalytics.Handler(), lie: lie, calls: map[string]int{}})
	t.Cleanup(server.Close)
	return server.URL
}

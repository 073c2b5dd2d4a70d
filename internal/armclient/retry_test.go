package armclient_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinkey/twinkey/internal/armclient"
)

// If this fails, a regenerate whose answer is lost either fails or makes two
// keys: the server knows a repetition by its client request id alone.
func TestRegenerateIsRepeatedUnderOneRequestID(t *testing.T) {
	s := newServer(t, lost, answer(500, ""), answer(503, ""), answer(200, `{"key1":"n","key2":"o"}`, "x-twinkey-repeated", "true"))
	c, p := newClient(t, s.URL, nil)
	resp, err := c.Do(t.Context(), token, regenerate)
	if err != nil {
		t.Fatal(err)
	}
	if !resp.Repeated || resp.Elapsed != 700*time.Millisecond {
		t.Errorf("repeated %t, took %s", resp.Repeated, resp.Elapsed)
	}
	all := s.all()
	if len(all) != 4 || len(p.list) != 3 {
		t.Fatalf("%d attempts, %d pauses", len(all), len(p.list))
	}
	for _, r := range all[1:] {
		if r.header.Get("x-ms-client-request-id") != all[0].header.Get("x-ms-client-request-id") || r.body != all[0].body {
			t.Error("an attempt differs from the first")
		}
	}
}

// If this fails, calls are done twice that must not be, or given up that need
// not be.
func TestWhatIsRepeated(t *testing.T) {
	for _, tt := range []struct {
		name       string
		method     string
		repeatable bool
		first      http.HandlerFunc
		attempts   int
	}{
		{"get after 500", http.MethodGet, false, answer(500, ""), 2},
		{"get after a lost answer", http.MethodGet, false, lost, 2},
		{"put after 502", http.MethodPut, false, answer(502, ""), 2},
		{"delete after 504", http.MethodDelete, false, answer(504, ""), 2},
		{"get after 404", http.MethodGet, false, answer(404, ""), 1},
		{"get after 401", http.MethodGet, false, answer(401, ""), 1},
		{"get after 501", http.MethodGet, false, answer(501, ""), 1},
		{"post after 500", http.MethodPost, false, answer(500, ""), 1},
		{"post after a lost answer", http.MethodPost, false, lost, 1},
		{"patch after 500", http.MethodPatch, false, answer(500, ""), 1},
		{"post after 503", http.MethodPost, false, answer(503, ""), 2},
		{"patch after 429", http.MethodPatch, false, answer(429, ""), 2},
		{"repeatable post after 500", http.MethodPost, true, answer(500, ""), 2},
		{"repeatable post after 409", http.MethodPost, true, answer(409, ""), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, tt.first, answer(200, `{}`))
			c, _ := newClient(t, s.URL, nil)
			r := get
			r.Method, r.Repeatable = tt.method, tt.repeatable
			_, err := c.Do(t.Context(), token, r)
			if len(s.all()) != tt.attempts || (err == nil) != (tt.attempts == 2) {
				t.Errorf("%d attempts, %v", len(s.all()), err)
			}
		})
	}
}

// If this fails, a client keeps asking a broken server, or asks again after the
// server has forgotten what it did.
func TestRepetitionIsBounded(t *testing.T) {
	s := newServer(t, answer(503, `{"error":{"code":"Busy","message":"later"}}`))
	c, p := newClient(t, s.URL, nil)
	_, err := c.Do(t.Context(), token, get)
	if refused, ok := errors.AsType[*armclient.ResponseError](err); !ok || refused.Code != "Busy" || len(s.all()) != 4 {
		t.Errorf("%d attempts, %v", len(s.all()), err)
	}
	if len(p.list) != 3 || p.list[0] != 100*time.Millisecond || p.list[2] != 400*time.Millisecond {
		t.Errorf("waited %v", p.list)
	}

	slow := newServer(t, answer(429, "", "Retry-After", "9"))
	c, p = newClient(t, slow.URL, nil)
	if _, err := c.Do(t.Context(), token, regenerate); err == nil || len(p.list) != 2 || p.list[0] != 9*time.Second {
		t.Errorf("waited %v, %v", p.list, err)
	}

	slower := newServer(t, answer(429, "", "Retry-After", "60"))
	c, p = newClient(t, slower.URL, nil)
	if _, err := c.Do(t.Context(), token, regenerate); err == nil || len(p.list) != 0 {
		t.Errorf("waited %v, %v", p.list, err)
	}
}

// If this fails, a server that restarts fails calls that never reached it, or a
// call to no server at all takes long.
func TestConnectionRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + l.Addr().String()
	l.Close()
	c, p := newClient(t, address, nil)
	r := get
	r.Method = http.MethodPost
	_, err = c.Do(t.Context(), token, r)
	if err == nil || len(p.list) != 3 {
		t.Fatalf("waited %v, %v", p.list, err)
	}
	if want := "connecting to " + address + ": "; !strings.HasPrefix(err.Error(), want) || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want %s...", err, want)
	}
}

// If this fails, Ctrl-C does not stop a waiting command.
func TestCancelStopsAtOnce(t *testing.T) {
	arrived := make(chan struct{})
	s := newServer(t, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	})
	c, _ := newClient(t, s.URL, nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if _, err := c.Do(ctx, token, get); !errors.Is(err, context.Canceled) || len(s.all()) != 1 {
		t.Errorf("%d attempts, %v", len(s.all()), err)
	}
}

// If this fails, --debug shows nothing of a retried call.
func TestTraceTellsOfEveryAttempt(t *testing.T) {
	s := newServer(t, lost, answer(503, "", "x-ms-request-id", "r2"), answer(200, `{}`))
	var told []armclient.Exchange
	c, _ := newClient(t, s.URL, func(cfg *armclient.Config) { cfg.Trace = func(x armclient.Exchange) { told = append(told, x) } })
	if _, err := c.Do(t.Context(), token, get); err != nil {
		t.Fatal(err)
	}
	if len(told) != 3 || told[0].Err == nil || told[0].Status != 0 || told[1].Status != 503 || told[1].RequestID != "r2" || told[2].Attempt != 3 {
		t.Errorf("told %+v", told)
	}
	if told[0].ClientRequestID == "" || told[0].ClientRequestID != told[2].ClientRequestID || told[2].URL != s.URL+"/subscriptions?api-version=2022-12-01" {
		t.Errorf("told %+v", told)
	}
}

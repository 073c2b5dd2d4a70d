package web_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/twinkey/twinkey/internal/web"
)

// A quiet surface is called by strangers as often as they like: they must not
// be able to fill the disk with log lines. A panic is still said, without what
// it was about.
func TestQuietSurfaceLogsNoRequests(t *testing.T) {
	for level, want := range map[slog.Level]int{slog.LevelInfo: 0, slog.LevelDebug: 3} {
		var log bytes.Buffer
		server := web.NewServer(web.Config{Name: "gateway", Quiet: true,
			Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level})),
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/panic" {
					panic("not to be shown")
				}
				w.WriteHeader(http.StatusBadGateway)
			})})
		for range 3 {
			server.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/x", nil))
		}
		if got := strings.Count(log.String(), "msg=request"); got != want {
			t.Errorf("at level %v there are %d lines of requests, want %d", level, got, want)
		}
		func() {
			defer func() { _ = recover() }()
			server.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/panic", nil))
		}()
		if !strings.Contains(log.String(), "msg=panic") || strings.Contains(log.String(), "not to be shown") {
			t.Errorf("after a panic the log says: %s", log.String())
		}
	}
}

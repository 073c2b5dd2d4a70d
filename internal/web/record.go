package web

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/twinkey/twinkey"
)

// Record gathers what the log line of one request says. A surface fills in the
// exported fields; it belongs to the goroutine that answers the request.
type Record struct {
	Caller string // who asked, once that is known
	Code   string // the surface's own code of the refusal

	facts   twinkey.Caller
	err     error
	started bool // the answer has begun
	cut     bool // and was not finished, by no fault of the client
	quiet   bool // to be logged at level debug
	status  int
	bytes   int64
}

// recordKey finds the record of a request in its context.
type recordKey struct{}

// Note returns the record of r. For a request that did not come through a
// Server it is one that nobody reads.
func Note(r *http.Request) *Record {
	if rec, ok := r.Context().Value(recordKey{}).(*Record); ok {
		return rec
	}
	return &Record{}
}

// withRecord starts the record of r.
func withRecord(r *http.Request) (*http.Request, *Record) {
	rec := &Record{facts: facts(r)}
	return r.WithContext(context.WithValue(r.Context(), recordKey{}, rec)), rec
}

// write logs the request in one line: never its query, headers or body.
func (rec *Record) write(log *slog.Logger, surface string, r *http.Request, took time.Duration) {
	level := slog.LevelInfo
	if rec.quiet {
		level = slog.LevelDebug
	}
	if (rec.status >= http.StatusInternalServerError || rec.cut) && !rec.quiet {
		level = slog.LevelError
	}
	if !log.Enabled(r.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("surface", surface),
		slog.String("method", twinkey.Printable(r.Method, 20)),
		slog.String("path", twinkey.Printable(r.URL.Path, 512)),
		slog.Int("status", rec.status),
		slog.Int64("bytes", rec.bytes),
		slog.Duration("duration", took),
		slog.String("request", rec.facts.RequestID),
		slog.String("peer", rec.facts.Address.String()),
	}
	for _, optional := range []struct{ name, value string }{
		{"clientRequest", rec.facts.ClientRequestID}, {"caller", rec.Caller}, {"code", rec.Code},
	} {
		if optional.value != "" {
			attrs = append(attrs, slog.String(optional.name, optional.value))
		}
	}
	if rec.err != nil && level == slog.LevelError {
		attrs = append(attrs, slog.String("error", rec.err.Error()))
	}
	log.LogAttrs(r.Context(), level, "request", attrs...)
}

// response counts what is written and notes when the answer has begun.
type response struct {
	http.ResponseWriter
	rec *Record
}

// WriteHeader notes the final status; informational ones pass by, since a proxy
// sends those from another goroutine.
func (w *response) WriteHeader(status int) {
	if (status >= 200 || status == http.StatusSwitchingProtocols) && !w.rec.started {
		w.rec.started = true
		w.rec.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes of the body.
func (w *response) Write(p []byte) (int, error) {
	if !w.rec.started {
		w.rec.started = true
		w.rec.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.rec.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController flush, hijack and set deadlines.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Package textanalytics is a small text service to put behind a gateway: it
// detects languages and scores sentiment, on the text it is given, in the
// request and answer forms of Azure's Text Analytics API v3.1.
//
// Like the containers it stands for it has no security of its own: it asks for
// no key, knows no callers and keeps nothing. It writes no log, so no text can
// leave it that way. Sentiment is scored for English alone; a document that
// claims another language is refused rather than guessed at.
package textanalytics

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/jonreiter/govader"
)

// Handler returns the service. It answers
//
//	POST /text/analytics/v3.1/languages  up to 1000 documents
//	POST /text/analytics/v3.1/sentiment  up to 10 documents
//	GET  /status                         200 once the service can answer
//
// with bodies of at most 1 MiB and documents of at most 5120 text elements.
// Several leading slashes count as one: clients join an endpoint that ends in
// a slash with a path that begins with one. The handler may be used by any
// number of goroutines.
func Handler() http.Handler {
	return &service{sentiment: sentimentScorer{vader: govader.NewSentimentIntensityAnalyzer()}}
}

type service struct{ sentiment sentimentScorer }

// ServeHTTP finds the operation. It does without http.ServeMux, which answers
// a path that begins with two slashes with a redirect.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method, serve := http.MethodPost, http.HandlerFunc(nil)
	switch "/" + strings.TrimLeft(r.URL.Path, "/") {
	case "/status":
		method, serve = http.MethodGet, status
	case "/text/analytics/v3.1/languages":
		serve = batch{maxDocuments: 1000, model: languageModel, analyzer: detectorFor}.ServeHTTP
	case "/text/analytics/v3.1/sentiment":
		serve = batch{maxDocuments: 10, model: sentimentModel, analyzer: s.sentiment.scorerFor}.ServeHTTP
	}
	switch {
	case serve == nil:
		// Byte for byte what Azure's gateway answers, space included.
		writeRaw(w, http.StatusNotFound, []byte(`{"error":{"code":"404","message": "Resource not found"}}`))
	case r.Method != method && !(method == http.MethodGet && r.Method == http.MethodHead):
		w.Header().Set("Allow", method)
		writeError(w, http.StatusMethodNotAllowed, &fault{Code: "405", Message: "This operation is called with " + method + "."})
	default:
		serve(w, r)
	}
}

func status(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"service": "textanalytics", "apiStatus": "Valid"})
}

func writeError(w http.ResponseWriter, code int, f *fault) {
	writeJSON(w, code, map[string]*fault{"error": f})
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		code, body = http.StatusInternalServerError, []byte(`{"error":{"code":"InternalServerError","message":"The answer could not be written."}}`)
	}
	writeRaw(w, code, body)
}

func writeRaw(w http.ResponseWriter, code int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write(body) // the caller has gone; nobody is left to tell
}

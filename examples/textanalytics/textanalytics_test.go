package textanalytics_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/twinkey/twinkey/examples/textanalytics"
)

const (
	languagesPath = "/text/analytics/v3.1/languages"
	sentimentPath = "/text/analytics/v3.1/sentiment"
)

type batchAnswer struct {
	Documents []struct {
		ID       string `json:"id"`
		Language struct {
			Name       string  `json:"name"`
			ISO6391    string  `json:"iso6391Name"`
			Confidence float64 `json:"confidenceScore"`
		} `json:"detectedLanguage"`
		Sentiment  string `json:"sentiment"`
		Confidence scores `json:"confidenceScores"`
		Sentences  []struct {
			Text       string `json:"text"`
			Sentiment  string `json:"sentiment"`
			Confidence scores `json:"confidenceScores"`
			Offset     int    `json:"offset"`
			Length     int    `json:"length"`
		} `json:"sentences"`
		Warnings []any `json:"warnings"`
	} `json:"documents"`
	Errors []struct {
		ID    string `json:"id"`
		Error fault  `json:"error"`
	} `json:"errors"`
	ModelVersion string `json:"modelVersion"`
}

type scores struct {
	Positive float64 `json:"positive"`
	Neutral  float64 `json:"neutral"`
	Negative float64 `json:"negative"`
}

type fault struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Inner   *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"innererror"`
}

func call(method, target, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, "http://upstream.test/", strings.NewReader(body))
	path, query, _ := strings.Cut(target, "?")
	r.URL.Path, r.URL.RawQuery = path, query
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	textanalytics.Handler().ServeHTTP(w, r)
	return w
}

// analyze posts documents given as id, text pairs and expects a 200.
func analyze(t *testing.T, target string, documents ...map[string]string) batchAnswer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"documents": documents})
	if err != nil {
		t.Fatal(err)
	}
	w := call(http.MethodPost, target, string(body))
	if w.Code != http.StatusOK {
		t.Fatalf("POST %s = %d %s", target, w.Code, w.Body)
	}
	var a batchAnswer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{`"documents":[`, `"errors":[`} {
		if !strings.Contains(w.Body.String(), list) {
			t.Errorf("answer has no list %s]: %s", list, w.Body)
		}
	}
	if a.ModelVersion == "" {
		t.Error("answer has no modelVersion")
	}
	return a
}

func doc(id, text string) map[string]string { return map[string]string{"id": id, "text": text} }

// The language is read from the text itself, in the order of the documents.
func TestLanguages(t *testing.T) {
	want := []struct{ text, name, code string }{
		{"Every call to the service carries a key, and either of the two keys opens it.", "English", "en"},
		{"Dies ist ein kurzer Satz, der auf Deutsch geschrieben wurde.", "German", "de"},
		{"Ce document a été rédigé en français par une équipe.", "French", "fr"},
		{"Los caminos que llevan hasta la montaña son hermosos y muy largos.", "Spanish", "es"},
		{"これは日本語で書かれた短い文章です。", "Japanese", "ja"},
		{"Η γλώσσα αυτού του κειμένου είναι ελληνική.", "Greek", "el"},
		{"이 문장은 한국어로 쓰여 있습니다.", "Korean", "ko"},
		{"12345 67890", "(Unknown)", "(Unknown)"},
	}
	var documents []map[string]string
	for i, w := range want {
		documents = append(documents, doc(fmt.Sprint(i), w.text))
	}
	a := analyze(t, languagesPath, documents...)
	if len(a.Documents) != len(want) || len(a.Errors) != 0 {
		t.Fatalf("%d documents and %d errors, want %d and 0", len(a.Documents), len(a.Errors), len(want))
	}
	for i, w := range want {
		d := a.Documents[i]
		if d.ID != fmt.Sprint(i) || d.Language.Name != w.name || d.Language.ISO6391 != w.code {
			t.Errorf("%q: document %s is %+v, want %s (%s)", w.text, d.ID, d.Language, w.name, w.code)
		}
		if d.Warnings == nil {
			t.Errorf("%q: warnings are missing; clients iterate over them", w.text)
		}
	}
	if c := a.Documents[0].Language.Confidence; c <= 0 || c > 1 {
		t.Errorf("confidence of plain English = %v, want within (0,1]", c)
	}
	if c := a.Documents[len(want)-1].Language.Confidence; c != 0 {
		t.Errorf("confidence of an unknown language = %v, want 0", c)
	}
}

// The label follows the text: the same form with other words gets another label.
func TestSentiment(t *testing.T) {
	for text, want := range map[string]string{
		"I love this hotel.":                                 "positive",
		"The room was dirty and the staff was rude.":         "negative",
		"The hotel opens at nine.":                           "neutral",
		"I love this hotel. The breakfast was disgusting.":   "mixed",
		"I love this hotel. It opens at nine.":               "positive",
		"It opens at nine.\nThe breakfast was disgusting":    "negative",
		"The room was not good.":                             "negative",
		"Great\tservice,\tgreat\tfood":                       "positive",
		"Dr. A. Smith paid 3.50 for a coffee, e.g. a latte.": "neutral",
	} {
		a := analyze(t, sentimentPath, doc("1", text))
		if len(a.Documents) != 1 {
			t.Fatalf("%q: errors %+v", text, a.Errors)
		}
		d := a.Documents[0]
		if d.Sentiment != want {
			t.Errorf("%q is %s, want %s", text, d.Sentiment, want)
		}
		for _, s := range d.Sentences {
			if got := s.Confidence.top(); got != s.Sentiment {
				t.Errorf("%q is called %s with most confidence in %s: %+v", s.Text, s.Sentiment, got, s.Confidence)
			}
			if sum := s.Confidence.Positive + s.Confidence.Neutral + s.Confidence.Negative; sum < 0.999 || sum > 1.001 {
				t.Errorf("%q: confidences add up to %v", s.Text, sum)
			}
		}
	}
}

func (s scores) top() string {
	switch {
	case s.Positive >= s.Neutral && s.Positive >= s.Negative:
		return "positive"
	case s.Negative >= s.Neutral:
		return "negative"
	}
	return "neutral"
}

// One bad document is named by its id and does not spoil the others.
func TestDocumentErrors(t *testing.T) {
	for _, c := range []struct {
		path, inner string
		document    map[string]string
	}{
		{languagesPath, "InvalidDocument", doc("bad", "")},
		{sentimentPath, "InvalidDocument", doc("bad", " \n\t")},
		{sentimentPath, "InvalidDocument", doc("bad", strings.Repeat("good ", 1025))},
		{languagesPath, "InvalidCountryHint", map[string]string{"id": "bad", "text": "hello", "countryHint": "nowhere"}},
		{sentimentPath, "UnsupportedLanguageCode", map[string]string{"id": "bad", "text": "gut", "language": "de"}},
	} {
		a := analyze(t, c.path, doc("fine", "The food is good."), c.document)
		if len(a.Documents) != 1 || a.Documents[0].ID != "fine" {
			t.Errorf("%s: documents = %+v, want the fine one", c.inner, a.Documents)
		}
		if len(a.Errors) != 1 || a.Errors[0].ID != "bad" || a.Errors[0].Error.Code != "InvalidArgument" ||
			a.Errors[0].Error.Inner == nil || a.Errors[0].Error.Inner.Code != c.inner {
			t.Errorf("errors = %+v, want InvalidArgument/%s for 'bad'", a.Errors, c.inner)
		}
	}
	// What is at the limit, and what Azure's own clients send by default, passes.
	a := analyze(t, sentimentPath, doc("1", strings.Repeat("good ", 1024)), map[string]string{"id": "2", "text": "good", "language": "en-US"})
	b := analyze(t, languagesPath, map[string]string{"id": "1", "text": "hello", "countryHint": "US"}, map[string]string{"id": "2", "text": "hello", "countryHint": "none"})
	if len(a.Errors)+len(b.Errors) != 0 {
		t.Errorf("good documents refused: %+v %+v", a.Errors, b.Errors)
	}
}

// A request that is wrong as a whole gets a 4xx that says what is wrong, in the
// form Azure's clients read.
func TestRequestErrors(t *testing.T) {
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,{"id":"%d","text":"good"}`, i)
		}
		return `{"documents":[` + b.String()[1:] + `]}`
	}
	one := `{"documents":[{"id":"1","text":"good"}]}`
	for _, c := range []struct {
		target, body string
		status       int
		inner        string
	}{
		{languagesPath, `{"documents":[{"id":"1"`, 400, "InvalidRequestBodyFormat"},
		{languagesPath, one + one, 400, "InvalidRequestBodyFormat"},
		{languagesPath, `{"documents":[{"id":1,"text":"good"}]}`, 400, "InvalidRequestBodyFormat"},
		{languagesPath, `[]`, 400, "InvalidRequestBodyFormat"},
		{languagesPath, ``, 400, "InvalidRequestBodyFormat"},
		{languagesPath, `{}`, 400, "MissingInputRecords"},
		{sentimentPath, `{"documents":[]}`, 400, "MissingInputRecords"},
		{sentimentPath, `{"documents":[null]}`, 400, "InvalidDocument"},
		{sentimentPath, `{"documents":[{"text":"good"}]}`, 400, "InvalidDocument"},
		{sentimentPath, `{"documents":[{"id":"1","text":"good"},{"id":"1","text":"bad"}]}`, 400, "InvalidDocument"},
		{sentimentPath, many(11), 400, "InvalidDocumentBatch"},
		{languagesPath, many(1001), 400, "InvalidDocumentBatch"},
		{languagesPath, one + strings.Repeat(" ", 1<<20), 413, "InvalidDocumentBatch"},
		{sentimentPath + "?model-version=1999-01-01", one, 400, "ModelVersionIncorrect"},
		{sentimentPath + "?stringIndexType=Furlongs", one, 400, "InvalidParameterValue"},
	} {
		w := call(http.MethodPost, c.target, c.body)
		var a struct {
			Error fault `json:"error"`
		}
		err := json.Unmarshal(w.Body.Bytes(), &a)
		if err != nil || w.Code != c.status || a.Error.Code != "InvalidRequest" || a.Error.Inner == nil || a.Error.Inner.Code != c.inner {
			t.Errorf("POST %s %.60s = %d %s, want %d InvalidRequest/%s", c.target, c.body, w.Code, w.Body, c.status, c.inner)
		}
	}
	for target, body := range map[string]string{
		sentimentPath:                           many(10),
		languagesPath:                           many(1000),
		sentimentPath + "?model-version=latest": one,
		languagesPath + "?model-version=latest": one + strings.Repeat(" ", 1<<20-len(one)),
	} {
		if w := call(http.MethodPost, target, body); w.Code != http.StatusOK {
			t.Errorf("POST %s at the limit = %d %s", target, w.Code, w.Body)
		}
	}
}

// A body that is not said to be JSON is refused before it is read.
func TestContentType(t *testing.T) {
	for kind, want := range map[string]int{
		"application/json":                http.StatusOK,
		"application/json; charset=utf-8": http.StatusOK,
		"":                                http.StatusOK,
		"text/plain":                      http.StatusUnsupportedMediaType,
		"application/json; =":             http.StatusUnsupportedMediaType,
	} {
		r := httptest.NewRequest(http.MethodPost, languagesPath, strings.NewReader(`{"documents":[{"id":"1","text":"good"}]}`))
		if kind != "" {
			r.Header.Set("Content-Type", kind)
		}
		w := httptest.NewRecorder()
		textanalytics.Handler().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("Content-Type %q = %d, want %d", kind, w.Code, want)
		}
	}
}

// Paths: real clients send two leading slashes and must not be redirected;
// anything unknown is Azure's 404 to the byte.
func TestPaths(t *testing.T) {
	body := `{"documents":[{"id":"1","text":"good"}]}`
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{http.MethodPost, "/" + languagesPath, 200},
		{http.MethodPost, "//" + sentimentPath, 200},
		{http.MethodGet, "/status", 200},
		{http.MethodHead, "/status", 200},
		{http.MethodPost, "/status", 405},
		{http.MethodGet, languagesPath, 405},
		{http.MethodPost, "/", 404},
		{http.MethodPost, languagesPath + "/", 404},
		{http.MethodPost, "/text/analytics/v3.1/keyPhrases", 404},
		{http.MethodPost, "/text/analytics//v3.1/languages", 404},
	} {
		w := call(c.method, c.path, body)
		if w.Code != c.status {
			t.Errorf("%s %s = %d, want %d", c.method, c.path, w.Code, c.status)
		}
		if got, want := w.Body.String(), `{"error":{"code":"404","message": "Resource not found"}}`; c.status == 404 && got != want {
			t.Errorf("%s %s answers %s, want %s", c.method, c.path, got, want)
		}
		if kind := w.Header().Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
			t.Errorf("%s %s answers in %q", c.method, c.path, kind)
		}
	}
}

// Nothing of the text reaches a log or standard error, on good calls and bad.
func TestLogsNothing(t *testing.T) {
	const planted = "zanzibar marmalade"
	var logged bytes.Buffer
	before := slog.Default()
	log.SetOutput(&logged)
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	defer func() { slog.SetDefault(before); log.SetOutput(os.Stderr); log.SetFlags(log.LstdFlags) }()
	slog.Info("probe", "text", planted)
	log.Print(planted)
	if strings.Count(logged.String(), planted) != 2 {
		t.Fatal("the test does not see what is logged")
	}
	logged.Reset()

	server := httptest.NewServer(textanalytics.Handler())
	defer server.Close()
	for _, body := range []string{
		`{"documents":[{"id":"1","text":"` + planted + `"}]}`,
		`{"documents":[{"id":"1","text":"` + planted + `"},{"id":"1","text":"` + planted + `"}]}`,
		`{"documents":[{"id":"1","text":"` + planted,
	} {
		for _, path := range []string{languagesPath, sentimentPath} {
			res, err := http.Post(server.URL+path, "application/json", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
	}
	if logged.Len() != 0 {
		t.Errorf("logged: %s", logged.String())
	}
}

// One handler serves many calls at once (meaningful under -race).
func TestConcurrent(t *testing.T) {
	h := textanalytics.Handler()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, path := range []string{languagesPath, sentimentPath} {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(`{"documents":[{"id":"1","text":"I LOVE it 😀. Not bad!"}]}`)))
				if w.Code != http.StatusOK {
					t.Errorf("POST %s = %d", path, w.Code)
				}
			}
		})
	}
	wg.Wait()
}

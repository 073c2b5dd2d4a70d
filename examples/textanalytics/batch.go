package textanalytics

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

const (
	maxBody     = 1 << 20 // bytes in a request
	maxElements = 5120    // text elements in a document
)

// batch is one operation on many documents: it decodes and checks the request
// as a whole, then analyzes document by document, so that one bad document does
// not spoil the others.
type batch struct {
	maxDocuments int
	model        string
	// analyzer reads the operation's own parameters and returns what to do with
	// each document.
	analyzer func(parameters url.Values) (analyze, *fault)
}

// analyze turns a document into its answer, or says what is wrong with it.
type analyze func(document) (any, *fault)

type document struct {
	ID          string `json:"id"`
	Text        string `json:"text"`
	Language    string `json:"language"`
	CountryHint string `json:"countryHint"`
}

// fault is an error in Azure's form: the outer code says who is to blame, the
// inner one what for. Clients look at the inner code.
type fault struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Inner   *fault `json:"innererror,omitempty"`
}

type documentFault struct {
	ID    string `json:"id"`
	Error *fault `json:"error"`
}

type answer struct {
	Documents    []any           `json:"documents"`
	Errors       []documentFault `json:"errors"`
	ModelVersion string          `json:"modelVersion"`
}

func (b batch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	documents, code, f := b.decode(w, r)
	if f != nil {
		writeError(w, code, f)
		return
	}
	parameters := r.URL.Query()
	if v := parameters.Get("model-version"); v != "" && v != "latest" && v != b.model {
		writeError(w, http.StatusBadRequest, refusal("ModelVersionIncorrect", "The only model here is '"+b.model+"', also called 'latest'."))
		return
	}
	analyze, f := b.analyzer(parameters)
	if f != nil {
		writeError(w, http.StatusBadRequest, f)
		return
	}
	a := answer{Documents: []any{}, Errors: []documentFault{}, ModelVersion: b.model}
	for _, d := range documents {
		result, f := any(nil), checkText(d.Text)
		if f == nil {
			result, f = analyze(d)
		}
		if f != nil {
			a.Errors = append(a.Errors, documentFault{ID: d.ID, Error: f})
			continue
		}
		a.Documents = append(a.Documents, result)
	}
	writeJSON(w, http.StatusOK, a)
}

// decode reads the request and checks what concerns it as a whole; it returns
// the status that goes with a fault.
func (b batch) decode(w http.ResponseWriter, r *http.Request) ([]document, int, *fault) {
	if kind := r.Header.Get("Content-Type"); kind != "" {
		if media, _, err := mime.ParseMediaType(kind); err != nil || media != "application/json" {
			return nil, http.StatusUnsupportedMediaType, refusal("InvalidRequestBodyFormat", "The request body must be application/json.")
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, http.StatusRequestEntityTooLarge, refusal("InvalidDocumentBatch", "The request body is larger than 1 MiB.")
	}
	var request struct {
		Documents []document `json:"documents"`
	}
	if err == nil {
		err = json.Unmarshal(body, &request)
	}
	if err != nil {
		return nil, http.StatusBadRequest, refusal("InvalidRequestBodyFormat", `The request body must be JSON of the form {"documents":[{"id":"1","text":"..."}]}.`)
	}
	return request.Documents, http.StatusBadRequest, b.check(request.Documents)
}

func (b batch) check(documents []document) *fault {
	switch n := len(documents); {
	case n == 0:
		return refusal("MissingInputRecords", "The request contains no documents.")
	case n > b.maxDocuments:
		return refusal("InvalidDocumentBatch", "The request contains too many documents for this operation.")
	}
	seen := make(map[string]bool, len(documents))
	for _, d := range documents {
		if d.ID == "" {
			return refusal("InvalidDocument", "Every document needs an id.")
		}
		if seen[d.ID] {
			return refusal("InvalidDocument", "Two documents have the same id.")
		}
		seen[d.ID] = true
	}
	return nil
}

func checkText(text string) *fault {
	switch {
	case strings.TrimSpace(text) == "":
		return documentRefusal("InvalidDocument", "Document text is empty.")
	case textElements(text) > maxElements:
		return documentRefusal("InvalidDocument", "The document has more than 5120 text elements.")
	}
	return nil
}

// refusal is a fault of the whole request.
func refusal(code, message string) *fault {
	return &fault{Code: "InvalidRequest", Message: "The request cannot be processed.", Inner: &fault{Code: code, Message: message}}
}

// documentRefusal is a fault of one document.
func documentRefusal(code, message string) *fault {
	return &fault{Code: "InvalidArgument", Message: "The document cannot be processed.", Inner: &fault{Code: code, Message: message}}
}

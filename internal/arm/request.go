package arm

import (
	"bytes"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/web"
)

const (
	maxPage     = 1000      // the largest page a caller can ask for
	maxDocument = 256 << 10 // the largest description of a resource, in bytes: the store has a limit, too
)

// Request is a call, decoded.
type Request struct {
	Who          twinkey.Caller
	ID           twinkey.ResourceID // what the path names, in the caller's casing
	Query        Query
	Version      string // the api-version, "" for a public route
	Precondition accounts.Precondition
	Body         []byte // at most 4 MiB; not read for GET and HEAD

	base     string // of the surface's own URLs
	segments []string
	names    map[string]string
}

// Name returns a variable of the route's pattern other than those in ID.
func (r *Request) Name(variable string) string { return r.names[variable] }

// Decode reads the body as one JSON object, of at most 256 KiB, into v.
func (r *Request) Decode(v any) error {
	if len(r.Body) > maxDocument {
		return twinkey.Errorf(twinkey.TooLarge, "The description of the resource is larger than the limit of %d bytes.", maxDocument)
	}
	if len(bytes.TrimSpace(r.Body)) == 0 {
		return twinkey.Errorf(twinkey.Unreadable, "The request content was invalid and could not be deserialized: the request has no body, and a JSON object is required.")
	}
	if string(bytes.TrimSpace(r.Body)) == "null" {
		return twinkey.Errorf(twinkey.Unreadable, "The request content was invalid and could not be deserialized: the body is null, and a JSON object is required.")
	}
	if err := web.ParseJSON(r.Body, v); err != nil {
		return twinkey.Wrap(err, twinkey.KindOf(err), "The request content was invalid and could not be deserialized: %s", twinkey.MessageOf(err))
	}
	return nil
}

// Page reads $top and $skipToken.
func (r *Request) Page() (accounts.Page, error) {
	var page accounts.Page
	if top, ok := r.Query["$top"]; ok {
		n, err := strconv.Atoi(top)
		if err != nil || n < 1 {
			return page, twinkey.Errorf(twinkey.Invalid, "The value '%s' of $top is invalid. It must be a whole number, 1 or more.", twinkey.Printable(top, 20))
		}
		page.Limit = min(n, maxPage)
	}
	if token, ok := r.Query["$skiptoken"]; ok {
		after, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil || len(after) == 0 {
			return page, twinkey.Errorf(twinkey.Invalid, "The value of $skipToken is invalid. Use the nextLink of the page before as it is.")
		}
		page.After = string(after)
	}
	return page, nil
}

// NextLink is the absolute URL of the page that begins after, "" if after is "".
func (r *Request) NextLink(after string) string {
	if after == "" {
		return ""
	}
	next := maps.Clone(r.Query)
	delete(next, "api-version")
	delete(next, "$skiptoken")
	link := r.base + joinPath(r.segments) + "?api-version=" + url.QueryEscape(r.Version)
	for _, name := range slices.Sorted(maps.Keys(next)) {
		link += "&" + name + "=" + url.QueryEscape(next[name])
	}
	return link + "&$skipToken=" + base64.RawURLEncoding.EncodeToString([]byte(after))
}

// URL is the absolute URL of another resource of this surface, for the version
// of the call.
func (r *Request) URL(segments ...string) string {
	return r.base + joinPath(segments) + "?api-version=" + url.QueryEscape(r.Version)
}

// Response is an answer, not encoded yet.
type Response struct {
	Status int
	Header http.Header
	Body   any // nil for none
}

// Answer makes a response; body may be nil.
func Answer(status int, body any) *Response {
	return &Response{Status: status, Header: http.Header{}, Body: body}
}

// List is the envelope of every list.
type List[T any] struct {
	Value    []T    `json:"value"`
	NextLink string `json:"nextLink,omitempty"`
}

// AnswerList makes the response for a list or a page of one.
func AnswerList[T any](values []T, nextLink string) *Response {
	if values == nil {
		values = []T{}
	}
	return Answer(http.StatusOK, List[T]{Value: values, NextLink: nextLink})
}

func (r *Response) write(w http.ResponseWriter) error {
	for name, values := range r.Header {
		w.Header()[name] = values
	}
	if r.Body != nil {
		return web.WriteJSON(w, r.Status, r.Body)
	}
	if r.Status != http.StatusNoContent {
		w.Header().Set("Content-Length", "0")
	}
	w.WriteHeader(r.Status)
	return nil
}

package armclient

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// ResponseError is a refusal: an answer of 400 or above.
type ResponseError struct {
	Status    int    // HTTP status
	Code      string // ARM's error code; "" when the answer holds no error document
	Message   string
	RequestID string
}

// Error returns the code and the message.
func (e *ResponseError) Error() string {
	if e.Code == "" {
		return e.Message
	}
	return "(" + e.Code + ") " + e.Message
}

// newResponseError reads ARM's error document {"error":{"code","message"}}
// (Azure Resource Manager RPC, common-api-details.md, "Error Response Content").
func newResponseError(r *Response, secrets []string) error {
	var document struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	e := &ResponseError{Status: r.Status, RequestID: r.RequestID}
	if err := json.Unmarshal(r.Body, &document); err == nil {
		e.Code = scrub(document.Error.Code, secrets)
		e.Message = scrub(document.Error.Message, secrets)
	}
	if e.Message == "" {
		e.Message = statusText(r.Status)
	}
	return e
}

func statusText(status int) string {
	return strings.TrimSpace(fmt.Sprintf("the server answered %d %s without saying why", status, http.StatusText(status)))
}

// unreachableError says that no answer came.
type unreachableError struct {
	server string
	text   string // what went wrong, free of secrets
	err    error
}

func (e *unreachableError) Error() string { return "connecting to " + e.server + ": " + e.text }

func (e *unreachableError) Unwrap() error { return e.err }

func connectError(server string, err error, secrets []string) error {
	if outer, ok := err.(*url.Error); ok {
		err = outer.Err
	}
	return &unreachableError{server: server, text: scrub(err.Error(), secrets), err: err}
}

// scrub masks every secret that a server repeats in its text, as it is and as
// it looks inside a URL.
func scrub(text string, secrets []string) string {
	var pairs []string
	for _, secret := range secrets {
		if secret != "" {
			pairs = append(pairs, secret, mask, url.QueryEscape(secret), mask, url.PathEscape(secret), mask)
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

const mask = "[secret]"

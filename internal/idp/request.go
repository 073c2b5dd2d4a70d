package idp

import (
	"mime"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/web"
)

// maxBody is the largest token request that is read, in bytes. An assertion
// with its certificate chain has some ten thousand.
const maxBody = 64 << 10

// maxParameters is how many parameters a token request has at most; MSAL sends
// some fifteen.
const maxParameters = 64

// maxNonce is the longest nonce, in bytes, that goes into an id token; MSAL
// sends 64.
const maxNonce = 256

// request is a token request, read once (RFC 6749, sections 4.3.2, 4.4.2 and 6;
// RFC 7521, section 4.2).
type request struct {
	path            path
	who             twinkey.Caller
	grant           string
	clientID        string
	secret          twinkey.Secret
	assertionType   string
	assertion       twinkey.Secret
	scope           string
	resource        string // of version 1
	username        string
	password        twinkey.Secret
	refreshToken    twinkey.Secret
	nonce           string
	wantsClientInfo bool
}

// readRequest reads the form. A parameter may appear once, and one without a
// value counts as absent (RFC 6749, section 3.2).
func readRequest(w http.ResponseWriter, r *http.Request, at path) (request, error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return request{}, fail(codeMalformed, "Invalid request. The body must be of the type application/x-www-form-urlencoded.")
	}
	body, err := web.ReadBody(w, r, maxBody)
	if err != nil {
		return request{}, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || len(form) > maxParameters {
		// The parser's own words may hold a piece of a secret.
		return request{}, fail(codeMalformed, "Invalid request. Request is malformed or invalid.")
	}
	for name, values := range form {
		if len(values) > 1 {
			return request{}, fail(codeRepeatedParameter, "The request is not properly formatted. The parameter '%s' is duplicated.", twinkey.Printable(name, 40))
		}
		if !utf8.ValidString(values[0]) || !utf8.ValidString(name) {
			return request{}, fail(codeMalformed, "Invalid request. The parameter '%s' is not UTF-8.", twinkey.Printable(name, 40))
		}
	}
	if len(form.Get("nonce")) > maxNonce {
		return request{}, fail(codeMalformed, "Invalid request. The parameter 'nonce' is longer than %d bytes.", maxNonce)
	}
	req := request{
		path: at, who: web.Caller(r),
		grant:         form.Get("grant_type"),
		clientID:      form.Get("client_id"),
		secret:        twinkey.NewSecret(form.Get("client_secret")),
		assertionType: form.Get("client_assertion_type"),
		assertion:     twinkey.NewSecret(form.Get("client_assertion")),
		scope:         form.Get("scope"),
		resource:      form.Get("resource"),
		username:      form.Get("username"),
		password:      twinkey.NewSecret(form.Get("password")),
		refreshToken:  twinkey.NewSecret(form.Get("refresh_token")),
		nonce:         form.Get("nonce"),

		wantsClientInfo: form.Get("client_info") == "1",
	}
	return req, req.readBasic(r)
}

// readBasic takes the client's id and secret from the Authorization header
// (RFC 6749, section 2.3.1: both form-encoded before they are joined).
func (req *request) readBasic(r *http.Request) error {
	if r.Header.Get("Authorization") == "" {
		return nil
	}
	user, password, ok := r.BasicAuth()
	id, errID := url.QueryUnescape(user)
	secret, errSecret := url.QueryUnescape(password)
	switch {
	case !ok || errID != nil || errSecret != nil || id == "":
		return fail(codeMalformed, "Invalid request. The Authorization header must be of the type Basic, with the client id and the client secret.")
	case !req.secret.IsZero() || !req.assertion.IsZero():
		return fail(codeMalformed, "Invalid request. Present one client credential only, in the header or in the body.")
	case req.clientID != "" && req.clientID != id:
		return fail(codeMalformed, "Invalid request. The client ids in the header and in the body differ.")
	}
	req.clientID, req.secret = id, twinkey.NewSecret(secret)
	return nil
}

// missing refuses a request that lacks a parameter.
func missing(name string) error {
	return fail(codeMissingParameter, "The request body must contain the following parameter: '%s'.", name)
}

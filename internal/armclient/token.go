package armclient

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	twinkey "github.com/twinkey/twinkey"
)

// commandLineClientID is the application id under which the Azure CLI asks for
// a user's tokens; every Entra tenant knows it as a public client.
const commandLineClientID = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"

// Token is what the token service gave.
type Token struct {
	Access  twinkey.Secret
	Refresh twinkey.Secret // zero when there is none
	Expires time.Time
}

// TokenError is a refusal by the token service (RFC 6749, section 5.2).
type TokenError struct {
	Status      int
	Code        string // "invalid_grant", ...
	Description string // for people
}

// Error returns the description.
func (e *TokenError) Error() string {
	if e.Description == "" {
		return statusText(e.Status)
	}
	return e.Description
}

func newTokenError(r *Response, secrets []string) error {
	var document struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	e := &TokenError{Status: r.Status}
	if err := json.Unmarshal(r.Body, &document); err == nil {
		e.Code = scrub(document.Code, secrets)
		e.Description = scrub(document.Description, secrets)
	}
	return e
}

// Grant is one way to ask for a token.
type Grant struct {
	form func(tokenURL string, now time.Time) (url.Values, error)
}

// userScopes is what a user's token is asked for besides the endpoint: a
// refresh token and who the user is.
const userScopes = " offline_access openid profile"

// PasswordGrant asks with a user's name and password (RFC 6749, section 4.3).
func PasswordGrant(username string, password twinkey.Secret) Grant {
	return fixed(url.Values{
		"grant_type": {"password"}, "client_id": {commandLineClientID},
		"username": {username}, "password": {password.Reveal()}, "scope": {userScopes},
	})
}

// RefreshGrant asks with a refresh token (RFC 6749, section 6).
func RefreshGrant(refresh twinkey.Secret) Grant {
	return fixed(url.Values{
		"grant_type": {"refresh_token"}, "client_id": {commandLineClientID},
		"refresh_token": {refresh.Reveal()}, "scope": {userScopes},
	})
}

// SecretGrant asks with an application's secret (RFC 6749, section 4.4).
func SecretGrant(clientID string, secret twinkey.Secret) Grant {
	return fixed(url.Values{
		"grant_type": {"client_credentials"}, "client_id": {clientID},
		"client_secret": {secret.Reveal()}, "scope": {""},
	})
}

// AssertionGrant asks with an assertion signed by key (RFC 7523, section 2.2).
func AssertionGrant(key *AssertionKey) Grant {
	return Grant{form: func(tokenURL string, now time.Time) (url.Values, error) {
		assertion, err := key.assertion(tokenURL, now)
		if err != nil {
			return nil, err
		}
		return url.Values{
			"grant_type": {"client_credentials"}, "client_id": {key.ClientID},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			"client_assertion":      {assertion}, "scope": {""},
		}, nil
	}}
}

func fixed(form url.Values) Grant {
	return Grant{form: func(string, time.Time) (url.Values, error) { return form, nil }}
}

// Token asks the tenant's token service; tenant "" means the configured one. A
// refusal is a *TokenError.
func (c *Client) Token(ctx context.Context, tenant string, g Grant) (Token, error) {
	tokenURL := c.authority.String() + "/" + url.PathEscape(orText(tenant, c.tenant)) + "/oauth2/v2.0/token"
	form, err := g.form(tokenURL, c.now())
	if err != nil {
		return Token{}, err
	}
	sent := url.Values{"client_info": {"1"}}
	for name, values := range form {
		sent[name] = values
	}
	sent.Set("scope", c.endpoint.String()+"/.default"+form.Get("scope"))
	asked := c.now()
	resp, err := c.finish(ctx, call{
		method: http.MethodPost, url: tokenURL, body: []byte(sent.Encode()),
		header:  http.Header{"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"}},
		secrets: secretsOf(form), refuse: newTokenError,
	})
	if err != nil {
		return Token{}, err
	}
	return readToken(resp, asked)
}

func secretsOf(form url.Values) []string {
	var found []string
	for _, name := range []string{"password", "client_secret", "refresh_token", "client_assertion"} {
		if form.Has(name) {
			found = append(found, form.Get(name))
		}
	}
	return found
}

func readToken(resp *Response, asked time.Time) (Token, error) {
	var answer struct {
		Type    string      `json:"token_type"`
		Access  string      `json:"access_token"`
		Refresh string      `json:"refresh_token"`
		Expires json.Number `json:"expires_in"` // a number, or a string that holds one
	}
	if err := json.Unmarshal(resp.Body, &answer); err != nil {
		// The body may hold half a token, so the decoder's words stay unsaid.
		return Token{}, twinkey.Errorf(twinkey.Unreadable, "the token service gave an answer that is no token document")
	}
	seconds, err := answer.Expires.Int64()
	if err != nil || seconds < 0 || answer.Access == "" || !strings.EqualFold(answer.Type, "bearer") {
		return Token{}, twinkey.Errorf(twinkey.Unreadable, "the token service gave an answer without a bearer token and its lifetime")
	}
	return Token{
		Access:  twinkey.NewSecret(answer.Access),
		Refresh: twinkey.NewSecret(answer.Refresh),
		Expires: asked.Add(time.Duration(min(seconds, 1<<31)) * time.Second),
	}, nil
}

package armclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	twinkey "github.com/twinkey/twinkey"

	"github.com/google/uuid"
)

// Request is one operation: ARM's, or the directory's (Microsoft Graph), which
// is the same but for the API version.
type Request struct {
	Method string
	// Path lists the segments below the endpoint, unescaped: "subscriptions",
	// id, "resourceGroups", name. An empty segment, "." and ".." are refused,
	// because they would name something else than was meant.
	Path       []string
	APIVersion string     // zero means no api-version parameter, as Microsoft Graph has it
	Query      url.Values // further parameters; zero means none
	Body       any        // sent as JSON; nil means no body and no Content-Type
	// Hidden are the secrets in Body, which no error repeats.
	Hidden  []twinkey.Secret
	Command string // what the user typed, without values: the CommandName header
	// Repeatable says that this POST may be sent again after an answer was
	// lost: the server knows a repetition by its x-ms-client-request-id.
	// GET, HEAD, PUT and DELETE always may.
	Repeatable bool
	// AtMost is how many elements List returns at most; zero means all.
	AtMost int
}

// Do sends r with token and returns the answer. An answer of 4xx or 5xx is a
// *ResponseError. A redirect is refused. 202 is returned as it is; see Complete.
func (c *Client) Do(ctx context.Context, token twinkey.Secret, r Request) (*Response, error) {
	u, err := c.resolve(r)
	if err != nil {
		return nil, err
	}
	var body []byte
	header := http.Header{"Accept": {"application/json"}}
	if r.Body != nil {
		if body, err = json.Marshal(r.Body); err != nil {
			return nil, fmt.Errorf("encoding the request: %w", err)
		}
		header.Set("Content-Type", "application/json")
	}
	if r.Command != "" {
		header.Set("CommandName", r.Command)
	}
	var secrets []string
	for _, hidden := range r.Hidden {
		secrets = append(secrets, hidden.Reveal())
	}
	return c.finish(ctx, call{
		method: r.Method, url: u, header: header, body: body, token: token, secrets: secrets,
		repeatable: r.Repeatable || idempotent(r.Method),
	})
}

func idempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// resolve makes the URL of r.
func (c *Client) resolve(r Request) (string, error) {
	var path strings.Builder
	path.WriteString(c.endpoint.String())
	for _, segment := range r.Path {
		if segment == "" || segment == "." || segment == ".." {
			return "", twinkey.Errorf(twinkey.Invalid, "'%s' cannot be a name", segment)
		}
		path.WriteByte('/')
		path.WriteString(url.PathEscape(segment))
	}
	query := url.Values{}
	for name, values := range r.Query {
		query[name] = values
	}
	if r.APIVersion != "" {
		query.Set("api-version", r.APIVersion)
	}
	if len(query) == 0 {
		return path.String(), nil
	}
	return path.String() + "?" + query.Encode(), nil
}

// call is a request that is ready to be sent, any number of times, under one
// x-ms-client-request-id.
type call struct {
	method     string
	url        string
	header     http.Header
	body       []byte
	token      twinkey.Secret // zero means no Authorization header
	secrets    []string       // what must not be repeated in an error, besides the token
	repeatable bool
	refuse     func(r *Response, secrets []string) error // nil means newResponseError
	clientID   string
}

// finish sends k until it is answered and turns refusals into errors.
func (c *Client) finish(ctx context.Context, k call) (*Response, error) {
	k.clientID = uuid.NewString()
	resp, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	switch {
	case resp.Status >= 400 && k.refuse != nil:
		return nil, k.refuse(resp, k.hidden())
	case resp.Status >= 400:
		return nil, newResponseError(resp, k.hidden())
	case resp.Status >= 300:
		return nil, twinkey.Errorf(twinkey.Unsupported, "%s answered %d, a redirect; redirects are refused, because the token is for %s alone", k.method, resp.Status, c.endpoint)
	}
	return resp, nil
}

// hidden lists every secret that k carries.
func (k call) hidden() []string {
	if k.token.IsZero() {
		return k.secrets
	}
	return append([]string{k.token.Reveal()}, k.secrets...)
}

// maxAnswer bounds what is read of an answer: far more than any page holds.
const maxAnswer = 64 << 20

// attempt sends k once.
func (c *Client) attempt(ctx context.Context, k call, number int) (*Response, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	began := c.now()
	resp, err := c.exchange(ctx, k)
	ex := Exchange{Method: k.method, URL: k.url, Attempt: number, ClientRequestID: k.clientID, Took: c.now().Sub(began), Err: err}
	if err == nil {
		ex.Status, ex.RequestID = resp.Status, resp.RequestID
	}
	c.trace(ex)
	return resp, err
}

func (c *Client) exchange(ctx context.Context, k call) (*Response, error) {
	req, err := http.NewRequestWithContext(ctx, k.method, k.url, bytes.NewReader(k.body))
	if err != nil {
		return nil, fmt.Errorf("making the request: %w", err)
	}
	if k.body == nil {
		req.Body, req.GetBody = http.NoBody, nil
	}
	req.Header = k.header.Clone()
	req.Header.Set("User-Agent", c.userAgent)
	req.Header.Set("x-ms-client-request-id", k.clientID)
	if !k.token.IsZero() {
		req.Header.Set("Authorization", "Bearer "+k.token.Reveal())
	}
	answer, err := c.http.Do(req)
	if err != nil {
		return nil, connectError(c.origin(k), err, k.hidden())
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return nil, connectError(c.origin(k), err, k.hidden())
	}
	if len(body) > maxAnswer {
		return nil, twinkey.Errorf(twinkey.TooLarge, "the answer is larger than %d MiB", maxAnswer>>20)
	}
	return newResponse(answer, body, c.now()), nil
}

// origin names the server k goes to.
func (c *Client) origin(k call) string {
	if u, err := url.Parse(k.url); err == nil {
		return u.Scheme + "://" + u.Host
	}
	return c.endpoint.String()
}

package graph_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"
	"github.com/twinkey/twinkey/internal/testenv"
)

// world is a whole server, driven over HTTP with tokens it issued.
type world struct {
	t      *testing.T
	env    *testenv.Env
	client *http.Client
	arm    *armclient.Client
	admin  string // token of the local administrator
	domain string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	env := testenv.Start(t, testenv.Options{})
	admin := env.Admin(t)
	w := &world{t: t, env: env, client: env.Client(t), arm: admin.Client, admin: admin.Token.Reveal()}
	tenants := w.must(200, "GET", "/tenants?api-version=2022-12-01", "").values()
	w.domain = tenants[0]["defaultDomain"].(string)
	return w
}

// answer is what came back.
type answer struct {
	status int
	text   string
	body   map[string]any
	header http.Header
}

func (a answer) code() string {
	e, _ := a.body["error"].(map[string]any)
	code, _ := e["code"].(string)
	return code
}

func (a answer) values() []map[string]any {
	list, _ := a.body["value"].([]any)
	var values []map[string]any
	for _, v := range list {
		values = append(values, v.(map[string]any))
	}
	return values
}

func (a answer) text1(property string) string {
	s, _ := a.body[property].(string)
	return s
}

func (w *world) call(token, method, path, body string) answer {
	w.t.Helper()
	if !strings.HasPrefix(path, "/") {
		path = "/v1.0/" + path
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.env.Endpoints.Endpoint+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("x-ms-client-request-id", "c1")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := w.client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, text: string(text), header: resp.Header}
	if len(bytes.TrimSpace(text)) > 0 {
		if err := json.Unmarshal(text, &a.body); err != nil {
			w.t.Fatalf("%s %s answered %d with what is not a JSON object: %s", method, path, resp.StatusCode, text)
		}
	}
	return a
}

func (w *world) must(status int, method, path, body string) answer {
	w.t.Helper()
	a := w.call(w.admin, method, path, body)
	if a.status != status {
		w.t.Fatalf("%s %s answered %d %s, want %d", method, path, a.status, a.text, status)
	}
	return a
}

// filtered lists what a filter finds in a collection.
func (w *world) filtered(collection, filter string) []map[string]any {
	w.t.Helper()
	return w.must(200, "GET", collection+"?$filter="+url.QueryEscape(filter), "").values()
}

// user makes a user and returns the object id.
func (w *world) user(name, password string) string {
	w.t.Helper()
	return w.must(201, "POST", "users", fmt.Sprintf(`{"accountEnabled":true,"displayName":"U %s","mailNickname":%q,"userPrincipalName":"%s@%s","passwordProfile":{"password":%q,"forceChangePasswordNextSignIn":false}}`,
		name, name, name, w.domain, password)).text1("id")
}

// application makes an application without a credential.
func (w *world) application(name string) answer {
	w.t.Helper()
	return w.must(201, "POST", "applications", fmt.Sprintf(`{"displayName":%q}`, name))
}

// signIn asks for a token.
func (w *world) signIn(g armclient.Grant) (string, error) {
	token, err := w.arm.Token(w.t.Context(), "", g)
	return token.Access.Reveal(), err
}

// signedIn asks for a token that there must be.
func (w *world) signedIn(g armclient.Grant) string {
	w.t.Helper()
	token, err := w.signIn(g)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

func password() string { return "P-" + uuid.NewString() }

func secret(text string) twinkey.Secret { return twinkey.NewSecret(text) }

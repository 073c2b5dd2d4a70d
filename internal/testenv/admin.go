package testenv

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/app"
	"github.com/twinkey/twinkey/internal/armclient"
)

// The API versions of what Admin does.
const (
	groupsVersion   = "2024-11-01"
	accountsVersion = "2025-06-01"
)

// Admin is the local administrator, logged in.
type Admin struct {
	Client *armclient.Client
	Token  twinkey.Secret

	subscription string
}

// Keys are both keys of an account, by twinkey.KeyName.Index.
type Keys [2]string

// Admin logs in as the local administrator.
func (e *Env) Admin(t testing.TB) *Admin {
	t.Helper()
	client, err := armclient.New(armclient.Config{
		Endpoint: e.Endpoints.Endpoint, Authority: e.Endpoints.Authority, TenantID: e.Endpoints.TenantID, CAFile: e.Endpoints.CAFile,
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(e.Endpoints.ConfigDir, app.LocalAdminFile))
	if err != nil {
		t.Fatal(err)
	}
	key, err := armclient.ParseAssertionKey(text)
	if err != nil {
		t.Fatal(err)
	}
	token, err := client.Token(t.Context(), "", armclient.AssertionGrant(key))
	if err != nil {
		t.Fatal(err)
	}
	return &Admin{Client: client, Token: token.Access, subscription: e.Endpoints.SubscriptionID}
}

// Do makes one call below the subscription. A refusal is an
// *armclient.ResponseError.
func (a *Admin) Do(t testing.TB, method, version string, body any, path ...string) (*armclient.Response, error) {
	t.Helper()
	return a.Client.Do(t.Context(), a.Token, armclient.Request{
		Method: method, Path: append([]string{"subscriptions", a.subscription}, path...), APIVersion: version, Body: body,
	})
}

// CreateAccount makes an account of kind CognitiveServices, and its group if
// there is none, and returns its keys.
func (a *Admin) CreateAccount(t testing.TB, group, name string) Keys {
	t.Helper()
	if _, err := a.Do(t, http.MethodPut, groupsVersion, map[string]string{"location": "westus"}, "resourceGroups", group); err != nil {
		t.Fatal(err)
	}
	account := map[string]any{"kind": "CognitiveServices", "location": "westus", "sku": map[string]string{"name": "S0"}}
	if _, err := a.Do(t, http.MethodPut, accountsVersion, account, accountPath(group, name)...); err != nil {
		t.Fatal(err)
	}
	return a.Keys(t, group, name)
}

// Keys lists the keys of an account.
func (a *Admin) Keys(t testing.TB, group, name string) Keys {
	t.Helper()
	return a.keys(t, nil, accountPath(group, name, "listKeys")...)
}

// Regenerate replaces one key and returns both.
func (a *Admin) Regenerate(t testing.TB, group, name string, key twinkey.KeyName) Keys {
	t.Helper()
	return a.keys(t, map[string]string{"keyName": key.String()}, accountPath(group, name, "regenerateKey")...)
}

func (a *Admin) keys(t testing.TB, body any, path ...string) Keys {
	t.Helper()
	resp, err := a.Do(t, http.MethodPost, accountsVersion, body, path...)
	if err != nil {
		t.Fatal(err)
	}
	var keys struct{ Key1, Key2 string }
	if err := resp.Decode(&keys); err != nil {
		t.Fatal(err)
	}
	return Keys{keys.Key1, keys.Key2}
}

func accountPath(group, name string, below ...string) []string {
	return append([]string{"resourceGroups", group, "providers", twinkey.Provider, "accounts", name}, below...)
}

// Detect asks the gateway for the language of a text, with a key unless it is
// "", and returns the status and the body.
func (e *Env) Detect(t testing.TB, c *http.Client, key, text string) (int, string) {
	t.Helper()
	body := `{"documents":[{"id":"1","text":"` + text + `"}]}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.Endpoints.Gateway+"/text/analytics/v3.1/languages", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Ocp-Apim-Subscription-Key", key)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

package authorization_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"
	"github.com/twinkey/twinkey/internal/testenv"
)

// The ids of built-in roles (Azure documentation, "Azure built-in roles").
const (
	owner                 = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	contributor           = "b24988ac-6180-42a0-ab88-20f7382dd24c"
	reader                = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	accessAdministrator   = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
	cognitiveServicesUser = "a97b65f3-24c7-4388-baec-2e87135dc908"
)

// world is a whole server with a group "g" and two accounts in it, driven over
// HTTP with tokens it issued.
type world struct {
	t      *testing.T
	env    *testenv.Env
	client *http.Client
	arm    *armclient.Client
	admin  string // token
	sub    string // "/subscriptions/{id}"
	group  string // "/subscriptions/{id}/resourceGroups/g"
}

// program is an application that has signed in.
type program struct {
	id, appID, secret, token string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	env := testenv.Start(t, testenv.Options{})
	w := &world{t: t, env: env, client: env.Client(t), sub: "/subscriptions/" + env.Endpoints.SubscriptionID}
	admin := env.Admin(t)
	w.arm, w.admin, w.group = admin.Client, admin.Token.Reveal(), w.sub+"/resourceGroups/g"
	admin.CreateAccount(t, "g", "one")
	admin.CreateAccount(t, "g", "two")
	return w
}

func (w *world) account(name string) string {
	return w.group + "/providers/Microsoft.CognitiveServices/accounts/" + name
}

// answer is what came back.
type answer struct {
	status int
	text   string
	body   map[string]any
}

// code is the error's code, in ARM's dialect and in Graph's.
func (a answer) code() string {
	e, _ := a.body["error"].(map[string]any)
	code, _ := e["code"].(string)
	return code
}

// values are the elements of a list.
func (a answer) values() []map[string]any {
	list, _ := a.body["value"].([]any)
	var values []map[string]any
	for _, v := range list {
		values = append(values, v.(map[string]any))
	}
	return values
}

// call sends a request; an api-version is added to a path of ARM that has none.
func (w *world) call(token, method, path, body string) answer {
	w.t.Helper()
	if !strings.Contains(path, "api-version=") && !strings.HasPrefix(path, "/v1.0/") {
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		path += separator + "api-version=2022-04-01"
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.env.Endpoints.Endpoint+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := w.client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, text: string(text)}
	if len(bytes.TrimSpace(text)) > 0 {
		if err := json.Unmarshal(text, &a.body); err != nil {
			w.t.Fatalf("%s %s answered %d with what is not a JSON object: %s", method, path, resp.StatusCode, text)
		}
	}
	return a
}

// must is call by the administrator, with the status it must have.
func (w *world) must(status int, method, path, body string) answer {
	w.t.Helper()
	a := w.call(w.admin, method, path, body)
	if a.status != status {
		w.t.Fatalf("%s %s answered %d %s, want %d", method, path, a.status, a.text, status)
	}
	return a
}

// wants checks the status of a call by somebody.
func (w *world) wants(status int, token, method, path, body string) {
	w.t.Helper()
	if a := w.call(token, method, path, body); a.status != status {
		w.t.Errorf("%s %s answered %d %s, want %d", method, strings.TrimPrefix(path, w.sub), a.status, a.text, status)
	}
}

// program makes an application and signs it in.
func (w *world) program(name string) program {
	w.t.Helper()
	app := w.must(201, "POST", "/v1.0/applications", fmt.Sprintf(`{"displayName":%q,"keyCredentials":[]}`, name)).body
	p := program{id: app["id"].(string), appID: app["appId"].(string)}
	p.secret = w.must(200, "POST", "/v1.0/applications/"+p.id+"/addPassword", `{}`).body["secretText"].(string)
	token, err := w.arm.Token(w.t.Context(), "", armclient.SecretGrant(p.appID, twinkey.NewSecret(p.secret)))
	if err != nil {
		w.t.Fatal(err)
	}
	p.token = token.Access.Reveal()
	return p
}

// grant gives a principal a role and returns the path of the assignment.
func (w *world) grant(scope, role, principal string) string {
	w.t.Helper()
	path := assignmentPath(scope, uuid.NewString())
	w.must(201, "PUT", path, w.assignment(role, principal))
	return path
}

// assignment is the body that gives a principal a role.
func (w *world) assignment(role, principal string) string {
	return fmt.Sprintf(`{"properties":{"roleDefinitionId":"%s/providers/Microsoft.Authorization/roleDefinitions/%s","principalId":"%s"}}`, w.sub, role, principal)
}

func assignmentPath(scope, id string) string {
	return scope + "/providers/Microsoft.Authorization/roleAssignments/" + id
}

package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey/internal/armclient"
)

// If this fails, the directory is changed by somebody who may not, read by
// nobody in particular, or the refusal is not one that Graph's clients can read.
func TestWhoMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	word := password()
	u := w.user("alex", word)
	app := w.application("job").text1("id")
	token := w.signedIn(armclient.PasswordGrant("alex@"+w.domain, secret(word)))
	changes := [][3]string{
		{"POST", "users", `{}`}, {"PATCH", "users/" + u, `{"accountEnabled":true}`}, {"DELETE", "users/" + u, ""},
		{"POST", "applications", `{"displayName":"x"}`}, {"PATCH", "applications/" + app, `{}`}, {"DELETE", "applications/" + app, ""},
		{"POST", "applications/" + app + "/addPassword", ""}, {"POST", "servicePrincipals/" + app + "/addPassword", ""}, {"POST", "applications/" + app + "/removePassword", `{}`},
		{"POST", "servicePrincipals", `{}`}, {"PATCH", "servicePrincipals/" + app, `{}`}, {"DELETE", "servicePrincipals/" + app, ""},
		{"POST", "groups", `{}`}, {"PATCH", "groups/" + u, `{}`}, {"DELETE", "groups/" + u, ""}, {"POST", "groups/" + u + "/members/$ref", `{}`}, {"DELETE", "groups/" + u + "/members/" + u + "/$ref", ""},
	}
	refused := func(role string) {
		t.Helper()
		for _, c := range changes {
			a := w.call(token, c[0], c[1], c[2])
			if a.status != 403 || a.code() != "Authorization_RequestDenied" {
				t.Errorf("%s, %s %s: %d %s", role, c[0], c[1], a.status, a.text)
			}
			inner := a.body["error"].(map[string]any)["innerError"].(map[string]any)
			if inner["request-id"] != a.header.Get("request-id") || inner["client-request-id"] != "c1" || inner["date"] == "" {
				t.Errorf("the refusal does not name the request: %s", a.text)
			}
		}
	}
	grant := func(scope, role string) string {
		path := scope + "/providers/Microsoft.Authorization/roleAssignments/" + uuid.NewString() + "?api-version=2022-04-01"
		w.must(201, "PUT", path, fmt.Sprintf(`{"properties":{"roleDefinitionId":"/providers/Microsoft.Authorization/roleDefinitions/%s","principalId":%q}}`, role, u))
		return path
	}
	refused("without a role")
	contributor := grant("", "b24988ac-6180-42a0-ab88-20f7382dd24c")
	refused("Contributor at the root")
	w.must(200, "DELETE", contributor, "")
	grant("/subscriptions/"+w.env.Endpoints.SubscriptionID, "8e3af657-a8ff-443c-a75c-2fe8c4bcb635")
	refused("Owner of a subscription")
	for _, path := range []string{"me", "users", "users/" + u, "applications", "servicePrincipals/" + app, "groups"} {
		if a := w.call(token, "GET", path, ""); a.status != 200 {
			t.Errorf("reading %s: %d %s", path, a.status, a.text)
		}
	}
	grant("", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9") // User Access Administrator
	if a := w.call(token, "PATCH", "applications/"+app, `{"displayName":"y"}`); a.status != 204 {
		t.Errorf("User Access Administrator at the root: %d %s", a.status, a.text)
	}
	for _, bad := range []string{"", "x", "a.b.c"} {
		if a := w.call(bad, "GET", "users", ""); a.status != 401 || a.code() != "InvalidAuthenticationToken" {
			t.Errorf("token %q: %d %s", bad, a.status, a.text)
		}
	}
}

// If this fails, bad input is taken, passed over, or answered as a fault of the
// server.
func TestBadInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u, app := w.user("alex", password()), w.application("job").text1("id")
	user := func(more string) string {
		return fmt.Sprintf(`{"accountEnabled":true,"displayName":"x","mailNickname":"x","userPrincipalName":"new@%s","passwordProfile":{"password":%q}%s}`, w.domain, password(), more)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "users", ``, 400}, {"POST", "users", `null`, 400}, {"POST", "users", `[]`, 400}, {"POST", "users", `{`, 400}, {"POST", "users", `{}`, 400}, {"POST", "users", "\xff", 400},
		{"POST", "users", user(`,"jobTitle":"x"`), 400}, {"POST", "users", user(`,"displayName":"y"`), 400}, {"POST", "users", strings.Replace(user(""), "new@", "new", 1), 400},
		{"POST", "users", strings.Replace(user(""), "new@", "new@x.", 1), 400}, {"POST", "users", strings.Replace(user(""), `"password":"P-`, `"password":"`+strings.Repeat("x", 300), 1), 400},
		{"POST", "users", strings.Replace(user(""), `"x"`, `"\u0000"`, 1), 400}, {"POST", "users", strings.Replace(user(""), `"passwordProfile":{`, `"passwordProfile":{"forceChangePasswordNextSignIn":true,`, 1), 400},
		{"PATCH", "users/" + u, `{"userPrincipalName":"other@` + w.domain + `"}`, 400}, {"PATCH", "users/" + u, `{"accountEnabled":"false"}`, 400}, {"PATCH", "users/" + u, `{"passwordProfile":{"password":""}}`, 400},
		{"PATCH", "users/" + u, `{"passwordProfile":{"password":"short"}}`, 400}, {"PATCH", "users/" + u, `{"mailNickname":"a@b"}`, 400}, {"PATCH", "users/" + app, `{}`, 404}, {"DELETE", "users/" + app, ``, 404},
		{"POST", "applications", `{}`, 400}, {"POST", "applications", `{"displayName":"x","identifierUris":["api://x"]}`, 400}, {"POST", "applications", `{"displayName":"x","signInAudience":"AzureADMultipleOrgs"}`, 400},
		{"POST", "applications", `{"displayName":"` + strings.Repeat("x", 300) + `"}`, 400}, {"PATCH", "applications/" + u, `{}`, 404}, {"DELETE", "applications/" + u, ``, 404}, {"DELETE", "groups/" + u, ``, 404},
		{"POST", "applications/" + app + "/addPassword", `{"passwordCredential":{"endDateTime":"2001-01-01T00:00:00Z"}}`, 400}, {"POST", "applications/" + app + "/addPassword", `{"passwordCredential":{"endDateTime":"tomorrow"}}`, 400},
		{"POST", "applications/" + app + "/addPassword", `{"passwordCredential":{"startDateTime":"2101-01-01T00:00:00Z"}}`, 400}, {"POST", "applications/" + app + "/addPassword", `{"displayName":"x"}`, 400},
		{"POST", "applications/" + u + "/addPassword", ``, 404}, {"POST", "applications/" + app + "/removePassword", `{}`, 400}, {"POST", "servicePrincipals", `{"appId":"` + uuid.NewString() + `"}`, 400},
		{"POST", "servicePrincipals", `{"appId":"alex@` + w.domain + `"}`, 400}, {"POST", "servicePrincipals", `{}`, 400},
		{"POST", "groups", `{"displayName":"x"}`, 400}, {"POST", "groups", `{"displayName":"x","mailNickname":"x","mailEnabled":true,"securityEnabled":true}`, 400}, {"POST", "groups", `{"displayName":"x","mailNickname":"a b"}`, 400},
		{"POST", "groups", `{"displayName":"x","mailNickname":"x","groupTypes":["Unified"]}`, 400}, {"POST", "groups", `{"displayName":"x","mailNickname":"x","description":"\u0001"}`, 400},
		{"GET", "users/" + uuid.NewString(), ``, 404}, {"GET", "users/nobody", ``, 404}, {"GET", "users/%00", ``, 404}, {"GET", "users/" + strings.Repeat("x", 2000), ``, 404}, {"GET", "users/a%2Fb", ``, 404}, {"GET", "users/%ff", ``, 400},
		{"GET", "users?$top=0", ``, 400}, {"GET", "users?$top=1000", ``, 400}, {"GET", "users?$top=x", ``, 400}, {"GET", "users?$skiptoken=x", ``, 400}, {"GET", "users?$orderby=id", ``, 400}, {"GET", "users?$search=x", ``, 400},
		{"GET", "users?$top=1&$top=2", ``, 400}, {"GET", "users?%zz", ``, 400}, {"GET", "groups/" + u + "/members", ``, 404},
		{"GET", "nothing", ``, 400}, {"GET", "", ``, 400}, {"GET", "users/" + u + "/photo", ``, 400}, {"PUT", "users", `{}`, 405}, {"DELETE", "users", ``, 405}, {"PATCH", "me", `{}`, 405},
	} {
		a := w.call(w.admin, c.method, c.path, c.body)
		e, _ := a.body["error"].(map[string]any)
		if message, _ := e["message"].(string); a.status != c.status || a.code() == "" || message == "" {
			t.Errorf("%s %.80s %.200q: %d %s, want %d", c.method, c.path, c.body, a.status, a.text, c.status)
		}
	}
	for _, filter := range []string{"x", "x eq 'y'", "displayName", "displayName eq", "displayName eq x", "displayName eq 'x", "displayName eq 'x' or id eq 'y'", "displayName eq 'x' and", "startswith(displayName 'x')",
		"startswith(displayName,'x'", "not displayName eq 'x'", "displayName ne 'x'", "servicePrincipalNames/any(c:d eq 'x')", "accountEnabled eq true", "(displayName eq 'x')", "'", "and", "displayName eq 'a'displayName eq 'b'"} {
		a := w.call(w.admin, "GET", "users?$filter="+strings.ReplaceAll(strings.ReplaceAll(filter, " ", "%20"), "'", "%27"), "")
		if a.status != 400 || a.code() != "Request_UnsupportedQuery" {
			t.Errorf("%s: %d %s", filter, a.status, a.text)
		}
	}
	if found := w.filtered("users", "displayName eq 'it''s'"); len(found) != 0 {
		t.Errorf("a quotation mark in a name: %v", found)
	}
}

// If this fails, the server writes a password or a client secret to its log.
func TestLogHoldsNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	word := password()
	u, app := w.user("alex", word), w.application("job")
	added := w.must(200, "POST", "applications/"+app.text1("id")+"/addPassword", "").text1("secretText")
	w.must(204, "PATCH", "users/"+u, `{"accountEnabled":false}`)
	log := w.env.Log()
	if !strings.Contains(log, "path=/v1.0/users/"+u) {
		t.Error("the log lacks the calls: nothing was looked at")
	}
	if strings.Contains(log, word) || strings.Contains(log, added) {
		t.Error("the log holds a secret")
	}
}

package authorization_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// If this fails, the clients of Azure's API do not find what they look for in
// an assignment.
func TestAssignmentOnTheWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.program("app")
	id := uuid.NewString()
	me := w.must(200, "GET", "/v1.0/servicePrincipals?$filter="+url.QueryEscape("displayName eq 'local administrator'"), "").values()[0]["id"].(string)
	body := fmt.Sprintf(`{"properties":{"roleDefinitionId":"/providers/Microsoft.Authorization/roleDefinitions/%s","principalId":"%s","principalType":"ServicePrincipal","description":"for the job","condition":null}}`, strings.ToUpper(reader), p.id)
	path := assignmentPath(w.account("One"), id)
	created := w.must(201, "PUT", path, body)
	var got map[string]any
	if err := json.Unmarshal([]byte(regexp.MustCompile(`"(created|updated)On":"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z"`).ReplaceAllString(created.text, `"${1}On":"now"`)), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"id": path, "name": id, "type": "Microsoft.Authorization/roleAssignments",
		"properties": map[string]any{
			"roleDefinitionId": w.sub + "/providers/Microsoft.Authorization/roleDefinitions/" + reader,
			"principalId":      p.id, "principalType": "ServicePrincipal", "scope": w.account("One"), "description": "for the job",
			"condition": nil, "conditionVersion": nil, "delegatedManagedIdentityResourceId": nil,
			"createdOn": "now", "updatedOn": "now", "createdBy": me, "updatedBy": me,
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("created:\n%v\nwant:\n%v", got, want)
	}
	if again := w.must(200, "PUT", path, body); again.text != created.text {
		t.Errorf("the same again: %s", again.text)
	}
	changed := w.must(200, "PUT", path, strings.Replace(body, "for the job", "for another job", 1))
	if changed.body["properties"].(map[string]any)["description"] != "for another job" {
		t.Errorf("changed: %s", changed.text)
	}
	if got := w.must(200, "GET", strings.ToUpper(path), ""); got.text != changed.text {
		t.Errorf("read: %s", got.text)
	}
	if got := w.must(200, "DELETE", path, ""); got.text != changed.text {
		t.Errorf("deleted: %s", got.text)
	}
	if a := w.call(w.admin, "GET", path, ""); a.status != 404 || a.code() != "RoleAssignmentNotFound" {
		t.Errorf("read when it is gone: %d %s", a.status, a.text)
	}
	if a := w.call(w.admin, "DELETE", path, ""); a.status != 204 || a.text != "" {
		t.Errorf("deleted when it is gone: %d %q", a.status, a.text)
	}
}

// If this fails, a list of assignments shows what was not asked for, or hides
// what was.
func TestAssignmentFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, other := w.program("app"), w.program("other")
	scopes := map[string]string{"root": "", "sub": w.sub, "group": w.group, "one": w.account("one"), "two": w.account("two")}
	names := map[string]string{}
	for name, scope := range scopes {
		names[w.grant(scope, reader, p.id)] = name
	}
	names[w.grant(w.group, contributor, other.id)] = "other's"
	for _, c := range []struct {
		scope, filter string
		want          []string
	}{
		{w.group, "", []string{"group", "one", "other's", "root", "sub", "two"}},
		{w.group, "atScope()", []string{"group", "other's", "root", "sub"}},
		{w.group, "principalId eq '" + p.id + "'", []string{"group", "one", "root", "sub", "two"}},
		{w.group, "ATSCOPE() And PRINCIPALID Eq '" + strings.ToUpper(p.id) + "'", []string{"group", "root", "sub"}},
		{w.group, "atScope() and assignedTo('" + other.id + "')", []string{"other's"}},
		{w.group, " assignedTo( '" + p.id + "' ) ", []string{"group", "one", "root", "sub", "two"}},
		{w.account("two"), "", []string{"group", "other's", "root", "sub", "two"}},
		{w.account("two"), "principalId eq '" + uuid.NewString() + "'", nil},
		{w.sub, "principalId eq '" + p.id + "'", []string{"group", "one", "root", "sub", "two"}},
		{"", "atScope()", []string{"root"}},
		{"", "assignedTo('" + uuid.NewString() + "')", nil},
	} {
		path := c.scope + "/providers/Microsoft.Authorization/roleAssignments"
		if c.filter != "" {
			path += "?$filter=" + url.QueryEscape(c.filter)
		}
		a := w.must(200, "GET", path, "")
		got := shown(a, names)
		if !slices.Equal(got, c.want) {
			t.Errorf("%q at %q: %v, want %v", c.filter, strings.TrimPrefix(c.scope, w.sub), got, c.want)
		}
		if c.want == nil && a.text != `{"value":[]}` {
			t.Errorf("an empty list: %s", a.text)
		}
	}
	for _, filter := range []string{
		"atScope", "atScope() and", "and", "atScope() or atScope()", "atScope() and atScope()", "atScope('x')", "principalId eq", "principalId eq 'x'", "principalId ne '" + p.id + "'",
		"principalId eq '" + p.id, "assignedTo()", "assignedTo('" + p.id + "'", "atScope()principalId eq '" + p.id + "'", "roleDefinitionId eq '" + reader + "'", "'", "(", "principalId eq '" + p.id + "' and assignedTo('" + p.id + "')",
	} {
		w.wants(400, w.admin, "GET", w.group+"/providers/Microsoft.Authorization/roleAssignments?$filter="+url.QueryEscape(filter), "")
	}
}

// shown names the assignments of a list that names has, sorted.
func shown(a answer, names map[string]string) []string {
	var found []string
	for _, v := range a.values() {
		if name, ok := names[v["id"].(string)]; ok {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// If this fails, a long list of assignments loses some, or shows some twice.
func TestAssignmentPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var want, got []string
	for i := range 7 {
		want = append(want, w.grant([]string{w.group, w.account("one")}[i%2], reader, w.program(fmt.Sprint("app ", i)).id))
	}
	next := w.group + "/providers/Microsoft.Authorization/roleAssignments?$top=2"
	for pages := 0; next != ""; pages++ {
		a := w.must(200, "GET", next, "")
		for _, v := range a.values() {
			if id := v["id"].(string); strings.HasPrefix(id, w.group) {
				got = append(got, id)
			}
		}
		link, _ := a.body["nextLink"].(string)
		next = strings.TrimPrefix(link, w.env.Endpoints.Endpoint)
		if pages > 10 || next != "" && next == link {
			t.Fatalf("the list does not end, or leads elsewhere: %s", link)
		}
	}
	slices.Sort(want)
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
}

// If this fails, bad input is taken, or answered as a fault of the server.
func TestAssignmentRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, g := w.program("app"), w.must(201, "POST", "/v1.0/groups", `{"displayName":"g","mailNickname":"g","mailEnabled":false,"securityEnabled":true}`).body["id"].(string)
	held := w.grant(w.group, reader, p.id)
	id := func() string { return assignmentPath(w.group, uuid.NewString()) }
	properties := func(role, principal, more string) string {
		return fmt.Sprintf(`{"properties":{"roleDefinitionId":"%s","principalId":"%s"%s}}`, role, principal, more)
	}
	full := w.sub + "/providers/Microsoft.Authorization/roleDefinitions/"
	for _, c := range []struct {
		path, body string
		status     int
		code       string
	}{
		{id(), properties(full+contributor, p.id, `,"condition":"@Resource[x] StringEquals 'y'","conditionVersion":"2.0"`), 400, "NotSupported"},
		{id(), properties(full+contributor, p.id, `,"delegatedManagedIdentityResourceId":"/x"`), 400, "NotSupported"},
		{id(), properties(full+contributor, p.id, `,"principalType":"User"`), 400, "UnmatchedPrincipalType"},
		{id(), properties(full+contributor, g, `,"principalType":"ServicePrincipal"`), 400, "UnmatchedPrincipalType"},
		{id(), properties(full+contributor, uuid.NewString(), ""), 400, "PrincipalNotFound"},
		{id(), properties(full+uuid.NewString(), p.id, ""), 404, "RoleDefinitionDoesNotExist"},
		{id(), properties(full+reader, p.id, ""), 409, "RoleAssignmentExists"},
		{strings.Replace(id(), "/resourceGroups/g/", "/resourceGroups/absent/", 1), properties(full+reader, p.id, ""), 404, "ResourceGroupNotFound"},
		{assignmentPath(w.account("absent"), uuid.NewString()), properties(full+reader, p.id, ""), 404, "ResourceNotFound"},
		{held, properties(full+contributor, p.id, ""), 400, "RoleAssignmentUpdateNotPermitted"},
		{held, properties(full+reader, g, ""), 400, "RoleAssignmentUpdateNotPermitted"},
		{assignmentPath(w.group, "x"), properties(full+contributor, p.id, ""), 400, "InvalidRoleAssignmentId"},
		{assignmentPath(w.group, "..%2F..%2Fx"), properties(full+contributor, p.id, ""), 400, "InvalidRoleAssignmentId"},
		{id(), properties("Contributor", p.id, ""), 400, "BadRequest"},
		{id(), properties(contributor, p.id, ""), 400, "BadRequest"},
		{id(), properties("/x"+full+contributor, p.id, ""), 400, "BadRequest"},
		{id(), properties(full+"x", p.id, ""), 400, "BadRequest"},
		{id(), properties(full+contributor, "x", ""), 400, "BadRequest"},
		{id(), properties(full+contributor, p.id, `,"description":"`+strings.Repeat("x", 3000)+`"`), 400, "BadRequest"},
		{id(), properties(full+contributor, p.id, `,"description":"a\u0007"`), 400, "BadRequest"},
		{id(), properties(full+contributor, p.id, `,"description":5`), 400, "InvalidRequestContent"},
		{id(), `{}`, 400, "InvalidRequestContent"},
		{id(), `{"properties":null}`, 400, "InvalidRequestContent"},
		{id(), `{"properties":{}}`, 400, "BadRequest"},
		{id(), `[]`, 400, "InvalidRequestContent"},
		{id(), `null`, 400, "InvalidRequestContent"},
		{id(), `{"properties":`, 400, "InvalidRequestContent"},
		{id(), ``, 400, "InvalidRequestContent"},
	} {
		if a := w.call(w.admin, "PUT", c.path, c.body); a.status != c.status || a.code() != c.code {
			t.Errorf("%.200s: %d %s, want %d %s", c.body, a.status, a.text, c.status, c.code)
		}
	}
	if a := w.call(w.admin, "PUT", id(), properties(full+reader, p.id, "")); !strings.Contains(a.text, "role assignment already exists") {
		t.Errorf("clients know a duplicate by its sentence: %s", a.text)
	}
	if a := w.call(w.admin, "PUT", id(), properties(full+reader, uuid.NewString(), "")); !strings.Contains(a.text, " does not exist in the directory ") {
		t.Errorf("clients know an absent principal by its sentence: %s", a.text)
	}
	w.wants(405, w.admin, "POST", id(), `{}`)
	w.wants(404, w.admin, "GET", w.account("one")+"/deployments/d/providers/Microsoft.Authorization/roleAssignments", "")
	w.wants(400, w.admin, "GET", "/subscriptions/x/providers/Microsoft.Authorization/roleAssignments", "")
}

// If this fails, roles are not found by what clients look for them by, or bad
// definitions are taken.
func TestRoleDefinitions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := func(scope, filter string) []map[string]any {
		t.Helper()
		return w.must(200, "GET", scope+"/providers/Microsoft.Authorization/roleDefinitions?$filter="+url.QueryEscape(filter), "").values()
	}
	found := list(w.group, "roleName eq 'cognitive services user'")
	if len(found) != 1 || found[0]["id"] != w.sub+"/providers/Microsoft.Authorization/roleDefinitions/"+cognitiveServicesUser {
		t.Fatalf("by name: %v", found)
	}
	properties := found[0]["properties"].(map[string]any)
	permission := properties["permissions"].([]any)[0].(map[string]any)
	if properties["roleName"] != "Cognitive Services User" || properties["type"] != "BuiltInRole" || !reflect.DeepEqual(properties["assignableScopes"], []any{"/"}) ||
		!slices.Contains(permission["actions"].([]any), any("Microsoft.CognitiveServices/accounts/listkeys/action")) || permission["notActions"] == nil || permission["dataActions"] == nil || permission["notDataActions"] == nil {
		t.Errorf("a built-in role is shown as %v", found[0])
	}
	if found := list("", "roleName eq 'Owner'"); len(found) != 1 || found[0]["id"] != "/providers/Microsoft.Authorization/roleDefinitions/"+owner {
		t.Errorf("at the root: %v", found)
	}
	builtIn, all := list(w.sub, "type eq 'BuiltInRole'"), list(w.sub, "")
	if len(builtIn) < 20 || len(builtIn) != len(all) || len(list(w.sub, "type eq 'CustomRole'")) != 0 {
		t.Errorf("%d built-in roles of %d", len(builtIn), len(all))
	}
	at := func(scope string) string {
		return scope + "/providers/Microsoft.Authorization/roleDefinitions/" + uuid.NewString()
	}
	role := func(name, scopes, permissions string) string {
		return fmt.Sprintf(`{"properties":{"roleName":%q,"assignableScopes":[%s],"permissions":[%s]}}`, name, scopes, permissions)
	}
	const read = `{"actions":["*/read"]}`
	group, sub := `"`+w.group+`"`, `"`+w.sub+`"`
	own := at(w.sub)
	w.must(201, "PUT", own, role("Group reader", group, read))
	if len(list(w.sub, "type eq 'CustomRole'")) != 0 || len(list(w.sub, "type eq 'CustomRole' and atScopeAndBelow()")) != 1 || len(list(w.group, "roleName eq 'Group reader' and type eq 'CustomRole'")) != 1 || len(list("", "type eq 'CustomRole'")) != 1 {
		t.Error("a custom role is listed where it cannot be assigned, or not where it can")
	}
	for _, c := range []struct {
		path, body string
		status     int
		code       string
	}{
		{at(w.sub), role("GROUP reader", sub, read), 409, "RoleDefinitionWithSameNameExists"},
		{at(w.sub), role("owner", sub, read), 409, "RoleDefinitionWithSameNameExists"},
		{at(w.sub), role("", sub, read), 400, "BadRequest"},
		{at(w.sub), role(" x", sub, read), 400, "BadRequest"},
		{at(w.sub), role("x", "", read), 400, "BadRequest"},
		{at(w.sub), role("x", `"/"`, read), 400, "BadRequest"},
		{at(w.sub), role("x", `"/subscriptions/`+uuid.NewString()+`"`, read), 400, "BadRequest"},
		{at(w.sub), role("x", `"`+w.account("one")+`"`, read), 400, "BadRequest"},
		{at(w.sub), role("x", `"x"`, read), 400, "BadRequest"},
		{at(w.sub), role("x", sub, ""), 400, "BadRequest"},
		{at(w.sub), role("x", sub, `{"actions":[]}`), 400, "BadRequest"},
		{at(w.sub), role("x", sub, `{"actions":["read"]}`), 400, "BadRequest"},
		{at(w.sub), role("x", sub, `{"actions":["/read"]}`), 400, "BadRequest"},
		{at(w.sub), role("x", sub, `{"actions":["a/b c"]}`), 400, "BadRequest"},
		{at(w.sub), role("x", sub, `{"actions":["a/b"],"dataActions":[""]}`), 400, "BadRequest"},
		{at(w.sub), role("x", sub, `{"actions":"a/b"}`), 400, "InvalidRequestContent"},
		{at(w.sub), `{}`, 400, "InvalidRequestContent"},
		{at(w.sub), ``, 400, "InvalidRequestContent"},
		{at(""), role("x", sub, read), 400, "NotSupported"},
		{at(w.account("one")), role("x", sub, read), 400, "NotSupported"},
		{w.sub + "/providers/Microsoft.Authorization/roleDefinitions/x", role("x", sub, read), 400, "InvalidRoleDefinitionId"},
		{w.sub + "/providers/Microsoft.Authorization/roleDefinitions/" + reader, role("x", sub, read), 400, "NotSupported"},
		{at(w.sub), `{"properties":{"roleName":"x","type":"BuiltInRole","assignableScopes":[` + sub + `],"permissions":[` + read + `]}}`, 400, "NotSupported"},
	} {
		if a := w.call(w.admin, "PUT", c.path, c.body); a.status != c.status || a.code() != c.code {
			t.Errorf("%.200s: %d %s, want %d %s", c.body, a.status, a.text, c.status, c.code)
		}
	}
	w.wants(400, w.admin, "DELETE", w.sub+"/providers/Microsoft.Authorization/roleDefinitions/"+reader, "")
	for _, filter := range []string{"roleName eq Owner", "roleName", "type ne 'x'", "roleName eq 'a' roleName eq 'b'", "atScopeAndBelow"} {
		w.wants(400, w.admin, "GET", w.sub+"/providers/Microsoft.Authorization/roleDefinitions?$filter="+url.QueryEscape(filter), "")
	}
}

// If this fails, somebody is told of permissions that are not theirs.
func TestPermissionsAreTheCallersOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.program("app")
	path := w.account("one") + "/providers/Microsoft.Authorization/permissions"
	if a := w.call(p.token, "GET", path, ""); a.status != 200 || a.text != `{"value":[]}` {
		t.Errorf("without a role: %d %s", a.status, a.text)
	}
	w.grant(w.group, contributor, p.id)
	a := w.call(p.token, "GET", path, "")
	if v := a.values(); len(v) != 1 || !reflect.DeepEqual(v[0]["actions"], []any{"*"}) || !slices.Contains(v[0]["notActions"].([]any), any("Microsoft.Authorization/*/Write")) {
		t.Errorf("with Contributor: %s", a.text)
	}
	if a := w.call(p.token, "GET", w.sub+"/providers/Microsoft.Authorization/permissions", ""); a.text != `{"value":[]}` {
		t.Errorf("above the role: %s", a.text)
	}
}

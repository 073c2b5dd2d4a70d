package authorization_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// If this fails, a role gives more than Azure's role of that name, or less.
func TestRolesGiveWhatTheyGiveInAzure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.account("one")
	for _, c := range []struct {
		role                                 string
		read, list, regenerate, write, grant int
	}{
		{"", 403, 403, 403, 403, 403},
		{reader, 200, 403, 403, 403, 403},
		{cognitiveServicesUser, 200, 200, 403, 403, 403},
		{contributor, 200, 200, 200, 200, 403},
		{accessAdministrator, 200, 403, 403, 403, 201},
		{owner, 200, 200, 200, 200, 201},
	} {
		p := w.program("role " + c.role)
		if c.role != "" {
			w.grant(w.group, c.role, p.id)
		}
		w.wants(c.read, p.token, "GET", one, "")
		w.wants(c.list, p.token, "POST", one+"/listKeys", "")
		w.wants(c.regenerate, p.token, "POST", one+"/regenerateKey", `{"keyName":"Key1"}`)
		w.wants(c.write, p.token, "PUT", one, `{"location":"westus","kind":"CognitiveServices","sku":{"name":"S0"}}`)
		w.wants(c.grant, p.token, "PUT", assignmentPath(one, uuid.NewString()), w.assignment(reader, p.id))
		w.wants(403, p.token, "PUT", assignmentPath(w.sub, uuid.NewString()), w.assignment(owner, p.id))
		w.wants(403, p.token, "PUT", assignmentPath("", uuid.NewString()), w.assignment(owner, p.id))
	}
}

// If this fails, a role on one account opens another, or its surroundings.
func TestRoleOnOneAccountOpensNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.program("app of account one")
	at := w.grant(w.account("one"), owner, p.id)
	w.wants(200, p.token, "POST", w.account("ONE")+"/listKeys", "")
	w.wants(403, p.token, "POST", w.account("two")+"/listKeys", "")
	w.wants(403, p.token, "GET", w.group, "")
	w.wants(403, p.token, "GET", w.group+"/providers/Microsoft.CognitiveServices/accounts", "")
	w.wants(403, p.token, "PUT", assignmentPath(w.group, uuid.NewString()), w.assignment(reader, p.id))
	w.must(200, "DELETE", at, "")
	w.wants(403, p.token, "POST", w.account("one")+"/listKeys", "")
	w.must(204, "DELETE", at, "")
}

// If this fails, a membership does not give what the group was granted, or its
// end, or the group's, does not take it away at once.
func TestGroupMembershipCountsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, keys := w.program("member"), w.account("one")+"/listKeys"
	g := w.must(201, "POST", "/v1.0/groups", `{"displayName":"Readers of keys","mailNickname":"keys","mailEnabled":false,"securityEnabled":true}`).body["id"].(string)
	w.grant(w.group, cognitiveServicesUser, g)
	members := "/v1.0/groups/" + g + "/members"
	join := fmt.Sprintf(`{"@odata.id":"%s/v1.0/directoryObjects/%s"}`, w.env.Endpoints.Endpoint, p.id)
	w.wants(403, p.token, "POST", keys, "")
	w.must(204, "POST", members+"/$ref", join)
	w.wants(200, p.token, "POST", keys, "")
	w.must(204, "DELETE", members+"/"+p.id+"/$ref", "")
	w.wants(403, p.token, "POST", keys, "")
	w.must(204, "POST", members+"/$ref", join)
	w.wants(200, p.token, "POST", keys, "")

	list := w.must(200, "GET", w.group+"/providers/Microsoft.Authorization/roleAssignments?$filter="+url.QueryEscape("assignedTo('"+p.id+"')"), "").values()
	if len(list) != 1 || list[0]["properties"].(map[string]any)["principalId"] != g {
		t.Errorf("assigned to the member, through the group: %v", list)
	}
	w.must(204, "DELETE", "/v1.0/groups/"+g, "")
	w.wants(403, p.token, "POST", keys, "")
	w.wants(404, w.admin, "POST", members+"/$ref", join)
}

// If this fails, somebody who has been switched off, or whose credential has
// been taken away, is let in with a token from before.
func TestDisabledPrincipalIsOutAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, keys := w.program("app"), w.account("one")+"/listKeys"
	w.grant("", owner, p.id)
	w.wants(200, p.token, "POST", keys, "")
	w.must(204, "PATCH", "/v1.0/servicePrincipals/"+p.id, `{"accountEnabled":false}`)
	w.wants(401, p.token, "POST", keys, "")
	w.wants(401, p.token, "GET", "/v1.0/users", "")
	w.must(204, "PATCH", "/v1.0/servicePrincipals/"+p.id, `{"accountEnabled":true}`)
	w.wants(200, p.token, "POST", keys, "")
	secrets := w.must(200, "GET", "/v1.0/applications/"+p.id, "").body["passwordCredentials"].([]any)
	w.must(204, "POST", "/v1.0/applications/"+p.id+"/removePassword", fmt.Sprintf(`{"keyId":"%s"}`, secrets[0].(map[string]any)["keyId"]))
	w.wants(401, p.token, "POST", keys, "")
}

// If this fails, a custom role gives what it does not name, goes on giving what
// was taken out of it, or can be deleted under those who hold it.
func TestCustomRole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := uuid.NewString()
	path := w.sub + "/providers/Microsoft.Authorization/roleDefinitions/" + id
	role := func(name, actions string) string {
		return fmt.Sprintf(`{"properties":{"roleName":%q,"description":"d","assignableScopes":[%q],"permissions":[{"actions":[%s],"notActions":[]}]}}`, name, w.group, actions)
	}
	const read, list, regenerate = `"Microsoft.CognitiveServices/accounts/read"`, `"Microsoft.CognitiveServices/accounts/listKeys/action"`, `"Microsoft.CognitiveServices/accounts/regenerateKey/action"`
	a := w.must(201, "PUT", path, role("Key rotator", read+","+regenerate))
	if p := a.body["properties"].(map[string]any); a.body["id"] != path || a.body["name"] != id || p["type"] != "CustomRole" || p["createdOn"] == nil {
		t.Errorf("the new role is shown as %s", a.text)
	}
	p, one := w.program("rotator"), w.account("one")
	at := w.grant(w.group, id, p.id)
	w.wants(200, p.token, "POST", one+"/regenerateKey", `{"keyName":"Key2"}`)
	w.wants(403, p.token, "POST", one+"/listKeys", "")

	w.must(201, "PUT", path, role("Key reader", list))
	w.wants(403, p.token, "POST", one+"/regenerateKey", `{"keyName":"Key2"}`)
	w.wants(200, p.token, "POST", one+"/listKeys", "")

	if a := w.call(w.admin, "DELETE", path, ""); a.status != 400 || a.code() != "RoleDefinitionHasAssignments" {
		t.Errorf("deleting a role that is held: %d %s", a.status, a.text)
	}
	if a := w.call(w.admin, "PUT", assignmentPath(w.sub, uuid.NewString()), w.assignment(id, p.id)); a.status != 404 || a.code() != "RoleDefinitionDoesNotExist" {
		t.Errorf("assigning the role outside its assignable scopes: %d %s", a.status, a.text)
	}
	w.must(200, "DELETE", at, "")
	w.must(200, "DELETE", path, "")
	w.must(204, "DELETE", path, "")
	w.wants(404, w.admin, "GET", path, "")
	w.wants(404, w.admin, "PUT", assignmentPath(w.group, uuid.NewString()), w.assignment(id, p.id))
}

// If this fails, whoever may write roles in a part of a subscription can change
// what others were given elsewhere in it.
func TestCustomRoleIsWrittenOnlyByWhoMayEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(201, "PUT", w.sub+"/resourceGroups/other", `{"location":"westus"}`)
	p := w.program("owner of one group")
	w.grant(w.group, owner, p.id)
	define := func(name string, scopes ...string) string {
		return fmt.Sprintf(`{"properties":{"roleName":%q,"assignableScopes":["%s"],"permissions":[{"actions":["*"]}]}}`, name, strings.Join(scopes, `","`))
	}
	at := func(scope, id string) string {
		return scope + "/providers/Microsoft.Authorization/roleDefinitions/" + id
	}
	mine, wide := uuid.NewString(), uuid.NewString()
	w.must(201, "PUT", at(w.sub, wide), define("Wide", w.sub))
	w.wants(201, p.token, "PUT", at(w.group, mine), define("Mine", w.group))
	w.wants(403, p.token, "PUT", at(w.group, mine), define("Mine", w.group, w.sub+"/resourceGroups/other"))
	w.wants(403, p.token, "PUT", at(w.group, mine), define("Mine", w.sub))
	w.wants(403, p.token, "PUT", at(w.group, wide), define("Wide", w.group))
	w.wants(403, p.token, "DELETE", at(w.group, wide), "")
	w.wants(200, p.token, "DELETE", at(w.group, mine), "")
}

// If this fails, somebody without rights can tell what exists from what does
// not: status and body must be the same but for the name that was asked for.
func TestNothingLeaksToThoseWithoutRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.program("stranger")
	held := w.grant(w.account("one"), reader, p.id) // of one account, which says nothing of the others
	existing := w.grant(w.group, reader, w.program("another").id)
	custom := uuid.NewString()
	w.must(201, "PUT", w.sub+"/providers/Microsoft.Authorization/roleDefinitions/"+custom,
		fmt.Sprintf(`{"properties":{"roleName":"Hidden","assignableScopes":[%q],"permissions":[{"actions":["*/read"]}]}}`, w.sub))
	absentID := uuid.NewString()
	name := func(path string) string { return path[strings.LastIndex(path, "/")+1:] }
	for _, c := range []struct{ method, present, absent, body string }{
		{"GET", w.account("two"), w.account("owt"), ""},
		{"PUT", w.account("two"), w.account("owt"), `{"location":"westus","kind":"CognitiveServices","sku":{"name":"S0"}}`},
		{"DELETE", w.account("two"), w.account("owt"), ""},
		{"POST", w.account("two") + "/listKeys", w.account("owt") + "/listKeys", ""},
		{"GET", w.group, w.sub + "/resourceGroups/x", ""},
		{"GET", w.group + "/providers/Microsoft.Authorization/roleAssignments", w.sub + "/resourceGroups/x/providers/Microsoft.Authorization/roleAssignments", ""},
		{"GET", w.account("two") + "/providers/Microsoft.Authorization/roleAssignments", w.account("owt") + "/providers/Microsoft.Authorization/roleAssignments", ""},
		{"GET", w.account("two") + "/providers/Microsoft.Authorization/permissions", w.account("owt") + "/providers/Microsoft.Authorization/permissions", ""},
		{"GET", existing, assignmentPath(w.group, absentID), ""},
		{"DELETE", existing, assignmentPath(w.group, absentID), ""},
		{"PUT", existing, assignmentPath(w.group, absentID), w.assignment(reader, p.id)},
		{"PUT", assignmentPath(w.account("two"), absentID), assignmentPath(w.account("owt"), absentID), w.assignment(reader, uuid.NewString())},
		{"GET", w.sub + "/providers/Microsoft.Authorization/roleDefinitions/" + custom, w.sub + "/providers/Microsoft.Authorization/roleDefinitions/" + absentID, ""},
		{"DELETE", w.sub + "/providers/Microsoft.Authorization/roleDefinitions/" + custom, w.sub + "/providers/Microsoft.Authorization/roleDefinitions/" + absentID, ""},
		{"PATCH", "/v1.0/users/" + p.id, "/v1.0/users/" + absentID, `{"accountEnabled":true}`},
		{"DELETE", "/v1.0/applications/" + p.id, "/v1.0/applications/" + absentID, ""},
	} {
		there, gone := w.call(p.token, c.method, c.present, c.body), w.call(p.token, c.method, c.absent, c.body)
		plain := func(text string) string {
			for _, n := range []string{c.present, c.absent, name(c.present), name(c.absent), "two", "owt", "resourceGroups/g", "resourceGroups/x"} {
				text = strings.ReplaceAll(text, n, "NAME")
			}
			if at := strings.Index(text, `"innerError"`); at >= 0 {
				text = text[:at]
			}
			return text
		}
		if there.status != gone.status || plain(there.text) != plain(gone.text) || strings.HasSuffix(c.present, "permissions") != (there.status == 200) || there.status != 200 && there.status != 403 {
			t.Errorf("%s %s tells a stranger what exists:\n%d %s\n%d %s", c.method, c.present, there.status, there.text, gone.status, gone.text)
		}
	}
	w.wants(200, p.token, "GET", held, "") // the comparison is not between two closed doors
}

// If this fails, the last way into the server can be closed by a call, and a
// mistake with the other assignments could be undone by nobody.
func TestLocalAdministratorStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.program("another owner")
	w.grant("", owner, p.id)
	var admin string
	for _, a := range w.must(200, "GET", "/providers/Microsoft.Authorization/roleAssignments?$filter=atScope()", "").values() {
		properties := a["properties"].(map[string]any)
		id := properties["principalId"].(string)
		sp := w.call(p.token, "GET", "/v1.0/servicePrincipals/"+id, "")
		if sp.status != 200 || sp.body["displayName"] != "local administrator" {
			continue
		}
		admin = id
		if refused := w.call(p.token, "DELETE", a["id"].(string), ""); refused.status != 400 || refused.code() != "NotSupported" {
			t.Errorf("removing the local administrator's role: %d %s", refused.status, refused.text)
		}
	}
	if admin == "" {
		t.Fatal("the local administrator has no role at the root")
	}
	w.wants(400, p.token, "PATCH", "/v1.0/servicePrincipals/"+admin, `{"accountEnabled":false}`)
	w.wants(400, p.token, "PATCH", "/v1.0/applications/"+admin, `{"keyCredentials":[]}`)
	w.wants(400, p.token, "DELETE", "/v1.0/servicePrincipals/"+admin, "")
	w.wants(400, p.token, "DELETE", "/v1.0/applications/"+admin, "")
	w.wants(200, w.admin, "GET", "/v1.0/users", "")
}

// If this fails, a scope that is made anew under an old name starts with the
// assignments of the one before.
func TestAssignmentsGoWithTheirScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.program("app")
	at := w.grant(w.account("one"), owner, p.id)
	w.must(200, "DELETE", w.account("one"), "")
	w.wants(404, w.admin, "PUT", assignmentPath(w.account("one"), uuid.NewString()), w.assignment(reader, p.id))
	w.env.Admin(t).CreateAccount(t, "g", "one")
	w.wants(403, p.token, "GET", w.account("one"), "")
	w.wants(404, w.admin, "GET", at, "")
	list := w.must(200, "GET", w.sub+"/providers/Microsoft.Authorization/roleAssignments?$filter="+url.QueryEscape("principalId eq '"+p.id+"'"), "")
	if list.values() != nil || !strings.Contains(list.text, `"value":[]`) {
		t.Errorf("assignments of the account that is gone: %s", list.text)
	}
}

// If this fails, a disabled subscription can be changed, its keys have stopped
// working, or access in it cannot be taken away.
func TestDisabledSubscriptionIsReadOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.program("contributor")
	w.grant("", contributor, p.id)
	assigned := w.grant(w.group, reader, w.program("leaver").id)
	keys := w.env.Admin(t).Keys(t, "g", "one")
	w.wants(403, p.token, "POST", w.sub+"/providers/Microsoft.Subscription/cancel", "") // Contributor may not, in Azure
	if a := w.must(200, "POST", w.sub+"/providers/Microsoft.Subscription/cancel", ""); "/subscriptions/"+a.body["subscriptionId"].(string) != w.sub {
		t.Errorf("cancel answered %s", a.text)
	}
	if a := w.must(200, "GET", w.sub, ""); a.body["state"] != "Disabled" {
		t.Errorf("the subscription is shown as %s", a.text)
	}
	for path, body := range map[string]string{
		w.account("three"):                        `{"location":"westus","kind":"CognitiveServices","sku":{"name":"S0"}}`,
		w.sub + "/resourceGroups/new":             `{"location":"westus"}`,
		assignmentPath(w.group, uuid.NewString()): w.assignment(reader, p.id),
	} {
		if a := w.call(w.admin, "PUT", path, body); a.status != 409 || a.code() != "ReadOnlyDisabledSubscription" {
			t.Errorf("PUT %s: %d %s", path, a.status, a.text)
		}
	}
	w.wants(409, w.admin, "POST", w.account("one")+"/regenerateKey", `{"keyName":"Key1"}`)
	w.wants(200, w.admin, "POST", w.account("one")+"/listKeys", "")
	w.must(200, "DELETE", assigned, "")
	if status, body := w.env.Detect(t, w.client, keys[0], "Bonjour tout le monde"); status != 200 {
		t.Errorf("a key of a disabled subscription: %d %s", status, body)
	}
	w.must(200, "POST", w.sub+"/providers/Microsoft.Subscription/enable", "")
	w.must(200, "POST", w.account("one")+"/regenerateKey", `{"keyName":"Key1"}`)
}

// If this fails, subscriptions cannot be made and named, an alias means two of
// them, or somebody can make one who has no say above all of them.
func TestSubscriptionsAreMadeAndNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := uuid.NewString()
	p := w.program("owner of one subscription")
	w.grant(w.sub, owner, p.id)
	w.wants(403, p.token, "PUT", "/subscriptions/"+id, `{"displayName":"Mine"}`)
	w.wants(403, p.token, "PUT", "/providers/Microsoft.Subscription/aliases/mine", `{"properties":{"displayName":"Mine"}}`)
	w.wants(404, p.token, "GET", "/subscriptions/"+id, "")
	w.wants(401, "x", "PUT", "/subscriptions/"+id, `{"displayName":"Mine"}`)

	a := w.must(201, "PUT", "/subscriptions/"+id, `{"displayName":"Production"}`)
	if a.body["subscriptionId"] != id || a.body["tenantId"] != w.env.Endpoints.TenantID || a.body["state"] != "Enabled" {
		t.Errorf("created: %s", a.text)
	}
	w.must(200, "PUT", "/subscriptions/"+id, `{"displayName":"Production"}`)
	w.must(200, "PATCH", "/subscriptions/"+id, `{"displayName":"Staging"}`)
	w.must(200, "POST", "/subscriptions/"+id+"/providers/Microsoft.Subscription/rename", `{"subscriptionName":"Test"}`)
	if a := w.must(200, "GET", "/subscriptions/"+id, ""); a.body["displayName"] != "Test" {
		t.Errorf("renamed: %s", a.text)
	}
	w.must(201, "PUT", "/subscriptions/"+id+"/resourceGroups/g", `{"location":"westus"}`)
	w.wants(403, p.token, "GET", "/subscriptions/"+id+"/resourceGroups/g", "")

	const alias = "/providers/Microsoft.Subscription/aliases/Team-A"
	w.wants(404, w.admin, "GET", alias, "")
	made := w.must(201, "PUT", alias, `{"properties":{"displayName":"Team A","workload":"Production","billingScope":"/providers/Microsoft.Billing/x"}}`)
	again := w.must(200, "PUT", strings.ToLower(alias), `{"properties":{"displayName":"Team A"}}`)
	subscription := func(a map[string]any) string {
		properties := a["properties"].(map[string]any)
		if properties["provisioningState"] != "Succeeded" {
			t.Errorf("answered %v", a)
		}
		return properties["subscriptionId"].(string)
	}
	if subscription(made.body) != subscription(again.body) || subscription(w.must(200, "GET", alias, "").body) != subscription(made.body) {
		t.Error("one alias means two subscriptions")
	}
	listed := w.must(200, "GET", "/subscriptions", "").values()
	names := []string{}
	for _, s := range listed {
		names = append(names, s["displayName"].(string))
	}
	if slices.Sort(names); !slices.Equal(names, []string{"Team A", "Test", "Twinkey"}) {
		t.Errorf("listed: %v", names)
	}
	for _, body := range []string{`{}`, `{"displayName":""}`, `{"displayName":" x"}`, `{"displayName":"a\u0000"}`, `{"displayName":5}`, `[]`, ``, `{"displayName":"` + strings.Repeat("x", 65) + `"}`} {
		w.wants(400, w.admin, "PUT", "/subscriptions/"+uuid.NewString(), body)
		w.wants(400, w.admin, "PATCH", "/subscriptions/"+id, body)
	}
	w.wants(400, w.admin, "PUT", "/subscriptions/x", `{"displayName":"x"}`)
	w.wants(400, w.admin, "PUT", alias, `{"properties":{"displayName":"x","subscriptionId":"`+id+`"}}`)
}

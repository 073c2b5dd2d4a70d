package graph_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey/internal/armclient"
)

// If this fails, `az ad sp create-for-rbac` and what follows it does not find
// the calls and answers it is made of.
func TestApplicationAsAzMakesOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if found := w.must(200, "GET", "applications?$filter=startswith%28displayName%2C%27job%27%29", ""); !strings.Contains(found.text, `"value":[]`) {
		t.Errorf("before there is any: %s", found.text)
	}
	app := w.must(201, "POST", "applications", `{"displayName":"job","keyCredentials":[]}`)
	id, appID := app.text1("id"), app.text1("appId")
	if app.text1("@odata.context") != w.env.Endpoints.Endpoint+"/v1.0/$metadata#applications/$entity" || app.text1("displayName") != "job" || uuid.Validate(id) != nil || uuid.Validate(appID) != nil ||
		!reflect.DeepEqual(app.body["passwordCredentials"], []any{}) || !reflect.DeepEqual(app.body["identifierUris"], []any{}) {
		t.Errorf("created: %s", app.text)
	}
	end := time.Now().Add(1000 * time.Hour).UTC().Format(time.RFC3339)
	added := w.must(200, "POST", "applications/"+id+"/addPassword", fmt.Sprintf(`{"passwordCredential":{"displayName":"rbac","endDateTime":%q,"startDateTime":%q}}`, end, time.Now().UTC().Format(time.RFC3339)))
	password := added.text1("secretText")
	if password == "" || added.text1("displayName") != "rbac" || added.text1("endDateTime") != end || added.text1("hint") != strings.TrimPrefix(password, "twk_")[:3] {
		t.Error("the answer to addPassword lacks something")
	}
	sp := w.must(201, "POST", "servicePrincipals", fmt.Sprintf(`{"appId":%q,"accountEnabled":true}`, strings.ToUpper(appID)))
	if sp.text1("id") != id || sp.text1("appId") != appID || sp.body["accountEnabled"] != true || sp.text1("servicePrincipalType") != "Application" ||
		!reflect.DeepEqual(sp.body["servicePrincipalNames"], []any{appID}) || sp.text1("appOwnerOrganizationId") != w.env.Endpoints.TenantID {
		t.Errorf("service principal: %s", sp.text)
	}
	token := w.signedIn(armclient.SecretGrant(appID, secret(password)))
	for _, c := range []struct{ collection, filter string }{
		{"servicePrincipals", "servicePrincipalNames/any(c:c eq '" + appID + "')"}, {"servicePrincipals", "appId eq '" + appID + "'"},
		{"servicePrincipals", "displayName eq 'JOB'"}, {"servicePrincipals", "startswith(displayName,'jo') and appId eq '" + appID + "'"},
		{"applications", "appId eq '" + appID + "'"}, {"applications", "startswith(displayName,'job')"}, {"applications", "id eq '" + id + "'"},
	} {
		if found := w.filtered(c.collection, c.filter); len(found) != 1 || found[0]["id"] != id {
			t.Errorf("%s with %s: %v", c.collection, c.filter, found)
		}
	}
	for _, filter := range []string{"appId eq '" + uuid.NewString() + "'", "appId eq '" + appID + "' and displayName eq 'x'", "displayName eq 'jo'"} {
		if found := w.filtered("applications", filter); len(found) != 0 {
			t.Errorf("%s finds %v", filter, found)
		}
	}
	shown := w.must(200, "GET", "applications/"+id, "")
	credential := shown.body["passwordCredentials"].([]any)[0].(map[string]any)
	if strings.Contains(shown.text, password) || credential["secretText"] != nil || credential["keyId"] != added.text1("keyId") || credential["displayName"] != "rbac" {
		t.Error("the application is shown with its secret, or without its credential")
	}
	// credential reset: what there was goes, and with it what was granted for it
	w.must(204, "POST", "applications/"+id+"/removePassword", fmt.Sprintf(`{"keyId":%q}`, added.text1("keyId")))
	w.must(400, "POST", "servicePrincipals/"+id+"/removePassword", fmt.Sprintf(`{"keyId":%q}`, added.text1("keyId")))
	if a := w.call(token, "GET", "users", ""); a.status != 401 {
		t.Errorf("a token of the removed secret: %d", a.status)
	}
	again := w.must(200, "POST", "servicePrincipals/"+id+"/addPassword", "").text1("secretText")
	w.signedIn(armclient.SecretGrant(appID, secret(again)))
	w.must(204, "PATCH", "applications/"+id, `{"displayName":"task"}`)
	if sp := w.must(200, "GET", "servicePrincipals/"+id, ""); sp.text1("displayName") != "task" {
		t.Errorf("renamed: %s", sp.text)
	}
	w.must(204, "DELETE", "servicePrincipals/"+id, "")
	w.must(404, "GET", "applications/"+id, "")
	if _, err := w.signIn(armclient.SecretGrant(appID, secret(again))); err == nil {
		t.Error("a deleted application signs in")
	}
}

// If this fails, an application cannot be given a certificate, or keeps one that
// was taken away.
func TestCertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(240 * time.Hour).UTC().Truncate(time.Second)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "login"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.StdEncoding.EncodeToString(der)
	credential := func(text string) string {
		b, _ := json.Marshal(map[string]any{"@odata.type": "#microsoft.graph.keyCredential", "displayName": "c", "key": text[:64] + "\n" + text[64:] + "\n",
			"keyId": uuid.NewString(), "startDateTime": "2026-01-01T00:00:00Z", "endDateTime": end.Add(time.Hour).Format(time.RFC3339), "type": "AsymmetricX509Cert", "usage": "Verify"})
		return string(b)
	}
	app := w.must(201, "POST", "applications", `{"displayName":"job","keyCredentials":[`+credential(text)+`]}`)
	keys := app.body["keyCredentials"].([]any)
	if len(keys) != 1 || keys[0].(map[string]any)["key"] != nil || keys[0].(map[string]any)["endDateTime"] != end.Format(time.RFC3339) || keys[0].(map[string]any)["displayName"] != "c" {
		t.Fatalf("created: %s", app.text)
	}
	path := "applications/" + app.text1("id")
	kept, _ := json.Marshal(keys[0])
	w.must(204, "PATCH", path, `{"keyCredentials":[`+string(kept)+`,`+credential(text)+`]}`)
	if now := w.must(200, "GET", path, "").body["keyCredentials"].([]any); len(now) != 2 || !reflect.DeepEqual(now[0], keys[0]) {
		t.Errorf("one kept and one added: %v", now)
	}
	w.must(204, "PATCH", path, `{"keyCredentials":[]}`)
	if now := w.must(200, "GET", path, "").body["keyCredentials"].([]any); len(now) != 0 {
		t.Errorf("all taken away: %v", now)
	}
	for _, bad := range []string{`{"keyCredentials":[` + string(kept) + `]}`, `{"keyCredentials":[{"key":"!"}]}`, `{"keyCredentials":[{"key":"AAAA"}]}`, `{"keyCredentials":[{}]}`, `{"keyCredentials":5}`} {
		w.must(400, "PATCH", path, bad)
	}
}

// If this fails, users cannot be made, found, changed, shut out or removed as az
// does it.
func TestUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := password(), password()
	id := w.user("alex", first)
	upn := "alex@" + w.domain
	token := w.signedIn(armclient.PasswordGrant(upn, secret(first)))
	me := w.call(token, "GET", "me", "")
	want := map[string]any{"@odata.context": w.env.Endpoints.Endpoint + "/v1.0/$metadata#users/$entity", "id": id, "displayName": "U alex", "userPrincipalName": upn,
		"mailNickname": "alex", "accountEnabled": true, "userType": "Member", "createdDateTime": me.body["createdDateTime"], "businessPhones": []any{}, "givenName": nil, "jobTitle": nil,
		"mail": nil, "mobilePhone": nil, "officeLocation": nil, "preferredLanguage": nil, "surname": nil}
	if !reflect.DeepEqual(me.body, want) || me.body["createdDateTime"] == nil {
		t.Errorf("me: %s", me.text)
	}
	for _, path := range []string{"users/" + id, "users/" + strings.ToUpper(upn), "users('" + upn + "')", "/V1.0//Users/" + id, "/beta/users/" + id, "users/" + id + "?api-version=2022-04-01"} {
		if a := w.must(200, "GET", path, ""); a.text1("id") != id {
			t.Errorf("%s: %s", path, a.text)
		}
	}
	for _, filter := range []string{"userPrincipalName eq '" + strings.ToUpper(upn) + "'", "startswith(userPrincipalName,'alex@')", "displayName eq 'u ALEX'", "startswith(displayName,'U a')", "mailNickname eq 'alex'"} {
		if found := w.filtered("users", filter); len(found) != 1 || found[0]["id"] != id {
			t.Errorf("%s: %v", filter, found)
		}
	}
	w.must(204, "PATCH", "users/"+upn, fmt.Sprintf(`{"displayName":"Alex","passwordProfile":{"password":%q,"forceChangePasswordNextSignIn":false}}`, second))
	if a := w.call(token, "GET", "me", ""); a.status != 401 || a.code() != "InvalidAuthenticationToken" || a.header.Get("WWW-Authenticate") == "" {
		t.Errorf("a token of the old password: %d %s", a.status, a.text)
	}
	if _, err := w.signIn(armclient.PasswordGrant(upn, secret(first))); err == nil {
		t.Error("the old password is good still")
	}
	token = w.signedIn(armclient.PasswordGrant(upn, secret(second)))
	w.must(204, "PATCH", "users/"+id, `{"accountEnabled":false}`)
	if a := w.call(token, "GET", "me", ""); a.status != 401 {
		t.Errorf("a disabled user: %d", a.status)
	}
	if a := w.must(200, "GET", "users/"+id, ""); a.body["accountEnabled"] != false || a.text1("displayName") != "Alex" {
		t.Errorf("changed: %s", a.text)
	}
	if a := w.call(w.admin, "POST", "users", fmt.Sprintf(`{"accountEnabled":true,"displayName":"x","mailNickname":"x","userPrincipalName":"ALEX@%s","passwordProfile":{"password":%q}}`, w.domain, second)); a.status != 400 || !strings.Contains(a.text, "already exists") {
		t.Errorf("a taken name: %d %s", a.status, a.text)
	}
	off := w.must(201, "POST", "users", fmt.Sprintf(`{"accountEnabled":false,"displayName":"x","mailNickname":"x","userPrincipalName":"off@%s","passwordProfile":{"password":%q}}`, w.domain, second))
	if _, err := w.signIn(armclient.PasswordGrant("off@"+w.domain, secret(second))); err == nil || off.body["accountEnabled"] != false {
		t.Error("a user who was made disabled signs in")
	}
	w.must(204, "DELETE", "users/"+upn, "")
	w.must(404, "GET", "users/"+id, "")
	if a := w.must(400, "GET", "me", ""); a.code() != "BadRequest" {
		t.Errorf("an application's self: %s", a.text)
	}
}

// If this fails, groups and their members are not what was made of them.
func TestGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u, app := w.user("alex", password()), w.application("job").text1("id")
	g := w.must(201, "POST", "groups", `{"displayName":"Team","mailNickname":"team","mailEnabled":false,"securityEnabled":true,"description":"d"}`)
	id := g.text1("id")
	if g.text1("displayName") != "Team" || g.text1("mailNickname") != "team" || g.text1("description") != "d" || g.body["securityEnabled"] != true || g.body["mailEnabled"] != false {
		t.Errorf("created: %s", g.text)
	}
	if found := w.filtered("groups", "displayName eq 'Team' and mailNickname eq 'team'"); len(found) != 1 || found[0]["id"] != id {
		t.Errorf("found: %v", found)
	}
	ref := func(member string) string {
		return fmt.Sprintf(`{"@odata.id":"https://graph.example/v1.0/directoryObjects/%s"}`, member)
	}
	members := "groups/" + id + "/members"
	if a := w.must(200, "GET", members, ""); !strings.Contains(a.text, `"value":[]`) {
		t.Errorf("nobody in it: %s", a.text)
	}
	w.must(204, "POST", members+"/$ref", ref(u))
	w.must(204, "POST", members+"/%24ref", ref(app))
	kinds := map[string]any{}
	for _, m := range w.must(200, "GET", members, "").values() {
		kinds[m["id"].(string)] = m["@odata.type"]
	}
	if !reflect.DeepEqual(kinds, map[string]any{u: "#microsoft.graph.user", app: "#microsoft.graph.servicePrincipal"}) {
		t.Errorf("members: %v", kinds)
	}
	if a := w.must(400, "POST", members+"/$ref", ref(u)); !strings.Contains(a.text, "already exist") {
		t.Errorf("twice: %s", a.text)
	}
	w.must(400, "POST", members+"/$ref", ref(id))
	w.must(404, "POST", members+"/$ref", ref(uuid.NewString()))
	w.must(404, "POST", "groups/"+u+"/members/$ref", ref(app))
	for _, bad := range []string{`{}`, `{"@odata.id":"x"}`, `{"@odata.id":"` + u + `"}`, `{"@odata.id":5}`, `{"id":"x"}`, ``} {
		w.must(400, "POST", members+"/$ref", bad)
	}
	for path, body := range map[string]string{
		"users/" + u + "/getMemberGroups": `{"securityEnabledOnly":false}`, "servicePrincipals/" + app + "/getMemberGroups": `{}`,
		"directoryObjects/" + u + "/checkMemberGroups": fmt.Sprintf(`{"groupIds":[%q,%q]}`, id, uuid.NewString()),
	} {
		if a := w.must(200, "POST", path, body); !reflect.DeepEqual(a.body["value"], []any{id}) {
			t.Errorf("%s: %s", path, a.text)
		}
	}
	if of := w.must(200, "GET", "users/"+u+"/memberOf", "").values(); len(of) != 1 || of[0]["displayName"] != "Team" || of[0]["@odata.type"] != "#microsoft.graph.group" {
		t.Errorf("member of: %v", of)
	}
	w.must(204, "DELETE", members+"/"+u+"/$ref", "")
	w.must(404, "DELETE", members+"/"+u+"/$ref", "")
	w.must(404, "DELETE", members+"/"+uuid.NewString()+"/$ref", "")
	w.must(204, "PATCH", "groups/"+id, `{"displayName":"Crew","description":""}`)
	if a := w.must(200, "GET", "groups/"+id, ""); a.text1("displayName") != "Crew" || a.body["description"] != nil {
		t.Errorf("changed: %s", a.text)
	}
	w.must(204, "DELETE", "groups/"+id, "")
	w.must(404, "GET", members, "")
	if of := w.must(200, "POST", "directoryObjects/"+app+"/getMemberGroups", `{}`); !strings.Contains(of.text, `"value":[]`) {
		t.Errorf("of a group that is gone: %s", of.text)
	}
}

// If this fails, ids in role assignments cannot be given names.
func TestGetByIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u, app := w.user("alex", password()), w.application("job").text1("id")
	g := w.must(201, "POST", "groups", `{"displayName":"Team","mailNickname":"team","mailEnabled":false,"securityEnabled":true}`).text1("id")
	all := fmt.Sprintf(`[%q,%q,%q,%q]`, strings.ToUpper(u), app, g, uuid.NewString())
	for types, want := range map[string][]string{
		`,"types":["user","group","servicePrincipal","directoryObjectPartnerReference"]`: {u, app, g}, "": {u, app, g}, `,"types":["group"]`: {g}, `,"types":["device"]`: nil,
	} {
		var got []string
		for _, v := range w.must(200, "POST", "directoryObjects/getByIds", `{"ids":`+all+types+`}`).values() {
			got = append(got, v["id"].(string))
			if !strings.HasPrefix(v["@odata.type"].(string), "#microsoft.graph.") {
				t.Errorf("without a type: %v", v)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", types, got, want)
		}
	}
	for _, bad := range []string{`{}`, `{"ids":[]}`, `{"ids":["x"]}`, `{"ids":"x"}`, `{"ids":[5]}`, `[]`, ``, `{"ids":["` + u + `"],"other":1}`} {
		w.must(400, "POST", "directoryObjects/getByIds", bad)
	}
}

// If this fails, a list loses somebody between two pages, or leads elsewhere.
func TestPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var want, got []string
	for i := range 5 {
		want = append(want, w.application(fmt.Sprint("page ", i)).text1("id"))
		w.must(201, "POST", "groups", fmt.Sprintf(`{"displayName":"page %d","mailNickname":"p","mailEnabled":false,"securityEnabled":true}`, i))
	}
	next := "/v1.0/applications?$top=2&$select=id&$filter=startswith(displayName,'page')"
	next = strings.ReplaceAll(next, "'", "%27")
	for pages := 0; next != ""; pages++ {
		a := w.must(200, "GET", next, "")
		if len(a.values()) > 2 || pages > 5 {
			t.Fatalf("page %d: %s", pages, a.text)
		}
		for _, v := range a.values() {
			got = append(got, v["id"].(string))
		}
		link := a.text1("@odata.nextLink")
		next = strings.TrimPrefix(link, w.env.Endpoints.Endpoint)
		if next != "" && next == link {
			t.Fatalf("the list goes on elsewhere: %s", link)
		}
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

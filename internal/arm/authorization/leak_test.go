package authorization_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// probe is one call about something that is there, and about something that is
// not and has a name of the same length.
type probe struct{ method, present, absent, body, header string }

// probes are calls that name a group, an account, an operation or an object.
func (w *world) probes(operation string) []probe {
	const version = "?api-version=2024-10-01"
	groups, provider := w.sub+"/resourceGroups/", "/providers/Microsoft.CognitiveServices"
	var all []probe
	add := func(method, form, present, absent, body, header string) {
		all = append(all, probe{method, strings.ReplaceAll(form, "NAME", present), strings.ReplaceAll(form, "NAME", absent), body, header})
	}
	for _, header := range []string{"", "If-Match: *", `If-Match: "1"`, "If-None-Match: *"} {
		add("PUT", groups+"NAME"+version, "g", "x", `{"location":"westus"}`, header)
		add("PATCH", groups+"NAME"+version, "g", "x", `{"tags":{}}`, header)
		add("DELETE", groups+"NAME"+version, "g", "x", "", header)
		account := w.group + provider + "/accounts/NAME"
		add("PUT", account+version, "two", "owt", `{"location":"westus","kind":"CognitiveServices","sku":{"name":"S0"}}`, header)
		add("PUT", account+version, "two", "owt", `{"properties":{"customSubDomainName":"taken"}}`, header)
		add("PATCH", account+version, "two", "owt", `{"kind":"TextAnalytics"}`, header)
		add("DELETE", account+version, "two", "owt", "", header)
		add("POST", account+"/regenerateKey"+version, "two", "owt", `{"keyName":"Key1"}`, header)
		add("POST", account+"/listKeys"+version, "two", "owt", "", header)
		add("PUT", account+version, "two", "owt", "{", header)
	}
	for _, method := range []string{"GET", "HEAD"} {
		add(method, groups+"NAME"+version, "g", "x", "", "")
		add(method, groups+"NAME"+provider+"/accounts/two"+version, "g", "x", "", "")
	}
	for _, below := range []string{"", "/skus", "/usages", "/models", "/deployments", "/commitmentPlans", "/privateEndpointConnections"} {
		add("GET", w.group+provider+"/accounts/NAME"+below+version, "two", "owt", "", "")
	}
	for _, query := range []string{"", "&$top=1", "&$top=1&$skipToken=dHdv", "&$filter=resourceType%20eq%20'x'"} {
		add("GET", groups+"NAME/resources"+version+query, "g", "x", "", "")
		add("GET", groups+"NAME"+provider+"/accounts"+version+query, "g", "x", "", "")
	}
	add("GET", w.sub+"/resources"+version+"&$filter=resourceGroup%20eq%20'NAME'", "g", "x", "", "")
	add("GET", w.sub+provider+"/locations/westus/resourceGroups/NAME/deletedAccounts/two"+version, "g", "x", "", "")
	since := "/providers/Microsoft.Insights/eventtypes/management/values?api-version=2015-04-01&$filter=" + url.QueryEscape("eventTimestamp ge '2001-01-01'")
	add("GET", w.sub+since+url.QueryEscape(" and resourceGroupName eq 'NAME'"), "g", "x", "", "")
	add("GET", w.sub+since+url.QueryEscape(" and resourceUri eq '"+w.group+provider+"/accounts/NAME'"), "two", "owt", "", "")
	for _, kind := range []string{"/operations/", "/operationresults/"} {
		add("GET", w.sub+kind+"NAME"+version, operation, strings.Repeat("0", 16)+"-"+strings.Repeat("f", 16), "", "")
	}
	for _, at := range []string{"/permissions", "/roleAssignments", "/roleAssignments?$filter=atScope()", "/roleDefinitions?$filter=" + url.QueryEscape("type eq 'CustomRole'")} {
		add("GET", groups+"NAME/providers/Microsoft.Authorization"+at, "g", "x", "", "")
	}
	return all
}

// asked sends a probe with a token, "" for none, and returns all that came back
// but what is new in every answer.
func (w *world) asked(token string, p probe, path string) (int, string) {
	w.t.Helper()
	if !strings.Contains(path, "api-version=") && !strings.HasPrefix(path, "/v1.0/") {
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		path += separator + "api-version=2022-04-01"
	}
	r, err := http.NewRequestWithContext(w.t.Context(), p.method, w.env.Endpoints.Endpoint+path, strings.NewReader(p.body))
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if name, value, ok := strings.Cut(p.header, ": "); ok {
		r.Header.Set(name, value)
	}
	resp, err := w.client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range []string{"Date", "X-Ms-Request-Id", "X-Ms-Correlation-Request-Id", "X-Ms-Routing-Request-Id", "Request-Id", "Client-Request-Id"} {
		resp.Header.Del(name)
	}
	text := fmt.Sprintln(resp.Status)
	for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
		text += fmt.Sprintln(name, resp.Header[name])
	}
	return resp.StatusCode, text + string(body)
}

// If this fails, whoever has no rights can tell what exists by a status, a code,
// a sentence, a length or any header: with a condition in the call or without,
// by a list or its next page, by the activity log, by an operation of somebody
// else's, signed in or not.
func TestAbsentAndPresentReadAlike(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stranger := w.program("stranger")
	w.grant(w.account("one"), owner, stranger.id) // all of one account, which says nothing of the others
	w.must(200, "PATCH", w.account("two")+"?api-version=2024-10-01", `{"properties":{"customSubDomainName":"taken"}}`)
	w.must(201, "PUT", w.sub+"/resourceGroups/going", `{"location":"westus"}`)
	_, going := w.asked(w.admin, probe{method: "DELETE"}, w.sub+"/resourceGroups/going?api-version=2024-10-01")
	_, operation, _ := strings.Cut(going, "/operations/")
	operation, _, _ = strings.Cut(operation, "?")
	if len(operation) != 33 {
		t.Fatalf("deleting a group is answered %s", going)
	}
	probes := w.probes(operation)
	for who, token := range map[string]string{"a stranger": stranger.token, "nobody": "", "garbage": "a.b.c"} {
		for _, p := range probes {
			there, seen := w.asked(token, p, p.present)
			_, unseen := w.asked(token, p, p.absent)
			if masked(seen, p) != masked(unseen, p) {
				t.Errorf("%s: %s %s %s tells what exists:\n%s\n%s", who, p.method, p.present, p.header, seen, unseen)
			}
			if there < 400 && !strings.Contains(p.present, "/permissions") {
				t.Errorf("%s: %s %s is answered %s", who, p.method, p.present, seen)
			}
		}
	}
	told := 0
	for _, p := range probes {
		if p.method != "GET" && p.method != "HEAD" {
			continue
		}
		_, seen := w.asked(w.admin, p, p.present)
		_, unseen := w.asked(w.admin, p, p.absent)
		if masked(seen, p) != masked(unseen, p) {
			told++
		}
	}
	if told < 20 {
		t.Errorf("only %d calls tell those who may know: the test compares nothing", told)
	}
}

// masked is an answer without the name that was asked for.
func masked(text string, p probe) string {
	a, b := p.present, p.absent
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	for _, name := range []string{a, b} {
		if len(name) == 1 { // of a group
			text = strings.ReplaceAll(strings.ReplaceAll(text, "resourceGroups/"+name, "resourceGroups/NAME"), "'"+name+"'", "'NAME'")
			continue
		}
		text = strings.ReplaceAll(text, name, "NAME")
	}
	return text
}

// If this fails, lists show somebody what lies outside of what was granted.
func TestListsShowOnlyWhatWasGranted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := uuid.NewString()
	w.must(201, "PUT", "/subscriptions/"+other, `{"displayName":"Other"}`)
	p := w.program("of one account")
	w.grant(w.account("one"), owner, p.id)
	var list struct {
		Value []struct {
			SubscriptionID string `json:"subscriptionId"`
		}
	}
	a := w.call(p.token, "GET", "/subscriptions", "")
	if err := json.Unmarshal([]byte(a.text), &list); err != nil || len(list.Value) != 1 || "/subscriptions/"+list.Value[0].SubscriptionID != w.sub {
		t.Errorf("the subscriptions of somebody with a role in one of two: %s", a.text)
	}
	w.wants(200, p.token, "GET", w.sub, "")
	w.wants(403, p.token, "GET", "/subscriptions/"+other, "")
	for _, path := range []string{
		"/resourceGroups", "/resources", "/providers/Microsoft.CognitiveServices/accounts", "/providers/Microsoft.CognitiveServices/skus", "/providers/Microsoft.CognitiveServices/deletedAccounts",
		"/providers/Microsoft.CognitiveServices/locations/westus/usages", "/providers", "/locations", "/providers/Microsoft.Authorization/roleAssignments", "/providers/Microsoft.Insights/eventtypes/management/values?$filter=eventTimestamp%20ge%20'2001-01-01'",
	} {
		if a := w.call(p.token, "GET", w.sub+path, ""); a.status != 403 || a.code() != "AuthorizationFailed" {
			t.Errorf("GET %s: %d %s", path, a.status, a.text)
		}
	}
	for _, path := range []string{"/roleAssignments", "/roleAssignments?$filter=atScope()"} {
		a := w.call(p.token, "GET", w.account("one")+"/providers/Microsoft.Authorization"+path, "")
		for _, v := range a.values() {
			if scope := v["properties"].(map[string]any)["scope"].(string); scope != "/" && !strings.EqualFold(scope, w.account("one")) {
				t.Errorf("%s shows an assignment at %s", path, scope)
			}
		}
	}
}

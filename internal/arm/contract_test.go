package arm_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/twinkey/twinkey/internal/arm"
	"github.com/twinkey/twinkey/internal/arm/cognitive"
	"github.com/twinkey/twinkey/internal/arm/resources"
)

// official reads the operations of the official descriptions.
func official(t *testing.T) []described {
	t.Helper()
	root := filepath.Join("..", "..", "..", "shared", "spec", "specification")
	var all []described
	for _, path := range []string{
		"cognitiveservices/resource-manager/Microsoft.CognitiveServices/stable/2024-10-01-RECONSTRUCTED/cognitiveservices.json",
		"resources/resource-manager/Microsoft.Resources/stable/2022-09-01/resources.json",
		"resources/resource-manager/Microsoft.Resources/stable/2022-12-01/subscriptions.json",
	} {
		all = append(all, readSwagger(t, filepath.Join(root, filepath.FromSlash(path))).operations()...)
	}
	if len(all) < 100 {
		t.Fatalf("only %d operations are described", len(all))
	}
	return all
}

// undescribed are the routes that the official descriptions do not have: they
// are what Location and Azure-AsyncOperation point at.
func undescribed() []string {
	return []string{arm.SubscriptionPath + "/operationresults/{operation}", arm.SubscriptionPath + "/operations/{operation}"}
}

// What is sent and answered in the exchanges is what the official descriptions
// say, and every operation that has a route is among them with a success: SDKs
// are made from these descriptions, and would not understand anything else.
func TestContract(t *testing.T) {
	all := official(t)
	succeeded := map[string]bool{}
	archives, err := filepath.Glob(filepath.Join("testdata", "exchanges", "*.txtar"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("no exchanges found: %v", err)
	}
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		h, finish := server(t)
		m := newMask()
		for _, file := range archive.Files {
			if group, ok := strings.CutPrefix(file.Name, "finish the deletion of "); ok {
				finish(group)
				continue
			}
			request, _, _ := strings.Cut(string(file.Data), "\n----\n")
			r, body, w := m.send(t, h, request)
			m.hide(render(w))
			d := findDescribed(all, r.Method, r.URL.Path)
			if d == nil {
				continue
			}
			wrong := d.checkAnswer(w.Code, answered(r, w))
			if w.Code < 300 {
				succeeded[d.ID] = true
				wrong = append(wrong, d.checkCall(r, strings.TrimSpace(body))...)
			}
			for _, problem := range wrong {
				if !slices.Contains(foreign(), problem) {
					t.Errorf("%s, %s: %s: %s", filepath.Base(path), file.Name, d.ID, problem)
				}
			}
		}
	}
	for _, route := range slices.Concat(resources.Routes(resources.Config{}), cognitive.Routes(cognitive.Config{})) {
		d := findDescribed(all, route.Method, route.Pattern)
		switch {
		case d == nil && !slices.Contains(undescribed(), route.Pattern):
			t.Errorf("%s %s is in no description", route.Method, route.Pattern)
		case d != nil && succeeded[d.ID] == slices.Contains(refused(), d.ID):
			t.Errorf("%s succeeds in an exchange: %v", d.ID, succeeded[d.ID])
		}
	}
}

// refused are the operations that never succeed here: all providers stay
// registered, and deleted accounts are not kept.
func refused() []string { return []string{"Providers_Unregister", "DeletedAccounts_Get"} }

// foreign are the differences that are meant.
func foreign() []string {
	return []string{
		// Written by a caller, and shown as it came.
		"body.properties has somethingNew, which is not described",
		"body.value[0].properties has somethingNew, which is not described",
		// What clients send in place of nothing.
		"body.properties.publicNetworkAccess is '', not one of [Enabled Disabled]",
		// Described as required, though the last page of a list has none; and Azure
		// counts subscriptions though nothing describes it.
		"body has no nextLink",
		"body has count, which is not described",
	}
}

func answered(r *http.Request, w *httptest.ResponseRecorder) string {
	if r.Method == http.MethodHead {
		return ""
	}
	return w.Body.String()
}

// The check of the contract finds what it is there to find.
func TestContractFindsViolations(t *testing.T) {
	all := official(t)
	const account = "/subscriptions/" + subscription + "/resourceGroups/rg/providers/microsoft.cognitiveservices/accounts/acct"
	for _, c := range []struct {
		method, target, sent string
		status               int
		answer, want         string
	}{
		{"GET", account, "", 200, `{"id": "/x", "sku": {"name": "S"}}`, ""},
		{"GET", account, "", 200, `{"id": 5}`, "body.id is described as string"},
		{"GET", account, "", 200, `{"sku": {}}`, "body.sku has no name"},
		{"GET", account, "", 200, `{"skku": {}}`, "has skku, which is not described"},
		{"GET", account, "", 200, `{"tags": {"a": 1}}`, "body.tags.a is described as string"},
		{"GET", account, "", 200, `{"tags": null}`, "is null"},
		{"GET", account, "", 200, `{"properties": {"provisioningState": "Done"}}`, "is 'Done', not one of"},
		{"GET", account, "", 200, `{"properties": {"callRateLimit": {"rules": {}}}}`, "is described as array"},
		{"GET", account, "", 200, `{"systemData": {"createdAt": "yesterday"}}`, "is no time"},
		{"GET", account, "", 200, ``, "there is no body"},
		{"GET", account, "", 206, `{}`, "status 206 is not described"},
		{"GET", account, "", 404, `{"code": "x"}`, "has code, which is not described"},
		{"DELETE", account, "", 200, `{}`, "a body is not described"},
		{"GET", strings.Replace(account, "/acct", "/a%20b", 1), "", 200, `{}`, "does not match"},
		{"GET", strings.Replace(account, "/acct", "/a", 1), "", 200, `{}`, "is too short"},
		{"POST", account + "/regenerateKey", `{"keyName": "key1"}`, 200, `{"key1": "a", "key2": "b"}`, ""},
		{"POST", account + "/regenerateKey", `{"keyName": "key3"}`, 200, `{}`, "is 'key3', not one of"},
		{"POST", account + "/regenerateKey", `{}`, 200, `{}`, "body has no keyName"},
		{"POST", account + "/regenerateKey", ``, 200, `{}`, "there is no body"},
	} {
		r := httptest.NewRequest(c.method, c.target+someVersion, nil)
		d := findDescribed(all, c.method, r.URL.Path)
		if d == nil {
			t.Fatalf("%s %s is not described", c.method, c.target)
		}
		wrong := strings.Join(append(d.checkCall(r, c.sent), d.checkAnswer(c.status, c.answer)...), "\n")
		if !strings.Contains(wrong, c.want) || (wrong == "") != (c.want == "") {
			t.Errorf("%s %s %q %d %q: %q, want %q", c.method, c.target, c.sent, c.status, c.answer, wrong, c.want)
		}
	}
	r := httptest.NewRequest("GET", account, nil)
	if wrong := findDescribed(all, "GET", account).checkCall(r, ""); len(wrong) != 1 || wrong[0] != "the query has no api-version" {
		t.Errorf("without an api-version: %v", wrong)
	}
}

package arm_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
)

// A body that is too large is refused as such.
func TestBodyLimit(t *testing.T) {
	h := serve(echo())
	account := "/subscriptions/" + subscription + "/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/acct" + someVersion
	if got := echoed(t, call(t, h, "PUT", account, strings.Repeat("x", 4<<20))); len(got.Body) != 4<<20 {
		t.Errorf("%d bytes arrived", len(got.Body))
	}
	w := call(t, h, "PUT", account, strings.Repeat("x", 4<<20+1))
	if got := refusal(t, w); w.Code != 413 || got.Code != "RequestEntityTooLarge" {
		t.Errorf("%d %+v", w.Code, got)
	}
}

// Preconditions reach the rules as they were meant; a tag that is not one of
// ours matches nothing rather than everything.
func TestPreconditions(t *testing.T) {
	h := serve(echo())
	account := "/subscriptions/" + subscription + "/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/acct" + someVersion
	ours, none := twinkey.Revision(0x1f), twinkey.Revision(-1)
	for _, c := range []struct {
		match, noneMatch string
		want             accounts.Precondition
	}{
		{"", "", accounts.Precondition{}},
		{"*", "", accounts.Precondition{MatchAny: true}},
		{"", "*", accounts.Precondition{Absent: true}},
		{arm.ETag(ours), "", accounts.Precondition{Match: &ours}},
		{"1f", "", accounts.Precondition{Match: &ours}},
		{`W/"1f"`, "", accounts.Precondition{Match: &none}},
		{`"01f"`, "", accounts.Precondition{Match: &none}},
		{`"1F"`, "", accounts.Precondition{Match: &none}},
		{`"-1"`, "", accounts.Precondition{Match: &none}},
		{`"`, "", accounts.Precondition{Match: &none}},
		{`"7d002afd-0000-0500-0000-64bf54870000"`, "", accounts.Precondition{Match: &none}},
	} {
		got := echoed(t, call(t, h, "PUT", account, "", "If-Match", c.match, "If-None-Match", c.noneMatch)).Precondition
		same := got.MatchAny == c.want.MatchAny && got.Absent == c.want.Absent && (got.Match == nil) == (c.want.Match == nil)
		if !same || got.Match != nil && *got.Match != *c.want.Match {
			t.Errorf("If-Match %s, If-None-Match %s: got %+v", c.match, c.noneMatch, got)
		}
	}
	for _, headers := range [][]string{{"If-Match", `"1f", "20"`}, {"If-None-Match", `"1f"`}} {
		if w := call(t, h, "PUT", account, "", headers...); w.Code != 400 {
			t.Errorf("%v: %d", headers, w.Code)
		}
	}
}

// answering is a surface with one operation.
func answering(h arm.Handler) http.Handler {
	return serve([]arm.Route{{Method: "POST", Pattern: arm.SubscriptionPath + "/things/{name}", Handle: h}})
}

const things = "/Subscriptions/" + subscription + "/things/My%20One"

// A page leads to the next one, whatever the Host header says, and with what
// else was asked for.
func TestPages(t *testing.T) {
	var page accounts.Page
	h := answering(func(_ context.Context, req *arm.Request) (*arm.Response, error) {
		var err error
		if page, err = req.Page(); err != nil {
			return nil, err
		}
		next := "a/b ?&"
		if page.After != "" {
			next = ""
		}
		return arm.AnswerList([]int{1}, req.NextLink(next)), nil
	})
	var list arm.List[int]
	w := call(t, h, "POST", things+someVersion+"&$TOP=5000&$Filter=a%20eq%20%27b%27", "", "Host", "attacker.example.net")
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	rest, ours := strings.CutPrefix(list.NextLink, publicURL)
	if !ours || page != (accounts.Page{Limit: 1000}) {
		t.Errorf("page %+v, next %s", page, list.NextLink)
	}
	w = call(t, h, "POST", rest, "")
	if w.Code != 200 || page != (accounts.Page{After: "a/b ?&", Limit: 1000}) || strings.Contains(w.Body.String(), "nextLink") {
		t.Errorf("%s gives page %+v and %s", rest, page, w.Body)
	}
	if u, err := url.Parse(list.NextLink); err != nil || u.Query().Get("$filter") != "a eq 'b'" || u.Query().Get("api-version") != "2024-10-01" {
		t.Errorf("%s has lost something (%v)", list.NextLink, err)
	}
	for _, bad := range []string{"&$top=0", "&$top=x", "&$skiptoken=", "&$skipToken=***"} {
		if w := call(t, h, "POST", things+someVersion+bad, ""); w.Code != 400 {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
}

// A body that is not one JSON object gets a clear refusal.
func TestDecode(t *testing.T) {
	h := answering(func(_ context.Context, req *arm.Request) (*arm.Response, error) {
		var body struct {
			KeyName string `json:"keyName"`
		}
		if err := req.Decode(&body); err != nil {
			return nil, err
		}
		return arm.Answer(http.StatusOK, body), nil
	})
	for body, message := range map[string]string{
		"":                                    "no body",
		"null":                                "is null",
		"[]":                                  "must be an object",
		`{"keyName":1}`:                       "'keyName' must be a string",
		`{"keyName":"Key1","KeyName":"Key2"}`: "twice",
	} {
		w := call(t, h, "POST", things+someVersion, body)
		if got := refusal(t, w); w.Code != 400 || got.Code != "InvalidRequestContent" || !strings.Contains(got.Message, message) {
			t.Errorf("%q: %d %+v", body, w.Code, got)
		}
	}
	if w := call(t, h, "POST", things+someVersion, `{"x":"`+strings.Repeat("y", 256<<10)+`"}`); w.Code != 413 {
		t.Errorf("a description that the store could not hold: %d", w.Code)
	}
}

// A change says in its headers how far it has got.
func TestConfirm(t *testing.T) {
	for _, c := range []struct {
		out  accounts.Outcome
		want string
	}{
		{accounts.Outcome{}, "||||"},
		{accounts.Outcome{Revision: 12}, "12|all|||"},
		{accounts.Outcome{Revision: 12, Generation: 3, Pending: []string{"gw-1", "gw-2"}, Repeated: true}, "12|pending=gw-1,gw-2|3|true|"},
		{accounts.Outcome{Revision: 12, Generation: 4, Joined: true}, "12|all|4||true"},
	} {
		h := answering(func(context.Context, *arm.Request) (*arm.Response, error) {
			return arm.Answer(http.StatusOK, nil).Confirm(c.out), nil
		})
		w := call(t, h, "POST", things+someVersion, "")
		var got []string
		for _, name := range []string{"revision", "confirmed", "generation", "repeated", "joined"} {
			got = append(got, w.Header().Get("x-twinkey-"+name))
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%+v: %v", c.out, got)
		}
	}
}

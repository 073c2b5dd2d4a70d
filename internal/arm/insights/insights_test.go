package insights_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
	"github.com/twinkey/twinkey/internal/arm/insights"
	"github.com/twinkey/twinkey/internal/audit"
	"github.com/twinkey/twinkey/internal/etcdnode"
	"github.com/twinkey/twinkey/internal/etcdstore"
	"github.com/twinkey/twinkey/internal/web"
)

const (
	publicURL    = "https://keys.example.com:8443"
	subscription = "5c6dcb18-9d7e-4f20-9d8a-1e1e3a3f1d01"
	tenant       = "7a3b4c5d-1111-4222-8333-944455556666"
	application  = "00000000-0000-4000-8000-0000000000a2"
	values       = "/subscriptions/" + subscription + "/providers/Microsoft.Insights/eventtypes/management/values?api-version=2015-04-01"
)

// noon is when the world of these tests is.
func noon() time.Time { return time.Date(2031, 5, 4, 12, 30, 0, 700, time.UTC) }

// people are the callers by their tokens: one may read everything, one a group,
// one nothing.
func people() map[string]twinkey.Principal {
	return map[string]twinkey.Principal{
		"reader":  {Tenant: tenant, ObjectID: "00000000-0000-4000-8000-000000000001", Type: twinkey.User, Name: "reader@example.com"},
		"grouped": {Tenant: tenant, ObjectID: "00000000-0000-4000-8000-000000000002", Type: twinkey.ServicePrincipal, AppID: application},
		"nobody":  {Tenant: tenant, ObjectID: "00000000-0000-4000-8000-000000000003", Type: twinkey.User, Name: "nobody@example.com"},
	}
}

func (authenticator) Authenticate(_ context.Context, bearer string) (twinkey.Principal, error) {
	return people()[bearer], nil
}

type authenticator struct{}

// world is the surface over a real store.
type world struct {
	t     testing.TB
	store *etcdstore.Store
	http  http.Handler
}

func newWorld(t testing.TB) *world {
	t.Helper()
	node, err := etcdnode.Start(t.Context(), etcdnode.Config{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Stop(context.Background()) })
	store, err := etcdstore.Open(t.Context(), node.Client())
	if err != nil {
		t.Fatal(err)
	}
	service := accounts.New(accounts.Config{Store: store, Now: noon})
	role, _ := access.BuiltInByName("Reader")
	held := []access.Assignment{
		{ID: "00000000-0000-4000-8000-0000000000f1", Scope: twinkey.ResourceID{Subscription: subscription}, RoleID: role.ID, PrincipalID: people()["reader"].ObjectID},
		{ID: "00000000-0000-4000-8000-0000000000f2", Scope: twinkey.ResourceID{Subscription: subscription, Group: "G1"}, RoleID: role.ID, PrincipalID: people()["grouped"].ObjectID},
	}
	if err := service.Bootstrap(t.Context(), accounts.Subscription{ID: subscription, Tenant: tenant, State: accounts.SubscriptionEnabled}, held...); err != nil {
		t.Fatal(err)
	}
	named := []arm.Route{{Method: "POST", Pattern: arm.AccountPath + "/listKeys", Action: accounts.ActionListKeys, Display: arm.Display{Operation: "List Keys"},
		Handle: func(context.Context, *arm.Request) (*arm.Response, error) { return nil, nil }}}
	table := insights.Routes(insights.Config{Service: service, Log: store, Now: noon, Tables: [][]arm.Route{named}})
	surface := arm.New(arm.Config{PublicURL: publicURL, GatewayURL: "https://ai.example.com", Authenticator: authenticator{}, Subscriptions: service}, table, named)
	server := web.NewServer(web.Config{Name: "management", Handler: surface, Log: slog.New(slog.DiscardHandler), OnPanic: arm.WriteError})
	return &world{t: t, store: store, http: server}
}

// record writes one entry, minutes before noon.
func (w *world) record(who twinkey.Principal, minutes int, action string, scope twinkey.ResourceID, details ...string) audit.Entry {
	w.t.Helper()
	caller := twinkey.Caller{Principal: who, RequestID: "00000000-0000-4000-8000-00000000000a", CorrelationID: fmt.Sprintf("00000000-0000-4000-8000-%012d", minutes),
		ClientRequestID: "mine", Address: netip.MustParseAddr("192.0.2.7")}
	scope.Subscription = subscription
	e := audit.New(caller, noon().Add(-time.Duration(minutes)*time.Minute), action, scope, details...)
	if _, err := w.store.Commit(w.t.Context(), accounts.Write{Activity: []audit.Entry{e}}); err != nil {
		w.t.Fatal(err)
	}
	return e
}

func (w *world) get(as, target string) (int, string) {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header.Set("Authorization", "Bearer "+as)
	rec := httptest.NewRecorder()
	w.http.ServeHTTP(rec, r)
	return rec.Code, rec.Body.String()
}

// list follows all pages and returns the events' ids.
func (w *world) list(as, filter, more string) (ids []string, pages int) {
	w.t.Helper()
	for target := values + "&$filter=" + url.QueryEscape(filter) + more; target != ""; pages++ {
		status, body := w.get(as, target)
		var page struct {
			Value    []struct{ EventDataID string }
			NextLink string
		}
		if err := json.Unmarshal([]byte(body), &page); status != 200 || err != nil || page.Value == nil {
			w.t.Fatalf("%s: %d %s", filter, status, body)
		}
		for _, e := range page.Value {
			ids = append(ids, strings.ReplaceAll(e.EventDataID, "-", ""))
		}
		target = ""
		if page.NextLink != "" {
			rest, ok := strings.CutPrefix(page.NextLink, publicURL)
			if !ok {
				w.t.Fatalf("the next page is at %s", page.NextLink)
			}
			target = rest
		}
	}
	return ids, pages
}

// since is the beginning of a filter.
const since = "eventTimestamp ge '2031-05-01T00:00:00Z'"

// Every condition that clients of Azure send selects what it names and nothing
// else, in whichever way they spell it, the newest first.
func TestFilters(t *testing.T) {
	w := newWorld(t)
	reader, app := people()["reader"], people()["grouped"]
	account := func(g, a string) twinkey.ResourceID { return twinkey.ResourceID{Group: g, Account: a} }
	e := []audit.Entry{
		w.record(reader, 1, accounts.ActionRegenerate, account("G1", "Acct1")), w.record(reader, 2, accounts.ActionListKeys, account("G1", "Acct2")),
		w.record(app, 60, accounts.ActionListKeys, account("g1", "acct1")), w.record(reader, 70, accounts.ActionWriteGroup, account("G2", "")),
		w.record(reader, 5000, accounts.ActionWriteGroup, account("G1", "")),
	}
	for filter, want := range map[string][]int{
		since: {0, 1, 2, 3, 4},
		"eventTimestamp ge '2031-05-04T12:00:00Z' and eventTimestamp le '2031-05-04T12:28:30Z'":                                                    {1},
		"eventTimestamp ge 2031-05-04T12:00:00.123456 and eventTimestamp le 2031-05-04T12:30:00":                                                   {0, 1},
		"EVENTTIMESTAMP GE 2031-05-04 AND eventtimestamp le 2031-05-04 12:00:00.5":                                                                 {2, 3},
		"eventTimestamp le '2031-05-04T14:00:00+02:00' and eventTimestamp ge '2031-05-04'":                                                         {2, 3},
		since + " and resourceGroupName eq 'g1'":                                                                                                   {0, 1, 2, 4},
		since + " and resourceGroup eq 'G2'":                                                                                                       {3},
		since + " and resourceGroupName eq 'nosuch'":                                                                                               {},
		since + " and resourceUri eq '/subscriptions/" + subscription + "/resourcegroups/g1/providers/microsoft.cognitiveservices/accounts/ACCT1'": {0, 2},
		since + " and resourceId eq '/subscriptions/" + strings.ToUpper(subscription) + "/resourceGroups/G2'":                                      {3},
		since + " and resourceProvider eq Microsoft.Resources":                                                                                     {3, 4},
		since + " and resourceProvider eq 'microsoft.cognitiveservices' and caller eq '" + application + "'":                                       {2},
		since + " and caller eq 'READER@example.com' and resourceGroupName eq 'G1'":                                                                {0, 1, 4},
		since + " and correlationId eq '00000000-0000-4000-8000-000000000070'":                                                                     {3},
		since + " and status eq 'Succeeded' and eventChannels eq 'Admin, Operation'":                                                               {0, 1, 2, 3, 4},
		since + " and status eq 'Failed'":                                                                                                          {},
		since + " and caller eq 'o''brien and co'":                                                                                                 {},
	} {
		ids := make([]string, 0, len(want))
		for _, i := range want {
			ids = append(ids, e[i].ID)
		}
		for _, more := range []string{"", "&$top=1"} {
			if got, _ := w.list("reader", filter, more); !slices.Equal(got, ids) {
				t.Errorf("%s%s: %d events, want %v", filter, more, len(got), want)
			}
		}
	}
}

// A filter that is not understood shows nothing: passing over a part of it would
// show what was not asked for.
func TestFiltersThatAreRefused(t *testing.T) {
	w := newWorld(t)
	for filter, code := range map[string]string{
		"": "BadRequest", "resourceGroupName eq 'g'": "BadRequest", "eventTimestamp le '2031-05-04'": "BadRequest",
		"eventTimestamp ge 'yesterday'": "BadRequest", since + " and " + since: "NotSupported", since + " and ": "NotSupported",
		since + " or caller eq 'x'": "NotSupported", since + " and caller ne 'x'": "NotSupported", since + " and not caller eq 'x'": "NotSupported",
		since + " and caller eq 'x": "NotSupported", since + " and caller eq 'x' or level eq 'y'": "NotSupported", since + " and (caller eq 'x')": "NotSupported",
		since + " and colour eq 'red'": "NotSupported", since + " and resourceUri eq '/subscriptions/" + tenant + "'": "BadRequest",
		since + " and resourceUri eq '/subscriptions/" + subscription + "/providers/Microsoft.Compute/x/y'": "BadRequest", since + " and resourceGroupName eq 'a/b'": "InvalidResourceName",
	} {
		status, body := w.get("reader", values+"&$filter="+url.QueryEscape(filter))
		if status != 400 || !strings.Contains(body, `"code":"`+code+`"`) {
			t.Errorf("%s: %d %s", filter, status, body)
		}
	}
}

// Who may read a group may read that group's events and no others.
func TestEventsNeedThePermission(t *testing.T) {
	w := newWorld(t)
	w.record(people()["reader"], 1, accounts.ActionListKeys, twinkey.ResourceID{Group: "g1", Account: "acct"})
	w.record(people()["reader"], 1, accounts.ActionListKeys, twinkey.ResourceID{Group: "g2", Account: "acct"})
	inGroup := since + " and resourceGroupName eq "
	for _, tt := range []struct {
		who, filter string
		status      int
	}{
		{"reader", since, 200}, {"grouped", since, 403}, {"grouped", inGroup + "'g1'", 200}, {"grouped", inGroup + "'g2'", 403}, {"grouped", inGroup + "'nosuch'", 403},
		{"grouped", since + " and resourceUri eq '/subscriptions/" + subscription + "/resourceGroups/G1/providers/Microsoft.CognitiveServices/accounts/acct'", 200},
		{"grouped", inGroup + "'g1' and resourceUri eq '/subscriptions/" + subscription + "/resourceGroups/g2'", 400},
		{"grouped", since + " and resourceUri eq '/subscriptions/" + subscription + "/resourceGroups/g2' and resourceGroupName eq 'g1'", 403},
		{"nobody", inGroup + "'g1'", 403},
	} {
		status, body := w.get(tt.who, values+"&$filter="+url.QueryEscape(tt.filter))
		if status != tt.status || status == 200 && tt.who == "grouped" && strings.Contains(body, "/resourceGroups/g2") {
			t.Errorf("%s, %s: %d %s", tt.who, tt.filter, status, body)
		}
	}
}

// An event has the fields, the words and the times of Azure's.
func TestEventOnTheWire(t *testing.T) {
	w := newWorld(t)
	e := w.record(people()["grouped"], 0, accounts.ActionListKeys, twinkey.ResourceID{Group: "G1", Account: "Acct1"}, "slot", "Key1")
	_, body := w.get("reader", values+"&$filter="+url.QueryEscape(since))
	var got struct{ Value []any }
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Value) != 1 {
		t.Fatal(body)
	}
	const resource = "/subscriptions/" + subscription + "/resourceGroups/G1/providers/Microsoft.CognitiveServices/accounts/Acct1"
	id := e.ID[:8] + "-" + e.ID[8:12] + "-" + e.ID[12:16] + "-" + e.ID[16:20] + "-" + e.ID[20:]
	want := `{"authorization":{"action":"Microsoft.CognitiveServices/accounts/listKeys/action","scope":"` + resource + `"},"caller":"` + application + `","channels":"Operation",
		"claims":{"appid":"` + application + `","http://schemas.microsoft.com/identity/claims/objectidentifier":"00000000-0000-4000-8000-000000000002","http://schemas.microsoft.com/identity/claims/tenantid":"` + tenant + `"},
		"correlationId":"00000000-0000-4000-8000-000000000000","description":"","eventDataId":"` + id + `","eventName":{"value":"EndRequest","localizedValue":"End request"},
		"category":{"value":"Administrative","localizedValue":"Administrative"},"eventTimestamp":"2031-05-04T12:30:00.0000007Z","submissionTimestamp":"2031-05-04T12:30:00.0000007Z",
		"httpRequest":{"clientRequestId":"mine","clientIpAddress":"192.0.2.7","method":"POST"},"id":"` + resource + `/events/` + id + `/ticks/640712610000000007","level":"Informational",
		"operationId":"00000000-0000-4000-8000-000000000000","operationName":{"value":"Microsoft.CognitiveServices/accounts/listKeys/action","localizedValue":"List Keys"},
		"resourceGroupName":"G1","resourceProviderName":{"value":"Microsoft.CognitiveServices","localizedValue":"Microsoft.CognitiveServices"},
		"resourceType":{"value":"Microsoft.CognitiveServices/accounts","localizedValue":"Microsoft.CognitiveServices/accounts"},"resourceId":"` + resource + `",
		"status":{"value":"Succeeded","localizedValue":"Succeeded"},"subStatus":{"value":"","localizedValue":""},"subscriptionId":"` + subscription + `","tenantId":"` + tenant + `",
		"properties":{"eventCategory":"Administrative","entity":"` + resource + `","message":"Microsoft.CognitiveServices/accounts/listKeys/action","serviceRequestId":"00000000-0000-4000-8000-00000000000a","slot":"Key1"}}`
	var expected any
	if err := json.Unmarshal([]byte(want), &expected); err != nil {
		t.Fatal(err)
	}
	have, _ := json.MarshalIndent(got.Value[0], "", " ")
	should, _ := json.MarshalIndent(expected, "", " ")
	if string(have) != string(should) {
		t.Errorf("got\n%s\nwant\n%s", have, should)
	}
	_, body = w.get("reader", values+"&$filter="+url.QueryEscape(since)+"&$select=eventName,%20CALLER%20,nosuch")
	if want := `{"value":[{"caller":"` + application + `","eventName":{"value":"EndRequest","localizedValue":"End request"}}]}`; body != want {
		t.Errorf("$select: %s", body)
	}
}

// Pages join without a gap or a repetition, also where most entries are not
// asked for.
func TestPages(t *testing.T) {
	w := newWorld(t)
	var want []string
	for i := range 450 {
		group := "other"
		if i%3 == 0 {
			group = "mine"
		}
		e := w.record(people()["reader"], i/4, accounts.ActionListKeys, twinkey.ResourceID{Group: group, Account: "acct"})
		if group == "mine" {
			want = append(want, e.ID)
		}
	}
	filter := since + " and resourceGroupName eq 'mine'"
	for more, pages := range map[string]int{"": 1, "&$top=40": 4, "&$top=150": 2} {
		got, n := w.list("reader", filter, more)
		if slices.Sort(got); n != pages || !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("%s: %d events of %d on %d pages", more, len(got), len(want), n)
		}
	}
	if status, body := w.get("reader", values+"&$filter="+url.QueryEscape(since)+"&$skipToken=AAAA"); status != 400 {
		t.Errorf("a $skipToken that was never given: %d %s", status, body)
	}
}

// Whatever is sent as a filter, the answer is events or a refusal.
func FuzzFilter(f *testing.F) {
	for _, filter := range []string{since, since + " and caller eq 'it''s'", "and and and", "a eq 'b' and 'c", "' and '", since + " and resourceUri eq '/'", "eventTimestamp ge 9999-12-31"} {
		f.Add(filter)
	}
	w := newWorld(f)
	w.record(people()["reader"], 1, accounts.ActionListKeys, twinkey.ResourceID{Group: "g1", Account: "acct"})
	f.Fuzz(func(t *testing.T, filter string) {
		status, body := w.get("reader", values+"&$filter="+url.QueryEscape(filter))
		if status != 200 && status != 400 {
			t.Errorf("%q: %d %s", filter, status, body)
		}
	})
}

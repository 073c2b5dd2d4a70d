package app_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twinkey/twinkey/internal/app"
	"github.com/twinkey/twinkey/internal/testenv"
)

// steppedClient sees the server's clock, so that it judges certificates as a
// client on the same machine does.
func steppedClient(t *testing.T, e *testenv.Env, now func() time.Time) *http.Client {
	t.Helper()
	text, err := os.ReadFile(e.Endpoints.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		t.Fatal("no certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Time: now}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// A clock that is set ahead or back, while the server runs, breaks nothing that
// a client could not mend by logging in again: certificates are valid by the new
// time, new tokens work and those of another time are refused as such, keys
// work, and every change is in the activity log and in its export.
func TestClockIsSet(t *testing.T) {
	t.Parallel()
	var offset atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
	path := filepath.Join(t.TempDir(), "activity.jsonl")
	e := testenv.Start(t, testenv.Options{Change: func(c *app.Config) { c.Now, c.ActivityExport = now, path }})
	password, err := os.ReadFile(filepath.Join(e.Endpoints.ConfigDir, app.AdminPasswordFile))
	if err != nil {
		t.Fatal(err)
	}
	w := &clockWorld{t: t, e: e, password: strings.TrimSpace(string(password))}
	w.client = steppedClient(t, e, now)
	w.login()
	account := w.subscription() + "/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/acct"
	w.want(201, put(t, w.subscription()+"/resourceGroups/g?api-version=2021-04-01", `{"location":"local"}`, w.token))
	w.want(201, put(t, account+"?api-version=2025-06-01", `{"kind":"CognitiveServices","sku":{"name":"S0"},"location":"local"}`, w.token))
	changes := 2
	for _, step := range []time.Duration{24 * time.Hour, -24 * time.Hour, 0, 48 * time.Hour, 0} {
		before := w.token
		offset.Store(int64(step))
		w.client = steppedClient(t, e, now)
		w.want(401, post(t, account+"/listKeys?api-version=2025-06-01", "", before))
		w.login()
		w.want(200, post(t, account+"/regenerateKey?api-version=2025-06-01", `{"keyName":"Key1"}`, w.token))
		keys := w.want(200, post(t, account+"/listKeys?api-version=2025-06-01", "", w.token))
		changes += 2
		_, rest, _ := strings.Cut(keys, `"key1":"`)
		key, _, _ := strings.Cut(rest, `"`)
		r := post(t, e.Endpoints.Gateway+"/text/analytics/v3.1/languages", `{"documents":[{"id":"1","text":"`+text+`"}]}`, "")
		r.Header.Set("api-key", key)
		w.want(200, r)
	}
	ids := w.events(account)
	if len(ids) != changes {
		t.Errorf("%d changes are in the activity log of %d", len(ids), changes)
	}
	eventually(t, "every change is exported", func() bool { return everyOne(t, path, ids) })
}

// clockWorld is a client in the time of its server.
type clockWorld struct {
	t               *testing.T
	e               *testenv.Env
	client          *http.Client
	password, token string
}

func (w *clockWorld) subscription() string {
	return w.e.Endpoints.Endpoint + "/subscriptions/" + w.e.Endpoints.SubscriptionID
}

func (w *clockWorld) login() {
	w.t.Helper()
	body := "client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46&grant_type=password&username=admin@twinkey.internal&password=" + w.password + "&scope=" + w.e.Endpoints.Endpoint + "/.default"
	answer := w.want(200, post(w.t, w.e.Endpoints.Authority+"/organizations/oauth2/v2.0/token", body, ""))
	_, rest, _ := strings.Cut(answer, `"access_token":"`)
	w.token, _, _ = strings.Cut(rest, `"`)
}

func (w *clockWorld) want(status int, r *http.Request) string {
	w.t.Helper()
	answer, err := w.client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != status {
		w.t.Fatalf("%s %s: %d %s, %v", r.Method, r.URL.Path, answer.StatusCode, body, err)
	}
	return string(body)
}

// events lists the ids of the events, the newest first by their own times.
func (w *clockWorld) events(account string) []string {
	w.t.Helper()
	at := w.subscription() + "/providers/Microsoft.Insights/eventtypes/management/values?api-version=2015-04-01&$filter=eventTimestamp%20ge%20'2001-01-01'%20and%20eventTimestamp%20le%20'2200-01-01'%20and%20resourceGroupName%20eq%20'g'"
	body := w.want(200, request(w.t, http.MethodGet, at, "", w.token))
	var ids []string
	last := "9"
	for _, part := range strings.Split(body, `"eventDataId":"`)[1:] {
		id, rest, _ := strings.Cut(part, `"`)
		_, rest, _ = strings.Cut(rest, `"eventTimestamp":"`)
		moment, _, _ := strings.Cut(rest, `"`)
		if moment > last {
			w.t.Errorf("%s comes after %s", moment, last)
		}
		last = moment
		ids = append(ids, strings.ReplaceAll(id, "-", ""))
	}
	return ids
}

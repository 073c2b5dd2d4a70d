package app_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/app"
	"github.com/twinkey/twinkey/internal/testenv"
)

const text = "Le musée est fermé le mardi."

// ops asks the ops listener.
func ops(t *testing.T, e app.Endpoints, path string) (int, string) {
	t.Helper()
	answer, err := http.Get(e.Ops + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// series reads /metrics: the value of each series by its name with labels.
func series(t *testing.T, e app.Endpoints) map[string]float64 {
	t.Helper()
	status, body := ops(t, e, "/metrics")
	if status != http.StatusOK {
		t.Fatalf("/metrics: %d %s", status, body)
	}
	values := map[string]float64{}
	for lines := bufio.NewScanner(strings.NewReader(body)); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		at := strings.LastIndexByte(lines.Text(), ' ')
		value, err := strconv.ParseFloat(lines.Text()[at+1:], 64)
		if err != nil {
			t.Fatal(err)
		}
		values[lines.Text()[:at]] = value
	}
	return values
}

// sentence fails unless a text is one sentence on one line.
func sentence(t *testing.T, text string) {
	t.Helper()
	text = strings.TrimSpace(text)
	if text == "" || strings.Contains(text, "\n") || !strings.HasSuffix(text, ".") || strings.Count(text, ". ") > 0 {
		t.Errorf("%q is not one sentence", text)
	}
}

// If this fails, a watcher takes a server for ready that does not decide by what
// it was told to wait for, or for broken that does.
func TestReadiness(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	admin := e.Admin(t)
	admin.CreateAccount(t, "g", "acct")
	resp, err := admin.Do(t, http.MethodPost, "2025-06-01", map[string]string{"keyName": "Key1"},
		"resourceGroups", "g", "providers", twinkey.Provider, "accounts", "acct", "regenerateKey")
	if err != nil || resp.Confirmation == nil {
		t.Fatalf("%+v, %v", resp, err)
	}
	admin.Keys(t, "g", "acct")                                      // a revision that changes no account
	newest := int64(series(t, e.Endpoints)["twinkey_hub_revision"]) // the server writes for itself, too
	for query, want := range map[string]int{
		"": 200, "?revision=0": 200, "?revision=" + fmt.Sprint(resp.Confirmation.Revision): 200, "?revision=" + fmt.Sprint(newest): 200,
		"?revision=" + fmt.Sprint(newest+1000): 503, "?revision=9223372036854775807": 503,
		"?revision=-1": 400, "?revision=x": 400, "?revision=9223372036854775808": 400,
	} {
		status, body := ops(t, e.Endpoints, "/readyz"+query)
		if status != want {
			t.Errorf("/readyz%s: %d %s", query, status, body)
		}
		if status != 200 {
			sentence(t, body)
		}
	}
	if status, body := ops(t, e.Endpoints, "/healthz"); status != 200 || body != "ok\n" {
		t.Errorf("/healthz: %d %s", status, body)
	}
	for _, path := range []string{"/", "/subscriptions", "/metrics/x"} {
		if status, _ := ops(t, e.Endpoints, path); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
}

// If this fails, the metrics count something else than what happened, or their
// number grows with what callers do.
func TestMetrics(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{
		Change: func(c *app.Config) { c.Version = "1.2.3" },
		Services: `services:
  - kind: CognitiveServices
    skus: [{name: S0}]
    routes: [{path: /, upstream: "{{upstream}}"}, {path: /dead/, upstream: "http://127.0.0.1:1"}]
`})
	admin, client := e.Admin(t), e.Client(t)
	keys := admin.CreateAccount(t, "g", "acct")
	before := series(t, e.Endpoints)
	for range 3 {
		e.Detect(t, client, keys[0], text)
	}
	for range 2 {
		e.Detect(t, client, strings.Repeat("0", 32), text)
	}
	e.Detect(t, client, "", text)
	r := post(t, e.Endpoints.Gateway+"/dead/x", "", "")
	r.Header.Set("api-key", keys[1])
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	admin.Regenerate(t, "g", "acct", twinkey.Key1)
	after := series(t, e.Endpoints)
	for name, want := range map[string]float64{
		`twinkey_gateway_admitted_total`:                                           4,
		`twinkey_gateway_refused_total{reason="invalid_key"}`:                      2,
		`twinkey_gateway_refused_total{reason="missing_key"}`:                      1,
		`twinkey_gateway_refused_total{reason="other"}`:                            0,
		`twinkey_gateway_upstream_errors_total{cause="unreachable"}`:               1,
		`twinkey_gateway_upstream_errors_total{cause="timeout"}`:                   0,
		`twinkey_requests_total{class="2xx",surface="gateway"}`:                    3,
		`twinkey_requests_total{class="4xx",surface="gateway"}`:                    3,
		`twinkey_requests_total{class="5xx",surface="gateway"}`:                    1,
		`twinkey_requests_total{class="2xx",surface="management"}`:                 1,
		`twinkey_confirm_seconds_count`:                                            1,
		`twinkey_store_transactions_total{result="committed"}`:                     1,
		`twinkey_store_transactions_total{result="unknown"}`:                       0,
		`twinkey_token_requests_total{grant="client_credentials",result="issued"}`: 0,
	} {
		was, known := before[name]
		if is, ok := after[name]; !known || !ok || is-was != want {
			t.Errorf("%s went from %v to %v, and should by %v", name, was, is, want)
		}
	}
	for name, want := range map[string]float64{
		`twinkey_build_info{goversion="` + runtime.Version() + `",version="1.2.3"}`: 1,
		`twinkey_gateway_accounts`: 1, `twinkey_store_alive`: 1, `twinkey_store_full`: 0,
		`twinkey_hub_pending_changes{gateway="local"}`: 0, `twinkey_hub_acknowledged_revision{gateway="local"}`: after["twinkey_hub_revision"],
		`twinkey_store_quota_bytes`: 8 << 30,
		`twinkey_token_requests_total{grant="client_credentials",result="issued"}`: 1,
	} {
		if got, ok := after[name]; !ok || got != want {
			t.Errorf("%s is %v, want %v (%v)", name, got, want, ok)
		}
	}
	for _, name := range []string{"twinkey_store_size_bytes", "twinkey_store_in_use_bytes", "twinkey_gateway_revision", "twinkey_catalog_loaded_timestamp_seconds", "process_open_fds", "go_goroutines"} {
		if after[name] <= 0 {
			t.Errorf("%s is %v", name, after[name])
		}
	}
	for name := range after {
		if _, ok := before[name]; !ok {
			t.Errorf("%s has come up while calls were made", name)
		}
		if strings.Contains(name, "acct") {
			t.Errorf("%s names an account", name)
		}
	}
}

// If this fails, the names or help texts of the metrics are not what Prometheus
// users expect.
func TestMetricsAreWellFormed(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{Change: func(c *app.Config) { c.ActivityExport = t.TempDir() + "/log" }})
	_, body := ops(t, e.Endpoints, "/metrics")
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "twinkey_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	if !strings.Contains(body, "twinkey_activity_export_lag_seconds 0\n") {
		t.Error("the export is on and has no lag")
	}
}

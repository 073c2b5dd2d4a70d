package app_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/app"
	"github.com/twinkey/twinkey/internal/armclient"
	"github.com/twinkey/twinkey/internal/testenv"
)

// logged lists the ids of all events, the newest first.
func logged(t *testing.T, e *testenv.Env, admin *testenv.Admin) []string {
	t.Helper()
	events, err := admin.Client.List(t.Context(), admin.Token, armclient.Request{
		Method: http.MethodGet, APIVersion: "2015-04-01",
		Path:  []string{"subscriptions", e.Endpoints.SubscriptionID, "providers", "Microsoft.Insights", "eventtypes", "management", "values"},
		Query: url.Values{"$filter": {"eventTimestamp ge '2001-01-01' and eventTimestamp le '2200-01-01'"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, text := range events {
		var event struct{ EventDataID string }
		if err := json.Unmarshal(text, &event); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, strings.ReplaceAll(event.EventDataID, "-", ""))
	}
	return ids
}

// exported reads the file: how often each id is in it. A line that is no whole
// entry fails the test.
func exported(t *testing.T, path string) map[string]int {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	times := map[string]int{}
	for line := range strings.Lines(string(data)) {
		var entry struct {
			ID     string
			Action string
			At     time.Time
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.ID == "" || entry.Action == "" || entry.At.IsZero() || !strings.HasSuffix(line, "\n") {
			t.Fatalf("%q is no entry: %v", line, err)
		}
		times[entry.ID]++
	}
	return times
}

// everyOne reports whether all ids are in the file.
func everyOne(t *testing.T, path string, ids []string) bool {
	t.Helper()
	have := exported(t, path)
	for _, id := range ids {
		if have[id] == 0 {
			return false
		}
	}
	return len(ids) > 0
}

// Entries are exported once each while nothing goes wrong, also over a restart
// and after the file has been moved away, as log rotation does.
func TestActivityExport(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "activity.jsonl")
	e := testenv.Start(t, testenv.Options{Change: func(c *app.Config) { c.ActivityExport = path }})
	admin := e.Admin(t)
	admin.CreateAccount(t, "g", "acct")
	eventually(t, "the first entries are exported", func() bool { return everyOne(t, path, logged(t, e, admin)) })
	before := exported(t, path)
	moved := path + ".1"
	if err := os.Rename(path, moved); err != nil {
		t.Fatal(err)
	}
	admin.Regenerate(t, "g", "acct", twinkey.Key1)
	eventually(t, "the export goes on in a new file", func() bool { return len(exported(t, path)) == 1 })
	e.Restart(t)
	admin = e.Admin(t)
	admin.Keys(t, "g", "acct")
	eventually(t, "the export goes on after a restart", func() bool { return len(exported(t, path)) == 2 })
	after := exported(t, path)
	for id, n := range after {
		if n != 1 || before[id] > 0 {
			t.Errorf("entry %s was exported more than once", id)
		}
	}
	for _, id := range logged(t, e, admin) {
		if before[id]+after[id] != 1 {
			t.Errorf("entry %s was exported %d times", id, before[id]+after[id])
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read the export: %v, %v", info.Mode(), err)
	}
}

// An export that cannot be written stops nothing. It is said once, in the log
// and in the metrics, and nothing is lost when it can be written again.
func TestActivityExportThatFails(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "missing")
	path := filepath.Join(dir, "activity.jsonl")
	e := testenv.Start(t, testenv.Options{Change: func(c *app.Config) { c.ActivityExport = path }})
	admin, client := e.Admin(t), e.Client(t)
	keys := admin.CreateAccount(t, "g", "acct")
	eventually(t, "it has failed twice", func() bool { return series(t, e.Endpoints)["twinkey_activity_export_failures_total"] >= 2 })
	if n := strings.Count(e.Log(), "the activity log cannot be exported"); n != 1 {
		t.Errorf("it is said %d times", n)
	}
	m := series(t, e.Endpoints)
	if m["twinkey_activity_export_working"] != 0 || m["twinkey_activity_export_lag_seconds"] <= 0 {
		t.Errorf("working %v, lag %v", m["twinkey_activity_export_working"], m["twinkey_activity_export_lag_seconds"])
	}
	if status, body := e.Detect(t, client, keys[0], text); status != 200 {
		t.Errorf("a call is answered %d %s", status, body)
	}
	admin.Regenerate(t, "g", "acct", twinkey.Key1)
	if status, _ := ops(t, e.Endpoints, "/readyz"); status != 200 {
		t.Errorf("/readyz: %d", status)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	eventually(t, "everything is exported", func() bool { return everyOne(t, path, logged(t, e, admin)) })
	eventually(t, "the metrics say so", func() bool {
		m := series(t, e.Endpoints)
		return m["twinkey_activity_export_working"] == 1 && m["twinkey_activity_export_lag_seconds"] == 0
	})
	if n := strings.Count(e.Log(), "the activity log is exported again"); n != 1 {
		t.Errorf("that it works again is said %d times", n)
	}
}

// What a crash has left of a line is no line: it is cut off, and the entry comes
// again.
func TestActivityExportMendsATornLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "activity.jsonl")
	whole := `{"id":"x","action":"a","at":"2031-01-01T00:00:00Z"}` + "\n"
	if err := os.WriteFile(path, []byte(whole+`{"id":"`+strings.Repeat("y", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	e := testenv.Start(t, testenv.Options{Change: func(c *app.Config) { c.ActivityExport = path }})
	admin := e.Admin(t)
	admin.CreateAccount(t, "g", "acct")
	eventually(t, "the torn line is gone", func() bool {
		data, err := os.ReadFile(path)
		return err == nil && !strings.Contains(string(data), "yyy") && strings.HasSuffix(string(data), "\n")
	})
	eventually(t, "everything is exported", func() bool { return everyOne(t, path, append(logged(t, e, admin), "x")) })
}

// Whenever the process is killed, every entry is exported after the next start,
// and no line is torn.
func TestActivityExportSurvivesKill(t *testing.T) {
	s := newSettings(t)
	s.ActivityExport = filepath.Join(t.TempDir(), "activity.jsonl")
	for round := range 4 {
		p := startProcess(t, s)
		admin := p.Admin(t)
		admin.CreateAccount(t, "g", "acct")
		for range 5 + 20*round {
			admin.Regenerate(t, "g", "acct", twinkey.Key1)
		}
		_ = p.end(t, syscall.SIGKILL)
	}
	p := startProcess(t, s)
	admin := p.Admin(t)
	all := logged(t, p.Env, admin)
	if len(all) < 5+25+45+65 {
		t.Fatalf("only %d entries: the test did not do its work", len(all))
	}
	eventually(t, "every entry is exported", func() bool { return everyOne(t, s.ActivityExport, all) })
	if err := p.end(t, syscall.SIGTERM); err != nil {
		t.Error(err)
	}
}

// The log goes back as far as it was told to, and no further; what is in force
// is not touched.
func TestActivityIsTrimmed(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	e := testenv.Start(t, testenv.Options{Change: func(c *app.Config) {
		c.ActivityDays, c.ActivityEntries = 30, 1000
		c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	}})
	keys := e.Admin(t).CreateAccount(t, "g", "acct")
	ahead.Store(int64(32 * 24 * time.Hour))
	e.Restart(t)
	eventually(t, "the log is trimmed", func() bool { return series(t, e.Endpoints)["twinkey_activity_trimmed_total"] >= 3 })
	ahead.Store(0)
	e.Restart(t)
	if ids := logged(t, e, e.Admin(t)); len(ids) != 0 {
		t.Errorf("%d entries are left", len(ids))
	}
	if got := e.Admin(t).Keys(t, "g", "acct"); got != keys {
		t.Error("the keys have changed")
	}
}

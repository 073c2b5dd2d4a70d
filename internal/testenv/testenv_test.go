package testenv_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/app"
	"github.com/twinkey/twinkey/internal/armclient"
	"github.com/twinkey/twinkey/internal/testenv"
)

const sentence = "Le musée est fermé le mardi, mais vous pouvez visiter le jardin."

// If this fails, a server forgets keys, or its addresses, when it restarts, or
// admits afterwards what it refused before.
func TestKeysOutliveARestart(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{Change: func(c *app.Config) { c.GatewayHTTP = "127.0.0.1:0" }})
	admin, client := e.Admin(t), e.Client(t)
	old := admin.CreateAccount(t, "g", "acct")
	now := admin.Regenerate(t, "g", "acct", twinkey.Key1)
	if now[0] == old[0] || now[1] != old[1] {
		t.Fatal("regenerate did not change key 1, or changed key 2")
	}
	before := e.Endpoints
	for range 2 {
		for _, c := range []struct {
			key  string
			want int
		}{{"", 401}, {old[0], 401}, {now[0], 200}, {now[1], 200}} {
			status, body := e.Detect(t, client, c.key, sentence)
			if status != c.want || (status == 200) != strings.Contains(body, `"name":"French"`) {
				t.Errorf("answered %d %s, want %d", status, body, c.want)
			}
		}
		if got := admin.Keys(t, "g", "acct"); got != now {
			t.Error("the keys that are listed are not those that were made")
		}
		e.Restart(t)
		if e.Endpoints != before {
			t.Fatalf("after the restart it is at %+v", e.Endpoints)
		}
	}
}

// If this fails, the log, down to level debug, says nothing of what happens, or
// holds keys or the documents of the store.
func TestLogHoldsNoKeys(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	keys := e.Admin(t).CreateAccount(t, "g", "acct")
	if status, _ := e.Detect(t, e.Client(t), keys[0], sentence); status != 200 {
		t.Fatalf("answered %d", status)
	}
	e.Restart(t) // everything is written by then
	log := e.Log()
	if !strings.Contains(log, "level=DEBUG") || !strings.Contains(log, "/accounts/acct/listKeys") {
		t.Fatal("the log lacks what was asked of the server, or level debug")
	}
	digest, _ := twinkey.DigestOf(keys[0]).MarshalText()
	for what, text := range map[string]string{"key 1": keys[0], "key 2": keys[1], "a document": string(digest), "a sealed value": "sealed"} {
		if strings.Contains(log, text) {
			t.Errorf("the log holds %s", what)
		}
	}
}

// If this fails, tests that run side by side share something.
func TestTwoServersKeepApart(t *testing.T) {
	t.Parallel()
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("mine " + r.URL.Path)) })
	one, two := testenv.Start(t, testenv.Options{Upstream: upstream}), testenv.Start(t, testenv.Options{})
	keys := one.Admin(t).CreateAccount(t, "g", "acct")
	if status, body := one.Detect(t, one.Client(t), keys[0], sentence); status != 200 || body != "mine /text/analytics/v3.1/languages" {
		t.Errorf("the upstream that was given answered %d %s", status, body)
	}
	if status, _ := two.Detect(t, two.Client(t), keys[0], sentence); status != 401 {
		t.Errorf("another server's key was answered %d", status)
	}
	_, err := two.Admin(t).Do(t, http.MethodGet, "2024-11-01", nil, "resourceGroups", "g")
	if refused, ok := errors.AsType[*armclient.ResponseError](err); !ok || refused.Status != 404 {
		t.Errorf("another server's group was answered %v", err)
	}
}

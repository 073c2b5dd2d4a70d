package cli_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/twinkey/twinkey/internal/cli"

	"github.com/spf13/cobra"
)

// If this fails, a command sends something else than the Azure CLI would.
func TestRequests(t *testing.T) {
	s := newServer(t)
	sub := "/subscriptions/" + subDev
	for _, route := range []string{
		"PUT " + sub + "/resourcegroups/g", "PUT " + sub + "/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/aa", "POST " + account + "/regenerateKey",
		"DELETE " + sub + "/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/aa", "DELETE " + sub + "/resourcegroups/g", "HEAD " + sub + "/resourcegroups/g",
	} {
		s.on(route, reply(200, `{}`))
	}
	s.on("DELETE "+sub+"/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/aa", reply(204, ""))
	u := loggedIn(t, s)
	const groups, cognitive = "?api-version=2024-11-01", "?api-version=2025-06-01"
	aa := sub + "/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/aa" + cognitive
	create := "cognitiveservices account create -n aa -g g --kind K --sku S0 -l westus "
	for _, tt := range []struct{ args, asked, body string }{
		{"group create -n g -l westus", "PUT " + sub + "/resourcegroups/g" + groups, `{"location":"westus"}`},
		{"group create -g g -l westus --tags a=b c d=e=f --debug --only-show-errors", "PUT " + sub + "/resourcegroups/g" + groups, `{"location":"westus","tags":{"a":"b","c":"","d":"e=f"}}`},
		{"group create -n g -l westus --tags", "PUT " + sub + "/resourcegroups/g" + groups, `{"location":"westus","tags":{}}`},
		{"group exists -n g", "HEAD " + sub + "/resourcegroups/g" + groups, ""},
		{"group delete -n g --yes", "DELETE " + sub + "/resourcegroups/g" + groups, ""},
		{create, "PUT " + aa, `{"kind":"K","location":"westus","properties":{},"sku":{"name":"S0"}}`},
		{create + "--yes --custom-domain d --tags x=1 --api-properties a=b,c=d", "PUT " + aa, `{"kind":"K","location":"westus","properties":{"apiProperties":{"a":"b","c":"d"},"customSubDomainName":"d"},"sku":{"name":"S0"},"tags":{"x":"1"}}`},
		{strings.Replace(create, "--sku", "--sku-name", 1) + `--api-properties {"n":[1]}`, "PUT " + aa, `{"kind":"K","location":"westus","properties":{"apiProperties":{"n":[1]}},"sku":{"name":"S0"}}`},
		{"cognitiveservices account delete -n aa -g g", "DELETE " + aa, ""},
		{"cognitiveservices account keys regenerate --name myMultiCogService --resource-group cog-services-staging --key-name KEY2", "POST " + account + "/regenerateKey" + cognitive, `{"keyName":"Key2"}`},
		{"cognitiveservices account keys list --name myMultiCogService -g cog-services-staging", "POST " + account + "/listKeys" + cognitive, ""},
	} {
		t.Run(tt.args, func(t *testing.T) {
			if got := u.run(strings.Fields(tt.args)...); got.code != 0 {
				t.Fatalf("%+v", got)
			}
			if asked, body := s.last(); asked != tt.asked || body != tt.body {
				t.Errorf("asked %s %s\nwant  %s %s", asked, body, tt.asked, tt.body)
			}
		})
	}
}

// If this fails, "group exists" cannot be told apart in scripts.
func TestGroupExists(t *testing.T) {
	s := newServer(t)
	s.on("HEAD /subscriptions/"+subDev+"/resourcegroups/g", reply(204, ""))
	s.on("HEAD /subscriptions/"+subDev+"/resourcegroups/secret", reply(403, ""))
	u := loggedIn(t, s)
	u.want(u.run(command("group exists -n g")...), 0, "true\n", "")
	u.want(u.run(command("group exists -n g -o tsv")...), 0, "true\n", "")
	u.want(u.run(command("group exists -n nosuch")...), 0, "false\n", "")
	if got := u.run(command("group exists -n secret")...); got.code != 1 || got.stdout != "" {
		t.Errorf("%+v", got)
	}
}

// If this fails, a group is deleted without anybody having agreed, or the
// command ends before the deletion does.
func TestGroupDelete(t *testing.T) {
	s := newServer(t)
	u := loggedIn(t, s)
	before := len(s.asked)
	u.want(u.run(command("group delete -n g")...), 1, "", "ERROR: Unable to prompt for confirmation as no tty available. Use --yes.\n")
	if len(s.asked) != before {
		t.Fatal("the server was asked")
	}
	s.on("DELETE /subscriptions/"+subDev+"/resourcegroups/g", func(w http.ResponseWriter, r *http.Request) {
		reply(202, "", "Location", s.URL+"/op", "Retry-After", "0")(w, r)
	})
	polls := 0
	s.on("GET /op", func(w http.ResponseWriter, r *http.Request) {
		polls++
		reply(200, "", "x-twinkey-revision", "8", "x-twinkey-confirmed", "pending=gw-b")(w, r)
	})
	u.want(u.run(command("group delete -n g -y --no-wait")...), 0, "", "")
	if polls != 0 {
		t.Error("--no-wait waited")
	}
	u.want(u.run(command("group delete -n nosuch -y")...), 3, "", "ERROR: (ResourceGroupNotFound) Resource group 'nosuch' could not be found.\nCode: ResourceGroupNotFound\nMessage: Resource group 'nosuch' could not be found.\n")
}

// If this fails, one believes that an old key is dead where it is not, or is
// not told that it is.
func TestRegenerateSaysWhatItDid(t *testing.T) {
	s := newServer(t)
	u := loggedIn(t, s)
	keys := `{"key1":"` + key2 + `","key2":"` + key1 + `"}`
	took := regexp.MustCompile(`\d+\.\d ms`)
	regenerate := command("cognitiveservices account keys regenerate -o tsv --key-name key1", keysOf...)
	for _, tt := range []struct {
		headers []string
		options []string
		want    string
	}{
		{[]string{"x-twinkey-revision", "57", "x-twinkey-confirmed", "all", "x-twinkey-generation", "2"}, nil, "Key 1 of myMultiCogService is at generation 2; confirmed by every gateway at revision 57 in N ms.\n"},
		{[]string{"x-twinkey-revision", "57", "x-twinkey-confirmed", "all", "x-twinkey-generation", "2"}, []string{"--only-show-errors"}, ""},
		{[]string{"x-twinkey-revision", "57", "x-twinkey-confirmed", "all", "x-twinkey-generation", "2", "x-twinkey-repeated", "true"}, nil, "Key 1 of myMultiCogService is at generation 2; confirmed by every gateway at revision 57 in N ms (the call had arrived before and was not done twice).\n"},
		{[]string{"x-twinkey-revision", "57", "x-twinkey-confirmed", "pending=gw-a,gw-b", "x-twinkey-generation", "2"}, []string{"--only-show-errors"}, "WARNING: Key 1 of myMultiCogService is at generation 2, but not confirmed at revision 57 by gw-a, gw-b; the old key may still be accepted there.\n"},
		{[]string{"x-twinkey-revision", "57", "x-twinkey-confirmed", "pending=gw-a"}, []string{"--only-show-errors"}, "WARNING: Revision 57 is not confirmed by gw-a; until then what was changed may still be served there as it was.\n"},
		{nil, nil, ""}, // a server that says nothing of it
	} {
		s.on("POST "+account+"/regenerateKey", reply(200, keys, tt.headers...))
		got := u.run(append(regenerate, tt.options...)...)
		got.stderr = took.ReplaceAllString(got.stderr, "N ms")
		u.want(got, 0, key2+"\t"+key1+"\n", tt.want)
	}
}

// If this fails, a regenerate whose answer is lost on the way fails, or makes a
// third key.
func TestRegenerateSurvivesALostAnswer(t *testing.T) {
	s := newServer(t)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	u := loggedIn(t, s)
	var ids []string
	s.on("POST "+account+"/regenerateKey", func(w http.ResponseWriter, r *http.Request) {
		if ids = append(ids, r.Header.Get("x-ms-client-request-id")); len(ids) == 1 {
			panic(http.ErrAbortHandler)
		}
		reply(200, `{"key1":"`+key1+`","key2":"`+key2+`"}`)(w, r)
	})
	u.want(u.run(command("cognitiveservices account keys regenerate --key-name key1 -o tsv", keysOf...)...), 0, key1+"\t"+key2+"\n", "")
	if len(ids) != 2 || ids[0] != ids[1] {
		t.Errorf("asked as %v", ids)
	}
}

// If this fails, --debug is of no use, or shows what must not be seen.
func TestDebugShowsRequestsAndNoSecret(t *testing.T) {
	s := newServer(t)
	s.on("POST "+account+"/regenerateKey", reply(200, `{"key1":"`+key1+`","key2":"`+key2+`"}`, "x-ms-request-id", "req-7"))
	u := newUser(t, s)
	login := u.run("login", "-u", "ann@twinkey.test", "-p", "tr0ub4dor", "--debug")
	list := u.run(command("cognitiveservices account keys regenerate --key-name key1 --debug", keysOf...)...)
	refused := u.run("login", "-u", "ann@twinkey.test", "-p", "wrong", "--debug")
	all := login.stderr + list.stderr + refused.stderr
	for _, part := range []string{"DEBUG: POST " + s.URL + "/organizations/oauth2/v2.0/token -> 200", "DEBUG: POST " + s.URL + account + "/regenerateKey?api-version=2025-06-01 -> 200", "req-7", "INFO: Command ran in "} {
		if !strings.Contains(all, part) {
			t.Errorf("no %q in\n%s", part, all)
		}
	}
	hidden := []string{"tr0ub4dor", "wrong", "token-1", "refresh-1", key1, key2}
	for _, secret := range hidden {
		if strings.Contains(all, secret) {
			t.Errorf("%q is in\n%s", secret, all)
		}
	}
	if !strings.Contains(list.stdout, key1) {
		t.Error("the search would not find a key where one is")
	}
}

// If this fails, Ctrl-C leaves a command hanging or lets it pass for done.
func TestInterrupt(t *testing.T) {
	s := newServer(t)
	u := loggedIn(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	u.ctx = ctx
	s.on("POST "+account+"/listKeys", func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	u.want(u.run(command("cognitiveservices account keys list", keysOf...)...), 130, "", "")

	ctx, cancel = context.WithCancel(t.Context())
	u.ctx = ctx
	reader, writer := io.Pipe() // nobody ever types
	defer writer.Close()
	u.stdin = reader
	go func() {
		_, _ = writer.Write([]byte("ann\n"))
		cancel()
	}()
	if got := u.run("login"); got.code != 130 || got.stdout != "" {
		t.Errorf("%+v", got)
	}
}

// broken is a pipe that nobody reads any more.
type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

// If this fails, "twinkey ... | head" complains, or a full disk goes unnoticed.
func TestBrokenOutput(t *testing.T) {
	u := newUser(t, nil)
	for _, tt := range []struct {
		err    error
		code   int
		stderr string
	}{{syscall.EPIPE, 0, ""}, {syscall.ENOSPC, 1, "ERROR: writing the result: no space left on device\n"}} {
		var stderr strings.Builder
		code := cli.Main(t.Context(), u.config(broken{tt.err}, &stderr, []string{"version"}))
		if code != tt.code || stderr.String() != tt.stderr {
			t.Errorf("%v: exit code %d, %q", tt.err, code, stderr.String())
		}
	}
}

// If this fails, the program does work, or wants settings, before it knows what
// is asked of it.
func TestVersionTouchesNothing(t *testing.T) {
	u := newUser(t, nil)
	cfg := u.config(nil, io.Discard, []string{"version", "-o", "tsv"})
	var stdout strings.Builder
	cfg.Stdout = &stdout
	cfg.Getenv = func(name string) string { t.Errorf("read %s", name); return "" }
	if code := cli.Main(t.Context(), cfg); code != 0 || stdout.String() != "1.2.3\n" {
		t.Errorf("exit code %d, %q", code, stdout.String())
	}
	if _, err := os.Stat(u.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the configuration directory: %v", err)
	}
	u.want(u.run("version"), 0, "{\n  \"twinkey\": \"1.2.3\"\n}\n", "")
}

// If this fails, the program's own commands do not work as the others do.
func TestExtraCommands(t *testing.T) {
	u := newUser(t, nil)
	var stdout, stderr strings.Builder
	cfg := u.config(&stdout, &stderr, []string{"serve", "--port", "1", "--debug"})
	port := ""
	serve := &cobra.Command{Use: "serve", RunE: func(c *cobra.Command, _ []string) error {
		if c.Context() == nil {
			t.Error("no context")
		}
		c.PrintErrln("on", port)
		return errors.New("starting: no")
	}}
	serve.Flags().StringVar(&port, "port", "", "")
	cfg.Extra = func() []*cobra.Command { return []*cobra.Command{serve} }
	if code := cli.Main(t.Context(), cfg); code != 1 || !strings.HasPrefix(stderr.String(), "on 1\nERROR: starting: no\n") || stdout.String() != "" {
		t.Errorf("exit code %d, %q, %q", code, stdout.String(), stderr.String())
	}
	// A connection that breaks is no reader who has seen enough.
	serve.RunE = func(*cobra.Command, []string) error { return fmt.Errorf("sending: %w", syscall.EPIPE) }
	stderr.Reset()
	if code := cli.Main(t.Context(), cfg); code != 1 || !strings.HasPrefix(stderr.String(), "ERROR: sending: broken pipe\n") {
		t.Errorf("exit code %d, %q", code, stderr.String())
	}
	cfg.Args = []string{"serv"}
	stderr.Reset()
	if code := cli.Main(t.Context(), cfg); code != 2 || !strings.Contains(stderr.String(), "Did you mean 'serve' ?") {
		t.Errorf("exit code %d, %q", code, stderr.String())
	}
}

// If this fails, a shell that reads the settings runs what a file says, or gets
// other values than the server wrote.
func TestClientEnv(t *testing.T) {
	u := newUser(t, nil)
	dir := t.TempDir()
	u.want(u.run("client-env", "sh", "--data-dir", dir), 1, "", "ERROR: no server has been started on "+dir+"; run 'twinkey serve --data-dir "+dir+"' first\n")
	hostile := "it's $(touch " + dir + "/ran) `x` \"q\" \\ *\nnext line"
	file := filepath.Join(dir, "endpoints.json")
	text := `{"endpoint":"https://localhost:8443","authority":"https://localhost:8443","tenantId":"` + tenant + `","subscriptionId":"` + subDev + `","caFile":` + quoted(hostile) + `,"gateway":"","later":1}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got := u.run("client-env", "sh", "--data-dir", dir)
	if got.code != 0 || got.stderr != "" || !strings.HasPrefix(got.stdout, "export TWINKEY_ENDPOINT='https://localhost:8443'\nexport TWINKEY_AUTHORITY=") || strings.Contains(got.stdout, "GATEWAY") {
		t.Fatalf("%+v", got)
	}
	read, err := exec.Command("/bin/sh", "-eu", "-c", got.stdout+`printf '%s|%s|%s' "$TWINKEY_CA_FILE" "$TWINKEY_TENANT_ID" "$TWINKEY_SUBSCRIPTION_ID"`).Output()
	if err != nil || string(read) != hostile+"|"+tenant+"|"+subDev {
		t.Errorf("the shell read %q (%v)", read, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
		t.Error("the shell ran what the file says")
	}
	if err := os.WriteFile(file, []byte(`{`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := u.run("client-env", "sh", "--data-dir", dir); got.code != 1 || got.stdout != "" {
		t.Errorf("%+v", got)
	}
}

func quoted(s string) string {
	r := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	return `"` + r.Replace(s) + `"`
}

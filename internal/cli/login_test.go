package cli_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinkey/twinkey/internal/cli"
)

const loginList = `[
  {
    "cloudName": "Twinkey",
    "homeTenantId": "` + tenant + `",
    "id": "` + subDev + `",
    "isDefault": true,
    "managedByTenants": [],
    "name": "Twinkey Dev",
    "state": "Enabled",
    "tenantId": "` + tenant + `",
    "user": {
      "name": "ann@twinkey.test",
      "type": "user"
    }
  }
]
`

// If this fails, one cannot log in the way the documentation says: bare, with
// the credentials when prompted.
func TestLoginWays(t *testing.T) {
	s := newServer(t)
	s.on("GET /subscriptions", reply(200, `{"value":[{"subscriptionId":"`+subDev+`","displayName":"Twinkey Dev","state":"Enabled","tenantId":"`+tenant+`"}]}`))
	for _, tt := range []struct{ name, args, stdin, prompts string }{
		{"bare, from a pipe", "login", "ann@twinkey.test\nright\n", "Username: Password: "},
		{"Windows line ends", "login", "ann@twinkey.test\r\nright\r\n", "Username: Password: "},
		{"no last line end", "login", "ann@twinkey.test\nright", "Username: Password: "},
		{"name given", "login -u ann@twinkey.test", "right\n", "Password: "},
		{"both given", "login --username ann@twinkey.test --password right", "", ""},
		{"from standard input", "login -u ann@twinkey.test -p -", "right\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := newUser(t, s)
			u.stdin = strings.NewReader(tt.stdin)
			u.want(u.run(strings.Fields(tt.args)...), 0, loginList, tt.prompts)
			forms := s.tokenForms()
			form := forms[len(forms)-1]
			if form.Get("grant_type") != "password" || form.Get("username") != "ann@twinkey.test" || form.Get("password") != "right" || form.Get("scope") != s.URL+"/.default offline_access openid profile" {
				t.Errorf("sent %v", form)
			}
		})
	}
	u := newUser(t, s)
	u.want(u.run("login"), 1, "", "Username: ERROR: standard input ended where a line was expected\n")
	u.want(u.run("login", "-u", "x", "-p", "wrong"), 1, "", "ERROR: AADSTS50126: Error validating credentials due to invalid username or password.\n")
	if _, err := os.Stat(filepath.Join(u.dir, "tokens.json")); err == nil {
		t.Error("a refused login left tokens")
	}
}

// If this fails, applications cannot log in, or a new token after an hour needs
// somebody to type.
func TestLoginServicePrincipal(t *testing.T) {
	s := newServer(t)
	u := newUser(t, s)
	u.want(u.run(command("login --service-principal -u app")...), 1, "", "ERROR: usage error: --service-principal --username APP-ID --password SECRET --tenant TENANT\n")
	u.stdin = strings.NewReader("s3cret\n")
	if got := u.run(command("login --service-principal -u app -p - --tenant " + tenant)...); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	u.want(u.run(command("account show --query user -o tsv")...), 0, "app\tservicePrincipal\n", "")
	u.now = func() time.Time { return time.Now().Add(time.Hour) }
	if got := u.run(command("cognitiveservices account keys list", keysOf...)...); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	forms := s.tokenForms()
	if len(forms) != 2 {
		t.Fatalf("%d token requests", len(forms))
	}
	for _, form := range forms {
		if form.Get("path") != "/"+tenant+"/oauth2/v2.0/token" || form.Get("grant_type") != "client_credentials" || form.Get("client_id") != "app" || form.Get("client_secret") != "s3cret" || form.Get("scope") != s.URL+"/.default" {
			t.Errorf("sent %v", form)
		}
	}
}

// If this fails, the administrator of this machine cannot log in without a
// password.
func TestLoginLocal(t *testing.T) {
	s := newServer(t)
	u := newUser(t, s)
	key := filepath.Join(filepath.Dir(u.env["TWINKEY_CA_FILE"]), "local-admin.key")
	got := u.run("login", "--local")
	if got.code != 1 || !strings.HasPrefix(got.stderr, "ERROR: reading the key file: open "+key) {
		t.Errorf("%+v", got)
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block := &pem.Block{Type: "PRIVATE KEY", Headers: map[string]string{"Twinkey-Client-Id": "local-app", "Twinkey-Key-Id": "k"}, Bytes: der}
	if err := os.WriteFile(key, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"login --local", "login --key-file " + key} {
		if got := u.run(strings.Fields(args)...); got.code != 0 {
			t.Fatalf("%+v", got)
		}
	}
	u.want(u.run(command("account show --query user.name -o tsv")...), 0, "local-app\n", "")
	u.now = func() time.Time { return time.Now().Add(time.Hour) }
	if got := u.run(command("cognitiveservices account keys list", keysOf...)...); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	forms := s.tokenForms()
	if len(forms) != 3 || forms[2].Get("client_assertion") == "" || forms[2].Get("client_assertion") == forms[1].Get("client_assertion") || forms[2].Get("path") != "/"+tenant+"/oauth2/v2.0/token" {
		t.Errorf("sent %v", forms)
	}
	stored, err := os.ReadFile(filepath.Join(u.dir, "tokens.json"))
	if err != nil || bytes.Contains(stored, []byte("PRIVATE")) {
		t.Errorf("the private key was copied: %v", err)
	}
	u.want(u.run(command("login --local -u x")...), 1, "", "ERROR: usage error: '--local' is not applicable with other credentials\n")
	delete(u.env, "TWINKEY_CA_FILE")
	u.env["TWINKEY_CONFIG_DIR"] = t.TempDir()
	if got := u.run("login", "--local"); got.code != 1 || !strings.Contains(got.stderr, "TWINKEY_CA_FILE") {
		t.Errorf("%+v", got)
	}
}

// If this fails, commands run in another subscription than the user chose.
func TestSubscriptions(t *testing.T) {
	s := newServer(t)
	u := newUser(t, s)
	name := func() string {
		t.Helper()
		return strings.TrimSpace(u.run(command("account show --query name -o tsv")...).stdout)
	}
	login := func() { t.Helper(); _ = u.run("login", "-u", "ann@twinkey.test", "-p", "right") }
	login()
	if got := name(); got != "Twinkey Dev" {
		t.Errorf("the first enabled one is not the default, but %q", got)
	}
	for _, choice := range []struct{ args, want string }{
		{"-s TWINKEY_PROD", "Twinkey Prod"}, {"--subscription " + strings.ToUpper(subDev), "Twinkey Dev"}, {"--name TWINKEY_PROD", "Twinkey Prod"}, {"-n " + subOff, "Twinkey Off"},
	} {
		args := command("account set " + choice.args)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "TWINKEY_PROD", "tWINKEY pROD")
		}
		u.want(u.run(args...), 0, "", "")
		if got := name(); got != choice.want {
			t.Errorf("%v chose %q", args, got)
		}
	}
	u.want(u.run(command("account set -s nosuch")...), 1, "", "ERROR: The subscription of 'nosuch' doesn't exist in cloud 'Twinkey'.\n")
	u.want(u.run(command("account show -s nosuch")...), 1, "", "ERROR: The subscription of 'nosuch' doesn't exist in cloud 'Twinkey'.\n")
	u.want(u.run(command("group list --subscription nosuch")...), 1, "", "WARNING: Subscription 'nosuch' not recognized.\nERROR: Subscription 'nosuch' not found. Check the spelling and casing and try again.\n")
	u.want(u.run(command("account list --query [].name -o tsv")...), 0, "Twinkey Dev\nTwinkey Prod\n", "WARNING: A few accounts are skipped as they don't have 'Enabled' state. Use '--all' to display them.\n")
	u.want(u.run(command("account list --all --query [].name -o tsv")...), 0, "Twinkey Off\nTwinkey Dev\nTwinkey Prod\n", "")
	s.on("GET /subscriptions/"+subProd+"/resourcegroups", reply(200, `{"value":[]}`))
	u.want(u.run("group", "list", "--subscription", "twinkey prod"), 0, "[]\n", "")
	u.env["TWINKEY_SUBSCRIPTION_ID"] = strings.ToUpper(subProd)
	login()
	if got := name(); got != "Twinkey Prod" {
		t.Errorf("TWINKEY_SUBSCRIPTION_ID chose %q", got)
	}
	u.env["TWINKEY_SUBSCRIPTION_ID"] = tenant
	login()
	if got := name(); got != "Twinkey Dev" {
		t.Errorf("an unknown TWINKEY_SUBSCRIPTION_ID chose %q", got)
	}
	delete(u.env, "TWINKEY_ENDPOINT")
	delete(u.env, "TWINKEY_CA_FILE")
	if got := u.run(command("cognitiveservices account keys list", keysOf...)...); got.code != 0 {
		t.Errorf("without an environment the login is of no use: %+v", got)
	}
}

// If this fails, a login without rights passes for one.
func TestLoginWithoutSubscriptions(t *testing.T) {
	s := newServer(t)
	s.on("GET /subscriptions", reply(200, `{"value":[]}`))
	u := newUser(t, s)
	u.want(u.run("login", "-u", "ann", "-p", "right"), 1, "", "ERROR: No subscriptions found for ann.\n")
	u.want(u.run("login", "-u", "ann", "-p", "right", "--allow-no-subscriptions"), 0, "[]\n", "")
	u.want(u.run("group", "list"), 1, "", "ERROR: Please run 'twinkey login' to setup account.\n")
	u.want(u.run("logout"), 0, "", "")
	u.want(u.run("logout"), 1, "", "ERROR: There are no active accounts.\n")
}

// If this fails, credentials stay on disk after a logout, or those of others go.
func TestLogout(t *testing.T) {
	s := newServer(t)
	u := loggedIn(t, s)
	s.on("GET /subscriptions", reply(200, `{"value":[{"subscriptionId":"`+subProd+`","displayName":"Twinkey Prod","state":"Enabled","tenantId":"`+tenant+`"}]}`))
	if got := u.run("login", "-u", "bob@twinkey.test", "-p", "right"); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	u.want(u.run(command("account list --all --query [].[name,user.name,isDefault] -o tsv")...), 0,
		"Twinkey Off\tann@twinkey.test\tFalse\nTwinkey Dev\tann@twinkey.test\tFalse\nTwinkey Prod\tbob@twinkey.test\tTrue\n", "")
	u.want(u.run("logout"), 0, "", "")
	u.want(u.run(command("account show --query user.name -o tsv")...), 0, "ann@twinkey.test\n", "")
	u.want(u.run("logout", "-u", "ANN@twinkey.test"), 0, "", "")
	u.want(u.run("logout"), 1, "", "ERROR: There are no active accounts.\n")
	for _, name := range []string{"tokens.json", "profile.json"} {
		text, err := os.ReadFile(filepath.Join(u.dir, name))
		if err != nil || bytes.Contains(text, []byte("token-")) || bytes.Contains(text, []byte("refresh-")) || bytes.Contains(text, []byte("ann@")) {
			t.Errorf("%s still holds %s (%v)", name, text, err)
		}
	}
}

// If this fails, others on the machine can read tokens.
func TestFilesAreTheOwnersAlone(t *testing.T) {
	u := loggedIn(t, newServer(t))
	for name, want := range map[string]os.FileMode{"": 0o700, "tokens.json": 0o600, "profile.json": 0o600} {
		info, err := os.Stat(filepath.Join(u.dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%q has mode %v (%v)", name, info.Mode().Perm(), err)
		}
	}
	text, err := os.ReadFile(filepath.Join(u.dir, "profile.json"))
	if err != nil || bytes.Contains(text, []byte("token-")) || bytes.Contains(text, []byte("refresh-")) {
		t.Errorf("the profile holds a token (%v)", err)
	}
}

// If this fails, get-access-token prints something scripts do not understand,
// or a token that has ended.
func TestGetAccessToken(t *testing.T) {
	s := newServer(t)
	u := newUser(t, s)
	start := time.Date(2026, 11, 21, 22, 38, 21, 0, time.UTC)
	u.now = func() time.Time { return start }
	if got := u.run("login", "-u", "ann@twinkey.test", "-p", "right"); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	end := start.Add(time.Hour)
	u.want(u.run(command("account get-access-token")...), 0, `{
  "accessToken": "token-1",
  "expiresOn": "`+end.Local().Format("2006-01-02 15:04:05")+`.000000",
  "expires_on": 1795304301,
  "subscription": "`+subDev+`",
  "tenant": "`+tenant+`",
  "tokenType": "Bearer"
}
`, "")
	u.now = func() time.Time { return end }
	u.want(u.run(command("account get-access-token --query accessToken -o tsv")...), 0, "token-2\n", "")
	forms := s.tokenForms()
	if last := forms[len(forms)-1]; last.Get("grant_type") != "refresh_token" || last.Get("refresh_token") != "refresh-1" || last.Get("path") != "/"+tenant+"/oauth2/v2.0/token" {
		t.Errorf("sent %v", last)
	}
}

// If this fails, a command with a good token asks for another: two requests
// where one is enough.
func TestWarmTokenIsOneRequest(t *testing.T) {
	s := newServer(t)
	u := loggedIn(t, s)
	asked, tokens := len(s.asked), len(s.tokenForms())
	for range 3 {
		if got := u.run(command("cognitiveservices account keys list", keysOf...)...); got.code != 0 {
			t.Fatalf("%+v", got)
		}
	}
	if len(s.asked) != asked+3 || len(s.tokenForms()) != tokens {
		t.Errorf("%d requests, %d token requests for three commands", len(s.asked)-asked, len(s.tokenForms())-tokens)
	}
}

// If this fails, commands that run at once use a refresh token twice, which
// token services take for theft.
func TestOneRefreshForManyCommands(t *testing.T) {
	s := newServer(t)
	u := loggedIn(t, s)
	u.now = func() time.Time { return time.Now().Add(time.Hour) }
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			var stdout, stderr strings.Builder
			cfg := u.config(&stdout, &stderr, command("cognitiveservices account keys list", keysOf...))
			if code := cli.Main(t.Context(), cfg); code != 0 {
				t.Errorf("exit code %d, %s", code, stderr.String())
			}
		})
	}
	group.Wait()
	if n := len(s.tokenForms()); n != 2 {
		t.Errorf("%d token requests, want the login's and one more", n)
	}
}

// If this fails, a login that has ended is not told from another error.
func TestEndedLogin(t *testing.T) {
	s := newServer(t)
	u := loggedIn(t, s)
	file := filepath.Join(u.dir, "tokens.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(text, []byte("refresh-1"), []byte("gone")), 0o600); err != nil {
		t.Fatal(err)
	}
	u.now = func() time.Time { return time.Now().Add(time.Hour) }
	u.want(u.run("group", "list"), 1, "", "ERROR: AADSTS50126: Error validating credentials due to invalid username or password.\nInteractive authentication is needed. Please run:\ntwinkey login\n")
}

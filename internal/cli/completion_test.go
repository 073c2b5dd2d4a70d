package cli_test

import (
	"context"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// If this fails, a shell offers the wrong words, or an error where it wants
// words.
func TestCompletion(t *testing.T) {
	s := newServer(t)
	sub := "/subscriptions/" + subDev
	provider := sub + "/providers/Microsoft.CognitiveServices"
	s.on("GET "+provider+"/accounts", reply(200, `{"value":[{"name":"mine"},{"name":"other"},{"name":"More"},{"name":"mine"},{"name":"m\u001b[31m"}]}`))
	s.on("GET "+sub+"/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts", reply(200, `{"value":[{"name":"in-g"}]}`))
	s.on("GET "+sub+"/resourcegroups", reply(200, `{"value":[{"name":"g"},{"name":"h"}]}`))
	s.on("GET "+provider+"/skus", reply(200, skus))
	s.on("GET "+sub+"/providers/Microsoft.Authorization/roleDefinitions", reply(200, `{"value":[{"properties":{"roleName":"Reader"}},{"properties":{"roleName":"Owner"}}]}`))
	u := loggedIn(t, s)
	offers := func(u *user, line string) string {
		t.Helper()
		got := u.run(append([]string{"__completeNoDesc"}, strings.Split(line, " ")...)...)
		words, _, _ := strings.Cut(got.stdout, ":")
		if got.code != 0 || strings.Contains(got.stdout, "ERROR") {
			t.Errorf("%q: %+v", line, got)
		}
		return strings.TrimSpace(strings.ReplaceAll(words, "\n", " "))
	}
	for _, tt := range []struct{ line, want string }{
		{"gr", "group"},
		{"cognitiveservices account keys ", "list regenerate"},
		{"cognitiveservices account keys regenerate --key-name ", "Key1 Key2"},
		{"cognitiveservices account keys list --output t", "table tsv"},
		{"cognitiveservices account keys list -o js", "json jsonc"},
		{"cognitiveservices account keys list -n m", "More mine"},
		{"cognitiveservices account keys list -g g -n ", "in-g"},
		{"cognitiveservices account keys list -g ", "g h"},
		{"cognitiveservices account create --kind ", "CognitiveServices TextAnalytics"},
		{"cognitiveservices account create --kind TextAnalytics --sku ", "F0 S"},
		{"cognitiveservices account update --disable-local-auth ", "false true"},
		{"group delete -n ", "g h"},
		{"role assignment create --role R", "Reader"},
		{"role assignment create --assignee-principal-type u", "User"},
		{"account set -s ", "Twinkey Dev Twinkey Off Twinkey Prod"},
		{"group list --subscription 'Twinkey", ""},
		{"keys show ", "More mine other"},
		{"keys show mine ", "Key1 Key2"},
		{"keys show mine key1 ", ""},
		{"keys regenerate -g g ", "in-g"},
		{"create new", ""},
		{"admin subscription disable Twinkey", "Twinkey Dev Twinkey Off Twinkey Prod"},
		{"completion ", "bash fish powershell zsh"},
	} {
		got := strings.Fields(offers(u, tt.line))
		if strings.Join(got, " ") != tt.want && sorted(got) != sorted(strings.Fields(tt.want)) {
			t.Errorf("%q offers %q, want %q", tt.line, got, tt.want)
		}
	}
	u.env["TWINKEY_DEFAULTS_GROUP"] = "g"
	if got := offers(u, "cognitiveservices account keys list -n "); got != "in-g" {
		t.Errorf("with a default group: %q", got)
	}
	if got := offers(newUser(t, s), "keys show "); got != "" {
		t.Errorf("without a login: %q", got)
	}
	s.on("GET "+sub+"/resourcegroups", reply(403, `{"error":{"code":"AuthorizationFailed","message":"no"}}`))
	if got := offers(u, "group show -n "); got != "" {
		t.Errorf("from a server that refuses: %q", got)
	}
}

// If this fails, a shell hangs where a server does.
func TestCompletionDoesNotHang(t *testing.T) {
	s := newServer(t)
	s.on("GET /subscriptions/"+subDev+"/resourcegroups", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	u := loggedIn(t, s)
	got := u.run("__complete", "group", "show", "-n", "")
	if got.code != 0 || strings.TrimSpace(got.stdout) != ":4" {
		t.Errorf("%+v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	u.ctx = ctx
	if got := u.run("__complete", "group", "show", "-n", ""); strings.Contains(got.stdout, "g") {
		t.Errorf("%+v", got)
	}
}

// If this fails, the script for a shell is not printed, is another program's, or
// is one that the shell cannot read.
func TestCompletionScripts(t *testing.T) {
	u := newUser(t, nil)
	for shell, part := range map[string]string{
		"bash": "complete -o default -F __start_twinkey twinkey", "zsh": "#compdef twinkey", "fish": "complete -c twinkey ", "powershell": "Register-ArgumentCompleter -CommandName 'twinkey'",
	} {
		got := u.run("completion", shell)
		if got.code != 0 || got.stderr != "" || !strings.Contains(got.stdout, part) {
			t.Errorf("%s: exit code %d, %s, no %q", shell, got.code, got.stderr, part)
		}
		if path, err := exec.LookPath(shell); err == nil && shell != "powershell" {
			c := exec.Command(path, "-n")
			c.Stdin = strings.NewReader(got.stdout)
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%s cannot read the script: %v: %s", shell, err, out)
			}
		}
	}
	if got := u.run("completion", "bash", "zsh"); got.code != 2 || got.stdout != "" {
		t.Errorf("%+v", got)
	}
	if got := u.run("completion", "tcsh"); got.code != 2 {
		t.Errorf("%+v", got)
	}
}

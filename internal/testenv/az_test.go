package testenv_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twinkey/twinkey/internal/app"
	"github.com/twinkey/twinkey/internal/testenv"
)

// If this fails, the Azure CLI as Microsoft ships it no longer manages accounts
// and keys here: what its users type, read or test for has changed.
func TestUnmodifiedAzureCLIManagesKeys(t *testing.T) {
	t.Parallel()
	az := newAzure(t)
	e := testenv.Start(t, testenv.Options{})
	az.caFile = e.Endpoints.CAFile
	az.run("cloud", "register", "--name", "Twinkey", "--endpoint-resource-manager", e.Endpoints.Endpoint, "--endpoint-active-directory", e.Endpoints.Endpoint+"/adfs").wantCode(0)
	az.run("cloud", "set", "--name", "Twinkey").wantCode(0)
	az.fails(1, "Please run 'az login' to setup account.", "cognitiveservices", "account", "keys", "list", "--name", "myMultiCogService", "--resource-group", "cog-services-staging")
	az.login(e)

	var shown struct{ Name, State, EnvironmentName string }
	az.run("account", "show").decode(&shown)
	if shown.State != "Enabled" || shown.EnvironmentName != "Twinkey" {
		t.Errorf("account show: %+v", shown)
	}
	az.run("account", "set", "--subscription", shown.Name).wantCode(0)
	az.run("group", "create", "--name", "cog-services-staging", "--location", "westus").wantCode(0)
	var made account
	az.run("cognitiveservices", "account", "create", "--name", "myMultiCogService", "--resource-group", "cog-services-staging",
		"--kind", "CognitiveServices", "--sku", "S0", "--location", "westus", "--yes").decode(&made)
	made.check(t, "create")

	az.rotate(e)
	az.misnamed()

	var one account
	az.run("cognitiveservices", "account", "show", "--name", "myMultiCogService", "--resource-group", "cog-services-staging").decode(&one)
	one.check(t, "show")
	var list []account
	if az.run("cognitiveservices", "account", "list", "--resource-group", "cog-services-staging").decode(&list); len(list) != 1 {
		t.Fatalf("list shows %d accounts", len(list))
	}
	list[0].check(t, "list")

	az.run("cognitiveservices", "account", "delete", "--name", "myMultiCogService", "--resource-group", "cog-services-staging").wantCode(0)
	az.fails(3, "(ResourceNotFound) The Resource 'Microsoft.CognitiveServices/accounts/myMultiCogService' under resource group 'cog-services-staging' was not found.",
		"cognitiveservices", "account", "show", "--name", "myMultiCogService", "--resource-group", "cog-services-staging")
	az.run("group", "delete", "--name", "cog-services-staging", "--yes").wantCode(0)
	if got := az.run("group", "exists", "--name", "cog-services-staging").wantCode(0); strings.TrimSpace(got.stdout) != "false" {
		t.Errorf("group exists, after it was deleted: %s", got.stdout)
	}
}

// account is what is looked at of what az prints of one.
type account struct {
	Name, Kind, Location, ResourceGroup string
	Properties                          struct{ Endpoint, ProvisioningState string }
}

func (a account) check(t *testing.T, by string) {
	t.Helper()
	if a.Name != "myMultiCogService" || a.Kind != "CognitiveServices" || a.Location != "westus" || a.ResourceGroup != "cog-services-staging" ||
		a.Properties.ProvisioningState != "Succeeded" || a.Properties.Endpoint == "" {
		t.Errorf("%s: %+v", by, a)
	}
}

// rotate lists the keys, replaces each, and calls with all of them after each
// step.
func (az *azure) rotate(e *testenv.Env) {
	az.t.Helper()
	names := []string{"--name", "myMultiCogService", "--resource-group", "cog-services-staging"}
	client := e.Client(az.t)
	calls := func(key string, want int) {
		az.t.Helper()
		if status, body := e.Detect(az.t, client, key, sentence); status != want {
			az.t.Errorf("a call was answered %d %s, want %d", status, body, want)
		}
	}
	type keys struct{ Key1, Key2 string }
	var first, second, third keys
	az.run(append([]string{"cognitiveservices", "account", "keys", "list"}, names...)...).decode(&first)
	calls(first.Key1, 200)
	calls(first.Key2, 200)
	az.run(append([]string{"cognitiveservices", "account", "keys", "regenerate", "--key-name", "key1"}, names...)...).decode(&second)
	calls(first.Key1, 401)
	calls(second.Key1, 200)
	calls(second.Key2, 200)
	az.run("cognitiveservices", "account", "keys", "regenerate", "-n", "myMultiCogService", "-g", "cog-services-staging", "--key-name", "key2").decode(&third)
	calls(second.Key2, 401)
	calls(third.Key1, 200)
	calls(third.Key2, 200)
	if first.Key2 != second.Key2 || second.Key1 != third.Key1 {
		az.t.Error("regenerating one key changed the other")
	}
	got := az.run("cognitiveservices", "account", "keys", "list", "-n", "MYMULTICOGSERVICE", "-g", "Cog-Services-Staging", "--output", "tsv").wantCode(0)
	if got.stdout != third.Key1+"\t"+third.Key2+"\n" {
		az.t.Error("keys list, in another casing, prints other keys than the last regenerate did, or not key 1, a tab and key 2")
	}
}

// misnamed names what does not exist.
func (az *azure) misnamed() {
	az.t.Helper()
	az.fails(3, "(ResourceNotFound) The Resource 'Microsoft.CognitiveServices/accounts/nobody' under resource group 'cog-services-staging' was not found.",
		"cognitiveservices", "account", "keys", "list", "--name", "nobody", "--resource-group", "cog-services-staging")
	az.fails(3, "(ResourceGroupNotFound) Resource group 'nowhere' could not be found.",
		"cognitiveservices", "account", "keys", "list", "--name", "myMultiCogService", "--resource-group", "nowhere")
	az.fails(2, "'key3' is not a valid value for '--key-name'. Allowed values: Key1, Key2.",
		"cognitiveservices", "account", "keys", "regenerate", "--name", "myMultiCogService", "--resource-group", "cog-services-staging", "--key-name", "key3")
	// What its own check keeps from the server, sent past it.
	az.fails(1, `"code":"BadRequest"`, "rest", "--method", "post",
		"--url", "/subscriptions/{subscriptionId}/resourceGroups/cog-services-staging/providers/Microsoft.CognitiveServices/accounts/myMultiCogService/regenerateKey?api-version=2022-12-01",
		"--body", `{"keyName":"key3"}`)
}

// azure is a real Azure CLI with a configuration directory of its own.
type azure struct {
	t       *testing.T
	program string
	dir     string // its configuration
	caFile  string
}

// newAzure finds a real one: $TWINKEY_AZ, what the path has, or what "make az"
// has installed. Where there is none, because the package index could not be
// reached, the test is skipped and says so: that is no fault of this product.
func newAzure(t *testing.T) *azure {
	t.Helper()
	az := &azure{t: t, dir: t.TempDir()}
	if az.program = os.Getenv("TWINKEY_AZ"); az.program != "" {
		if !az.isReal() {
			t.Fatalf("TWINKEY_AZ=%s is not the Azure CLI", az.program)
		}
		return az
	}
	candidates := []string{filepath.Join("..", "..", ".cache", "az", "bin", "az")}
	if found, err := exec.LookPath("az"); err == nil {
		candidates = append([]string{found}, candidates...)
	}
	for _, az.program = range candidates {
		if az.isReal() {
			return az
		}
	}
	t.Skip(`no Azure CLI on this machine, so nothing is known of how it gets on with this version; "make az" installs one`)
	return nil
}

// isReal tells it from this product under its name, which knows one cloud.
func (az *azure) isReal() bool {
	out, err := az.command(az.t.Context(), "cloud", "list", "--query", "[].name", "--output", "tsv").Output()
	return err == nil && bytes.Contains(out, []byte("AzureCloud\n"))
}

func (az *azure) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, az.program, args...)
	cmd.Env = append(os.Environ(), "AZURE_CONFIG_DIR="+az.dir, "REQUESTS_CA_BUNDLE="+az.caFile,
		"AZURE_CORE_COLLECT_TELEMETRY=no", "AZURE_CORE_SURVEY_MESSAGE=no", "AZURE_CORE_NO_COLOR=true", "AZURE_CORE_LOGIN_EXPERIENCE_V2=off",
		"NO_PROXY=*", "no_proxy=*")
	return cmd
}

// login uses the administrator's password, which no failure repeats.
func (az *azure) login(e *testenv.Env) {
	az.t.Helper()
	password, err := os.ReadFile(filepath.Join(e.Endpoints.ConfigDir, app.AdminPasswordFile))
	if err != nil {
		az.t.Fatal(err)
	}
	az.run("login", "--username", "admin@twinkey.internal", "--password", strings.TrimSpace(string(password))).wantCode(0)
}

// result is what came of one command.
type result struct {
	t              *testing.T
	what           string
	code           int
	stdout, stderr string
}

func (az *azure) run(args ...string) result {
	az.t.Helper()
	ctx, cancel := context.WithTimeout(az.t.Context(), 5*time.Minute)
	defer cancel()
	cmd := az.command(ctx, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited || ctx.Err() != nil {
		az.t.Fatalf("az %s: %v", args[0], errors.Join(err, ctx.Err()))
	}
	return result{az.t, strings.Join(args[:min(len(args), 4)], " "), cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

func (r result) wantCode(code int) result {
	r.t.Helper()
	if r.code != code {
		r.t.Fatalf("az %s: exit code %d, want %d\n%s", r.what, r.code, code, r.stderr)
	}
	return r
}

func (r result) decode(v any) {
	r.t.Helper()
	r.wantCode(0)
	if err := json.Unmarshal([]byte(r.stdout), v); err != nil {
		r.t.Fatalf("az %s printed no JSON: %v", r.what, err)
	}
}

// fails runs a command that prints nothing but an error.
func (az *azure) fails(code int, says string, args ...string) {
	az.t.Helper()
	got := az.run(args...).wantCode(code)
	if got.stdout != "" || !strings.Contains(got.stderr, says) {
		az.t.Errorf("az %s: stdout %q, stderr %q, want %q", got.what, got.stdout, got.stderr, says)
	}
}

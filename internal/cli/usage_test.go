package cli_test

import (
	"strings"
	"testing"

	"github.com/twinkey/twinkey/internal/cli"

	"github.com/spf13/cobra"
)

const regenerateExample = `
Examples from command's help:
twinkey cognitiveservices account keys regenerate --name myAccount --resource-group myGroup --key-name key1
Replace key 1 of an account.
`

// If this fails, wrong arguments are reported in words or with exit codes other
// than the Azure CLI's, or are sent to the server.
func TestUsageErrors(t *testing.T) {
	s := newServer(t)
	u := loggedIn(t, s)
	before := len(s.asked)
	keys := "cognitiveservices account keys "
	for _, tt := range []struct {
		args string
		want string // the first lines of standard error
	}{
		{keys + "regenerate -n a -g g --key-name key3", "ERROR: twinkey cognitiveservices account keys regenerate: 'key3' is not a valid value for '--key-name'. Allowed values: Key1, Key2.\n" + regenerateExample},
		{keys + "regenerate -n a -g g --key-name Kye1", "ERROR: twinkey cognitiveservices account keys regenerate: 'Kye1' is not a valid value for '--key-name'. Allowed values: Key1, Key2.\nDid you mean 'Key1' ?\n" + regenerateExample},
		{keys + "regenerate -n a -g g", "ERROR: the following arguments are required: --key-name\n" + regenerateExample},
		{keys + "regenerate", "ERROR: the following arguments are required: --resource-group/-g, --name/-n, --key-name\n" + regenerateExample},
		{keys + "list -n a", "ERROR: the following arguments are required: --resource-group/-g\n\nExamples"},
		{keys + "list", "ERROR: the following arguments are required: --resource-group/-g, --name/-n\n\nExamples"},
		{keys + "list -n a -g g --ids x", "ERROR: '--ids' is misspelled or not recognized by the system.\n\nExamples"},
		{keys + "list -n a --resourcegroup g", "ERROR: '--resourcegroup' is misspelled or not recognized by the system.\nDid you mean '--resource-group' ?\n"},
		{keys + "list -n a -g g -z", "ERROR: '-z' is misspelled or not recognized by the system.\n"},
		{keys + "list -n a -g g extra words", "ERROR: unrecognized arguments: extra words\n"},
		{keys + "list -n a -g", "ERROR: argument --resource-group/-g: expected one argument\n"},
		{keys + "list -n --resource-group g", "ERROR: argument --name/-n: expected one argument\n"},
		{keys + "list -g g --name=", "ERROR: argument --name/-n: expected one argument\n"},
		{keys + "list -n a -g g -o xml", "ERROR: twinkey cognitiveservices account keys list: 'xml' is not a valid value for '--output'. Allowed values: json, jsonc, none, table, tsv, yaml, yamlc.\n"},
		{keys + "list -n a -g g --query [.", "ERROR: Invalid jmespath query supplied for `--query`: SyntaxError"},
		{keys + "lst -n a -g g", "ERROR: 'lst' is misspelled or not recognized by the system.\nDid you mean 'list' ?\n"},
		{"cognitiveservice account keys list -n a -g g", "ERROR: 'cognitiveservice' is misspelled or not recognized by the system.\nDid you mean 'cognitiveservices' ?\n"},
		{"-o json --debug frobnicate", "ERROR: 'frobnicate' is misspelled or not recognized by the system.\n"},
		{"cognitiveservices -o json account --query x", "ERROR: 'twinkey cognitiveservices account' needs one more word"},
		{"frobnicate", "ERROR: 'frobnicate' is misspelled or not recognized by the system.\n"},
		{"--frobnicate", "ERROR: '--frobnicate' is misspelled or not recognized by the system.\n"},
		{"cognitiveservices account", "ERROR: 'twinkey cognitiveservices account' needs one more word: create, delete, keys, list, list-deleted, list-kinds, list-models, list-skus, list-usage, purge, recover, show, show-deleted, update.\n"},
		{"cognitiveservices account create -n a -g g", "ERROR: the following arguments are required: --sku, --kind, --location/-l\n"},
		{"cognitiveservices account create -n a -g g --sku S0 --kind K -l l --api-properties x", "ERROR: argument --api-properties: expected a JSON object or name=value pairs\n"},
		{"account set", "ERROR: the following arguments are required: --subscription/-s/--name/-n\n"},
		{"group create", "ERROR: the following arguments are required: --name/-n, --location/-l\n"},
		{"client-env", "ERROR: the following arguments are required: the shell. Allowed values: sh.\n"},
		{"client-env fish --data-dir d", "ERROR: twinkey client-env: 'fish' is not a known shell. Allowed values: sh.\n"},
		{"client-env sh", "ERROR: the following arguments are required: --data-dir\n"},
		{"version --output", "ERROR: argument --output/-o: expected one argument\n"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			got := u.run(strings.Fields(tt.args)...)
			if got.code != 2 || got.stdout != "" || !strings.HasPrefix(got.stderr, tt.want) {
				t.Errorf("exit code %d, stdout %q, stderr\n%s\nwant\n%s", got.code, got.stdout, got.stderr, tt.want)
			}
		})
	}
	if len(s.asked) != before {
		t.Errorf("the server was asked: %v", s.asked[before:])
	}
}

// If this fails, a wrong query is found out only after the keys are gone.
func TestRegenerateChecksQueryFirst(t *testing.T) {
	s := newServer(t)
	u := loggedIn(t, s)
	before := len(s.asked)
	got := u.run(command("cognitiveservices account keys regenerate --key-name key1 --query }", keysOf...)...)
	if got.code != 2 || len(s.asked) != before {
		t.Errorf("%+v, asked %v", got, s.asked[before:])
	}
}

// If this fails, the server's refusals are reported in words or with exit codes
// other than the Azure CLI's.
func TestServerErrors(t *testing.T) {
	s := newServer(t)
	u := loggedIn(t, s)
	const route = "GET /subscriptions/" + subDev + "/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/aa"
	for _, tt := range []struct {
		status int
		body   string
		code   int
		want   string
	}{
		{404, `{"error":{"code":"ResourceNotFound","message":"The Resource was not found."}}`, 3, "ERROR: (ResourceNotFound) The Resource was not found.\nCode: ResourceNotFound\nMessage: The Resource was not found.\n"},
		{403, `{"error":{"code":"AuthorizationFailed","message":"no"}}`, 1, "ERROR: (AuthorizationFailed) no\nCode: AuthorizationFailed\nMessage: no\n"},
		{401, `{"error":{"code":"ExpiredAuthenticationToken","message":"old"}}`, 1, "ERROR: (ExpiredAuthenticationToken) old\nCode: ExpiredAuthenticationToken\nMessage: old\n"},
		{409, `{"error":{"code":"Conflict","message":"x\u001b[2Jy\u202ez\nw"}}`, 1, "ERROR: (Conflict) x[2Jyz\nw\nCode: Conflict\nMessage: x[2Jyz\nw\n"},
		{404, ``, 3, "ERROR: the server answered 404 Not Found without saying why\n"},
		{200, `{`, 1, "ERROR: reading the answer: unexpected EOF\n"},
	} {
		s.on(route, reply(tt.status, tt.body))
		u.want(u.run(command("cognitiveservices account show -n aa -g g")...), tt.code, "", tt.want)
	}
}

// If this fails, commands that need a server do not say how to get one.
func TestWithoutServerOrLogin(t *testing.T) {
	u := newUser(t, nil)
	login := "ERROR: Please run 'twinkey login' to setup account.\n"
	for _, args := range [][]string{command("group list"), command("cognitiveservices account keys list", keysOf...), command("account show"), command("account set -s x"), command("account get-access-token")} {
		u.want(u.run(args...), 1, "", login)
	}
	u.want(u.run("account", "list"), 0, "[]\n", "WARNING: Please run \"twinkey login\" to access your accounts.\n")
	u.want(u.run("account", "list", "--only-show-errors"), 0, "[]\n", "")
	u.want(u.run("logout"), 1, "", "ERROR: There are no active accounts.\n")
	got := u.run("login", "-u", "x", "-p", "y")
	if got.code != 1 || !strings.HasPrefix(got.stderr, "ERROR: no server is known. Set TWINKEY_ENDPOINT") {
		t.Errorf("%+v", got)
	}
	// Another server than the one that was logged in to has no login either.
	u = loggedIn(t, newServer(t))
	u.env["TWINKEY_ENDPOINT"] = "https://other.test"
	u.want(u.run("group", "list"), 1, "", login)
}

// If this fails, --help is no help, or "twinkey" alone is an error.
func TestHelp(t *testing.T) {
	u := newUser(t, nil)
	for _, tt := range []struct {
		args string
		want []string
	}{
		{"", []string{"Group\n    twinkey : ", "cognitiveservices : ", "demo-like", "Global Arguments", "--only-show-errors"}},
		{"--only-show-errors --output=json", []string{"cognitiveservices : "}},
		{"--help", []string{"cognitiveservices : "}},
		{"cognitiveservices account -h", []string{"Group\n    twinkey cognitiveservices account : ", "keys "}},
		{"cognitiveservices account keys regenerate --help", []string{"Command\n    twinkey cognitiveservices account keys regenerate : ", "--key-name [Required]", "--name -n [Required]", "--output -o", "--help -h", "Examples\n    twinkey cognitiveservices account keys regenerate --name"}},
		{"account set --help", []string{"--subscription -s"}},
	} {
		cfg := u.config(nil, nil, strings.Fields(tt.args))
		var stdout, stderr strings.Builder
		cfg.Stdout, cfg.Stderr = &stdout, &stderr
		cfg.Extra = func() []*cobra.Command {
			return []*cobra.Command{{Use: "demo-like", Short: "An extra.", Run: func(*cobra.Command, []string) {}}}
		}
		if code := cli.Main(t.Context(), cfg); code != 0 || stderr.String() != "" {
			t.Errorf("%s: exit code %d, %s", tt.args, code, stderr.String())
		}
		for _, part := range tt.want {
			if !strings.Contains(stdout.String(), part) {
				t.Errorf("%s: no %q in\n%s", tt.args, part, stdout.String())
			}
		}
	}
}

package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// If this fails, what one types does not win over the environment, or that not
// over a setting, or an option that a setting gives is still demanded.
func TestSettingsPrecedence(t *testing.T) {
	s := newServer(t)
	base := "/subscriptions/" + subDev + "/resourceGroups/"
	for _, g := range []string{"typed", "env", "file"} {
		s.on("GET "+base+g+"/providers/Microsoft.CognitiveServices/accounts", reply(200, `{"value":[{"name":"`+g+`"}]}`))
	}
	s.on("GET /subscriptions/"+subDev+"/providers/Microsoft.CognitiveServices/accounts", reply(200, `{"value":[]}`))
	u := loggedIn(t, s)
	list := command("cognitiveservices account list --query [].name -o tsv")
	u.want(u.run(list...), 0, "", "")
	u.want(u.run(command("config set defaults.group=file core.output=tsv")...), 0, "", "")
	u.want(u.run(list...), 0, "file\n", "")
	u.want(u.run(command("cognitiveservices account list --query [].name")...), 0, "file\n", "")
	u.env["TWINKEY_DEFAULTS_GROUP"], u.env["TWINKEY_CORE_OUTPUT"] = "env", "yaml"
	u.want(u.run(command("cognitiveservices account list --query [].name")...), 0, "- env\n", "")
	u.want(u.run(append(list, "-g", "typed")...), 0, "typed\n", "")
	u.env["TWINKEY_DEFAULTS_GROUP"], u.env["TWINKEY_CORE_OUTPUT"] = "", ""
	u.want(u.run(list...), 0, "file\n", "")
	u.want(u.run(command("accounts --query [].name")...), 0, "Result\n--------\nfile\n", "") // its own form
	u.want(u.run(command("config unset defaults.group core.output nosuch.thing")...), 0, "", "")
	u.want(u.run(list...), 0, "", "")
}

// If this fails, a setting makes a command do something to a group that nobody
// named: it may fill in what is missing, and is not for roles and groups.
func TestSettingsStayOutOfRolesAndGroups(t *testing.T) {
	s := newServer(t)
	u := loggedIn(t, s)
	u.want(u.run(command("config set defaults.group=g defaults.location=westus defaults.sku=S0 defaults.kind=K")...), 0, "", "")
	for _, args := range []string{"group delete --yes", "group show"} {
		if got := u.run(strings.Fields(args)...); got.code != 2 {
			t.Errorf("%s: %+v", args, got)
		}
	}
	s.on("PATCH /subscriptions/"+subDev+"/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/aa", reply(200, "{}"))
	u.run(command("cognitiveservices account update -n aa")...)
	if asked, body := s.last(); !strings.HasPrefix(asked, "PATCH ") || strings.Contains(body, "S0") {
		t.Errorf("asked %s %s: an update changes what nobody said", asked, body)
	}
	u.run(command("role assignment delete --role Reader")...)
	if asked, _ := s.last(); strings.Contains(asked, "/resourceGroups/") {
		t.Errorf("asked %s", asked)
	}
	u.run(command("cognitiveservices account create -n aa")...)
	want := `{"kind":"K","location":"westus","properties":{},"sku":{"name":"S0"}}`
	if asked, body := s.last(); !strings.Contains(asked, "/resourceGroups/g/") || body != want {
		t.Errorf("asked %s %s", asked, body)
	}
}

// If this fails, settings cannot be seen, or are kept where they were not set.
func TestConfig(t *testing.T) {
	u := newUser(t, nil)
	file := filepath.Join(u.dir, "config.json")
	u.want(u.run("config", "get"), 0, "{}\n", "")
	if _, err := os.Stat(u.dir); err == nil {
		t.Error("looking at settings made a directory")
	}
	u.want(u.run("config", "set", "Defaults.Group=a=b", "defaults.sku=''"), 0, "", "")
	u.env["TWINKEY_DEFAULTS_LOCATION"] = "westus"
	entries := `[
  {
    "name": "group",
    "source": "` + file + `",
    "value": "a=b"
  },
  {
    "name": "location",
    "source": "TWINKEY_DEFAULTS_LOCATION",
    "value": "westus"
  },
  {
    "name": "sku",
    "source": "` + file + `",
    "value": ""
  }
]
`
	u.want(u.run("config", "get", "defaults"), 0, entries, "")
	u.want(u.run("configure", "--list-defaults"), 0, entries, "")
	u.want(u.run("config", "get", "--query", "keys(@)", "-o", "tsv"), 0, "defaults\n", "")
	u.want(u.run("config", "get", "DEFAULTS.group", "-o", "tsv"), 0, "group\t"+file+"\ta=b\n", "")
	u.want(u.run("config", "get", "nosuch"), 0, "[]\n", "")
	u.want(u.run("config", "get", "defaults.kind"), 1, "", "ERROR: Configuration 'defaults.kind' is not set.\n")
	u.want(u.run(command("configure --defaults group= location=eastus kind=K")...), 0, "", "")
	u.want(u.run(command("configure -d kind=L sku=S")...), 0, "", "")
	delete(u.env, "TWINKEY_DEFAULTS_LOCATION")
	u.want(u.run(command("config get defaults --query [].[name,value] -o tsv")...), 0, "group\t\nkind\tL\nlocation\teastus\nsku\tS\n", "")
	u.want(u.run("config", "set", "my.own=1"), 0, "", "WARNING: No command reads 'my.own'. Those that are read: core.output, defaults.group, defaults.kind, defaults.location, defaults.sku.\n")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	for _, bad := range []struct{ args, want string }{
		{"config set", "ERROR: the following arguments are required: SECTION.NAME=VALUE\n"},
		{"config set x", "ERROR: usage error: [section].[name]=[value] ...\n"},
		{"config set defaults.group=kept x=1", "ERROR: usage error: [section].[name]=[value] ...\n"},
		{"config set a/b.c=1", "ERROR: usage error: [section].[name]=[value] ...\n"},
		{"config set core.output=xml", "ERROR: 'xml' is not a valid value for 'core.output'; allowed values: json, jsonc, none, table, tsv, yaml, yamlc\n"},
		{"config unset group", "ERROR: usage error: [section].[name]\n"},
		{"configure", "ERROR: one of the arguments --defaults/-d --list-defaults/-l is required\n"},
		{"configure --defaults", "ERROR: one of the arguments --defaults/-d --list-defaults/-l is required\n"},
		{"config get a b", "ERROR: unrecognized arguments: b\n"},
	} {
		if got := u.run(strings.Fields(bad.args)...); got.code != 2 || got.stdout != "" || !strings.HasPrefix(got.stderr, bad.want) {
			t.Errorf("%s: %+v", bad.args, got)
		}
	}
	u.want(u.run(command("config get defaults.group -o tsv")...), 0, "group\t"+file+"\t\n", "") // all or nothing
}

// If this fails, a setting that cannot be used is passed over, or is found out
// only after something was done.
func TestSettingsThatCannotBeUsed(t *testing.T) {
	s := newServer(t)
	u := loggedIn(t, s)
	before := len(s.asked)
	keys := command("cognitiveservices account keys list -n a")
	u.env["TWINKEY_CORE_OUTPUT"] = "xml"
	u.want(u.run(append(keys, "-g", "g")...), 1, "", "ERROR: core.output, which TWINKEY_CORE_OUTPUT says, cannot be used: allowed values: json, jsonc, none, table, tsv, yaml, yamlc\n")
	u.env["TWINKEY_CORE_OUTPUT"], u.env["TWINKEY_DEFAULTS_GROUP"] = "", "--x"
	u.want(u.run(keys...), 1, "", "ERROR: defaults.group, which TWINKEY_DEFAULTS_GROUP says, cannot be used: expected one argument\n")
	u.env["TWINKEY_DEFAULTS_GROUP"] = ""
	file := filepath.Join(u.dir, "config.json")
	for text, want := range map[string]string{
		`{"sections":{"defaults":`: "ERROR: " + file + " is damaged. Delete it and run 'twinkey config set'.\n",
		`{"version":2}`:            "ERROR: " + file + " was written by a newer twinkey (format 2); this one knows format 1.\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		u.want(u.run(keys...), 1, "", want)
		u.want(u.run("config", "set", "defaults.group=g"), 1, "", want)
		if now, err := os.ReadFile(file); err != nil || string(now) != text {
			t.Errorf("%s became %s (%v)", text, now, err)
		}
	}
	if len(s.asked) != before {
		t.Errorf("the server was asked: %v", s.asked[before:])
	}
}

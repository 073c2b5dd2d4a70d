package cli_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/twinkey/twinkey/internal/cli"
)

// inEnvironment returns what runs commands there.
func inEnvironment(env map[string]string) func(t testing.TB, args ...string) result {
	return func(t testing.TB, args ...string) result {
		var stdout, stderr strings.Builder
		code := cli.Main(t.Context(), cli.Config{
			Args: args, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Getenv: func(name string) string { return env[name] },
		})
		return result{code, stdout.String(), stderr.String()}
	}
}

// If this fails, tags are sent otherwise than they were typed.
func FuzzTags(f *testing.F) {
	for _, seed := range []string{"a=b c d=e=f", "", "=x", "a=1 a=2", "ü=ß", "a=b --location", "a\tb", "a='x", "-x", "--"} {
		f.Add(seed)
	}
	s := &server{routes: map[string]http.HandlerFunc{}, expires: 3600}
	s.start(f)
	s.on("PUT /subscriptions/"+subDev+"/resourcegroups/g", reply(200, `{}`))
	dir := f.TempDir()
	run := inEnvironment(map[string]string{"TWINKEY_CONFIG_DIR": dir, "TWINKEY_ENDPOINT": s.URL, "TWINKEY_CA_FILE": s.caFile(f)})
	if got := run(f, "login", "-u", "u", "-p", "p"); got.code != 0 {
		f.Fatalf("%+v", got)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words := strings.Split(line, " ")
		want := map[string]string{}
		for _, word := range words {
			if strings.HasPrefix(word, "-") {
				return // an option, not a tag
			}
			if name, value, _ := strings.Cut(word, "="); word != "" {
				want[name] = value
			}
		}
		got := run(t, append(append(command("group create -n g -l l --tags"), words...), "-o", "none")...)
		if got.code == 2 && !utf8.ValidString(line) {
			return
		}
		if got.code != 0 {
			t.Fatalf("%q: %+v", line, got)
		}
		_, body := s.last()
		var sent struct{ Tags map[string]string }
		if err := json.Unmarshal([]byte(body), &sent); err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(sent.Tags, want) {
			t.Fatalf("%q was sent as %q", line, sent.Tags)
		}
	})
}

// If this fails, a setting is read otherwise than it was set, or one that was
// refused is kept, or damages the others.
func FuzzSettings(f *testing.F) {
	for _, seed := range []string{"defaults.group=x", "a.b=", "a.b", "=", "a.=x", ".b=c", "A.B=C=D", "a.b=\x00\n", "core.output=xml", "a.b=''", "a.b.c=d", "--x", "a.b=\xff"} {
		f.Add(seed)
	}
	dir := f.TempDir()
	run := inEnvironment(map[string]string{"TWINKEY_CONFIG_DIR": dir})
	f.Fuzz(func(t *testing.T, pair string) {
		before := `{"version":1,"sections":{"kept":{"setting":"1"}}}`
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		set := run(t, "config", "set", "--only-show-errors", "--", pair)
		if got := run(t, "config", "get", "kept.setting", "-o", "none"); got.code != 0 {
			t.Fatalf("%q lost another setting: %+v", pair, got)
		}
		key, value, _ := strings.Cut(pair, "=")
		got := run(t, "config", "get", "-o", "json", "--", key)
		if set.code != 0 {
			if set.code != 2 || strings.Contains(got.stdout, `"value"`) && key != "kept" && key != "kept.setting" && key != "" {
				t.Fatalf("%q: %+v, %+v", pair, set, got)
			}
			return
		}
		if value == `''` || value == `""` {
			value = ""
		}
		var kept struct{ Value string }
		if err := json.Unmarshal([]byte(got.stdout), &kept); err != nil || kept.Value != value {
			t.Fatalf("%q became %q (%v): %+v", pair, kept.Value, err, got)
		}
	})
}

// If this fails, some command line breaks the program instead of being refused
// in words.
func FuzzCommandLine(f *testing.F) {
	for _, seed := range []string{
		"", "--help", "group create -n", "keys show a key3", "ad sp credential reset --id x --years -1", "role assignment delete --ids --yes", "-o xml", "config set a.b",
		"__complete keys show ", "__complete", "completion bash x", "cognitiveservices account create --api-properties {", "role definition create --role-definition [", "configure -d", "--query ] version",
	} {
		f.Add(seed)
	}
	run := inEnvironment(map[string]string{"TWINKEY_CONFIG_DIR": f.TempDir()})
	f.Fuzz(func(t *testing.T, line string) {
		got := run(t, strings.Split(line, " ")...)
		if got.code < 0 || got.code > 3 {
			t.Fatalf("%q: exit code %d", line, got.code)
		}
		if got.code != 0 && !strings.Contains(got.stderr, "ERROR: ") {
			t.Fatalf("%q: %+v", line, got)
		}
	})
}

package cli_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twinkey/twinkey/internal/cli"
)

func sorted(words []string) string {
	slices.Sort(words)
	return strings.Join(words, " ")
}

// If this fails, a command has lost its help, an example or the description of
// an option, or the tree is another one than in the files ("go test -update"
// writes them anew).
func TestHelpOfTheWholeTree(t *testing.T) {
	u := newUser(t, nil)
	files := map[string]string{}
	leaves := 0
	var walk func(path []string)
	walk = func(path []string) {
		got := u.run(append(slices.Clone(path), "--help")...)
		if got.code != 0 || got.stderr != "" {
			t.Fatalf("%v: %+v", path, got)
		}
		name := "twinkey"
		if len(path) > 0 {
			name = path[0]
		}
		files[name] += got.stdout
		children := childrenIn(got.stdout)
		if len(children) == 0 {
			leaves++
			checkLeaf(t, path, got.stdout)
		}
		for _, child := range children {
			walk(append(slices.Clone(path), child))
		}
	}
	walk(nil)
	walk([]string{"help"})
	if leaves < 80 {
		t.Errorf("found only %d commands", leaves)
	}
	for name, text := range files {
		golden(t, filepath.Join("testdata", "help", name+".txt"), text)
	}
}

// childrenIn reads the names below "Subgroups and commands:".
func childrenIn(help string) []string {
	var names []string
	_, list, _ := strings.Cut(help, "Subgroups and commands:\n")
	for line := range strings.SplitSeq(list, "\n") {
		name, _, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			break
		}
		names = append(names, name)
	}
	return names
}

func checkLeaf(t *testing.T, path []string, help string) {
	full := "twinkey " + strings.Join(path, " ")
	if head, _, _ := strings.Cut(strings.TrimPrefix(help, "\nCommand\n    "+full+" : "), "\n"); !strings.HasSuffix(head, ".") {
		t.Errorf("%s: no sentence says what it is for: %q", full, head)
	}
	_, examples, ok := strings.Cut(help, "\nExamples\n")
	if !ok || !strings.Contains(examples, strings.Join(path, " ")) {
		t.Errorf("%s: no example shows it", full)
	}
	body, _, _ := strings.Cut(help, "\nExamples\n")
	for line := range strings.SplitSeq(body, "\n") {
		if option := strings.TrimSpace(line); strings.HasPrefix(option, "--") {
			if _, text, _ := strings.Cut(option, " : "); strings.TrimSpace(text) == "" {
				t.Errorf("%s: %s is not described", full, option)
			}
		}
	}
}

// If this fails, "help" is not what --help is.
func TestHelpCommand(t *testing.T) {
	u := newUser(t, nil)
	for _, args := range []string{"", "group", "group create", "keys show"} {
		words := strings.Fields(args)
		u.want(u.run(append([]string{"help"}, words...)...), 0, u.run(append(words, "--help")...).stdout, "")
	}
	for args, want := range map[string]string{"help grop": "Did you mean 'group' ?", "help group lst": "Did you mean 'list' ?"} {
		if got := u.run(strings.Fields(args)...); got.code != 2 || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

// If this fails, somebody who calls the program az is told to run another one.
func TestCalledAz(t *testing.T) {
	u := newUser(t, nil)
	run := func(called string, args ...string) string {
		var stdout, stderr strings.Builder
		cfg := u.config(&stdout, &stderr, args)
		cfg.Name = called
		cli.Main(t.Context(), cfg)
		return stdout.String() + stderr.String()
	}
	for _, tt := range []struct{ args, want string }{
		{"group list", "ERROR: Please run 'az login' to setup account.\n"},
		{"account list", "[]\nWARNING: Please run \"az login\" to access your accounts.\n"},
		{"cognitiveservices account keys regenerate -n a -g g --key-name key3", "ERROR: az cognitiveservices account keys regenerate: 'key3' is not a valid value for '--key-name'. Allowed values: Key1, Key2.\n\nExamples from command's help:\naz cognitiveservices account keys regenerate --name"},
		{"cognitiveservices account", "ERROR: 'az cognitiveservices account' needs one more word: "},
		{"group --help", "\nGroup\n    az group : "},
		{"login --help", "Examples\n    az login -u admin@twinkey.internal"},
		{"client-env sh --data-dir nosuch", "run 'az serve --data-dir nosuch' first"},
		{"client-env --help", "eval \"$(az client-env sh"},
		{"completion bash", "# bash completion V2 for az "},
	} {
		for _, called := range []string{"az", "az.exe", "AZ.EXE"} {
			if got := run(called, strings.Fields(tt.args)...); !strings.Contains(got, tt.want) {
				t.Errorf("%s %s: %s\nwant %s", called, tt.args, got, tt.want)
			}
		}
	}
	for _, called := range []string{"", "twinkey", "azure", "tk"} {
		if got := run(called, "group", "list"); got != "ERROR: Please run 'twinkey login' to setup account.\n" {
			t.Errorf("%s: %s", called, got)
		}
	}
	// Nothing that every command may say names the other program.
	for _, args := range []string{"--help", "ad sp create-for-rbac --help", "keys show --help", "completion zsh --help"} {
		if got := run("az", strings.Fields(args)...); strings.Contains(got, "twinkey ") {
			t.Errorf("%s: %s", args, got)
		}
	}
}

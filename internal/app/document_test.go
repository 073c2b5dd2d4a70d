package app_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/twinkey/twinkey/internal/app"
	"github.com/twinkey/twinkey/internal/testenv"
)

// If this fails, docs/operations.md describes metrics that do not exist or leaves
// some out, names flags that serve does not have, or quotes what the server never
// says.
func TestOperationsDocument(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	document := string(data)
	e := testenv.Start(t, testenv.Options{Change: func(c *app.Config) { c.ActivityExport = filepath.Join(t.TempDir(), "log") }})
	e.Admin(t) // some series come with the first token
	described := map[string]bool{}
	for _, name := range regexp.MustCompile("`(twinkey_[a-z_]+)`").FindAllStringSubmatch(document, -1) {
		described[name[1]] = true
	}
	shown := map[string]bool{}
	for name := range series(t, e.Endpoints) {
		name, _, _ = strings.Cut(name, "{")
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, suffix)
		}
		if strings.HasPrefix(name, "twinkey_") {
			if shown[name] = true; !described[name] {
				t.Errorf("%s is not described", name)
			}
		}
	}
	for name := range described {
		if !shown[name] {
			t.Errorf("%s is described and not shown", name)
		}
	}
	if len(shown) < 20 {
		t.Errorf("only %d metrics are shown", len(shown))
	}
	source := sources(t, filepath.Join("..", "..", "internal"), filepath.Join("..", "..", "cmd"))
	quotes := regexp.MustCompile(`“([^”]+)”`).FindAllStringSubmatch(document, -1)
	if len(quotes) < 8 {
		t.Errorf("found only %d quotations", len(quotes))
	}
	for _, quote := range quotes {
		if !strings.Contains(source, quote[1]) {
			t.Errorf("the server never says %q", quote[1])
		}
	}
	for _, flag := range regexp.MustCompile("`--([a-z-]+)[ `]").FindAllStringSubmatch(document, -1) {
		if !strings.Contains(source, `"`+flag[1]+`"`) {
			t.Errorf("serve has no flag --%s", flag[1])
		}
	}
}

// sources is the text of the program.
func sources(t *testing.T, dirs ...string) string {
	t.Helper()
	var all strings.Builder
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			data, err := os.ReadFile(path)
			all.Write(data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

// Package docs_test holds the papers to what they say of the code.
package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = ".."

// Every test that a paper names exists, so that no promise rests on a test that
// was renamed or removed.
func TestNamedTestsExist(t *testing.T) {
	exist := map[string]bool{}
	for _, file := range sources(t, parser.SkipObjectResolution) {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				exist[f.Name.Name] = true
			}
		}
	}
	named := regexp.MustCompile(`\b(Test|Fuzz)[A-Z][A-Za-z0-9]*\b`)
	found := 0
	for name, text := range papers(t) {
		for _, test := range named.FindAllString(text, -1) {
			if found++; !exist[test] {
				t.Errorf("%s names %s, which does not exist", name, test)
			}
		}
	}
	if found < 10 {
		t.Errorf("found only %d tests named; this test looks in the wrong place", found)
	}
}

// Each of the invariants names what shows it.
func TestEveryInvariantNamesItsTest(t *testing.T) {
	text := papers(t)["docs/ARCHITECTURE.md"]
	rows := regexp.MustCompile(`(?m)^\| I([0-9]+) \|.*\| ([^|]*) \|$`).FindAllStringSubmatch(text, -1)
	if len(rows) != 10 {
		t.Fatalf("found %d invariants instead of 10", len(rows))
	}
	for i, row := range rows {
		if row[1] != strconv.Itoa(i+1) || !strings.Contains(row[2], "Test") && !strings.Contains(row[2], "not yet shown") {
			t.Errorf("row %d is I%s, shown by %q", i+1, row[1], row[2])
		}
	}
}

// Every package has a place in the architecture.
func TestEveryPackageIsDescribed(t *testing.T) {
	text := papers(t)["docs/ARCHITECTURE.md"]
	packages := map[string]bool{}
	for name := range sources(t, parser.PackageClauseOnly) {
		if dir, ok := strings.CutPrefix(filepath.ToSlash(filepath.Dir(name)), "internal/"); ok {
			packages[dir] = true
		}
	}
	if len(packages) < 10 {
		t.Errorf("found only %d packages; this test looks in the wrong place", len(packages))
	}
	for name := range packages {
		row := regexp.MustCompile("(?m)^\\|[^|]*`" + regexp.QuoteMeta(name) + "`[^|]*\\|")
		if !row.MatchString(text) {
			t.Errorf("docs/ARCHITECTURE.md does not say what %s is for", name)
		}
	}
}

// A link from one paper to another leads somewhere.
func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#: ]+)\)`)
	found := 0
	for name, text := range papers(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			found++
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
			}
		}
	}
	if found < 5 {
		t.Errorf("found only %d links; this test looks in the wrong place", found)
	}
}

// dependencies.md lists the modules that the code imports, and no others.
func TestDependenciesAreListed(t *testing.T) {
	goMod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	var modules []string
	for _, m := range regexp.MustCompile(`(?m)^\s*(?:require )?([a-z0-9.-]+\.[a-z]+/\S+) v`).FindAllStringSubmatch(string(goMod), -1) {
		modules = append(modules, m[1])
	}
	imported := map[string]bool{}
	for name, file := range sources(t, parser.ImportsOnly) {
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(path, "/")
			if !strings.Contains(first, ".") || strings.HasPrefix(path, "github.com/twinkey/twinkey") {
				continue
			}
			module := moduleOf(path, modules)
			if module == "" {
				t.Errorf("%s imports %s, which no module of go.mod has", name, path)
			}
			imported[module] = true
		}
	}
	listed := map[string]bool{}
	product, _, _ := strings.Cut(papers(t)["docs/dependencies.md"], "\n## As tools")
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(product, -1) {
		listed[m[1]] = true
	}
	for module := range imported {
		if !listed[module] {
			t.Errorf("docs/dependencies.md does not list %s", module)
		}
	}
	for module := range listed {
		if !imported[module] {
			t.Errorf("docs/dependencies.md lists %s, which nothing imports", module)
		}
	}
}

// moduleOf is the module with the longest path that an import begins with.
func moduleOf(path string, modules []string) string {
	best := ""
	for _, m := range modules {
		if (path == m || strings.HasPrefix(path, m+"/")) && len(m) > len(best) {
			best = m
		}
	}
	return best
}

// papers returns every Markdown file of the project by its path.
func papers(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	walk(t, ".md", func(path, name string) error {
		text, err := os.ReadFile(path)
		found[name] = string(text)
		return err
	})
	return found
}

// sources parses every Go file of the project, so that the test's cached result
// depends on them.
func sources(t *testing.T, mode parser.Mode) map[string]*ast.File {
	t.Helper()
	found := map[string]*ast.File{}
	walk(t, ".go", func(path, name string) error {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, mode)
		found[name] = file
		return err
	})
	return found
}

func walk(t *testing.T, extension string, visit func(path, name string) error) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"testdata", "bench", "bin"}, d.Name())) {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != extension {
			return nil
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return visit(path, filepath.ToSlash(name))
	})
	if err != nil {
		t.Fatal(err)
	}
}

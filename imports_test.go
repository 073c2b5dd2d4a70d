package twinkey_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/twinkey/twinkey"

// rows says which packages of the project each package may import; "" is the
// root package. A package without a row may not exist.
var rows = map[string][]string{
	"":                           {},
	"examples/textanalytics":     {},
	"internal/sealing":           {""},
	"internal/access":            {""},
	"internal/audit":             {""},
	"internal/catalog":           {""},
	"internal/token":             {""},
	"internal/web":               {""},
	"internal/http1":             {},
	"internal/accounts":          {"", "internal/sealing", "internal/access", "internal/audit", "internal/catalog"},
	"internal/directory":         {"", "internal/sealing", "internal/access", "internal/audit"},
	"internal/idp":               {"", "internal/audit", "internal/directory", "internal/sealing", "internal/token", "internal/web"},
	"internal/hub":               {""},
	"internal/snapshot":          {""},
	"internal/gateway":           {"", "internal/access", "internal/catalog", "internal/http1", "internal/snapshot", "internal/token", "internal/web"},
	"internal/arm":               {"", "internal/access", "internal/accounts", "internal/audit", "internal/catalog", "internal/directory", "internal/token", "internal/web"},
	"internal/arm/authorization": {"", "internal/access", "internal/accounts", "internal/arm", "internal/audit", "internal/catalog", "internal/directory", "internal/token", "internal/web"},
	"internal/arm/subscription":  {"", "internal/access", "internal/accounts", "internal/arm", "internal/audit", "internal/catalog", "internal/directory", "internal/token", "internal/web"},
	"internal/graph":             {"", "internal/access", "internal/accounts", "internal/arm", "internal/audit", "internal/catalog", "internal/directory", "internal/token", "internal/web"},
	"internal/arm/cognitive":     {"", "internal/access", "internal/accounts", "internal/arm", "internal/audit", "internal/catalog", "internal/directory", "internal/token", "internal/web"},
	"internal/arm/insights":      {"", "internal/access", "internal/accounts", "internal/arm", "internal/audit", "internal/catalog", "internal/directory", "internal/token", "internal/web"},
	"internal/arm/resources":     {"", "internal/access", "internal/accounts", "internal/arm", "internal/audit", "internal/catalog", "internal/directory", "internal/token", "internal/web"},
	"internal/etcdnode":          {""},
	"internal/etcdstore":         {"", "internal/access", "internal/accounts", "internal/audit", "internal/directory", "internal/hub", "internal/idp"},
	"internal/armclient":         {""},
	"internal/cli":               {"", "internal/armclient"},
	"internal/app": {"", "internal/access", "internal/accounts", "internal/arm", "internal/arm/authorization", "internal/arm/subscription", "internal/graph", "internal/arm/cognitive", "internal/arm/insights", "internal/arm/resources", "internal/catalog",
		"internal/directory", "internal/etcdnode", "internal/etcdstore", "internal/gateway", "internal/hub", "internal/idp", "internal/sealing", "internal/snapshot", "internal/token", "internal/web"},
	"internal/testenv": {"", "internal/app", "internal/armclient", "examples/textanalytics"},
	"cmd/twinkey":      {"", "internal/app", "internal/armclient", "internal/cli", "examples/textanalytics"},
}

// never says which packages must not be reached, directly or through others.
var never = map[string][]string{
	"internal/gateway":  {"internal/sealing", "internal/etcdstore", "internal/etcdnode", "internal/accounts", "go.etcd.io/etcd"},
	"internal/snapshot": {"internal/sealing", "go.etcd.io/etcd"},
	"internal/hub":      {"internal/sealing", "go.etcd.io/etcd"},
	"internal/cli":      {"internal/sealing", "internal/app", "go.etcd.io/etcd", "go.uber.org/zap"},
	"internal/accounts": {"net/http", "go.etcd.io/etcd"},
}

// only says which packages alone may import something directly.
var only = map[string][]string{
	"internal/sealing":          {"internal/accounts", "internal/directory", "internal/idp", "internal/app"},
	"go.etcd.io/etcd/server/v3": {"internal/etcdnode"},
	"go.etcd.io/etcd/client/v3": {"internal/etcdstore", "internal/etcdnode"},
}

// The arrows between packages are the architecture: gateways cannot make keys,
// the command line carries no server, and one package speaks to the database.
func TestImportsFollowTheArrows(t *testing.T) {
	imports := readImports(t)
	for pkg, list := range imports {
		row, known := rows[pkg]
		if !known {
			t.Errorf("package %q has no row in imports_test.go", pkg)
		}
		for _, imported := range list {
			own, ok := strings.CutPrefix(imported, module)
			if ok && !slices.Contains(row, strings.TrimPrefix(own, "/")) {
				t.Errorf("%s imports %s, which is not in its row", pkg, imported)
			}
			for target, allowed := range only {
				if within(imported, target) && !slices.Contains(allowed, pkg) {
					t.Errorf("%s imports %s, which only %v may", pkg, imported, allowed)
				}
			}
		}
	}
	for pkg, forbidden := range never {
		for reached := range closure(imports, pkg) {
			for _, target := range forbidden {
				if within(reached, target) {
					t.Errorf("%s reaches %s", pkg, reached)
				}
			}
		}
	}
}

// readImports parses the sources, so that the test's cached result depends on
// them, and returns what each package's product code imports.
func readImports(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string]map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bench" || d.Name() == "tools") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), ".")
		if found[pkg] == nil {
			found[pkg] = map[string]bool{}
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			found[pkg][imported] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 10 {
		t.Fatalf("found only %d packages; the test looks in the wrong place", len(found))
	}
	imports := map[string][]string{}
	for pkg, set := range found {
		imports[pkg] = slices.Sorted(maps.Keys(set))
	}
	return imports
}

// closure is everything a package reaches through packages of the project.
func closure(imports map[string][]string, pkg string) map[string]bool {
	reached := map[string]bool{}
	queue := []string{pkg}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		for _, imported := range imports[next] {
			if reached[imported] {
				continue
			}
			reached[imported] = true
			if own, ok := strings.CutPrefix(imported, module); ok {
				queue = append(queue, strings.TrimPrefix(own, "/"))
			}
		}
	}
	return reached
}

// within reports whether an import path is target or below it; target is a
// package of the project or the beginning of a foreign path.
func within(imported, target string) bool {
	if strings.HasPrefix(target, "internal/") {
		target = module + "/" + target
	}
	return imported == target || strings.HasPrefix(imported, target+"/")
}

package catalog_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/twinkey/twinkey/internal/catalog"
)

// A bad or missing file keeps the catalog in force and says why; a good one
// replaces it at once.
func TestReplace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "services.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var h catalog.Holder
	if len(h.Load().Kinds()) != 0 {
		t.Fatal("the zero holder has kinds")
	}
	if _, ok := h.Load().Kind("K"); ok {
		t.Fatal("the zero holder finds a kind")
	}
	write(services)
	if err := h.Replace(file); err != nil {
		t.Fatal(err)
	}
	before := h.Load()

	write("services:\n  - kind: Broken\n")
	_, isList := errors.AsType[catalog.Problems](h.Replace(file))
	if err := h.Replace(file); !isList || !strings.HasPrefix(err.Error(), file+":2: ") || h.Load() != before {
		t.Errorf("err = %v; catalog kept: %v", err, h.Load() == before)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := h.Replace(file); !errors.Is(err, fs.ErrNotExist) || h.Load() != before {
		t.Errorf("err = %v; catalog kept: %v", err, h.Load() == before)
	}
	write(with() + strings.Repeat("#", 1<<20))
	if err := h.Replace(file); err == nil || !strings.Contains(err.Error(), "larger") || h.Load() != before {
		t.Errorf("err = %v; catalog kept: %v", err, h.Load() == before)
	}

	write(with())
	if err := h.Replace(file); err != nil {
		t.Fatal(err)
	}
	if _, ok := h.Load().Kind("K"); !ok || h.Load() == before {
		t.Error("a good file did not replace the catalog")
	}
	if _, ok := before.Kind("TextAnalytics"); !ok {
		t.Error("the catalog that was in force has changed")
	}
}

// Readers see one catalog or the other, whole (meaningful under -race).
func TestReplaceWhileReading(t *testing.T) {
	file := filepath.Join(t.TempDir(), "services.yaml")
	if err := os.WriteFile(file, []byte(services), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := catalog.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	h := catalog.NewHolder(c)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				k, ok := h.Load().Kind("Face")
				if _, routed := k.Route("/text/analytics/x", ""); !ok || !routed {
					t.Error("a reader saw half a catalog")
				}
			}
		})
	}
	for range 20 {
		if err := h.Replace(file); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
}

package catalog_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twinkey/twinkey/internal/catalog"
)

// Secrets come from where the file says, relative to the file, as they are when
// it is read; a value that cannot be had makes no catalog.
func TestSecretsOfTheSystem(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		at := filepath.Join(dir, name)
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return at
	}
	t.Setenv("TWINKEY_TEST_SECRET", "from-the-environment")
	absolute := write("absolute", "from-a-file\r\n")
	services := func(b string) string {
		return with("routes", `[{path: /a/, upstream: "http://a", upstreamHeaders: {A: {env: TWINKEY_TEST_SECRET}, B: `+b+`, C: {file: "`+absolute+`"}}}]`)
	}
	file := write("services.yaml", services(`{file: relative, prefix: "Bearer "}`))
	if _, err := catalog.ReadFile(file); err == nil || !strings.HasPrefix(err.Error(), file+":2: ") {
		t.Fatalf("a file that is missing is no problem: %v", err)
	}
	write("relative", "first\n")
	var h catalog.Holder
	value := func() string {
		t.Helper()
		if err := h.Replace(file); err != nil {
			t.Fatal(err)
		}
		r, _ := kind(t, h.Load(), "K").Route("/a/b", "")
		var all []string
		for _, header := range r.Headers {
			all = append(all, header.Name+"="+header.Value.Reveal())
		}
		return strings.Join(all, " ")
	}
	if got, want := value(), "A=from-the-environment B=Bearer first C=from-a-file"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	before := h.Load()
	if got, want := before.Files(), []string{absolute, filepath.Join(dir, "relative")}; !slices.Equal(got, want) {
		t.Errorf("files = %q, want %q", got, want)
	}
	write("relative", "second")
	if got := value(); !strings.Contains(got, "B=Bearer second ") {
		t.Errorf("got %q after the secret changed", got)
	}
	if d := h.Load().Since(before); !slices.Equal(d.Changed, []string{"K"}) {
		t.Errorf("a changed secret is no change: %+v", d)
	}
	for _, bad := range []string{`{file: "` + dir + `"}`, "{file: /dev/zero}", "{env: TWINKEY_TEST_UNSET}"} {
		if _, err := catalog.Parse(file, []byte(services(bad))); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
	write("relative", strings.Repeat("x", 9000))
	if err := h.Replace(file); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("a long secret: %v", err)
	}
}

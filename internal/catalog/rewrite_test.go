package catalog_test

import (
	"fmt"
	"net/url"
	slashpath "path"
	"strings"
	"testing"

	"github.com/twinkey/twinkey/internal/catalog"
)

// What a client of Azure asks for becomes what the upstream knows, and the
// links in the answer become what the client can follow.
func TestRewrite(t *testing.T) {
	k := parseWide(t)
	for _, tt := range []struct{ path, want string }{
		{"/openai/deployments/gpt-4/chat/completions", "/v1/chat/completions"},
		{"/openai/deployments/gpt-4/", "/v1/"},
		{"/openai/deployments/gpt-4//chat", "/v1//chat"},
		{"/openai/deployments/a%20b/x%2Fy?", "/v1/x%2Fy?"},
		{"/openai/v1/models", "/v1/models"},
		{"/models/llama/infer/now", "/v2/llama/now"},
		{"/models/%41;v=1/infer/", "/v2/%41;v=1/"},
		{"/models/llama/other", "/models/llama/other"},
		{"/openai/deployments/gpt-4", "/openai/deployments/gpt-4"},
	} {
		r, ok := k.Route(tt.path, "westeurope")
		if got := r.Rewrite(tt.path); !ok || got != tt.want {
			t.Errorf("%s becomes %s, want %s", tt.path, got, tt.want)
		}
		back, ok := r.Restore(r.Upstream, r.Upstream.Path+r.Rewrite(tt.path), tt.path)
		if !ok || back != tt.path {
			t.Errorf("%s comes back as %s, %v", tt.path, back, ok)
		}
	}
	r, _ := k.Route("/models/llama/infer/now", "westeurope")
	for location, want := range map[string]string{
		"/models/v2/llama/jobs/1": "/models/llama/infer/jobs/1", "/models/v2/llama/": "/models/llama/infer/",
		"/models/v2/mistral/jobs/1": "", "/v2/llama/jobs/1": "", "/modelsv2/llama/": "", "/models": "", "": "",
	} {
		if got, ok := r.Restore(r.Upstream, location, "/models/llama/infer/now"); got != want || ok != (want != "") {
			t.Errorf("%s comes back as %q, %v, want %q", location, got, ok, want)
		}
	}
}

// A path that could be read as another host's is not made.
func TestRewriteToTheRootKeepsOneSlash(t *testing.T) {
	k := kind(t, parse(t, with("routes", `[{path: "/a/{x}/", rewrite: /, upstream: "http://a"}]`)), "K")
	for given, want := range map[string]string{"/a/b/c": "/c", "/a/b//evil.example/c": "/evil.example/c", "/a/b/": "/", "/a/b///": "/"} {
		r, _ := k.Route(given, "")
		if got := r.Rewrite(given); got != want {
			t.Errorf("%s becomes %s, want %s", given, got, want)
		}
	}
}

// A route without a rewrite costs what it did: no allocation.
func TestRewriteDoesNotAllocateWithoutOne(t *testing.T) {
	k := parseWide(t)
	if n := testing.AllocsPerRun(100, func() {
		r, ok := k.Route("/zzz/y", "North Europe")
		if !ok || r.Rewrite("/zzz/y") != "/zzz/y" {
			t.Fatal("no route")
		}
		if _, ok := k.Route("/openai/v1/models", "North Europe"); !ok {
			t.Fatal("no route")
		}
		if _, ok := k.Route("/openai/deployments/a/b", ""); !ok {
			t.Fatal("no route")
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// Whatever a route and a call are: what comes after the beginning that matched
// is what came, byte for byte; the call stays below the target, however often
// an upstream decodes; and the way back leads to where the call came from.
func FuzzRewrite(f *testing.F) {
	f.Add("/openai/deployments/{deployment}/", "/v1/", "/openai/deployments/gpt-4/chat/completions", "http://a/base")
	f.Add("/a/{x}/{y}/", "/b/{y}/{x}/", "/a/1/2/3", "http://a")
	f.Add("/a/{x}/", "/", "/a/1//evil.example/", "http://a")
	f.Add("/{x}:", "/:", "/a:b", "http://a")
	f.Add("/a/{x}/", "/b/{x}/", "/a/%2e%2e/x", "http://a")
	f.Add("/a/{x}/", "/b/{x}/", "/a/..;/x", "http://a")
	f.Add("/a/{x}/", "/b/{x}/", "/a/%252e%252e/x", "http://a")
	f.Add("/a/{x}/", "/b/{x}/", "/a/%%32e./x", "http://a")
	f.Add("/a/{x}/", "/b/{x}/", "/a/x%2f..%2f../y", "http://a")
	f.Fuzz(func(t *testing.T, from, to, call, up string) {
		text := with("routes", fmt.Sprintf(`[{path: %q, rewrite: %q, upstream: %q}]`, from, to, up))
		c, err := catalog.Parse("f", []byte(text))
		if err != nil {
			t.Skip()
		}
		r, ok := kind(t, c, "K").Route(call, "")
		if !ok {
			t.Skip()
		}
		rest, got := r.Rest(call), r.Rewrite(call)
		if to == "/" {
			rest = strings.TrimLeft(rest, "/")
		}
		target, ok := strings.CutSuffix(got, rest)
		if !ok || strings.HasPrefix(got, "//") || !strings.HasPrefix(got, "/") {
			t.Fatalf("%q becomes %q: want one slash, and %q at the end", call, got, rest)
		}
		literal, _, _ := strings.Cut(to, "{")
		if !strings.HasPrefix(target, literal) || strings.Count(target, "/") != strings.Count(to, "/") {
			t.Fatalf("%q becomes %q: the beginning %q is not of the form %q", call, got, target, to)
		}
		below := strings.TrimSuffix(target, ":")
		for reading := target; ; {
			if clean := slashpath.Clean(reading) + "/"; !strings.HasPrefix(clean, strings.TrimSuffix(literal, ":")) {
				t.Fatalf("%q becomes %q, which can be read as %q, outside %q", call, below, clean, literal)
			}
			once, err := url.PathUnescape(reading)
			if err != nil || once == reading {
				break
			}
			reading = once
		}
		if back, ok := r.Restore(r.Upstream, r.Upstream.Path+target+rest, call); !ok || back != call[:len(call)-len(r.Rest(call))]+rest {
			t.Fatalf("%q went as %q and comes back as %q, %v", call, got, back, ok)
		}
	})
}

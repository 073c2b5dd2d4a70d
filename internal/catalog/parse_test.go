package catalog_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/twinkey/twinkey/internal/catalog"
)

// Every problem of a file is named at once, each with its file and line.
func TestEveryProblemIsReported(t *testing.T) {
	text := `services:
  - kind: 9lives
    skus: [{name: S0}]
    routes: [{path: /a/, upstream: "http://a"}]
  - kind: Good
    colour: blue
    skus:
      - {name: S0}
      - {name: s0}
      - {name: F0, callsPerMinute: 0}
      - {callsPerMinute: 10}
    routes:
      - {path: a/, upstream: "http://a"}
      - {path: /a, upstream: "ftp://a"}
      - {path: /b/}
      - {path: /c/, upstream: "http://a"}
      - {path: /c/, upstream: "http://a"}
  - kind: good
    skus: [{name: S0}]
    includes: [Missing]
  - kind: Empty
`
	_, err := catalog.Parse("conf/services.yaml", []byte(text))
	problems, ok := errors.AsType[catalog.Problems](err)
	if !ok {
		t.Fatalf("err = %v, want Problems", err)
	}
	var lines []int
	for _, p := range problems {
		lines = append(lines, p.Line)
	}
	if want := []int{2, 6, 9, 10, 11, 13, 14, 14, 15, 17, 18, 20, 21, 21}; !slices.Equal(lines, want) {
		t.Errorf("problems on lines %v, want %v:\n%v", lines, want, err)
	}
	printed := strings.Split(err.Error(), "\n")
	if len(printed) != len(problems) {
		t.Errorf("%d lines printed for %d problems", len(printed), len(problems))
	}
	for i, line := range printed {
		if prefix := fmt.Sprintf("conf/services.yaml:%d: ", lines[i]); !strings.HasPrefix(line, prefix) {
			t.Errorf("%q does not begin with %q", line, prefix)
		}
	}
}

// with puts values into a file that is good as it is.
func with(pairs ...string) string {
	fields := map[string]string{"kind": "K", "skus": "[{name: S0}]", "routes": `[{path: /a/, upstream: "http://a:1"}]`}
	for i := 0; i < len(pairs); i += 2 {
		fields[pairs[i]] = pairs[i+1]
	}
	var b strings.Builder
	b.WriteString("services:\n  - {")
	for _, name := range []string{"kind", "locations", "skus", "routes", "includes"} {
		if v := fields[name]; v != "" {
			fmt.Fprintf(&b, "%s: %s, ", name, v)
		}
	}
	return b.String() + "}\n"
}

func path(p string) string {
	return with("routes", fmt.Sprintf(`[{path: %q, upstream: "http://a:1"}]`, p))
}
func upstream(u string) string { return with("routes", fmt.Sprintf(`[{path: /a/, upstream: %q}]`, u)) }

// Each rule refuses what breaks it, and says which it is.
func TestRefused(t *testing.T) {
	if _, err := catalog.Parse("f", []byte(with())); err != nil {
		t.Fatalf("the file the cases are made from is refused: %v", err)
	}
	for text, want := range map[string]string{
		"":                                         "empty",
		"# nothing\n":                              "empty",
		"---\n":                                    "must be a mapping",
		"{}":                                       "no list 'services'",
		"services:\n":                              "must be a list",
		"services: []":                             "lists nothing",
		"services: {}":                             "must be a list",
		"services: [TextAnalytics]":                "must be a mapping",
		"services: [\n":                            "not YAML",
		"\xff":                                     "not YAML",
		with() + "version: 1\n":                    "no field \"version\"",
		with() + "---\nservices: []\n":             "second document",
		with() + "---\n]":                          "not YAML",
		"services: &a\n  - *a\n":                   "not allowed",
		"services: &a []\n":                        "not allowed",
		with("kind", "K, kind: L"):                 "kind twice",
		with("kind", ""):                           "kind is missing",
		with("kind", "7"):                          "must be text",
		with("kind", "Text-Analytics"):             "must be a letter",
		with("kind", strings.Repeat("k", 65)):      "must be a letter",
		with("locations", "[]"):                    "lists nothing",
		with("locations", "[West US, westus]"):     "twice",
		with("locations", `["west/us"]`):           "letters, digits or spaces",
		with("locations", "westus"):                "must be a list",
		with("skus", ""):                           "skus is missing",
		with("skus", "[]"):                         "lists nothing",
		with("skus", "[S0]"):                       "must be a mapping",
		with("skus", "[{name: S0, rate: 3}]"):      "no field \"rate\"",
		with("skus", "[{name: S 0}]"):              "SKU name",
		with("skus", rate("-1")):                   "callsPerMinute must be",
		with("skus", rate("1.5")):                  "callsPerMinute must be",
		with("skus", rate(`"20"`)):                 "callsPerMinute must be",
		with("skus", rate("1000000001")):           "callsPerMinute must be",
		with("skus", rate("99999999999999999")):    "callsPerMinute must be",
		with("skus", rate("[1]")):                  "callsPerMinute must be",
		with("routes", ""):                         "neither routes nor includes",
		with("routes", "[]"):                       "lists nothing",
		with("routes", `[{upstream: "http://a"}]`): "path is missing",
		with("includes", "[7]"):                    "must be text",
		with("includes", "[L]"):                    "does not list",
		with("includes", "[K]"):                    "includes itself",
		path("a/"):                                 "begin with '/'",
		path("/a"):                                 "end with '/' or ':'",
		path("/a/../"):                             "dot segment",
		path("/./"):                                "dot segment",
		path("/a%2f/"):                             "encoded bytes",
		path("//a/"):                               "empty segment",
		path("/a b/"):                              "cannot stand",
		path("/a?b/"):                              "cannot stand",
		path(`/a\b/`):                              "cannot stand",
		path("/ä/"):                                "cannot stand",
		path("/{deployment/"):                      "cannot stand",
		path("/x{deployment}/"):                    "cannot stand",
		path("/{}/"):                               "cannot stand",
		path("/{a b}/"):                            "cannot stand",
		path("/{a}"):                               "end with '/' or ':'",
		path("{a}/"):                               "begin with '/'",
		path("/{a}//"):                             "empty segment",
		path("/{a}/{b}/{a}/"):                      "names {a} twice",
		path("/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/"):    "more than 8 segments",
		path("/{" + strings.Repeat("a", 33) + "}/"):      "cannot stand",
		path("/{a}/" + strings.Repeat("{", 512) + "/"):   "longer than",
		path("/" + strings.Repeat("a", 512) + "/"):       "longer than",
		upstream("ftp://a"):                              "http or https",
		upstream("127.0.0.1:5000"):                       "form http://host:port",
		upstream("localhost:5000"):                       "form http://host:port",
		upstream("http:a"):                               "form http://host:port",
		upstream("http://"):                              "form http://host:port",
		upstream("http://:80"):                           "form http://host:port",
		upstream("http://a b"):                           "form http://host:port",
		upstream("http://ä"):                             "form http://host:port",
		upstream("http://a:"):                            "port from 1",
		upstream("http://a:0"):                           "port from 1",
		upstream("http://a:65536"):                       "port from 1",
		upstream("http://a?"):                            "query or a fragment",
		upstream("http://a/?x=1"):                        "query or a fragment",
		upstream("http://a#"):                            "query or a fragment",
		upstream("http://a/base//x"):                     "empty segment",
		upstream("http://a/../x"):                        "dot segment",
		upstream("http://a/%2fx"):                        "encoded bytes",
		upstream("http://a/b c"):                         "encoded bytes",
		upstream("http://a/" + strings.Repeat("b", 512)): "longer than",
		upstream("http://u@a"):                           "credentials",
		upstream(""):                                     "form http://host:port",
		with() + strings.Repeat("#", 1<<20):              "larger than",
	} {
		c, err := catalog.Parse("f", []byte(text))
		if c != nil || err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "f:") {
			t.Errorf("%.100q: %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{
		path("/"), path("/a:"), path("/a/:"), path("/...:/"), path("/a..b/"),
		path("/{a}/"), path("/a/{b_1}/c/{d}/:"), path("/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/"),
		upstream("http://a/base/"), upstream("http://a/b/c"), upstream("HTTPS://a.b-c_d:65535/"), upstream("http://[fe80::1]"), upstream("http://a."),
		with("locations", "[W]"), with("skus", rate("1")), with() + strings.Repeat("#", 1<<20-len(with())),
	} {
		if _, err := catalog.Parse("f", []byte(text)); err != nil {
			t.Errorf("%.100q: %v", text, err)
		}
	}
}

func rate(n string) string { return "[{name: S0, callsPerMinute: " + n + "}]" }

// Includes: circles are refused however long, two ways to one route are not,
// and one path never has two upstreams.
func TestIncludes(t *testing.T) {
	service := func(kind, rest string) string {
		return fmt.Sprintf("  - {kind: %s, skus: [{name: S0}], %s}\n", kind, rest)
	}
	route := func(path, upstream string) string {
		return fmt.Sprintf("routes: [{path: %s, upstream: %q}]", path, upstream)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"circle", service("A", "includes: [B]") + service("B", "includes: [C]") + service("C", "includes: [A]"),
			`f:4: kind "A" includes itself: A includes B includes C includes A`},
		{"circle beside a route", service("X", route("/x/", "http://x")+", includes: [A]") + service("A", "includes: [B, X]") + service("B", route("/b/", "http://b")),
			`includes itself: X includes A includes X`},
		{"diamond", service("A", "includes: [B, C]") + service("B", "includes: [D]") + service("C", "includes: [D]") + service("D", route("/d/", "http://d")), ""},
		{"same path, same upstream", service("A", "includes: [B, C]") + service("B", route("/d/", "http://d")) + service("C", route("/d/", "http://d/")), ""},
		{"same path, other upstream", service("A", "includes: [B, C]") + service("B", route("/d/", "http://d")) + service("C", route("/d/", "https://d")),
			`f:2: kind "A" has path "/d/" twice with different upstreams or settings, from "B" and from "C"`},
		{"own route against an included one", service("A", route("/d/", "http://a")+", includes: [B]") + service("B", route("/d/", "http://d")),
			`kind "A" has path "/d/" twice`},
		{"deep conflict", service("A", route("/d/", "http://a")+", includes: [B]") + service("B", "includes: [C]") + service("C", route("/d/", "http://d")),
			`kind "A" has path "/d/" twice`},
		{"included twice", service("A", "includes: [B, b]") + service("B", route("/d/", "http://d")), `includes "b" twice`},
	} {
		c, err := catalog.Parse("f", []byte("services:\n"+tt.text))
		if tt.want != "" {
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if _, ok := kind(t, c, "A").Route("/d/x", ""); !ok {
			t.Errorf("%s: A does not reach /d/", tt.name)
		}
	}
}

// A file cannot make a catalog that is out of proportion to it.
func TestBounds(t *testing.T) {
	var kinds, routes strings.Builder
	for i := range 501 {
		fmt.Fprintf(&kinds, "  - {kind: K%d, skus: [{name: S0}], routes: [{path: /, upstream: \"http://a\"}]}\n", i)
	}
	for i := range 1001 {
		fmt.Fprintf(&routes, "      - {path: /%d/, upstream: \"http://a\"}\n", i)
	}
	many := "services:\n  - kind: A\n    skus: [{name: S0}]\n    routes:\n" + routes.String()
	for text, want := range map[string]string{"services:\n" + kinds.String(): "more than 500 kinds", many: "more than 1000 routes"} {
		if _, err := catalog.Parse("f", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("err = %v, want %q", err, want)
		}
	}
}

// A password that somebody put into an upstream is not repeated in the error,
// whatever else is wrong with the upstream.
func TestErrorsKeepCredentials(t *testing.T) {
	const planted = "hunter2hunter2"
	for _, u := range []string{
		"http://user:" + planted + "@a", "http://user:" + planted + "@", "ftp://user:" + planted + "@a",
		"http://user:" + planted + " @a", "http://user:" + planted + "%zz@a", "http://a:" + planted, "http://a/?key=" + planted, planted,
	} {
		text := upstream(u)
		if !strings.Contains(text, planted) {
			t.Fatal("nothing planted")
		}
		_, err := catalog.Parse("f", []byte(text))
		if err == nil || strings.Contains(err.Error(), planted) {
			t.Errorf("%q: %v", u, err)
		}
	}
}

// render writes a catalog as a file again, its includes spelled out as routes.
// Rewrites do not show in a catalog and are left out.
func render(t *testing.T, c *catalog.Catalog) string {
	t.Helper()
	var out []entry
	for _, k := range c.Kinds() {
		e := entry{"kind": k.Name()}
		if l := k.Locations(); l != nil {
			e["locations"] = l
		}
		var skus []entry
		for _, s := range k.SKUs() {
			sku := entry{"name": s.Name}
			if s.CallsPerMinute != 0 {
				sku["callsPerMinute"] = s.CallsPerMinute
			}
			skus = append(skus, sku)
		}
		e["skus"], e["routes"] = skus, renderRoutes(k.Routes())
		out = append(out, e)
	}
	text, err := yaml.Marshal(entry{"services": out})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

type entry map[string]any

func renderRoutes(routes []catalog.Route) []entry {
	var out []entry
	for _, r := range routes {
		var upstreams []string
		for _, u := range r.Upstreams {
			upstreams = append(upstreams, u.String())
		}
		if last := len(out) - 1; last >= 0 && out[last]["path"] == r.Prefix {
			out[last]["upstream"].(map[string][]string)[r.Location] = upstreams
			continue
		}
		e := entry{"path": r.Prefix, "upstreams": upstreams}
		if r.Location != "" {
			e = entry{"path": r.Prefix, "upstream": map[string][]string{r.Location: upstreams}}
		}
		if r.Timeout != 0 {
			e["timeout"] = r.Timeout.String()
		}
		if len(r.Headers) > 0 {
			headers := entry{}
			for _, h := range r.Headers {
				headers[h.Name] = entry{"value": h.Value.Reveal()}
			}
			e["upstreamHeaders"] = headers
		}
		if c := r.CORS; c != nil {
			cors := entry{"origins": c.Origins}
			for name, list := range map[string][]string{"methods": c.Methods, "headers": c.Headers} {
				if len(list) > 0 {
					cors[name] = list
				}
			}
			if c.MaxAge != 0 {
				cors["maxAge"] = c.MaxAge.String()
			}
			e["cors"] = cors
		}
		out = append(out, e)
	}
	return out
}

// sources are an environment and files of one value each.
func sources() catalog.Sources {
	return catalog.Sources{
		Getenv: func(name string) (string, bool) { return "from " + name, !strings.HasPrefix(name, "UNSET") },
		ReadFile: func(path string) ([]byte, string, error) {
			if strings.HasPrefix(path, "missing") {
				return nil, path, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
			}
			return []byte("from a file\n"), "/etc/" + path, nil
		},
	}
}

// Whatever the bytes, Parse answers with a catalog or with problems; and what
// a catalog says, written down again, makes the same catalog.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{services, wide, manyRoutes(), with(), path("/a:"), path("/{a}/"), upstream("https://[::1]:1/b"), "services: [{kind: &a K, includes: [*a]}]", "", "a: [", "? [a]\n: b\n", "services:\n- <<: {kind: K}\n", "---\n---\n", "#\n", "%YAML 1.1\n---\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := sources().Parse("f", data)
		if err != nil {
			problems, ok := errors.AsType[catalog.Problems](err)
			if !ok || len(problems) == 0 || c != nil {
				t.Fatalf("%v, %T: want problems and no catalog", c, err)
			}
			return
		}
		text := render(t, c)
		again, err := sources().Parse("f", []byte(text))
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if got := render(t, again); got != text {
			t.Fatalf("got\n%s\nwant\n%s", got, text)
		}
	})
}

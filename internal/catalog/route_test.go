package catalog_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/twinkey/twinkey/internal/catalog"
)

// wide uses everything a route can have.
const wide = `
services:
  - kind: OpenAI
    locations: [westeurope, North Europe]
    skus: [{name: S0}]
    routes:
      - path: /openai/deployments/{deployment}/
        rewrite: /v1/
        upstreams: ["http://10.0.0.1:8000", "http://10.0.0.2:8000/base/"]
        timeout: 90s
        upstreamHeaders:
          authorization: {env: VLLM_KEY, prefix: "Bearer "}
          X-Team: {value: blue}
        cors:
          origins: ["https://app.example.com", "http://[::1]:3000"]
          methods: [GET, POST]
          headers: [Content-Type, api-key]
          maxAge: 10m
      - path: /openai/v1/
        rewrite: /v1/
        upstream: {westeurope: "http://a", northeurope: ["http://b", "http://c"]}
        cors: {origins: ["*"]}
      - {path: "/models/{model}/infer/", rewrite: "/v2/{model}/", upstream: "http://d/models"}
      - {path: /, upstream: "http://e"}
`

func parseWide(t *testing.T) catalog.Kind {
	t.Helper()
	c, err := sources().Parse("services.yaml", []byte(wide))
	if err != nil {
		t.Fatal(err)
	}
	return kind(t, c, "OpenAI")
}

// A route has what the file says of it, whatever the path was that led to it.
func TestRouteHasWhatTheFileSays(t *testing.T) {
	k := parseWide(t)
	r, ok := k.Route("/openai/deployments/gpt-4/chat/completions", "westeurope")
	if !ok || r.Prefix != "/openai/deployments/{deployment}/" || r.Timeout != 90*time.Second || r.Location != "" {
		t.Fatalf("%+v, %v", r, ok)
	}
	if got := fmt.Sprint(r.Upstreams); got != "[http://10.0.0.1:8000 http://10.0.0.2:8000/base]" || r.Upstream != r.Upstreams[0] {
		t.Errorf("upstreams = %s, first %s", got, r.Upstream)
	}
	var headers []string
	for _, h := range r.Headers {
		headers = append(headers, h.Name+": "+h.Value.Reveal())
	}
	if got := strings.Join(headers, ", "); got != "Authorization: Bearer from VLLM_KEY, X-Team: blue" {
		t.Errorf("headers = %s", got)
	}
	if printed := fmt.Sprintf("%v %+v", r.Headers, r); strings.Contains(printed, "VLLM_KEY") {
		t.Errorf("a printed route shows a secret: %s", printed)
	}
	if r.CORS == nil || r.CORS.MaxAge != 10*time.Minute || len(r.CORS.Origins) != 2 {
		t.Errorf("cors = %+v", r.CORS)
	}
	if r, _ := k.Route("/zzz", "westeurope"); r.Timeout != 0 || r.Headers != nil || r.CORS != nil || len(r.Upstreams) != 1 {
		t.Errorf("a route without settings has some: %+v", r)
	}
	if n := len(k.Routes()); n != 5 {
		t.Errorf("%d routes, want one for each path, and one more for the second location", n)
	}
}

// The account's location chooses the upstream, however it is written; a location
// the file does not know goes nowhere, not somewhere else.
func TestLocationChoosesTheUpstream(t *testing.T) {
	k := parseWide(t)
	for location, want := range map[string]string{
		"westeurope": "http://a", "West Europe": "http://a", "WESTEUROPE": "http://a",
		"northeurope": "http://b", "North Europe": "http://b", " north\teurope ": "http://b",
		"": "", "north": "", "northeurope2": "", "eastus": "",
	} {
		r, ok := k.Route("/openai/v1/models", location)
		if ok != (want != "") || ok && r.Upstream.String() != want {
			t.Errorf("%q goes to %v, %v, want %q", location, r.Upstream, ok, want)
		}
	}
	c := parse(t, with("kind", "B", "locations", "[west, east]", "routes", `[{path: /x/, upstream: {west: "http://a", east: "http://b"}}]`)+
		strings.TrimPrefix(with("kind", "A", "locations", "[east]", "routes", "", "includes", "[B]"), "services:\n"))
	if r, ok := kind(t, c, "A").Route("/x/y", "east"); !ok || r.Upstream.Host != "b" {
		t.Errorf("an including kind goes to %v, %v", r.Upstream, ok)
	}
}

func routes(text string) string { return with("locations", "[west, east]", "routes", text) }

// What is wrong with a route is said, with its line.
func TestRouteRefused(t *testing.T) {
	route := func(rest string) string { return routes(`[{path: "/a/{x}/", upstream: "http://a", ` + rest + `}]`) }
	cors := func(rest string) string { return route("cors: {" + rest + "}") }
	header := func(rest string) string { return route("upstreamHeaders: {" + rest + "}") }
	const credential = "hunter2hunter2"
	for text, want := range map[string]string{
		route("methods: [GET]"):                                                                      `no field "methods"`,
		route("rewrite: 7"):                                                                          "must be text",
		route("rewrite: v1/"):                                                                        "begin with '/'",
		route("rewrite: /v1"):                                                                        "end with '/' or ':'",
		route(`rewrite: "/v1:"`):                                                                     "end with '/', as the path does",
		route("rewrite: /v1/../"):                                                                    "dot segment",
		route("rewrite: /%2e/"):                                                                      "encoded bytes",
		route(`rewrite: "/v1/{y}/"`):                                                                 "has {y}, which the path does not name",
		route(`rewrite: "/v1/{x/"`):                                                                  "cannot stand",
		route(`rewrite: "//v1/"`):                                                                    "empty segment",
		route(`rewrite: "/v1/{x}/{x}/"`):                                                             "names {x} twice",
		route(`upstreams: ["http://b"]`):                                                             "either upstream or upstreams",
		routes(`[{path: /a/}]`):                                                                      "upstream is missing",
		routes(`[{path: /a/, upstreams: []}]`):                                                       "lists nothing",
		routes(`[{path: /a/, upstreams: "http://a"}]`):                                               "must be a list",
		routes(`[{path: /a/, upstreams: ["http://a", "http://a/"]}]`):                                "upstream is listed twice",
		routes(`[{path: /a/, upstreams: ["http://a", 7]}]`):                                          "must be text",
		routes(`[{path: /a/, upstream: ["http://a"]}]`):                                              "name the field upstreams",
		routes(`[{path: /a/, upstream: {}}]`):                                                        "at least one entry",
		routes(`[{path: /a/, upstream: {west: "http://a"}}]`):                                        `no upstream for location "east"`,
		routes(`[{path: /a/, upstream: {west: "http://a", East: []}}]`):                              "lists nothing",
		routes(`[{path: /a/, upstream: {west: "http://a", east: "b"}}]`):                             "form http://host:port",
		routes(`[{path: /a/, upstream: {west: "http://a", east: {a: "b"}}}]`):                        "must be text",
		routes(`[{path: /a/, upstream: {west: "http://a", WEST: "http://b"}}]`):                      `location "WEST" is listed twice`,
		routes(`[{path: /a/, upstream: {west: "http://a", north: "http://b"}}]`):                     `location "north" is not among`,
		routes(`[{path: /a/, upstream: {west/a: "http://a"}}]`):                                      "letters, digits or spaces",
		with("routes", `[{path: /a/, upstream: {west: "http://a"}}]`):                                "must list its locations",
		routes(`[{path: "/a/{x}/", upstream: "http://a"}, {path: "/a/{y}/", upstream: "http://a"}]`): `path "/a/{y}/" is listed twice`,
		route("timeout: 30"):                                                                         "timeout must be a time",
		route("timeout: 0s"):                                                                         "timeout must be a time",
		route("timeout: -1s"):                                                                        "timeout must be a time",
		route("timeout: 25h"):                                                                        "timeout must be a time",
		route("timeout: [1s]"):                                                                       "timeout must be a time",
		cors("methods: [GET]"):                                                                       "origins is missing",
		cors("origins: []"):                                                                          "lists nothing",
		cors("origins: https://a"):                                                                   "must be a list",
		cors(`origins: ["*", "https://a"]`):                                                          "beside others",
		cors("origins: [https://a/]"):                                                                "form https://host",
		cors("origins: [https://A]"):                                                                 "form https://host",
		cors("origins: [a.example]"):                                                                 "form https://host",
		cors("origins: ['null']"):                                                                    "form https://host",
		cors("origins: ['https://*.a']"):                                                             "form https://host",
		cors("origins: ['https://a:443']"):                                                           "browsers leave out",
		cors("origins: ['http://a:80']"):                                                             "browsers leave out",
		cors("origins: [https://a, https://a]"):                                                      "is listed twice",
		cors("origins: [https://a], methods: [get]"):                                                 "method in upper case",
		cors("origins: [https://a], headers: ['a b']"):                                               "not the name of a header",
		cors("origins: [https://a], maxAge: 600"):                                                    "maxAge must be a time",
		header(""):                                              "at least one entry",
		header("'a b': {value: x}"):                             "not the name of a header",
		header("1: {value: x}"):                                 "must be text",
		header("host: {value: x}"):                              "header Host is the gateway's own",
		header("content-length: {value: x}"):                    "gateway's own",
		header("x-forwarded-for: {value: x}"):                   "gateway's own",
		header("x-twinkey-account: {value: x}"):                 "gateway's own",
		header("a: {value: x}, A: {value: y}"):                  "header A is listed twice",
		header("a: x"):                                          "must be a mapping",
		header("a: {}"):                                         "one of env, file and value",
		header("a: {prefix: x}"):                                "one of env, file and value",
		header("a: {value: x, env: X}"):                         "one of env, file and value",
		header("a: {value: 7}"):                                 "must be text",
		header("a: {value: ''}"):                                "is empty",
		header("a: {value: ' x'}"):                              "cannot be sent",
		header(`a: {value: "x\ny"}`):                            "cannot be sent",
		header(`a: {value: "é"}`):                               "cannot be sent",
		header("a: {value: " + strings.Repeat("x", 8193) + "}"): "longer than 8192",
		header("a: {env: UNSET_VARIABLE_" + credential + "}"):   "variable that is not set",
		header("a: {env: 'not a name " + credential + "'}"):     "does not hold the name",
		header("a: {file: missing/" + credential + "}"):         "cannot be read: file does not exist",
		header("a: {value: '" + credential + "\t'}"):            "cannot be sent",
		header("a: {value: x, value: y}"):                       "value twice",
		header("a: {vault: x}"):                                 `no field "vault"`,
	} {
		c, err := sources().Parse("f", []byte(text))
		if c != nil || err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "f:2: ") {
			t.Errorf("%.200s: %v, want %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), credential) {
			t.Errorf("%.200s: the error repeats a secret: %v", text, err)
		}
	}
	for _, text := range []string{
		route(`rewrite: "/v1/{x}/"`), route("timeout: 1ms"), route("timeout: 24h"), header("a: {file: secret}"),
		header("a: {env: X}"), cors(`origins: ["https://a:8443", "capacitor://localhost"]`),
		routes(`[{path: /a/, upstream: {West: "http://a", e ast: ["http://b"]}}]`),
		routes(`[{path: "/a:", rewrite: "/b/c:", upstream: "http://a"}]`),
	} {
		if _, err := sources().Parse("f", []byte(text)); err != nil {
			t.Errorf("%.200s: %v", text, err)
		}
	}
}

// Of all routes that match, the one that matches most of the path is taken; of
// equals, the one that spells out where the other names.
func TestNamedSegments(t *testing.T) {
	var list []string
	for _, p := range []string{"/a/", "/a/{x}/", "/a/{x}/{y}/", "/a/{x}/b/", "/a/c/{y}/", "/a/c/d/", "/{all}/", "/v/{x}/:", "/v/{x}/y:"} {
		list = append(list, fmt.Sprintf(`{path: %q, upstream: "http://a"}`, p))
	}
	k := kind(t, parse(t, with("routes", "["+strings.Join(list, ", ")+"]")), "K")
	for path, want := range map[string]string{
		"/a/1": "/a/", "/a/": "/a/", "/a/1/": "/a/{x}/", "/a/1/2": "/a/{x}/", "/a/1/2/": "/a/{x}/{y}/", "/a/1/2/3/4": "/a/{x}/{y}/",
		"/a/1/b/": "/a/{x}/b/", "/a/c/b/": "/a/c/{y}/", "/a/c/d/x": "/a/c/d/", "/a/c/dd/": "/a/c/{y}/", "/a/c/d": "/a/{x}/",
		"/b/x": "/{all}/", "/b": "", "//x": "", "/a//": "/a/", "/a//b/": "/a/",
		"/v/m/:run": "/v/{x}/:", "/v/m/y:run": "/v/{x}/y:", "/v/m/run": "/{all}/",
		// A named segment is exactly one, whatever is decoded on the way.
		"/b%2fc/x": "", "/b%2Fc/x": "", "/b%5cc/x": "", `/b\c/x`: "", "/../x": "", "/./x": "", "/%2e%2E/x": "", "/..;a/x": "", "/.%3b/x": "", "/%252e%252e/x": "", "/%/x": "", "/%%32e/x": "", "/%2/x": "", "/.../x": "/{all}/", "/%41/x": "/{all}/", "/a.b;c/x": "/{all}/",
	} {
		r, ok := k.Route(path, "")
		if r.Prefix != want || ok != (want != "") {
			t.Errorf("%s takes %q, want %q", path, r.Prefix, want)
		}
	}
}

// Route agrees with the plain rule, and does not depend on the order of the
// file.
func FuzzRoute(f *testing.F) {
	f.Add("/,/a/,/a/b:,/a/b/,/ab/", "/a/b:c")
	f.Add("/a/,/a/a/,/a/a/a/,/a/b/", "/a/a/b")
	f.Add("/!/,/a:", "/a")
	f.Add("/{x}/,/a/{x}/,/{x}/a/,/a/{y}/b/,/a/", "/a/a/b/c")
	f.Add("/a/{x}/{y}/,/a/{x}/b/,/a/c/{y}/", "/a/c/b/")
	f.Fuzz(func(t *testing.T, prefixes, wanted string) {
		var list []map[string]string
		for p := range strings.SplitSeq(prefixes, ",") {
			list = append(list, map[string]string{"path": p, "upstream": "http://a"})
		}
		text, err := yaml.Marshal(map[string]any{"services": []any{map[string]any{"kind": "K", "skus": []any{map[string]string{"name": "S0"}}, "routes": list}}})
		if err != nil {
			t.Skip()
		}
		c, err := catalog.Parse("f", text)
		if err != nil {
			t.Skip()
		}
		best, length := "", 0
		for _, r := range kind(t, c, "K").Routes() {
			if n := matched(r.Prefix, wanted); n > length || n == length && n > 0 && spelledOut(r.Prefix, best) {
				best, length = r.Prefix, n
			}
		}
		r, ok := kind(t, c, "K").Route(wanted, "")
		if r.Prefix != best || ok != (best != "") {
			t.Fatalf("Route(%q) = %q, %v, want %q", wanted, r.Prefix, ok, best)
		}
		if ok && r.Rest(wanted) != wanted[length:] {
			t.Fatalf("Rest(%q) = %q, want %q", wanted, r.Rest(wanted), wanted[length:])
		}
	})
}

var named = regexp.MustCompile(`\\\{[A-Za-z0-9_]+\\\}`)

// matched is how much of path a prefix takes, by regular expression.
func matched(prefix, path string) int {
	pattern := named.ReplaceAllString(regexp.QuoteMeta(prefix), `([^/]+)`)
	found := regexp.MustCompile("^" + pattern).FindStringSubmatch(path)
	if found == nil {
		return 0
	}
	for _, segment := range found[1:] {
		if strayed.MatchString(segment) {
			return 0
		}
	}
	return len(found[0])
}

// strayed are segments that some server might read as none, or as several.
var strayed = regexp.MustCompile(`(?i)%(25|2f|5c|[^0-9a-f]|.[^0-9a-f]|.?$)|\\|^(\.|%2e){1,2}(;|%3b|$)`)

// spelledOut reports whether a is the literal one where a and b first differ.
func spelledOut(a, b string) bool {
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	for i := range min(len(x), len(y)) {
		if namedX, namedY := strings.HasPrefix(x[i], "{"), strings.HasPrefix(y[i], "{"); namedX != namedY {
			return namedY
		}
	}
	return false
}

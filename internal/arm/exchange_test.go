package arm_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
	"github.com/twinkey/twinkey/internal/arm/cognitive"
	"github.com/twinkey/twinkey/internal/arm/resources"
	"github.com/twinkey/twinkey/internal/catalog"
	"github.com/twinkey/twinkey/internal/etcdnode"
	"github.com/twinkey/twinkey/internal/etcdstore"
	"github.com/twinkey/twinkey/internal/sealing"
	"github.com/twinkey/twinkey/internal/web"
)

const services = `services:
  - kind: TextAnalytics
    locations: [westeurope, "West US"]
    skus: [{name: F0, callsPerMinute: 20}, {name: S}]
    routes: [{path: /text/analytics/, upstream: "http://127.0.0.1:5000"}]
  - kind: CognitiveServices
    skus: [{name: S0}]
    includes: [TextAnalytics]
`

// everyGateway confirms at once.
type everyGateway struct{}

func (everyGateway) Confirm(_ context.Context, revision twinkey.Revision) twinkey.Confirmation {
	return twinkey.Confirmation{Revision: revision}
}

// oneTenant is the directory's list.
type oneTenant struct{}

func (oneTenant) Tenants(context.Context) ([]resources.Tenant, error) {
	return []resources.Tenant{{ID: tenant, Name: "Example", Domain: "example.com"}}, nil
}

// people are the callers of the exchanges, by their tokens.
func people() map[string]twinkey.Principal {
	return map[string]twinkey.Principal{
		"owner":  {Tenant: tenant, ObjectID: "00000000-0000-4000-8000-000000000001", Type: twinkey.User, Name: "owner@example.com"},
		"reader": {Tenant: tenant, ObjectID: "00000000-0000-4000-8000-000000000002", Type: twinkey.ServicePrincipal, AppID: "00000000-0000-4000-8000-0000000000a2"},
		"keeper": {Tenant: tenant, ObjectID: "00000000-0000-4000-8000-000000000004", Type: twinkey.User, Name: "keeper@example.com"},
		"nobody": {Tenant: tenant, ObjectID: "00000000-0000-4000-8000-000000000003", Type: twinkey.User, Name: "nobody@example.com"},
	}
}

// server is the whole surface on a real store, and finish, which carries a
// group's deletion to its end.
func server(t testing.TB) (h http.Handler, finish func(group string)) {
	t.Helper()
	ctx := context.Background()
	dir := t.TempDir()
	node, err := etcdnode.Start(ctx, etcdnode.Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	store, err := etcdstore.Open(ctx, node.Client())
	if err != nil {
		t.Fatal(err)
	}
	kinds, err := catalog.Parse("services.yaml", []byte(services))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2031, 5, 4, 3, 2, 1, 500, time.UTC)
	service := accounts.New(accounts.Config{
		Store: store, Ring: ring(t, dir), Confirmer: everyGateway{}, Now: func() time.Time { return now },
		Catalog: func() *catalog.Catalog { return kinds },
	})
	bootstrap(t, service, now)
	tables := [][]arm.Route{
		resources.Routes(resources.Config{
			Service: service, Tenants: oneTenant{}, Catalog: func() *catalog.Catalog { return kinds },
		}),
		cognitive.Routes(cognitive.Config{Service: service, Endpoint: func(string) string { return gatewayURL }, Catalog: func() *catalog.Catalog { return kinds }}),
	}
	surface := arm.New(arm.Config{
		PublicURL: publicURL, GatewayURL: gatewayURL, Subscriptions: service,
		Authenticator: authenticate(func(bearer string) (twinkey.Principal, error) {
			if p, ok := people()[bearer]; ok {
				return p, nil
			}
			return twinkey.Principal{}, twinkey.Errorf(twinkey.Unauthenticated, "The access token is invalid.")
		}),
	}, tables...)
	finish = func(group string) {
		ctx, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		running.Go(func() { service.RunDeletions(ctx, nil, func(err error) { t.Error(err) }) })
		for id := (twinkey.ResourceID{Subscription: subscription, Group: group}); ; {
			if g, err := store.Group(ctx, id); g == nil || err != nil {
				break
			}
		}
		cancel()
		running.Wait()
	}
	log := slog.New(slog.DiscardHandler)
	return web.NewServer(web.Config{Name: "management", Handler: surface, Log: log, OnPanic: arm.WriteError}), finish
}

func ring(t testing.TB, dir string) *sealing.Ring {
	t.Helper()
	outer, err := sealing.CreateOuterKey(filepath.Join(dir, "outer.key"))
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := outer.NewDataKey(1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := outer.Open(map[uint32][]byte{1: wrapped})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// bootstrap makes the subscription, its owner, a reader, and a keeper who owns
// nothing but the group "kept".
func bootstrap(t testing.TB, service *accounts.Service, now time.Time) {
	t.Helper()
	var held []access.Assignment
	for i, c := range []struct{ person, role, group string }{{"owner", "Owner", ""}, {"reader", "Reader", ""}, {"keeper", "Owner", "kept"}} {
		role, ok := access.BuiltInByName(c.role)
		if !ok {
			t.Fatalf("no role %s", c.role)
		}
		p := people()[c.person]
		held = append(held, access.Assignment{
			ID: fmt.Sprintf("00000000-0000-4000-8000-0000000000f%d", i), Scope: twinkey.ResourceID{Subscription: subscription, Group: c.group},
			RoleID: role.ID, PrincipalID: p.ObjectID, PrincipalType: p.Type, CreatedOn: now,
		})
	}
	sub := accounts.Subscription{ID: subscription, Tenant: tenant, Name: "Example subscription", State: accounts.SubscriptionEnabled}
	if err := service.Bootstrap(context.Background(), sub, held...); err != nil {
		t.Fatal(err)
	}
}

// The wire is a contract: these exchanges are what clients of Azure send and
// understand. Each archive is one run against an empty server; a file in it is a
// request, a line "----", and the answer. Run with -update after a change that
// is meant, and read the difference.
func TestExchanges(t *testing.T) {
	archives, err := filepath.Glob(filepath.Join("testdata", "exchanges", "*.txtar"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("no exchanges found: %v", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			h, finish := server(t)
			m := newMask()
			for i, file := range archive.Files {
				if group, ok := strings.CutPrefix(file.Name, "finish the deletion of "); ok {
					finish(group)
					continue
				}
				request, want, _ := strings.Cut(string(file.Data), "\n----\n")
				request = strings.TrimSuffix(request, "\n")
				got := m.exchange(t, h, request)
				if got != want && !*update {
					t.Errorf("%s: got\n%s\nwant\n%s", file.Name, got, want)
				}
				archive.Files[i].Data = []byte(request + "\n----\n" + got)
			}
			if *update {
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// mask gives what differs from run to run a name, the same name each time it
// comes up, so that a key that stays or changes is seen to; requests can use
// the names in braces.
type mask struct {
	names map[string]string // name -> what it stands for
}

var (
	header   = regexp.MustCompile(`^[A-Za-z$][A-Za-z0-9-]*: `)
	variable = regexp.MustCompile(`\{([A-Za-z]+[0-9]*)\}`)
	etag     = regexp.MustCompile(`(?m)(^etag: "|"etag": "\\")([0-9a-f]+)`)
	revision = regexp.MustCompile(`(?m)(^x-twinkey-revision: )([0-9]+)$`)
	volatile = []struct {
		name string
		text *regexp.Regexp
	}{
		{"key", regexp.MustCompile(`"key[12]": "([0-9a-f]{32})"`)},
		{"uid", regexp.MustCompile(`"internalId": "([0-9a-f]{32})"`)},
		{"operation", regexp.MustCompile(`/operations/([0-9a-f]{16}-[A-Za-z0-9_-]+)`)},
		{"next", regexp.MustCompile(`\$skipToken=([A-Za-z0-9_-]+)`)},
	}
)

func newMask() *mask { return &mask{names: map[string]string{"S": subscription, "T": tenant}} }

// exchange sends one request and renders the answer.
func (m *mask) exchange(t *testing.T, h http.Handler, text string) string {
	t.Helper()
	r, _, w := m.send(t, h, text)
	if w.Code >= 500 {
		t.Errorf("%s %s: %d", r.Method, r.URL, w.Code)
	}
	return m.hide(render(w))
}

// send sends one request: "METHOD path", headers, an empty line and a body.
func (m *mask) send(t *testing.T, h http.Handler, text string) (*http.Request, string, *httptest.ResponseRecorder) {
	t.Helper()
	text = variable.ReplaceAllStringFunc(text, func(name string) string {
		if value, ok := m.names[strings.Trim(name, "{}")]; ok {
			return value
		}
		return name
	})
	in := bufio.NewScanner(strings.NewReader(text))
	in.Scan()
	method, target, _ := strings.Cut(in.Text(), " ")
	headers := http.Header{"Authorization": {"Bearer owner"}}
	for in.Scan() && header.MatchString(in.Text()) {
		name, value, _ := strings.Cut(in.Text(), ": ")
		if headers.Set(name, value); value == "none" {
			headers.Del(name)
		}
	}
	var body strings.Builder
	for in.Scan() {
		body.WriteString(in.Text() + "\n")
	}
	r := httptest.NewRequest(method, target, strings.NewReader(body.String()))
	r.Header = headers
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return r, body.String(), w
}

// render writes status, the headers that mean something for one answer, and the
// body, indented.
func render(w *httptest.ResponseRecorder) string {
	var out strings.Builder
	fmt.Fprintln(&out, w.Code)
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range w.Header() {
			if !yield(strings.ToLower(name)) {
				return
			}
		}
	}) {
		switch name {
		case "content-length", "content-type", "date", "expires", "pragma", "strict-transport-security", "x-content-type-options",
			"x-ms-request-id", "x-ms-correlation-request-id", "x-ms-routing-request-id", "x-ms-error-code":
			continue
		case "cache-control":
			if w.Header().Get(name) == "no-cache" {
				continue
			}
		}
		fmt.Fprintf(&out, "%s: %s\n", name, w.Header().Get(name))
	}
	if w.Body.Len() > 0 {
		var indented bytes.Buffer
		if err := json.Indent(&indented, w.Body.Bytes(), "", "  "); err != nil {
			return out.String() + w.Body.String()
		}
		out.WriteString("\n" + indented.String() + "\n")
	}
	return out.String()
}

// hide names what differs from run to run. A revision and the tag made of it
// have one name.
func (m *mask) hide(text string) string {
	for _, v := range volatile {
		for _, found := range v.text.FindAllStringSubmatch(text, -1) {
			text = strings.ReplaceAll(text, found[1], "{"+m.name(v.name, found[1])+"}")
		}
	}
	text = etag.ReplaceAllStringFunc(text, func(found string) string {
		parts := etag.FindStringSubmatch(found)
		return parts[1] + "{" + m.name("etag", parts[2]) + "}"
	})
	text = revision.ReplaceAllStringFunc(text, func(found string) string {
		parts := revision.FindStringSubmatch(found)
		n, _ := strconv.ParseInt(parts[2], 10, 64)
		return parts[1] + "{" + m.name("etag", strings.Trim(arm.ETag(twinkey.Revision(n)), `"`)) + "}"
	})
	for name, value := range m.names {
		if !strings.HasPrefix(name, "etag") { // too short not to be part of something else
			text = strings.ReplaceAll(text, value, "{"+name+"}")
		}
	}
	return text
}

// name returns the name that value has among its kind, a new one if need be.
func (m *mask) name(kind, value string) string {
	for n := 1; ; n++ {
		name := fmt.Sprint(kind, n)
		if known, ok := m.names[name]; !ok || known == value {
			m.names[name] = value
			return name
		}
	}
}

// The list of operations says of every permission what it is for, and the first
// route of an action is the one that says it.
func TestEveryActionIsDescribed(t *testing.T) {
	described := map[string]bool{}
	for _, r := range slices.Concat(resources.Routes(resources.Config{}), cognitive.Routes(cognitive.Config{})) {
		if r.Action == "" || r.Handle == nil {
			t.Errorf("%s %s has no action or no handler", r.Method, r.Pattern)
		}
		if !described[r.Action] && (r.Display.Provider == "" || r.Display.Resource == "" || r.Display.Operation == "" || r.Display.Description == "") {
			t.Errorf("%s %s does not describe %s", r.Method, r.Pattern, r.Action)
		}
		described[r.Action] = true
	}
}

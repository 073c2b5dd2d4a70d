package app_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twinkey/twinkey/internal/app"
	"github.com/twinkey/twinkey/internal/testenv"
)

// kinds is a services file that offers some kinds.
func kinds(names ...string) string {
	var b strings.Builder
	b.WriteString("services:\n")
	for _, name := range names {
		fmt.Fprintf(&b, "  - kind: %s\n    skus: [{name: S0}]\n    routes: [{path: /%s/, upstream: 'http://127.0.0.1:9'}]\n", name, name)
	}
	return b.String()
}

// file is a services file and what a Reloader logs of it.
type file struct {
	path string
	log  buffer
	*app.Reloader
}

func openFile(t *testing.T, text string) *file {
	t.Helper()
	f := &file{path: filepath.Join(t.TempDir(), "services.yaml")}
	f.write(t, f.path, text)
	var err error
	if f.Reloader, err = app.OpenServices(f.path, slog.New(slog.NewTextHandler(&f.log, nil))); err != nil {
		t.Fatal(err)
	}
	return f
}

// write replaces a file's content, at a time that no earlier write had.
func (f *file) write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	clock := time.Unix(0, 0)
	if info, err := os.Stat(f.path + ".clock"); err == nil {
		clock = info.ModTime().Add(time.Second)
	}
	for _, name := range []string{path, f.path + ".clock"} {
		if g, err := os.OpenFile(name, os.O_CREATE|os.O_RDONLY, 0o600); err != nil || g.Close() != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, clock, clock); err != nil {
			t.Fatal(err)
		}
	}
}

// offers lists the kinds in force.
func (f *file) offers() string {
	var names []string
	for _, k := range f.Holder().Load().Kinds() {
		names = append(names, k.Name())
	}
	return strings.Join(names, " ")
}

// polls calls Poll and returns what was logged by it.
func (f *file) polls(n int) string {
	before := len(f.log.String())
	for range n {
		f.Poll()
	}
	return f.log.String()[before:]
}

// A changed file is in force after it has stopped changing, and what changed is
// logged.
func TestChangedFileIsRead(t *testing.T) {
	f := openFile(t, kinds("A", "B"))
	if got := f.polls(3); got != "" || f.offers() != "A B" {
		t.Errorf("without a change: %s, logged %q", f.offers(), got)
	}
	f.write(t, f.path, kinds("B", "C"))
	if got := f.polls(1); got != "" || f.offers() != "A B" {
		t.Errorf("while it may still be written: %s, logged %q", f.offers(), got)
	}
	got := f.polls(1)
	if f.offers() != "B C" || !strings.Contains(got, "added=[C] removed=[A] changed=[]") {
		t.Errorf("after it changed: %s, logged %q", f.offers(), got)
	}
	if got := f.polls(3); got != "" {
		t.Errorf("without a further change, logged %q", got)
	}
}

// A file that keeps changing is not read before it is whole.
func TestFileBeingWrittenIsLeftAlone(t *testing.T) {
	f := openFile(t, kinds("A", "B"))
	for i := range 5 {
		f.write(t, f.path, kinds("A")+strings.Repeat("#", i))
		if got := f.polls(1); got != "" || f.offers() != "A B" {
			t.Fatalf("write %d: %s, logged %q", i, f.offers(), got)
		}
	}
	f.polls(1)
	if f.offers() != "A" {
		t.Errorf("%s in force at the end", f.offers())
	}
}

// A bad file, and none at all, keep what is in force; every problem is logged,
// and logged once; the next good file is taken.
func TestBadFileKeepsServing(t *testing.T) {
	f := openFile(t, kinds("A"))
	f.write(t, f.path, strings.Replace(kinds("A", "B"), "name: S0", "name: 'S 0', rate: 1", 1))
	got := f.polls(10)
	if f.offers() != "A" || strings.Count(got, "level=ERROR") != 2 || strings.Count(got, f.path+":3: ") != 2 {
		t.Errorf("with a bad file: %s, logged %q", f.offers(), got)
	}
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	got = f.polls(10)
	if f.offers() != "A" || strings.Count(got, "level=ERROR") != 1 || !strings.Contains(got, "no such file") {
		t.Errorf("without a file: %s, logged %q", f.offers(), got)
	}
	f.write(t, f.path, kinds("B"))
	got = f.polls(2)
	if f.offers() != "B" || !strings.Contains(got, "added=[B] removed=[A]") {
		t.Errorf("with a good file: %s, logged %q", f.offers(), got)
	}
}

// Who asks gets an answer each time, changed or not, and each time it is bad.
func TestAskedToReadAgain(t *testing.T) {
	f := openFile(t, kinds("A"))
	f.Reload()
	if got := f.log.String(); strings.Count(got, "services read again") != 1 || !strings.Contains(got, "added=[] removed=[] changed=[]") {
		t.Errorf("logged %q", got)
	}
	f.write(t, f.path, "services: []\n")
	f.Reload()
	f.Reload()
	if got := f.log.String(); strings.Count(got, "level=ERROR") != 2 || f.offers() != "A" {
		t.Errorf("%s, logged %q", f.offers(), got)
	}
	if got := f.polls(5); got != "" {
		t.Errorf("said again without being asked: %q", got)
	}
}

// A secret that is replaced in its file is in force, though services.yaml stays
// as it is, and is not logged.
func TestChangedSecretIsRead(t *testing.T) {
	f := &file{path: filepath.Join(t.TempDir(), "services.yaml")}
	secret := filepath.Join(filepath.Dir(f.path), "secret")
	f.write(t, secret, "planted-first\n")
	f.write(t, f.path, "services:\n  - {kind: A, skus: [{name: S0}], routes: [{path: /, upstream: 'http://127.0.0.1:9', upstreamHeaders: {Authorization: {file: secret}}}]}\n")
	var err error
	if f.Reloader, err = app.OpenServices(f.path, slog.New(slog.NewTextHandler(&f.log, nil))); err != nil {
		t.Fatal(err)
	}
	value := func() string {
		k, _ := f.Holder().Load().Kind("A")
		r, _ := k.Route("/", "")
		return r.Headers[0].Value.Reveal()
	}
	f.polls(2)
	f.write(t, secret, "planted-second\n")
	if got := f.polls(2); value() != "planted-second" || !strings.Contains(got, "changed=[A]") {
		t.Errorf("%s, logged %q", value(), got)
	}
	if err := os.Remove(secret); err != nil {
		t.Fatal(err)
	}
	if got := f.polls(5); value() != "planted-second" || strings.Count(got, "level=ERROR") != 1 {
		t.Errorf("%s, logged %q", value(), got)
	}
	f.write(t, secret, "planted-third\n")
	if f.polls(2); value() != "planted-third" || strings.Contains(f.log.String(), "planted") {
		t.Errorf("%s, logged %q", value(), f.log.String())
	}
}

// What was read from a pipe is not waited for.
func TestPipeIsReadOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "services.yaml")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() { _ = os.WriteFile(path, []byte(kinds("A")), 0o600) }()
	f := &file{path: path}
	var err error
	if f.Reloader, err = app.OpenServices(path, slog.New(slog.NewTextHandler(&f.log, nil))); err != nil {
		t.Fatal(err)
	}
	if got := f.polls(3); got != "" || f.offers() != "A" {
		t.Errorf("%s, logged %q", f.offers(), got)
	}
	if f.Reload(); !strings.Contains(f.log.String(), "level=WARN") {
		t.Errorf("logged %q", f.log.String())
	}
}

// Readers, polls and requests do not disturb each other (meaningful under
// -race): a reader sees one file's kinds or the other's.
func TestReloadRaces(t *testing.T) {
	f := openFile(t, kinds("A", "B"))
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 300 {
				if got := f.offers(); got != "A B" && got != "B C" {
					t.Errorf("in force: %q", got)
				}
			}
		})
	}
	wg.Go(func() {
		for range 50 {
			f.Poll()
		}
	})
	wg.Go(func() {
		for range 50 {
			f.Reload()
		}
	})
	for i := range 50 {
		// A rename, so that no reader of the file sees half of it.
		next := f.path + ".next"
		f.write(t, next, []string{kinds("A", "B"), kinds("B", "C")}[i%2])
		if err := os.Rename(next, f.path); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
}

// A running server goes on with the services it has while its file is bad; a
// kind that goes takes its routes, not its accounts: with the kind the same key
// is good again.
func TestServerKeepsAccountsOfRemovedKinds(t *testing.T) {
	asked := make(chan os.Signal)
	e := testenv.Start(t, testenv.Options{
		Upstream: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path) }),
		Services: "services:\n  - {kind: CognitiveServices, skus: [{name: S0}], routes: [{path: '/a/{x}/', rewrite: /b/, upstream: '{{upstream}}/base'}]}\n",
		Change:   func(c *app.Config) { c.Reload = asked },
	})
	good, err := os.ReadFile(e.Config.Services)
	if err != nil {
		t.Fatal(err)
	}
	key := e.Admin(t).CreateAccount(t, "team", "mine")[0]
	client := trusting(t, e.Endpoints.CAFile)
	call := func() (int, string) {
		t.Helper()
		r := request(t, http.MethodGet, e.Endpoints.Gateway+"/a/1/c", "", "")
		r.Header.Set("Ocp-Apim-Subscription-Key", key)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	for _, step := range []struct {
		name, text, body string
		status           int
	}{
		{"as it began", string(good), "/base/b/c", 200},
		{"with a bad file", "services: [\n", "/base/b/c", 200},
		{"without the kind", kinds("Other"), "is not offered by this server any more", 404},
		{"with the kind again", string(good), "/base/b/c", 200},
	} {
		if err := os.WriteFile(e.Config.Services, []byte(step.text), 0o600); err != nil {
			t.Fatal(err)
		}
		asked <- syscall.SIGHUP
		asked <- syscall.SIGHUP // received after the first has been acted on
		if status, body := call(); status != step.status || !strings.Contains(body, step.body) {
			t.Errorf("%s: %d %s, want %d %s", step.name, status, body, step.status, step.body)
		}
	}
}

// What a route says is done to a call: the account's location chooses the
// upstream, the beginning of the path is rewritten, the operator's header takes
// the place of the caller's whatever the caller says of it, and a link in the
// answer leads back through the gateway.
func TestRouteIsAppliedToCalls(t *testing.T) {
	e := testenv.Start(t, testenv.Options{
		Upstream: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Operation-Location", "http://"+r.Host+"/west/b/jobs/7?x=1")
			_, _ = fmt.Fprint(w, r.URL.RequestURI(), " ", r.Header["Authorization"], " ", r.Header["X-Team"])
		}),
		Services: `services:
  - kind: CognitiveServices
    locations: [local, West US]
    skus: [{name: S0}]
    routes:
      - path: /a/{x}/
        rewrite: /b/
        upstream: {local: "{{upstream}}/local", westus: "{{upstream}}/west"}
        upstreamHeaders: {Authorization: {value: Bearer upstream}, X-Team: {value: blue}}
`,
		Change: func(c *app.Config) { c.GatewayHTTP = "127.0.0.1:0" },
	})
	r := request(t, http.MethodGet, e.Endpoints.GatewayHTTP+"/a/1/c%2Fd?y=2", "", e.Admin(t).CreateAccount(t, "team", "mine")[0])
	r.Header.Set("X-Team", "red")
	r.Header.Set("Connection", "Authorization, X-Team")
	resp, err := trusting(t, e.Endpoints.CAFile).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if want := "/west/b/c%2Fd?y=2 [Bearer upstream] [blue]"; string(body) != want {
		t.Errorf("the upstream got %s, want %s", body, want)
	}
	if got, want := resp.Header.Get("Operation-Location"), e.Endpoints.Gateway+"/a/1/jobs/7?x=1"; got != want {
		t.Errorf("the link is %s, want %s", got, want)
	}
}

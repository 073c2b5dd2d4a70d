package cli_test

import (
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// scenario is a server and what one types there.
type scenario struct {
	name   string
	routes map[string]string // "METHOD path" -> "status body"
	typed  []string
}

// If this fails, a command sends something else than it did, or prints
// something else for the same answer. The files show each command, its
// requests, and what it printed; "go test -update" writes them anew.
func TestTranscripts(t *testing.T) {
	for _, sc := range append(append(accountScenarios(), accessScenarios()...), shortScenarios()...) {
		t.Run(sc.name, func(t *testing.T) {
			s := newServer(t)
			for route, answer := range sc.routes {
				status, body, _ := strings.Cut(strings.ReplaceAll(answer, "SERVER", s.URL), " ")
				code, err := strconv.Atoi(status)
				if err != nil {
					t.Fatal(err)
				}
				s.on(strings.ReplaceAll(route, "SUB", "/subscriptions/"+subDev), reply(code, strings.ReplaceAll(body, "SUB", "/subscriptions/"+subDev)))
			}
			u := loggedIn(t, s)
			var log strings.Builder
			for _, line := range sc.typed {
				u.stdin = strings.NewReader("pass-from-stdin\n")
				log.WriteString(u.transcript(s, strings.ReplaceAll(line, "SUB", "/subscriptions/"+subDev)))
			}
			golden(t, filepath.Join("testdata", "transcripts", sc.name+".txt"), log.String())
		})
	}
}

// transcript runs one line and shows what came of it.
func (u *user) transcript(s *server, line string) string {
	s.mu.Lock()
	before := len(s.asked)
	s.mu.Unlock()
	got := u.run(typed(line)...)
	var b strings.Builder
	b.WriteString("$ twinkey " + line + "\n")
	s.mu.Lock()
	for i, asked := range s.asked[before:] {
		if readable, err := url.QueryUnescape(asked); err == nil {
			asked = readable
		}
		b.WriteString(strings.TrimRight("> "+asked+" "+s.bodies[before+i], " ") + "\n")
	}
	s.mu.Unlock()
	b.WriteString(got.stdout)
	for _, said := range strings.SplitAfter(got.stderr, "\n") {
		if said != "" {
			b.WriteString("! " + said)
		}
	}
	if got.code != 0 {
		b.WriteString("= " + strconv.Itoa(got.code) + "\n")
	}
	return steady(s, b.String()) + "\n"
}

// steady replaces what differs from one run to the next.
func steady(s *server, text string) string {
	text = strings.NewReplacer(s.URL, "SERVER", "/subscriptions/"+subDev, "SUB", tenant, "TENANT").Replace(text)
	for _, r := range []struct{ pattern, by string }{
		{`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`, "NEW-GUID"},
		{`"password":( ?)"[A-Z2-7]{26}"`, `"password":$1"GENERATED"`},
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, "TIME"},
		{`twinkey-\d{4}(-\d\d){5}`, "twinkey-TIME"},
		{`\d+\.\d ms`, "N ms"},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.by)
	}
	return text
}

// typed splits a line into arguments; what is in single quotes is one.
func typed(line string) []string {
	var args []string
	for _, found := range regexp.MustCompile(`'([^']*)'|(\S+)`).FindAllStringSubmatch(line, -1) {
		args = append(args, found[1]+found[2])
	}
	return args
}

// golden compares text with a file.
func golden(t *testing.T, path, text string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	gotLines, wantLines := strings.Split(text, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		got, want := lineAt(gotLines, i), lineAt(wantLines, i)
		if got != want {
			t.Fatalf("%s:%d\ngot  %s\nwant %s", path, i+1, got, want)
		}
	}
}

func lineAt(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(no more lines)"
}

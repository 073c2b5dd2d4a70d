package twinkey_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What the README's commands are run with instead: addresses that are free, and
// an upstream of the test's own.
const (
	readmeServe    = "twinkey serve "
	readmeUpstream = "http://127.0.0.1:5000"
	testServe      = "exec twinkey serve --listen 127.0.0.1:0 --gateway-listen 127.0.0.1:0 --ops-listen 127.0.0.1:0 "
)

// TestMain lets this binary be the curl of a machine that has none.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "curl" {
		os.Exit(curl(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// Whoever types what the README says gets what the README says: a server, an
// account with two keys, 200 with a key and 401 without, and after a regenerate
// 401 for the old key and 200 for the other one.
func TestREADMEsFiveMinutes(t *testing.T) {
	blocks := shellBlocks(t, "README.md", "## Five minutes")
	if len(blocks) != 6 {
		t.Fatalf("found %d blocks of shell commands; this test knows what 6 do", len(blocks))
	}
	dir := t.TempDir()
	bin := install(t, dir, blocks[0])
	env := []string{"HOME=" + dir, "PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH")}

	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Ocp-Apim-Subscription-Key") != "" {
			t.Error("a key reached the service behind the gateway")
		}
		_, _ = io.WriteString(w, "from behind the gateway")
	}))
	t.Cleanup(upstream.Close)
	serve(t, dir, env, replaceOnce(t, replaceOnce(t, blocks[1], readmeUpstream, upstream.URL), readmeServe, testServe))
	out := session(t, dir, env, blocks[2:])

	first := keysIn(t, out[1])
	checkStatuses(t, "with key 1, and without a key", out[2], "200", "401")
	if got := strings.Count(out[2], "from behind the gateway"); got != 1 {
		t.Errorf("the service answered %d calls instead of 1", got)
	}
	second := keysIn(t, out[3])
	if second[0] == first[0] || second[1] != first[1] {
		t.Error("regenerating key 1 did not replace key 1 alone")
	}
	checkStatuses(t, "with the old key 1, and with key 2", out[3], "401", "200")
}

// shellBlocks returns what stands between ```sh and ``` under a heading.
func shellBlocks(t *testing.T, file, heading string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n"+heading)
	if !found {
		t.Fatalf("%s has no heading %q", file, heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var blocks []string
	for {
		_, rest, found := strings.Cut(section, "\n```sh\n")
		if !found {
			return blocks
		}
		block, after, found := strings.Cut(rest, "\n```\n")
		if !found {
			t.Fatalf("%s has a block without an end", file)
		}
		blocks, section = append(blocks, block+"\n"), "\n"+after
	}
}

// install runs the README's first block and returns where the program is.
func install(t *testing.T, dir, block string) string {
	t.Helper()
	dependOnSources(t)
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute) // everything may have to be compiled
	defer cancel()
	c := exec.CommandContext(ctx, "sh", "-ec", block)
	// Who owns the checkout is nobody's business here, so git is not asked.
	c.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS="+os.Getenv("GOFLAGS")+" -buildvcs=false")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("installing: %v\n%s", err, out)
	}
	if _, err := exec.LookPath("curl"); err != nil {
		self, err := os.Executable()
		if err == nil {
			err = os.Symlink(self, filepath.Join(bin, "curl"))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return bin
}

// dependOnSources reads every directory of the module, so that a cached result
// of this test does not outlive the sources it installs from.
func dependOnSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "bin") {
			return filepath.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// serve starts the server, waits until it says that it is ready, and ends it
// with the test.
func serve(t *testing.T, dir string, env []string, script string) {
	t.Helper()
	c := command(t, dir, env, script)
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	ready, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		said := false
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			fmt.Fprintln(&log, lines.Text())
			if !said && strings.HasPrefix(lines.Text(), "Twinkey is ready.") {
				said = true
				close(ready)
			}
		}
	}()
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		<-ended
		if err := c.Wait(); err != nil || t.Failed() {
			t.Errorf("the server ended with %v; it said\n%s", err, masked(log.String()))
		}
	})
	select {
	case <-ready:
	case <-ended:
		t.Fatal("the server ended before it was ready")
	}
}

// session types blocks into one shell and returns what each of them printed.
func session(t *testing.T, dir string, env, blocks []string) []string {
	t.Helper()
	const mark = "\n#### next block\n"
	script := strings.Join(blocks, "printf '"+strings.ReplaceAll(mark, "\n", `\n`)+"'\n")
	c := command(t, dir, env, script)
	var stdout, stderr strings.Builder
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		t.Fatalf("the session ended with %v\n%s\n%s", err, masked(stdout.String()), masked(stderr.String()))
	}
	out := strings.Split(stdout.String(), mark)
	if len(out) != len(blocks) {
		t.Fatalf("%d blocks printed %d parts", len(blocks), len(out))
	}
	return out
}

// command is a shell that ends with the first command that fails, and after two
// minutes at the latest.
func command(t *testing.T, dir string, env []string, script string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, "sh", "-ec", script)
	c.Dir, c.Env = dir, env
	c.WaitDelay = 10 * time.Second
	return c
}

func replaceOnce(t *testing.T, text, from, to string) string {
	t.Helper()
	if n := strings.Count(text, from); n != 1 {
		t.Fatalf("%q stands %d times in the block instead of once", from, n)
	}
	return strings.Replace(text, from, to, 1)
}

// keysIn reads the two keys at the beginning of what a block printed.
func keysIn(t *testing.T, out string) [2]string {
	t.Helper()
	var keys struct{ Key1, Key2 string }
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&keys); err != nil {
		t.Fatalf("reading keys: %v in\n%s", err, masked(out))
	}
	for _, key := range []string{keys.Key1, keys.Key2} {
		if !keyForm.MatchString(key) || keys.Key1 == keys.Key2 {
			t.Fatalf("these are not two keys:\n%s", masked(out))
		}
	}
	return [2]string{keys.Key1, keys.Key2}
}

func checkStatuses(t *testing.T, calls, out string, want ...string) {
	t.Helper()
	var got []string
	for _, m := range statusLine.FindAllStringSubmatch(out, -1) {
		got = append(got, m[1])
	}
	if !slices.Equal(got, want) {
		t.Errorf("calls %s were answered %v instead of %v\n%s", calls, got, want, masked(out))
	}
}

var (
	keyForm    = regexp.MustCompile(`^[0-9a-f]{32}$`)
	keyLike    = regexp.MustCompile(`[0-9a-f]{32}`)
	statusLine = regexp.MustCompile(`HTTP/[0-9.]+ ([0-9]{3})`)
)

// masked is output fit for the test's log.
func masked(out string) string { return keyLike.ReplaceAllString(out, "[key]") }

// curl does with the README's options what curl does with them.
func curl(args []string) int {
	header := http.Header{}
	f := flag.NewFlagSet("curl", flag.ContinueOnError)
	include := f.Bool("i", false, "print the answer's head")
	ca := f.String("cacert", "", "certificates to trust")
	f.Func("H", "a header", func(line string) error {
		name, value, _ := strings.Cut(line, ":")
		header.Add(name, strings.TrimSpace(value))
		return nil
	})
	if err := f.Parse(args); err != nil {
		return 2
	}
	pem, err := os.ReadFile(*ca)
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		fmt.Fprintln(os.Stderr, "curl: no certificates to trust:", err)
		return 77
	}
	req, err := http.NewRequest(http.MethodGet, f.Arg(0), nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, "curl:", err)
		return 3
	}
	req.Header = header
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	resp, err := client.Do(req)
	if err != nil {
		fmt.Fprintln(os.Stderr, "curl:", err)
		return 7
	}
	defer resp.Body.Close()
	if *include {
		fmt.Println(resp.Proto, resp.Status)
		_ = resp.Header.Write(os.Stdout)
		fmt.Println()
	}
	if _, err := io.Copy(os.Stdout, resp.Body); err != nil {
		return 18
	}
	return 0
}

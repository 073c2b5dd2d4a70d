package cli_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/twinkey/twinkey/internal/cli"
)

// childDir is set for a test process that is to be one that switches
// subscriptions until it is killed.
const childDir = "CLI_TEST_CHILD_CONFIG"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		switchForEver(dir)
	}
	os.Exit(m.Run())
}

// switchForEver sets one subscription after the other and prints a line for
// each.
func switchForEver(dir string) {
	for i := 0; ; i++ {
		code := cli.Main(context.Background(), cli.Config{
			Args: []string{"account", "set", "-s", []string{subDev, subProd}[i%2]}, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: os.Stderr,
			Getenv: func(name string) string { return map[string]string{"TWINKEY_CONFIG_DIR": dir}[name] },
		})
		fmt.Println(code)
	}
}

// If this fails, a kill -9 at the wrong moment leaves a login damaged, or a
// token behind in a file nobody cleans up.
func TestKilledCommandsDamageNothing(t *testing.T) {
	u := loggedIn(t, newServer(t))
	for round := range 12 {
		var running []*exec.Cmd
		for range 2 {
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), childDir+"="+u.dir)
			child.Stderr = os.Stderr
			out, err := child.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			running = append(running, child)
			lines := bufio.NewScanner(out)
			for range 1 + round {
				if !lines.Scan() || lines.Text() != "0" {
					t.Fatalf("a child said %q", lines.Text())
				}
			}
		}
		for _, child := range running {
			_ = child.Process.Kill()
			_ = child.Wait()
		}
		if got := u.run(command("account list --only-show-errors --query [].name -o tsv")...); got.code != 0 || got.stdout != "Twinkey Dev\nTwinkey Prod\n" {
			t.Fatalf("after round %d: %+v", round, got)
		}
	}
	if err := os.WriteFile(filepath.Join(u.dir, ".new-1"), []byte("token-1"), 0o600); err != nil { // should no kill have hit
		t.Fatal(err)
	}
	u.want(u.run("account", "set", "-s", subDev), 0, "", "") // the next command that writes cleans up
	left, err := os.ReadDir(u.dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range left {
		names = append(names, entry.Name())
	}
	if !slices.Equal(names, []string{"lock", "profile.json", "tokens.json"}) {
		t.Errorf("left behind: %v", names)
	}
}

// If this fails, of two logins at once one is lost.
func TestConcurrentLoginsAllCount(t *testing.T) {
	s := newServer(t)
	u := newUser(t, s)
	s.on("GET /subscriptions", reply(200, `{"value":[]}`))
	var group sync.WaitGroup
	for i := range 10 {
		group.Go(func() {
			var stdout, stderr strings.Builder
			cfg := u.config(&stdout, &stderr, []string{"login", "-u", fmt.Sprintf("user%d", i), "-p", "right", "--allow-no-subscriptions"})
			if code := cli.Main(t.Context(), cfg); code != 0 {
				t.Errorf("exit code %d, %s", code, stderr.String())
			}
		})
	}
	group.Wait()
	text, err := os.ReadFile(filepath.Join(u.dir, "tokens.json"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if !strings.Contains(string(text), fmt.Sprintf("\"user%d\"", i)) {
			t.Errorf("user%d is not logged in", i)
		}
	}
}

// If this fails, a damaged or newer file is overwritten or shown.
func TestFilesThatCannotBeRead(t *testing.T) {
	u := loggedIn(t, newServer(t))
	for _, name := range []string{"tokens.json", "profile.json"} {
		path := filepath.Join(u.dir, name)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for text, want := range map[string]string{
			`{"version":1,"refreshToken":"abcdef`:         "ERROR: " + path + " is damaged. Delete it and run 'twinkey login'.\n",
			`{"version":2,"servers":[],"credentials":{}}`: "ERROR: " + path + " was written by a newer twinkey (format 2); this one knows format 1.\n",
		} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, args := range []string{"account show", "account set -s x", "login -u x -p y", "logout", "account list"} {
				u.want(u.run(strings.Fields(args)...), 1, "", want)
			}
			if now, err := os.ReadFile(path); err != nil || string(now) != text {
				t.Errorf("%s became %s (%v)", text, now, err)
			}
		}
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// begun runs "twinkey demo" as a program with a place of its own for temporary
// files, and returns when it serves, with what it has printed.
func begun(t *testing.T) (program *exec.Cmd, printed, temporary string) {
	t.Helper()
	temporary = t.TempDir()
	program = exec.CommandContext(t.Context(), "twinkey", "demo")
	program.Env = append(os.Environ(), "TMPDIR="+temporary)
	program.Stderr = os.Stderr
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Process.Kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		printed += lines.Text() + "\n"
		if strings.Contains(lines.Text(), `"$TWINKEY_GATEWAY/`) { // the last line there is
			return program, printed, temporary
		}
	}
	t.Fatalf("it ended (%v) after printing\n%s", program.Wait(), printed)
	return nil, "", ""
}

func empty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v (%v)", entries, err)
	}
}

// If this fails, what the demonstration tells people to type does not work.
func TestDemoNextStepsWork(t *testing.T) {
	program, printed, temporary := begun(t)
	_, next, found := strings.Cut(printed, "\nYours now, until Ctrl-C\n")
	_, next, stood := strings.Cut(next, "go install ./cmd/twinkey\n")
	if !found || !stood {
		t.Fatalf("it printed\n%s", printed)
	}
	// The first line is for those who have not installed the program.
	first, next, _ := strings.Cut(next, "\n")
	if first != `    twinkey() { go run ./cmd/twinkey "$@"; }` {
		t.Errorf("the first line is %q", first)
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Log("there is no curl here; the last line stays untried")
		next, _, _ = strings.Cut(next, "    curl ")
	} else {
		next = strings.Replace(next, "curl ", "curl --silent --show-error --fail ", 1)
	}
	shell := exec.CommandContext(t.Context(), "sh", "-eu")
	shell.Stdin = strings.NewReader(next)
	var stdout, stderr bytes.Buffer
	shell.Stdout, shell.Stderr = &stdout, &stderr
	if err := shell.Run(); err != nil {
		t.Errorf("the next steps end with %v\n%s\n%s", err, next, stderr.String())
	}
	for text, times := range map[string]int{`"key1": "`: 2, `"environmentName": "Twinkey"`: 1} {
		if got := strings.Count(stdout.String(), text); got != times {
			t.Errorf("the next steps printed %s %d times, want %d", text, got, times)
		}
	}
	if !strings.Contains(stderr.String(), "Key 1 of myMultiCogService is at generation 3; confirmed by every gateway") {
		t.Errorf("regenerate said %s", stderr.String())
	}
	if strings.Contains(next, "curl ") && !strings.Contains(stdout.String(), `"sentiment":"positive"`) {
		t.Error("the service did not answer")
	}
	if err := program.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := program.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	empty(t, temporary)
}

// If this fails, a demonstration that is told to end fails, or leaves its store
// and its keys behind.
func TestDemoEndsWhenToldTo(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		program, _, temporary := begun(t)
		if err := program.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if err := program.Wait(); err != nil {
			t.Errorf("%v: it ended with %v", signal, err)
		}
		empty(t, temporary)
	}
}

// If this fails, Ctrl-C in the middle of the tour leaves something behind.
func TestDemoInterruptedLeavesNothing(t *testing.T) {
	for _, at := range []string{"Twinkey:", "1. ", "2. ", "3. ", "  ok no key 401", "4. ", "  ok old key 1"} {
		dir := t.TempDir()
		t.Setenv("TMPDIR", dir)
		ctx, cancel := context.WithCancel(t.Context())
		var o demoOptions
		w := &trigger{at: at, pull: cancel}
		if err := o.run(ctx, w); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted at %q it ended with %v", at, err)
		}
		if !w.pulled {
			t.Errorf("it never printed %q", at)
		}
		empty(t, dir)
	}
}

// If this fails, a reader that goes away makes the demonstration pass for a
// success, or leaves something behind.
func TestDemoWhenNobodyReads(t *testing.T) {
	dir := t.TempDir()
	program := exec.CommandContext(t.Context(), "twinkey", "demo", "--once")
	program.Env = append(os.Environ(), "TMPDIR="+dir)
	var stderr bytes.Buffer
	program.Stderr = &stderr
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	program.Stdout = w
	if err := errors.Join(r.Close(), program.Start(), w.Close()); err != nil {
		t.Fatal(err)
	}
	failed, ok := errors.AsType[*exec.ExitError](program.Wait())
	if !ok || failed.ExitCode() != 1 || !strings.HasPrefix(stderr.String(), "ERROR: printing: ") {
		t.Errorf("it ended with %v: %s", failed, stderr.String())
	}
	empty(t, dir)
}

// trigger pulls when a line that begins with at is written.
type trigger struct {
	at     string
	pull   func()
	pulled bool
}

var _ io.Writer = (*trigger)(nil)

// Write implements io.Writer.
func (w *trigger) Write(p []byte) (int, error) {
	if strings.HasPrefix(string(p), w.at) {
		w.pulled = true
		w.pull()
	}
	return len(p), nil
}

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// If this fails, colours and columns end up in files and pipes, or people who
// ask for none get them.
func TestPrinterSuitsItsReader(t *testing.T) {
	const plain = "\nTitle\n  ok done\n    a  x\n    long  y\n"
	const columns = "\nTitle\n  ok done\n    a     x\n    long  y\n"
	const colored = "\n\x1b[1mTitle\x1b[0m\n  \x1b[32mok\x1b[0m done\n    a     x\n    long  y\n"
	write := func(p *printer) {
		p.heading("Title")
		p.good("done")
		p.table([][]string{{"a", "x"}, {"long", "y"}})
	}
	for _, tt := range []struct {
		name, noColor, term string
		flag                bool
		want                string
	}{
		{"a terminal", "", "xterm", false, colored},
		{"--no-color", "", "xterm", true, columns},
		{"NO_COLOR", "1", "xterm", false, columns},
		{"a simple terminal", "", "dumb", false, columns},
	} {
		t.Setenv("NO_COLOR", tt.noColor)
		t.Setenv("TERM", tt.term)
		person, program := terminal(t)
		write(newPrinter(program, tt.flag))
		got := make([]byte, len(strings.ReplaceAll(tt.want, "\n", "\r\n")))
		if _, err := io.ReadFull(person, got); err != nil || strings.ReplaceAll(string(got), "\r\n", "\n") != tt.want {
			t.Errorf("%s: it wrote %q (%v)", tt.name, got, err)
		}
	}
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	var buffer bytes.Buffer
	write(newPrinter(&buffer, false))
	if buffer.String() != plain {
		t.Errorf("into a pipe it wrote %q", buffer.String())
	}
}

// If this fails, what could not be printed goes unnoticed.
func TestPrinterKeepsTheFirstError(t *testing.T) {
	r, w := io.Pipe()
	r.CloseWithError(fmt.Errorf("nobody reads"))
	p := newPrinter(w, false)
	p.say("a")
	p.say("b")
	if p.err == nil || p.err.Error() != "nobody reads" {
		t.Errorf("the error is %v", p.err)
	}
}

// terminal opens both ends of a pseudo-terminal.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { _ = person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return person, program
}

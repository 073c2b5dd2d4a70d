package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	twinkey "github.com/twinkey/twinkey"

	"golang.org/x/term"
)

// lineReader reads standard input line by line.
type lineReader struct{ in *bufio.Reader }

// terminal returns standard input's file descriptor if a person sits behind it.
func (s *session) terminal() (fd int, ok bool) {
	file, isFile := s.cfg.Stdin.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		return 0, false
	}
	return int(file.Fd()), true
}

// ask prints a prompt, to standard error, and reads one line.
func (s *session) ask(ctx context.Context, prompt string) (string, error) {
	_, _ = fmt.Fprint(s.cfg.Stderr, prompt)
	return s.readLine(ctx)
}

// askSecret reads one line without echo; from a pipe, as any other line.
func (s *session) askSecret(ctx context.Context, prompt string) (twinkey.Secret, error) {
	fd, ok := s.terminal()
	if !ok {
		line, err := s.ask(ctx, prompt)
		return twinkey.NewSecret(line), err
	}
	_, _ = fmt.Fprint(s.cfg.Stderr, prompt)
	before, err := term.GetState(fd)
	if err != nil {
		return twinkey.Secret{}, fmt.Errorf("reading the terminal: %w", err)
	}
	line, err := interruptible(ctx, func() (string, error) {
		text, err := term.ReadPassword(fd)
		return string(text), err
	})
	if err != nil {
		_ = term.Restore(fd, before) // the echo must come back after Ctrl-C
	}
	_, _ = fmt.Fprintln(s.cfg.Stderr)
	return twinkey.NewSecret(line), err
}

func (s *session) readLine(ctx context.Context) (string, error) {
	if s.lines == nil {
		s.lines = &lineReader{in: bufio.NewReader(s.cfg.Stdin)}
	}
	return interruptible(ctx, s.lines.next)
}

func (l *lineReader) next() (string, error) {
	line, err := l.in.ReadString('\n')
	if errors.Is(err, io.EOF) && line != "" {
		err = nil
	}
	if errors.Is(err, io.EOF) {
		err = twinkey.Errorf(twinkey.Invalid, "standard input ended where a line was expected")
	}
	return strings.TrimRight(line, "\r\n"), err
}

// interruptible runs read, which knows no context, until ctx ends. What is left
// running then ends with the process.
func interruptible(ctx context.Context, read func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := read()
		done <- result{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-done:
		return r.text, r.err
	}
}

// confirm asks whether to go on, unless yes was said before.
func (s *session) confirm(ctx context.Context, yes bool) error {
	if yes {
		return nil
	}
	if _, ok := s.terminal(); !ok {
		return twinkey.Errorf(twinkey.Invalid, "Unable to prompt for confirmation as no tty available. Use --yes.")
	}
	for {
		answer, err := s.ask(ctx, "Are you sure you want to perform this operation? (y/n): ")
		if err != nil {
			return err
		}
		switch strings.ToLower(strings.TrimSpace(answer)) {
		case "y", "yes":
			return nil
		case "n", "no":
			return twinkey.Errorf(twinkey.Invalid, "Operation cancelled.")
		}
	}
}

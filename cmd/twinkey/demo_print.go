package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// printer writes the tour: with colours and columns for a person at a terminal,
// plain for a pipe. After the first error it writes nothing more.
type printer struct {
	w       io.Writer
	aligned bool
	color   bool
	err     error
}

// newPrinter finds out what w is. NO_COLOR is a convention (no-color.org).
func newPrinter(w io.Writer, noColor bool) *printer {
	f, ok := w.(*os.File)
	terminal := ok && term.IsTerminal(int(f.Fd()))
	return &printer{w: w, aligned: terminal, color: terminal && !noColor && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// The styles, as ANSI's "select graphic rendition" (ECMA-48, 8.3.117).
const (
	bold  = "1"
	faint = "2"
	green = "32"
	blue  = "34"
)

func (p *printer) heading(format string, args ...any) {
	p.line("")
	p.line(p.styled(bold, fmt.Sprintf(format, args...)))
}

// say is a remark.
func (p *printer) say(format string, args ...any) { p.line("  " + fmt.Sprintf(format, args...)) }

// sent and got are the two halves of an exchange.
func (p *printer) sent(format string, args ...any) {
	p.line("  " + p.styled(blue, ">") + " " + fmt.Sprintf(format, args...))
}

func (p *printer) got(format string, args ...any) {
	p.line("  " + p.styled(blue, "<") + " " + fmt.Sprintf(format, args...))
}

// good is a finding that has been checked.
func (p *printer) good(format string, args ...any) {
	p.line("  " + p.styled(green, "ok") + " " + fmt.Sprintf(format, args...))
}

// table has its first columns aligned at a terminal; the last may be of any
// width.
func (p *printer) table(rows [][]string) {
	widths := map[int]int{}
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString("  ")
				if p.aligned {
					b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)))
				}
			}
		}
		p.line("    " + b.String())
	}
}

// code is for a shell.
func (p *printer) code(lines ...string) {
	for _, line := range lines {
		p.line("    " + p.styled(faint, line))
	}
}

func (p *printer) styled(style, text string) string {
	if !p.color {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

func (p *printer) line(text string) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w, text)
	}
}

package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"
)

// colors are what surrounds the parts of a JSON text; the zero value colors
// nothing.
type colors struct{ key, text, other, end string }

// colors returns some if standard output is a terminal.
func (s *session) colors() colors {
	file, ok := s.cfg.Stdout.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return colors{}
	}
	return colors{key: "\x1b[94m", text: "\x1b[33m", other: "\x1b[36m", end: "\x1b[0m"}
}

// formatJSON writes v as the Azure CLI does: keys sorted, two spaces a level,
// nothing escaped that need not be. encoding/json would escape U+2028 and
// U+2029.
func formatJSON(v any, c colors) string {
	var b strings.Builder
	writeJSON(&b, v, c, "\n")
	b.WriteByte('\n')
	return b.String()
}

// writeJSON writes v; newline is the line feed and the indentation around it.
func writeJSON(b *strings.Builder, v any, c colors, newline string) {
	switch v := v.(type) {
	case map[string]any:
		separator := "{"
		for _, key := range slices.Sorted(maps.Keys(v)) {
			b.WriteString(separator + newline + "  " + c.key + quoteJSON(key) + endOf(c.key, c) + ": ")
			writeJSON(b, v[key], c, newline+"  ")
			separator = ","
		}
		closeJSON(b, separator, "{", "}", newline)
	case []any:
		separator := "["
		for _, element := range v {
			b.WriteString(separator + newline + "  ")
			writeJSON(b, element, c, newline+"  ")
			separator = ","
		}
		closeJSON(b, separator, "[", "]", newline)
	case string:
		b.WriteString(c.text + quoteJSON(v) + endOf(c.text, c))
	default:
		b.WriteString(c.other + scalarJSON(v) + endOf(c.other, c))
	}
}

func closeJSON(b *strings.Builder, separator, open, end, newline string) {
	if separator == open {
		b.WriteString(open + end)
		return
	}
	b.WriteString(newline + end)
}

func endOf(color string, c colors) string {
	if color == "" {
		return ""
	}
	return c.end
}

func scalarJSON(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case json.Number:
		return v.String()
	}
	return fmt.Sprint(v)
}

func quoteJSON(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\b':
			b.WriteString(`\b`)
		case r == '\f':
			b.WriteString(`\f`)
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

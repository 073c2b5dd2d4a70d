package cli

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// formatTable writes a heading, dashes, and one line an element; columns are two
// spaces apart and no line ends in spaces. Of an object it leaves out nested
// values, nulls, and what is too long to read in a table: id, type, etag and
// what the directory says about its answer.
// When nothing is left it is an empty line.
func formatTable(v any, keys func(map[string]any) []string) string {
	rows, ok := v.([]any)
	if !ok {
		rows = []any{v}
	}
	var t table
	for _, row := range rows {
		t.add(row, keys)
	}
	if len(t.columns) == 0 {
		return "\n"
	}
	return t.String()
}

// table collects rows; a column appears with the first row that has it.
type table struct {
	columns []string
	rows    []map[string]string
}

func (t *table) add(row any, keys func(map[string]any) []string) {
	cells := map[string]string{}
	put := func(column string, v any) {
		if !slices.Contains(t.columns, column) {
			t.columns = append(t.columns, column)
		}
		if v != nil {
			cells[column] = strings.TrimSpace(cell(v))
		}
	}
	switch row := row.(type) {
	case map[string]any:
		for _, key := range keys(row) {
			if shown(key, row[key]) {
				put(capitalized(key), row[key])
			}
		}
	case []any:
		for i, v := range row {
			put(fmt.Sprintf("Column%d", i+1), v)
		}
	default:
		put("Result", row)
	}
	t.rows = append(t.rows, cells)
}

func shown(key string, v any) bool {
	switch v.(type) {
	case nil, []any, map[string]any:
		return false
	}
	return key != "id" && key != "type" && key != "etag" && !strings.HasPrefix(key, "@odata.")
}

func capitalized(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

// String draws the table. A column is two wider than its heading or as wide as
// its widest value.
func (t *table) String() string {
	var heading, dashes []string
	widths := make([]int, len(t.columns))
	for i, column := range t.columns {
		widths[i] = utf8.RuneCountInString(column) + 2
		for _, row := range t.rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[column]))
		}
		heading = append(heading, column)
		dashes = append(dashes, strings.Repeat("-", widths[i]))
	}
	var b strings.Builder
	line := func(cells []string) {
		var l strings.Builder
		for i, c := range cells {
			l.WriteString(c + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c)+2))
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	line(heading)
	line(dashes)
	for _, row := range t.rows {
		var cells []string
		for _, column := range t.columns {
			cells = append(cells, row[column])
		}
		line(cells)
	}
	return b.String()
}

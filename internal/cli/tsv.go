package cli

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// formatTSV writes one line an element, values separated by tabs: nothing is
// quoted, a nested list is its length, a nested object is empty.
func formatTSV(v any, keys func(map[string]any) []string) string {
	rows, ok := v.([]any)
	if !ok {
		rows = []any{v}
	}
	var b strings.Builder
	for _, row := range rows {
		switch row := row.(type) {
		case map[string]any:
			for i, key := range keys(row) {
				writeCell(&b, i, row[key])
			}
		case []any:
			for i, value := range row {
				writeCell(&b, i, value)
			}
		case bool:
			b.WriteString(strconv.FormatBool(row))
		default:
			writeCell(&b, 0, row)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func writeCell(b *strings.Builder, column int, v any) {
	if column > 0 {
		b.WriteByte('\t')
	}
	switch v := v.(type) {
	case []any:
		b.WriteString(strconv.Itoa(len(v)))
	case map[string]any:
	default:
		b.WriteString(cell(v))
	}
}

// cell is a value as the Azure CLI's language prints it; scripts compare with
// "None" and "True".
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case string:
		return v
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

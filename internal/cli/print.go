package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"syscall"
)

// print writes a result in the form that --output asks for. nil prints nothing.
// Results are what JSON decodes to: map[string]any, []any, string, json.Number,
// bool, nil.
func (s *session) print(result any, v view, q *query) error {
	result, err := generic(result)
	if err != nil {
		return err
	}
	result = v.complete(result)
	queried := q != nil
	if queried {
		if result, err = q.search(result); err != nil {
			return err
		}
	}
	if result == nil {
		return nil
	}
	order := q.keys
	switch s.global.output.value {
	case "none":
		return nil
	case "tsv":
		return s.write(formatTSV(result, order))
	case "yaml", "yamlc":
		text, err := formatYAML(result)
		if err != nil {
			return err
		}
		return s.write(text)
	case "table":
		if !queried {
			result, order = v.tabulate(result, order)
		}
		return s.write(formatTable(result, order))
	case "jsonc":
		return s.write(formatJSON(result, s.colors()))
	}
	return s.write(formatJSON(result, colors{}))
}

// write puts the whole result out in one piece.
func (s *session) write(text string) error {
	_, err := io.WriteString(s.cfg.Stdout, text)
	if errors.Is(err, syscall.EPIPE) {
		return errNobodyReads
	}
	if err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// errNobodyReads ends a command quietly: whoever read its output has seen
// enough.
var errNobodyReads = errors.New("nobody reads the result")

// generic turns v into what JSON decodes to.
func generic(v any) (any, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding the result: %w", err)
	}
	var out any
	if err := decodeInto(text, &out); err != nil {
		return nil, err
	}
	return out, nil
}

// decodeInto decodes one JSON value and keeps numbers as they are written.
func decodeInto(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}

package cli

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	twinkey "github.com/twinkey/twinkey"

	"github.com/jmespath/go-jmespath"
)

// query is a compiled --query.
type query struct {
	expression *jmespath.JMESPath
	rank       map[string]int
}

// compileQuery returns nil for no query.
func compileQuery(text string) (q *query, err error) {
	if text == "" {
		return nil, nil
	}
	defer rescue(&err, "Invalid jmespath query supplied for `--query`")
	expression, err := jmespath.Compile(text)
	if err != nil {
		return nil, twinkey.Errorf(twinkey.Invalid, "Invalid jmespath query supplied for `--query`: %s", firstLine(err.Error()))
	}
	return &query{expression: expression, rank: hashOrder(text)}, nil
}

func (q *query) search(data any) (result any, err error) {
	defer rescue(&err, "The query cannot be applied to the result")
	written := map[float64]json.Number{}
	found, err := q.expression.Search(floats(data, written))
	if err != nil {
		return nil, twinkey.Errorf(twinkey.Invalid, "The query cannot be applied to the result: %s", firstLine(err.Error()))
	}
	return numbers(found, written), nil
}

// rescue turns a panic of the JMESPath library, which some odd expressions
// provoke, into an error.
func rescue(err *error, text string) {
	if r := recover(); r != nil {
		*err = twinkey.Errorf(twinkey.Invalid, "%s", text)
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// keys lists the keys of m in the order in which columns are printed: as the
// query writes them if it makes the object, and else sorted. It works without a
// query, too.
func (q *query) keys(m map[string]any) []string {
	sorted := slices.Sorted(maps.Keys(m))
	if q == nil {
		return sorted
	}
	for _, key := range sorted {
		if _, ok := q.rank[key]; !ok {
			return sorted
		}
	}
	slices.SortStableFunc(sorted, func(a, b string) int { return q.rank[a] - q.rank[b] })
	return sorted
}

// hashOrder ranks the keys of the multi-select hashes ({Name: name, ...}) of an
// expression by their place in it. The library returns such an object as a map,
// which has lost the order that people choose for columns. A key is a name or a
// quoted name before a colon; nothing else in JMESPath is.
func hashOrder(expression string) map[string]int {
	rank := map[string]int{}
	for i := 0; i < len(expression); {
		start := i
		word := ""
		switch c := expression[i]; {
		case c == '\'' || c == '`' || c == '"':
			i = skipQuoted(expression, i)
			if c == '"' && json.Unmarshal([]byte(expression[start:i]), &word) != nil {
				word = ""
			}
		case isWord(c):
			for i < len(expression) && isWord(expression[i]) {
				i++
			}
			word = expression[start:i]
		default:
			i++
		}
		rest := strings.TrimLeft(expression[i:], " \t\r\n")
		if _, seen := rank[word]; word != "" && !seen && strings.HasPrefix(rest, ":") {
			rank[word] = len(rank)
		}
	}
	return rank
}

// skipQuoted returns the place behind the quoted text that starts at i.
func skipQuoted(s string, i int) int {
	quote := s[i]
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case quote:
			return i + 1
		}
	}
	return len(s)
}

func isWord(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// floats turns numbers into the type that the library compares, and notes how
// each was written: 5000.0 is to be printed as that.
func floats(v any, written map[float64]json.Number) any {
	switch v := v.(type) {
	case json.Number:
		f, _ := v.Float64()
		written[f] = v
		return f
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = floats(v[i], written)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key := range v {
			out[key] = floats(v[key], written)
		}
		return out
	}
	return v
}

// numbers turns them back.
func numbers(v any, written map[float64]json.Number) any {
	switch v := v.(type) {
	case float64:
		if text, ok := written[v]; ok {
			return text
		}
		return json.Number(strconv.FormatFloat(v, 'f', -1, 64))
	case []any:
		for i := range v {
			v[i] = numbers(v[i], written)
		}
	case map[string]any:
		for key := range v {
			v[key] = numbers(v[key], written)
		}
	}
	return v
}

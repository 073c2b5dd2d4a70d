package catalog

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/twinkey/twinkey"
)

// yamlLine picks the line out of the YAML library's syntax errors.
var yamlLine = expression(`^(?:yaml: )?(?:line (\d+): )?`)

// document parses data as one YAML document without anchors and aliases, which
// make a small file stand for a large one. It returns nil after a problem, and
// for an empty file.
func (r *report) document(data []byte) *yaml.Node {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var root, more yaml.Node
	if err := decoder.Decode(&root); err != nil {
		if !errors.Is(err, io.EOF) {
			r.syntax(err)
		}
		return nil
	}
	switch err := decoder.Decode(&more); {
	case err == nil:
		r.addf(more.Line, "a second document begins here; the file must be one document")
		return nil
	case !errors.Is(err, io.EOF):
		r.syntax(err)
		return nil
	}
	if n := anchored(&root); n != nil {
		r.addf(n.Line, "anchors (&) and aliases (*) are not allowed")
		return nil
	}
	return root.Content[0]
}

func (r *report) syntax(err error) {
	found := yamlLine().FindStringSubmatch(err.Error())
	line, _ := strconv.Atoi(found[1]) // none: the file as a whole
	r.addf(line, "not YAML: %s", twinkey.Printable(strings.TrimPrefix(err.Error(), found[0]), 200))
}

// anchored finds a node with an anchor; without one there is no alias either.
func anchored(n *yaml.Node) *yaml.Node {
	if n.Anchor != "" {
		return n
	}
	for _, child := range n.Content {
		if found := anchored(child); found != nil {
			return found
		}
	}
	return nil
}

// field is a value of a mapping; a missing one has no node and the line of the
// mapping.
type field struct {
	node *yaml.Node
	line int
}

// fields reads a mapping that may have the given keys and no others. It
// reports what is not one and returns nil.
func (r *report) fields(n *yaml.Node, what string, allowed ...string) map[string]field {
	if n.Kind != yaml.MappingNode {
		r.addf(n.Line, "%s must be a mapping with %s", what, strings.Join(allowed, ", "))
		return nil
	}
	out := make(map[string]field, len(allowed))
	for _, name := range allowed {
		out[name] = field{line: n.Line}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		before, known := out[key.Value]
		switch {
		case !known || key.Kind != yaml.ScalarNode:
			r.addf(key.Line, "%s has no field %q; it may have %s", what, twinkey.Printable(key.Value, 40), strings.Join(allowed, ", "))
		case before.node != nil:
			r.addf(key.Line, "%s has %s twice", what, key.Value)
		default:
			out[key.Value] = field{node: value, line: value.Line}
		}
	}
	return out
}

// list reads a sequence with at least one entry; a missing one is empty.
func (r *report) list(f field, what string) []*yaml.Node {
	switch {
	case f.node == nil:
		return nil
	case f.node.Kind != yaml.SequenceNode:
		r.addf(f.line, "%s must be a list", what)
	case len(f.node.Content) == 0:
		r.addf(f.line, "%s lists nothing", what)
	}
	if f.node.Kind != yaml.SequenceNode {
		return nil
	}
	return f.node.Content
}

// text reads a string; it reports what is not one and returns false.
func (r *report) text(n *yaml.Node, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		r.addf(n.Line, "%s must be text; put it in quotes if it looks like a number", what)
		return "", false
	}
	return n.Value, true
}

// required reads a string that may not be missing.
func (r *report) required(f field, what string) (string, bool) {
	if f.node == nil {
		r.addf(f.line, "%s is missing", what)
		return "", false
	}
	return r.text(f.node, what)
}

// pair is a key of a mapping and its value.
type pair struct {
	name  string
	line  int
	value *yaml.Node
}

// pairs reads a mapping with keys of the operator's choice, at least one.
func (r *report) pairs(n *yaml.Node, what string) []pair {
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		r.addf(n.Line, "%s must be a mapping with at least one entry", what)
		return nil
	}
	var out []pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		if name, ok := r.text(n.Content[i], "a name in "+what); ok {
			out = append(out, pair{name, n.Content[i].Line, n.Content[i+1]})
		}
	}
	return out
}

// duration reads a length of time from one millisecond to a day.
func (r *report) duration(f field, what string) time.Duration {
	if f.node == nil {
		return 0
	}
	d, err := time.ParseDuration(f.node.Value)
	if err != nil || f.node.Kind != yaml.ScalarNode || d < time.Millisecond || d > 24*time.Hour {
		r.addf(f.line, "%s must be a time from 1ms to 24h, such as 30s", what)
		return 0
	}
	return d
}

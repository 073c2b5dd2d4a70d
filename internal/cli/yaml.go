package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// formatYAML writes v in block style, keys sorted, as YAML 1.1 readers and the
// Azure CLI's users expect it: a text that would read as something else is in
// single quotes.
func formatYAML(v any) (string, error) {
	var b strings.Builder
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	e.CompactSeqIndent()
	node := yamlNode(v)
	if err := e.Encode(node); err != nil {
		return "", fmt.Errorf("encoding the result: %w", err)
	}
	if err := e.Close(); err != nil {
		return "", fmt.Errorf("encoding the result: %w", err)
	}
	text := b.String()
	if node.Kind == yaml.ScalarNode && !strings.HasPrefix(text, "'") && !strings.HasPrefix(text, `"`) {
		text += "...\n" // a bare value is a document that must say where it ends
	}
	return text, nil
}

func yamlNode(v any) *yaml.Node {
	switch v := v.(type) {
	case map[string]any:
		n := &yaml.Node{Kind: yaml.MappingNode}
		if len(v) == 0 {
			n.Style = yaml.FlowStyle
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			n.Content = append(n.Content, yamlText(key), yamlNode(v[key]))
		}
		return n
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		if len(v) == 0 {
			n.Style = yaml.FlowStyle
		}
		for _, element := range v {
			n.Content = append(n.Content, yamlNode(element))
		}
		return n
	case nil:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(v)}
	case json.Number:
		tag := "!!int"
		if strings.ContainsAny(v.String(), ".eE") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: v.String()}
	}
	return yamlText(fmt.Sprint(v))
}

func yamlText(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if ambiguous(s) {
		n.Style = yaml.SingleQuotedStyle
	}
	return n
}

// ambiguous reports whether s, unquoted, could be read as something else.
func ambiguous(s string) bool {
	if strings.ContainsRune(s, '\n') || strings.Contains(s, ":") && strings.Trim(s, "0123456789:._+-") == "" {
		return true // more than one line, or a number to the base 60
	}
	switch strings.ToLower(s) {
	case "", "~", "null", "yes", "no", "on", "off", "true", "false", "=", "<<":
		return true
	}
	bare := yaml.Node{Kind: yaml.ScalarNode, Value: s}
	return bare.ShortTag() != "!!str"
}

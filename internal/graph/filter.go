package graph

import (
	"slices"
	"strings"

	"github.com/twinkey/twinkey"
)

// condition is one part of a $filter.
type condition struct {
	property string // folded
	operator operator
	value    string
}

// operator is how a condition compares.
type operator uint8

const (
	equals     operator = iota + 1 // property eq 'value'
	startsWith                     // startswith(property,'value')
	contains                       // property/any(x:x eq 'value')
)

// holds reports whether values, those of the property, satisfy the condition.
// Graph compares without case.
func (c condition) holds(values []string) bool {
	return slices.ContainsFunc(values, func(v string) bool {
		if c.operator == startsWith {
			return strings.HasPrefix(twinkey.Fold(v), twinkey.Fold(c.value))
		}
		return twinkey.Fold(v) == twinkey.Fold(c.value)
	})
}

// parseFilter reads conditions joined by "and" (Microsoft Graph, "Use the
// $filter query parameter"). Everything else is refused: a filter that is passed
// over would show what was not asked for.
func parseFilter(text string) ([]condition, error) {
	var conditions []condition
	p := &parser{rest: strings.TrimSpace(text)}
	for p.rest != "" {
		c, ok := p.condition()
		if !ok || !p.next() {
			return nil, withCode("Request_UnsupportedQuery", twinkey.Errorf(twinkey.Invalid,
				"Unsupported or invalid query filter clause specified: '%s'. Supported: property eq 'value', startswith(property,'value') and property/any(x:x eq 'value'), joined by and.", twinkey.Printable(text, 120)))
		}
		conditions = append(conditions, c)
	}
	return conditions, nil
}

// parser takes a filter apart from the left.
type parser struct{ rest string }

// condition reads one condition in any of its three forms.
func (p *parser) condition() (condition, bool) {
	name := p.word()
	switch {
	case name == "":
		return condition{}, false
	case strings.EqualFold(name, "startswith"):
		if !p.take("(") {
			return condition{}, false
		}
		c := condition{property: twinkey.Fold(p.word()), operator: startsWith}
		ok := c.property != "" && p.take(",")
		c.value, ok = p.literal(ok)
		return c, ok && p.take(")")
	case p.take("/any("):
		variable := p.word()
		ok := variable != "" && p.take(":") && p.word() == variable && strings.EqualFold(p.word(), "eq")
		c := condition{property: twinkey.Fold(name), operator: contains}
		c.value, ok = p.literal(ok)
		return c, ok && p.take(")")
	}
	c := condition{property: twinkey.Fold(name), operator: equals}
	ok := strings.EqualFold(p.word(), "eq")
	c.value, ok = p.literal(ok)
	return c, ok
}

// next takes an "and", which something must follow, or finds the end.
func (p *parser) next() bool {
	if p.rest == "" {
		return true
	}
	return strings.EqualFold(p.word(), "and") && p.rest != ""
}

// word takes letters and digits.
func (p *parser) word() string {
	end := 0
	for end < len(p.rest) {
		c := p.rest[end]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_') {
			break
		}
		end++
	}
	word := p.rest[:end]
	p.rest = strings.TrimSpace(p.rest[end:])
	return word
}

func (p *parser) take(text string) bool {
	rest, ok := strings.CutPrefix(p.rest, text)
	if ok {
		p.rest = strings.TrimSpace(rest)
	}
	return ok
}

// literal takes a quoted text, in which a quotation mark is doubled (OData 4.01,
// "Primitive Literals"), if all went well so far.
func (p *parser) literal(ok bool) (string, bool) {
	if !ok || !strings.HasPrefix(p.rest, "'") {
		return "", false
	}
	s, value := p.rest[1:], ""
	for {
		part, after, closed := strings.Cut(s, "'")
		value += part
		if !closed {
			return "", false
		}
		if !strings.HasPrefix(after, "'") {
			p.rest = strings.TrimSpace(after)
			return value, true
		}
		value += "'"
		s = after[1:]
	}
}

package authorization

import "strings"

// term is one part of a $filter: a comparison "name eq 'value'" or a call
// "name()" or "name('value')".
type term struct {
	name  string // "atScope()", or "roleName eq"
	value string // of the literal, "" if there is none
}

// is compares the form of a term that has a value, without case.
func (t term) is(form string) bool { return strings.EqualFold(t.name, form) && t.value != "" }

// calls compares the form of a term that has none.
func (t term) calls(form string) bool { return strings.EqualFold(t.name, form) && t.value == "" }

// parseFilter takes a filter apart at each "and"; an empty filter has no terms.
// A quotation mark inside a literal is doubled (OData 4.01, "Primitive
// Literals").
func parseFilter(filter string) ([]term, bool) {
	var terms []term
	for rest := strings.TrimSpace(filter); rest != ""; {
		end := strings.IndexAny(rest, "( ")
		if end <= 0 {
			return nil, false
		}
		t := term{name: rest[:end]}
		call := rest[end] == '('
		rest = strings.TrimSpace(rest[end+1:])
		if !call {
			operator, after, _ := strings.Cut(rest, " ")
			t.name, rest = t.name+" "+operator, strings.TrimSpace(after)
		} else {
			t.name += "()"
		}
		if strings.HasPrefix(rest, "'") {
			var ok bool
			if t.value, rest, ok = literal(rest[1:]); !ok || t.value == "" {
				return nil, false
			}
		} else if !call {
			return nil, false
		}
		if call {
			after, closed := strings.CutPrefix(strings.TrimSpace(rest), ")")
			if !closed {
				return nil, false
			}
			rest = after
		}
		terms = append(terms, t)
		var ok bool
		if rest, ok = conjunction(rest); !ok {
			return nil, false
		}
	}
	return terms, true
}

// literal reads a quoted text whose opening mark has been taken.
func literal(s string) (value, rest string, ok bool) {
	for {
		part, after, closed := strings.Cut(s, "'")
		value += part
		if !closed {
			return "", "", false
		}
		if !strings.HasPrefix(after, "'") {
			return value, after, true
		}
		value += "'"
		s = after[1:]
	}
}

// conjunction takes an "and" off what follows a term. Nothing may follow, but
// after an "and" something must.
func conjunction(s string) (string, bool) {
	trimmed := strings.TrimSpace(s)
	if trimmed == "" {
		return "", true
	}
	word, rest, _ := strings.Cut(trimmed, " ")
	rest = strings.TrimSpace(rest)
	return rest, trimmed != s && strings.EqualFold(word, "and") && rest != ""
}

package textanalytics

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// counter measures text in the unit a caller's strings are indexed by. The
// measure of two texts joined is the sum of theirs.
type counter func(string) int

// counterFor finds the unit for the parameter stringIndexType, which clients
// send according to their language (Text Analytics v3.1, "StringIndexType").
func counterFor(name string) (counter, bool) {
	switch strings.ToLower(name) {
	case "", "textelement_v8", "textelements_v8":
		return textElements, true
	case "unicodecodepoint":
		return utf8.RuneCountInString, true
	case "utf16codeunit":
		return utf16Units, true
	}
	return nil, false
}

// textElements counts characters as a reader does, a letter together with its
// combining marks and variation selectors.
func textElements(s string) int {
	n := 0
	for _, r := range s {
		if !unicode.IsMark(r) {
			n++
		}
	}
	return n
}

func utf16Units(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

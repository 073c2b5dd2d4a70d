package textanalytics

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// span is a range of bytes.
type span struct{ start, end int }

const (
	stops     = ".!?…"
	wideStops = "。！？｡" // these end a sentence without a space behind them
	closers   = `"')]}»”’」』）`
	lineEnds  = "\n\r\v\f\u0085\u2028\u2029"
)

// sentences cuts text behind its sentence ends and at line breaks. The spans
// come in order, are not blank, and have no space at either end.
func sentences(text string) []span {
	var out []span
	start := 0
	cut := func(end int) {
		piece := text[start:end]
		trimmed := strings.TrimLeftFunc(piece, unicode.IsSpace)
		from := start + len(piece) - len(trimmed)
		trimmed = strings.TrimRightFunc(trimmed, unicode.IsSpace)
		if trimmed != "" {
			out = append(out, span{start: from, end: from + len(trimmed)})
		}
		start = end
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		first := i
		i += n
		switch {
		case strings.ContainsRune(lineEnds, r):
			cut(i)
		case strings.ContainsRune(stops+wideStops, r):
			i = len(text) - len(strings.TrimLeft(text[i:], stops+wideStops+closers))
			lone := r == '.' && i == first+n
			if strings.ContainsRune(wideStops, r) || endsSentence(text[start:first], text[i:], lone) {
				cut(i)
			}
		}
	}
	cut(len(text))
	return out
}

// endsSentence tells a full stop from the dot of "3.5", of an initial and, when
// the dot is alone, of an abbreviation that the sentence goes on behind.
func endsSentence(before, after string, lone bool) bool {
	next, _ := utf8.DecodeRuneInString(after)
	if after == "" {
		return true
	}
	if !unicode.IsSpace(next) {
		return false
	}
	if !lone {
		return true
	}
	next, _ = utf8.DecodeRuneInString(strings.TrimLeftFunc(after, unicode.IsSpace))
	word := before[strings.LastIndexFunc(before, unicode.IsSpace)+1:]
	initial, n := utf8.DecodeRuneInString(word)
	return !unicode.IsLower(next) && !(n == len(word) && unicode.IsUpper(initial))
}

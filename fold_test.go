package twinkey_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/twinkey/twinkey"
)

// Fold makes the store's keys. Were two casings of a name folded differently,
// one name would be two resources.
func FuzzFold(f *testing.F) {
	for _, seed := range []string{"", "Grp-1", "Straße", "ΣΊΣΥΦΟΣ", "ſK", "\xff\xfe", "İı"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		folded := twinkey.Fold(s)
		if again := twinkey.Fold(folded); again != folded {
			t.Errorf("%q folds to %q and then to %q", s, folded, again)
		}
		if !utf8.ValidString(s) {
			return
		}
		for _, casing := range []func(string) string{strings.ToUpper, strings.ToLower, strings.ToTitle, swapped} {
			if other := casing(s); strings.EqualFold(other, s) && twinkey.Fold(other) != folded {
				t.Errorf("%q folds to %q, and %q to %q", s, folded, other, twinkey.Fold(other))
			}
		}
		if isASCII(s) && folded != strings.ToLower(s) {
			t.Errorf("%q folds to %q", s, folded)
		}
	})
}

// Every character folds to what all its casings fold to, and to itself again:
// what the fuzzer samples, exhaustively for single characters.
func TestFoldOfEveryCharacter(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		folded := twinkey.Fold(string(r))
		if again := twinkey.Fold(folded); again != folded {
			t.Errorf("%U folds to %q and then to %q", r, folded, again)
		}
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			if twinkey.Fold(string(other)) != folded {
				t.Errorf("%U folds to %q, and its casing %U to %q", r, folded, other, twinkey.Fold(string(other)))
			}
		}
		if !strings.EqualFold(string(r), folded) {
			t.Errorf("%U folds to %q, which is no casing of it", r, folded)
		}
	}
}

// swapped exchanges upper and lower case, character by character.
func swapped(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

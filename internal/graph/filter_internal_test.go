package graph

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// A value comes out of a filter as it went in, whatever it is made of: what a
// caller looks for by name can neither break out of the quotation marks nor
// become another condition.
func FuzzFilterValue(f *testing.F) {
	for _, seed := range []string{"x", "it's", "' or id eq '", "a and b", "''", "(", "\\'", "ü", " x "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if !utf8.ValidString(value) {
			t.Skip()
		}
		quoted := "'" + strings.ReplaceAll(value, "'", "''") + "'"
		for text, want := range map[string]operator{
			"displayName eq " + quoted:                         equals,
			"startswith(displayName," + quoted + ")":           startsWith,
			"servicePrincipalNames/any(c:c eq " + quoted + ")": contains,
		} {
			got, err := parseFilter(text + " and id eq 'last'")
			if err != nil || len(got) != 2 || got[0].operator != want || got[0].value != value || got[1] != (condition{"id", equals, "last"}) {
				t.Errorf("%s and id eq 'last' is read as %+v, %v", text, got, err)
			}
		}
	})
}

// No filter makes the parser hang or panic, and none is read in part: what it
// understands ends where the text ends.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{"", "displayName eq 'x'", "startswith(a,'b') and c/any(x:x eq 'y')", "a eq 'b' or c eq 'd'", "a eq 'b' and", "''''"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseFilter(text)
		if err != nil {
			return
		}
		if again, err := parseFilter(text + " and id eq 'x'"); strings.TrimSpace(text) != "" && (err != nil || len(again) != len(got)+1) {
			t.Errorf("%q is %+v, and with another condition %+v, %v", text, got, again, err)
		}
		if _, err := parseFilter(text + ")"); strings.TrimSpace(text) != "" && err == nil {
			t.Errorf("%q is read without its end", text+")")
		}
	})
}

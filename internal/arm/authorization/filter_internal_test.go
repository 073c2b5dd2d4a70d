package authorization

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// A value comes out of a filter as it went in, and cannot become another term.
func FuzzFilterValue(f *testing.F) {
	for _, seed := range []string{"x", "it's", "' and atScope()", "a and b", "(", "ü"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if value == "" || !utf8.ValidString(value) {
			t.Skip()
		}
		quoted := "'" + strings.ReplaceAll(value, "'", "''") + "'"
		got, ok := parseFilter("roleName eq " + quoted + " and assignedTo(" + quoted + ") and atScope()")
		if !ok || len(got) != 3 || !got[0].is("roleName eq") || !got[1].is("assignedTo()") || !got[2].calls("atScope()") || got[0].value != value || got[1].value != value {
			t.Errorf("%q is read as %+v, %v", value, got, ok)
		}
	})
}

// No filter makes the parser hang or panic, and none is read in part.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{"", "atScope()", "principalId eq 'x' and atScope()", "a eq 'b' or c eq 'd'", "atScope() and", "''''", "(("} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseFilter(text)
		if !ok || strings.TrimSpace(text) == "" {
			return
		}
		if again, ok := parseFilter(text + " and atScope()"); !ok || len(again) != len(got)+1 {
			t.Errorf("%q is %+v, and with another term %+v", text, got, again)
		}
		if _, ok := parseFilter(text + " x"); ok {
			t.Errorf("%q is read without its end", text+" x")
		}
	})
}

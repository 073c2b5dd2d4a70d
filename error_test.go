package twinkey_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/twinkey/twinkey"
)

// The kind and the text that may be shown survive every wrapping; the cause is
// for the log and errors.Is alone.
func TestErrorKeepsKindAndCauseApart(t *testing.T) {
	err := fmt.Errorf("putting: %w", errors.Join(errors.New("other"), twinkey.Wrap(io.ErrUnexpectedEOF, twinkey.Unavailable, "Try %s.", "again")))
	if twinkey.KindOf(err) != twinkey.Unavailable || twinkey.MessageOf(err) != "Try again." || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("kind %d, message %q, %v", twinkey.KindOf(err), twinkey.MessageOf(err), err)
	}
	if strings.Contains(twinkey.MessageOf(err), io.ErrUnexpectedEOF.Error()) || !strings.Contains(err.Error(), io.ErrUnexpectedEOF.Error()) {
		t.Errorf("the cause is shown, or not logged: %q, %q", twinkey.MessageOf(err), err)
	}
	outer := twinkey.Wrap(err, twinkey.Conflict, "outer")
	if twinkey.KindOf(outer) != twinkey.Conflict || twinkey.MessageOf(outer) != "outer" {
		t.Errorf("the outermost kind does not count: %d, %q", twinkey.KindOf(outer), twinkey.MessageOf(outer))
	}
	if plain := twinkey.Errorf(twinkey.NotFound, "%d%%", 5); plain.Error() != "5%" || errors.Unwrap(plain) != nil {
		t.Errorf("an error without a cause: %q", plain)
	}
}

// An error that carries no kind is a defect, and shows nothing of itself.
func TestErrorWithoutAKindIsInternal(t *testing.T) {
	for _, err := range []error{nil, io.EOF, fmt.Errorf("x: %w", io.EOF)} {
		if twinkey.KindOf(err) != twinkey.Internal || twinkey.MessageOf(err) != "" {
			t.Errorf("%v: kind %d, message %q", err, twinkey.KindOf(err), twinkey.MessageOf(err))
		}
	}
}

// A caller's text in a message must neither drive a terminal nor drown the
// message.
func FuzzPrintable(f *testing.F) {
	for _, seed := range []string{"", "plain", "\x1b[31m", "a\nb\r", "\u202edcba", "\xff\xfe", strings.Repeat("ü", 300), "a\u00adb\ufeff"} {
		f.Add(seed, 5)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = max(limit%300, 0)
		out := twinkey.Printable(s, limit)
		if !utf8.ValidString(out) {
			t.Errorf("%q becomes %q, which is not UTF-8", s, out)
		}
		for _, r := range out {
			if !unicode.IsPrint(r) {
				t.Errorf("%q becomes %q with %U", s, out, r)
			}
		}
		n := utf8.RuneCountInString(s)
		if want := min(n, limit); n > limit && out[max(0, len(out)-3):] != "..." || utf8.RuneCountInString(strings.TrimSuffix(out, "...")) > want && n > limit {
			t.Errorf("%q limited to %d becomes %q", s, limit, out)
		}
		if n <= limit && utf8.RuneCountInString(out) != n {
			t.Errorf("%q loses or gains characters: %q", s, out)
		}
	})
}

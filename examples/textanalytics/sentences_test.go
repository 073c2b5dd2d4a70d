package textanalytics_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/twinkey/twinkey/examples/textanalytics"
)

// Offsets and lengths count what the client's strings are made of, so that it
// can cut the sentence out of its own text.
func TestSentenceOffsets(t *testing.T) {
	text := "  😀 Cafe\u0301 was great!  Really?\nIt closed… “Yes.” 終わり。次"
	want := []string{"😀 Cafe\u0301 was great!", "Really?", "It closed…", "“Yes.”", "終わり。", "次"}
	units := map[string]func(string) int{
		"?stringIndexType=Utf16CodeUnit":    func(s string) int { return len(utf16(s)) },
		"?stringIndexType=UnicodeCodePoint": func(s string) int { return len([]rune(s)) },
		"":                                  func(s string) int { return len([]rune(strings.ReplaceAll(s, "\u0301", ""))) },
	}
	for query, count := range units {
		d := analyze(t, sentimentPath+query, doc("1", text)).Documents[0]
		if len(d.Sentences) != len(want) {
			t.Fatalf("%d sentences, want %d: %+v", len(d.Sentences), len(want), d.Sentences)
		}
		for i, s := range d.Sentences {
			offset := count(text[:strings.Index(text, want[i])])
			if s.Text != want[i] || s.Offset != offset || s.Length != count(want[i]) {
				t.Errorf("%q: sentence %d is %q at %d+%d, want %q at %d+%d", query, i, s.Text, s.Offset, s.Length, want[i], offset, count(want[i]))
			}
		}
	}
}

// A dot ends a sentence only where a reader would stop.
func TestSentenceEnds(t *testing.T) {
	for text, want := range map[string]int{
		"It costs 3.50 at example.com today":        1,
		"Bring fruit, e.g. apples, and bread.":      1,
		"The book by A. Smith is long. So is it.":   2,
		"\"Stop!\" he said. (Really.) Then silence": 4,
		"wait... what?! no":                         3,
		"one\ntwo\n\n\nthree":                       3,
		"第一。第二！第三":                                  3,
		" . ":                                       1,
	} {
		if got := analyze(t, sentimentPath, doc("1", text)).Documents[0].Sentences; len(got) != want {
			t.Errorf("%q has %d sentences, want %d: %+v", text, len(got), want, got)
		}
	}
}

func utf16(s string) []uint16 {
	var out []uint16
	for _, r := range s {
		out = append(out, uint16(r))
		if r > 0xFFFF {
			out = append(out, 0)
		}
	}
	return out
}

// Whatever the text, the service answers, and the sentences are parts of the
// text in order, without overlap.
func FuzzSentiment(f *testing.F) {
	for _, seed := range []string{"", "I love it. Or not?", "a.b. C. d...!?\n\n。", "\u0301\u0301.", "no no or bad", "the bomb", "kind of", "\xff. \x00", "least bad. but"} {
		f.Add(seed)
	}
	h := textanalytics.Handler()
	f.Fuzz(func(t *testing.T, text string) {
		body, err := json.Marshal(map[string]any{"documents": []map[string]string{doc("1", text)}})
		if err != nil {
			t.Fatal(err)
		}
		if len(body) > 1<<20 {
			t.Skip()
		}
		for _, path := range []string{languagesPath, sentimentPath + "?stringIndexType=UnicodeCodePoint"} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body)))
			var a batchAnswer
			if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != http.StatusOK || len(a.Documents)+len(a.Errors) != 1 {
				t.Fatalf("%q: %d %s", text, w.Code, w.Body)
			}
			var sent struct {
				Documents []struct{ Text string }
			}
			if err := json.Unmarshal(body, &sent); err != nil {
				t.Fatal(err)
			}
			runes, end := []rune(sent.Documents[0].Text), 0
			for _, d := range a.Documents {
				for _, s := range d.Sentences {
					if s.Offset < end || string(runes[s.Offset:s.Offset+s.Length]) != s.Text {
						t.Fatalf("%q: sentence %q is not at %d+%d", text, s.Text, s.Offset, s.Length)
					}
					end = s.Offset + s.Length
				}
			}
		}
	})
}

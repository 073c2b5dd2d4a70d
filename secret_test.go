package twinkey_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/twinkey/twinkey"
)

// holder has a value wherever a printer may come across it. Hidden is what a
// printer reaches only by reflection, without the value's own methods.
type holder[T comparable] struct {
	Plain   T
	Pointer *T
	List    []T
	Array   [1]T
	Map     map[string]T
	Keys    map[T]int
	Any     any
	Nested  struct{ Inner T }
	hidden  T
	beneath *struct{ hidden T }
}

func hold[T comparable](v T) holder[T] {
	h := holder[T]{Plain: v, Pointer: &v, List: []T{v}, Array: [1]T{v}, Map: map[string]T{"a": v}, Keys: map[T]int{v: 1}, Any: v, hidden: v}
	h.Nested.Inner = v
	h.beneath = &struct{ hidden T }{v}
	return h
}

// printed is what every printer, logger and encoder in reach makes of v.
func printed[T comparable](t *testing.T, v T) map[string]string {
	t.Helper()
	out := map[string]string{}
	h := hold(v)
	for name, value := range map[string]any{"value": v, "pointer": &v, "struct": h, "pointer to struct": &h, "hidden": h.hidden, "behind": h.beneath} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%U", "%10.3s", "%T"} {
			out["fmt "+verb+" of "+name] = fmt.Sprintf(verb, value)
		}
		var text, structured bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "a", value, slog.Group("g", "b", value))
		slog.New(slog.NewJSONHandler(&structured, nil)).Info("m", "a", value, slog.Group("g", "b", value))
		out["slog text of "+name], out["slog JSON of "+name] = text.String(), structured.String()
		inJSON, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		out["JSON of "+name] = string(inJSON)
		inYAML, err := yaml.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		out["YAML of "+name] = string(inYAML)
		out["error with "+name] = twinkey.Wrap(fmt.Errorf("inner: %v", value), twinkey.Invalid, "outer: %v", value).Error()
	}
	inXML, err := xml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out["XML"] = string(inXML)
	return out
}

// showings returns the printers whose output has text in it, in some form.
func showings(printed map[string]string, text string) []string {
	forms := []string{
		text, text[:16], url.QueryEscape(text), fmt.Sprintf("% x", text), fmt.Sprint([]byte(text)),
		hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text))),
		base64.StdEncoding.EncodeToString([]byte(text))[:32], base64.URLEncoding.EncodeToString([]byte(text))[:32],
	}
	var found []string
	for name, out := range printed {
		for _, form := range forms {
			if strings.Contains(out, form) {
				found = append(found, name)
				break
			}
		}
	}
	return found
}

// A key, password or token must not come out of a log, an error or a dump by
// accident, however deep in whatever value it sits.
func TestSecretIsNeverShown(t *testing.T) {
	text := strings.ToLower(rand.Text() + rand.Text())
	plain := printed(t, text)
	if found := showings(plain, text); len(found) < len(plain)/2 {
		t.Fatalf("of %d printers only %v are seen to show plain text; the test is blind", len(plain), found)
	}
	masked := printed(t, twinkey.NewSecret(text))
	for _, name := range showings(masked, text) {
		t.Errorf("%s shows a secret: %s", name, masked[name])
	}
	if out := fmt.Sprint(twinkey.NewSecret(text), errors.Join(twinkey.Errorf(twinkey.Invalid, "%v", twinkey.NewSecret(text)))); !strings.Contains(out, "[secret]") {
		t.Errorf("no mask where the secret would stand: %s", out)
	}
}

// Reveal gives back every text there is, and secrets compare by their texts:
// code that compares keys must not compare addresses.
func TestSecretKeepsItsText(t *testing.T) {
	for _, text := range []string{"", "a", "a\x00b", "\xff", rand.Text(), strings.Repeat("x", 1<<16)} {
		s := twinkey.NewSecret(text)
		if s.Reveal() != text || s.IsZero() != (text == "") {
			t.Errorf("%q comes back as %q, zero: %v", text, s.Reveal(), s.IsZero())
		}
		if again := twinkey.NewSecret(strings.Clone(text)); again != s {
			t.Errorf("two secrets of text %q differ", text)
		}
		if s == twinkey.NewSecret(text+"x") {
			t.Errorf("secrets of %q and a longer text are equal", text)
		}
	}
	if (twinkey.Secret{}).Reveal() != "" || !(twinkey.Secret{}).IsZero() {
		t.Error("the zero secret has a text")
	}
}

// A digest is read back as it was written, from 64 hexadecimal characters and
// nothing else: a shorter one would be filled up with zeros.
func TestDigestInText(t *testing.T) {
	d := twinkey.DigestOf("abc")
	text, err := json.Marshal(d)
	// SHA-256 of "abc" (FIPS 180-2, appendix B.1).
	if err != nil || string(text) != `"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"` {
		t.Fatalf("%s, %v", text, err)
	}
	var back twinkey.Digest
	if err := json.Unmarshal(bytes.ToUpper(text), &back); err != nil || back != d {
		t.Errorf("read back: %v, %v", back, err)
	}
	for _, bad := range []string{`""`, `"ba78"`, string(text[:len(text)-3]) + `"`, string(text[:len(text)-1]) + `00"`, `"` + strings.Repeat("zz", 32) + `"`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s was read as a digest", bad)
		}
	}
}

package web_test

import (
	"encoding/json"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/web"
)

// Every body that is not one plain JSON value is refused with a text that says
// what to mend, and never with the value itself.
func TestParseJSON(t *testing.T) {
	type target struct {
		Name  string `json:"name"`
		Inner struct {
			Flag *bool    `json:"flag"`
			List []string `json:"list"`
			Size int      `json:"size"`
		} `json:"inner"`
	}
	for body, says := range map[string]string{
		``:                              "empty",
		" \n":                           "empty",
		"\xef\xbb\xbf":                  "empty",
		`{`:                             "not valid JSON",
		`{"name":"a"} {}`:               "not valid JSON",
		`{"name":"a"}]`:                 "not valid JSON",
		`nul`:                           "not valid JSON",
		"{\"name\":\"\xff\"}":           "not UTF-8",
		`{"name":"a","name":"a"}`:       "'name' twice",
		`{"name":"a","NAME":"b"}`:       "'NAME' twice",
		`{"name":"a","n\u0061me":"b"}`:  "'name' twice",
		`{"x":[{"a":1,"b":{},"a":[]}]}`: "'a' twice",
		`{"x":[],"x":{}}`:               "'x' twice",
		`[]`:                            "The request body must be an object, but is an array.",
		`"text"`:                        "The request body must be an object, but is a string.",
		`{"name":12345}`:                "The property 'name' must be a string, but is a number.",
		`{"inner":{"flag":"yes"}}`:      "The property 'inner.flag' must be a boolean, but is a string.",
		`{"inner":{"list":{}}}`:         "The property 'inner.list' must be an array, but is an object.",
		`{"inner":{"size":true}}`:       "The property 'inner.size' must be a number, but is a boolean.",
		strings.Repeat("[", 65):         "nests more than 64",
		strings.Repeat(`{"a":`, 100000): "nests more than 64",
	} {
		var v target
		err := web.ParseJSON([]byte(body), &v)
		if twinkey.KindOf(err) != twinkey.Unreadable || !strings.Contains(twinkey.MessageOf(err), says) {
			t.Errorf("%.60q: %v, want %q", body, err, says)
		}
	}
	var v target
	if err := web.ParseJSON([]byte("\xef\xbb\xbf {\"name\":\"a\",\"extra\":[{\"a\":1},{\"a\":2}],\"inner\":{\"a\":1}} \n"), &v); err != nil || v.Name != "a" {
		t.Errorf("a good body is refused: %v", err)
	}
}

// A body over the limit is refused whether it says so or not.
func TestDecodeJSONLimit(t *testing.T) {
	for _, length := range []int64{-1, 22} {
		r := httptest.NewRequest("PUT", "/", strings.NewReader(`{"a":"`+strings.Repeat("x", 14)+`"}`))
		r.ContentLength = length
		var v any
		if err := web.DecodeJSON(httptest.NewRecorder(), r, 21, &v); twinkey.KindOf(err) != twinkey.TooLarge {
			t.Errorf("length %d: %v", length, err)
		}
	}
	r := httptest.NewRequest("PUT", "/", strings.NewReader(`{"a":"x"}`))
	var v any
	if err := web.DecodeJSON(httptest.NewRecorder(), r, 9, &v); err != nil {
		t.Error(err)
	}
}

// What is accepted means one thing: writing it and reading it again changes
// nothing, and markup is not escaped.
func FuzzParseJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":"<&>"}]}`, `{"a":1,"A":2}`, `[[]]`, `1e400`, "\xef\xbb\xbf{}", `{"k":1,"K":2}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var v any
		if web.ParseJSON(body, &v) != nil {
			return
		}
		rec := httptest.NewRecorder()
		if err := web.WriteJSON(rec, 200, v); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(rec.Body.String(), `\u003c`) && !strings.Contains(string(body), `\\u003c`) {
			t.Errorf("markup is escaped in %s", rec.Body)
		}
		var again any
		if err := web.ParseJSON(rec.Body.Bytes(), &again); err != nil || !reflect.DeepEqual(v, again) {
			t.Errorf("%q became %q: %v", body, rec.Body, err)
		}
		if !json.Valid(rec.Body.Bytes()) {
			t.Errorf("%q is not JSON", rec.Body)
		}
	})
}

package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/twinkey/twinkey"
)

// maxDepth is how deeply a JSON body may nest.
const maxDepth = 64

// WriteJSON answers with v as JSON, '<', '>' and '&' unescaped. On an error
// nothing has been written.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	text := bytes.TrimSuffix(body.Bytes(), []byte("\n"))
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client is gone: nobody to tell
	return nil
}

// DecodeJSON reads the body of r, at most limit bytes, into v. It fails with
// kind TooLarge or Unreadable.
func DecodeJSON(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	body, err := ReadBody(w, r, limit)
	if err != nil {
		return err
	}
	return ParseJSON(body, v)
}

// ReadBody reads the body of r, at most limit bytes. It fails with kind
// TooLarge or Unreadable.
func ReadBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err == nil {
		return body, nil
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge(limit)
	}
	return nil, twinkey.Wrap(err, twinkey.Unreadable, "The request body could not be read to its end.")
}

// ParseJSON reads one JSON value into v. It refuses, with kind Unreadable, what
// two readers could understand in two ways: more than one value, names that
// appear twice in an object in any casing, and text that is not UTF-8.
func ParseJSON(body []byte, v any) error {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(body)) == 0 {
		return twinkey.Errorf(twinkey.Unreadable, "The request body is empty; JSON is required.")
	}
	if !utf8.Valid(body) {
		return twinkey.Errorf(twinkey.Unreadable, "The request body is not UTF-8.")
	}
	if err := checkNames(body); err != nil {
		return err
	}
	err := json.Unmarshal(body, v)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		found, _, _ := strings.Cut(e.Value, " ") // "number 12" carries the value
		return twinkey.Errorf(twinkey.Unreadable, "%s must be %s, but is %s.", place(e.Field), article(jsonType(e.Type)), article(found))
	}
	return notJSON(err)
}

// checkNames walks the tokens of body and refuses repeated names and deep nesting.
func checkNames(body []byte) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var open []*object
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return notJSON(err)
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			if len(open) == maxDepth {
				return twinkey.Errorf(twinkey.Unreadable, "The request body nests more than %d levels deep.", maxDepth)
			}
			if len(open) > 0 {
				open[len(open)-1].wantValue = false
			}
			o := &object{}
			if token == json.Delim('{') {
				o.names = map[string]bool{}
			}
			open = append(open, o)
			continue
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
			continue
		}
		if len(open) > 0 && !open[len(open)-1].accept(token) {
			return twinkey.Errorf(twinkey.Unreadable, "The request body has the name '%s' twice in one object.", twinkey.Printable(token.(string), 60))
		}
	}
}

// object is a JSON object or array that has begun and not ended.
type object struct {
	names     map[string]bool // nil for an array
	wantValue bool            // a name was read last
}

// accept takes a token that opens or closes nothing; it is false for a name
// that was there before.
func (o *object) accept(token json.Token) bool {
	if o.names == nil {
		return true
	}
	if o.wantValue {
		o.wantValue = false
		return true
	}
	name := twinkey.Fold(token.(string))
	if o.names[name] {
		return false
	}
	o.names[name] = true
	o.wantValue = true
	return true
}

func tooLarge(limit int64) error {
	return twinkey.Errorf(twinkey.TooLarge, "The request body is larger than the limit of %d bytes.", limit)
}

// notJSON gives a syntax error its kind.
func notJSON(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return twinkey.Wrap(err, twinkey.Unreadable, "The request body is not valid JSON (at byte %d).", e.Offset)
	}
	return twinkey.Wrap(err, twinkey.Unreadable, "The request body is not valid JSON.")
}

// place names the property a type error is about.
func place(field string) string {
	if field == "" {
		return "The request body"
	}
	return "The property '" + twinkey.Printable(field, 100) + "'"
}

// jsonType is what JSON calls the values that fit a Go type.
func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Slice, reflect.Array:
		return "array"
	case reflect.Struct, reflect.Map, reflect.Pointer:
		return "object"
	}
	return "number"
}

// article puts "a" or "an" before the name of a JSON type.
func article(name string) string {
	switch name {
	case "bool":
		name = "boolean"
	case "array", "object":
		return "an " + name
	}
	return "a " + name
}

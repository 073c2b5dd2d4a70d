package etcdstore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// documentVersion is written into documents, except those that a newer version
// has written: they keep its number, or that version would take the fields it
// finds there for what its own predecessor made. It can count on what this one
// knows having kept its meaning: else it would have raised the format.
const documentVersion = 1

// kept are the top-level fields of a stored document that this version does not
// know. They are written back, so that an older version in between loses nothing.
type kept = map[string]json.RawMessage

// encode writes doc as JSON with a version and the fields kept from before.
// JSON that a caller wrote is in it as it came, but for white space.
func encode(doc any, unknown kept) (string, error) {
	data, err := marshal(doc)
	if err != nil {
		return "", fmt.Errorf("encoding a document: %w", err)
	}
	fields := kept{}
	if err := json.Unmarshal(data, &fields); err != nil {
		return "", fmt.Errorf("encoding a document: %w", err)
	}
	for name, value := range unknown {
		if _, has := fields[name]; !has {
			fields[name] = value
		}
	}
	if _, has := fields["version"]; !has {
		fields["version"] = json.RawMessage(fmt.Sprint(documentVersion))
	}
	data, err = marshal(fields)
	return string(data), err
}

// marshal leaves '<', '>' and '&' alone, which json.Marshal rewrites, also in
// the midst of a RawMessage.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// decode reads a document and returns what it does not know of it, a newer
// version's number included.
func decode(key, data []byte, doc any) (kept, error) {
	if err := json.Unmarshal(data, doc); err != nil {
		return nil, damaged(key, err)
	}
	fields := kept{}
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, damaged(key, err)
	}
	if version := 0; json.Unmarshal(fields["version"], &version) == nil && version <= documentVersion {
		delete(fields, "version")
	}
	t := reflect.TypeOf(doc).Elem()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name != "-" {
			delete(fields, name)
		}
	}
	if len(fields) == 0 {
		return nil, nil
	}
	return fields, nil
}

// damaged words an error of encoding/json, whose own words may hold a value.
func damaged(key []byte, err error) error {
	var syntax *json.SyntaxError
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("reading the document %s: it is not JSON from byte %d on", key, syntax.Offset)
	case errors.As(err, &mistyped):
		return fmt.Errorf("reading the document %s: the field %q has the wrong type", key, mistyped.Field)
	}
	return fmt.Errorf("reading the document %s: a value is none that its field can have", key)
}

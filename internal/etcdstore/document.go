package etcdstore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// documentVersion is written into documents that have no version of their own.
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
	if _, has := fields["version"]; !has {
		fields["version"] = json.RawMessage(fmt.Sprint(documentVersion))
	}
	for name, value := range unknown {
		if _, has := fields[name]; !has {
			fields[name] = value
		}
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

// decode reads a document and returns what it does not know of it.
func decode(key, data []byte, doc any) (kept, error) {
	if err := json.Unmarshal(data, doc); err != nil {
		return nil, fmt.Errorf("reading the document %s: %w", key, err)
	}
	fields := kept{}
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, fmt.Errorf("reading the document %s: %w", key, err)
	}
	delete(fields, "version")
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

package etcdstore

import (
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
func encode(doc any, unknown kept) (string, error) {
	data, err := json.Marshal(doc)
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
	data, err = json.Marshal(fields)
	return string(data), err
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
		delete(fields, name)
	}
	if len(fields) == 0 {
		return nil, nil
	}
	return fields, nil
}

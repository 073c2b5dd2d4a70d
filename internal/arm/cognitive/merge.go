package cognitive

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/twinkey/twinkey"
)

// merge applies a JSON merge patch (RFC 7396, section 2) to a value; nil is
// none. What the patch does not name keeps its bytes.
func merge(target, patch json.RawMessage) (json.RawMessage, error) {
	members, ok, err := object(patch)
	if !ok || err != nil {
		return patch, err
	}
	if target == nil {
		return given(patch)
	}
	into, _, err := object(target)
	if err != nil {
		return nil, err
	}
	merged, err := mergeMembers(into, members)
	if err != nil {
		return nil, err
	}
	return encode(merged)
}

// given is what a value says without the nulls that stand for no member, at any
// depth. A value without any keeps its bytes.
func given(value json.RawMessage) (json.RawMessage, error) {
	members, ok, err := object(value)
	if !ok || err != nil {
		return value, err
	}
	kept, changed := map[string]json.RawMessage{}, false
	for name, member := range members {
		if isNull(member) {
			changed = true
			continue
		}
		if kept[name], err = given(member); err != nil {
			return nil, err
		}
		changed = changed || !bytes.Equal(kept[name], member)
	}
	if !changed {
		return value, nil
	}
	return encode(kept)
}

// mergeMembers is merge for the members of an object. Names compare without
// case, as they do everywhere in Resource Manager; of two spellings the one that
// was there first stays.
func mergeMembers(target, patch map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	next, spelling := map[string]json.RawMessage{}, map[string]string{}
	for name, value := range target {
		next[name], spelling[twinkey.Fold(name)] = value, name
	}
	for name, value := range patch {
		if before, ok := spelling[twinkey.Fold(name)]; ok {
			name = before
		}
		if isNull(value) {
			delete(next, name)
			continue
		}
		merged, err := merge(next[name], value)
		if err != nil {
			return nil, err
		}
		next[name] = merged
	}
	return next, nil
}

// object takes an object apart; it is false for any other value.
func object(value json.RawMessage) (map[string]json.RawMessage, bool, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(value), []byte("{")) {
		return nil, false, nil
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(value, &members); err != nil {
		return nil, false, fmt.Errorf("taking a JSON object apart: %w", err)
	}
	return members, true, nil
}

func isNull(value json.RawMessage) bool { return string(bytes.TrimSpace(value)) == "null" }

// encode is v as JSON, '<', '>' and '&' unescaped, also in what callers wrote.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding JSON: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

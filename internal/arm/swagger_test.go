package arm_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// swagger is one of the official descriptions of an API (OpenAPI 2.0), read as
// far as it takes to hold a call and its answer against it.
type swagger struct {
	path  string
	root  object
	files map[string]object // this one and those it refers to
}

type object = map[string]any

// described is one operation of a description.
type described struct {
	in       *swagger
	ID       string
	method   string
	segments []string // a variable keeps its braces
	node     object
}

// readSwagger reads a description; without the file the test is skipped.
func readSwagger(t *testing.T, path string) *swagger {
	t.Helper()
	s := &swagger{path: path, files: map[string]object{}}
	var err error
	if s.root, err = s.open(path); os.IsNotExist(err) {
		t.Skipf("the official descriptions are not beside the checkout: %s is absent", path)
	} else if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *swagger) open(path string) (object, error) {
	if known, ok := s.files[path]; ok {
		return known, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var root object
	if err := json.Unmarshal(data, &root); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.files[path] = root
	return root, nil
}

// operations lists what the description has.
func (s *swagger) operations() []described {
	var all []described
	for path, item := range s.root["paths"].(object) {
		for method, node := range item.(object) {
			if method = strings.ToUpper(method); method == "PARAMETERS" {
				continue
			}
			id, _ := node.(object)["operationId"].(string)
			all = append(all, described{in: s, ID: id, method: method, segments: strings.Split(strings.Trim(path, "/"), "/"), node: node.(object)})
		}
	}
	return all
}

// findDescribed returns the operation that a call is, nil if none describes it.
// Of several that fit, the one with the most fixed segments is meant.
func findDescribed(all []described, method, path string) *described {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	var best *described
	most := -1
	for i := range all {
		d := &all[i]
		if d.method != method || len(d.segments) != len(segments) {
			continue
		}
		fixed := 0
		for at, s := range d.segments {
			switch {
			case strings.HasPrefix(s, "{"):
			case strings.EqualFold(s, segments[at]):
				fixed++
			default:
				fixed = -len(segments)
			}
		}
		if fixed > most {
			best, most = d, fixed
		}
	}
	if most < 0 {
		return nil
	}
	return best
}

// node is a part of a description together with the file it is in, which its
// references are relative to.
type node struct {
	file string
	object
}

// follow goes where a reference points.
func (s *swagger) follow(n node) (node, error) {
	ref, ok := n.object["$ref"].(string)
	if !ok {
		return n, nil
	}
	file, pointer, _ := strings.Cut(ref, "#")
	if file == "" {
		file = n.file
	} else {
		file = filepath.Join(filepath.Dir(n.file), file)
	}
	root, err := s.open(file)
	if err != nil {
		return n, err
	}
	at := root
	for _, part := range strings.Split(strings.Trim(pointer, "/"), "/") {
		next, ok := at[part].(object)
		if !ok {
			return n, fmt.Errorf("%s has nothing at %s", file, pointer)
		}
		at = next
	}
	return s.follow(node{file, at})
}

// checkCall returns what is wrong with a request, by the description.
func (d *described) checkCall(r *http.Request, body string) []string {
	var wrong []string
	values := map[string]string{}
	for i, segment := range strings.Split(strings.Trim(r.URL.Path, "/"), "/") {
		values[strings.Trim(d.segments[i], "{}")] = segment
	}
	list, _ := d.node["parameters"].([]any)
	for _, p := range list {
		n, err := d.in.follow(node{d.in.path, p.(object)})
		if err != nil {
			return []string{err.Error()}
		}
		name, _ := n.object["name"].(string)
		switch n.object["in"] {
		case "path":
			wrong = append(wrong, checkText(n.object, values[name], "the path's "+name)...)
		case "query":
			given := slices.ContainsFunc(slices.Collect(maps.Keys(r.URL.Query())), func(q string) bool { return strings.EqualFold(q, name) })
			if n.object["required"] == true && !given {
				wrong = append(wrong, "the query has no "+name)
			}
		case "body":
			if body == "" && n.object["required"] == true {
				wrong = append(wrong, "there is no body")
			} else if body != "" {
				wrong = append(wrong, d.checkBody(n.object["schema"], n.file, body, false)...)
			}
		}
	}
	return wrong
}

// checkAnswer returns what is wrong with an answer, by the description.
func (d *described) checkAnswer(status int, body string) []string {
	responses := d.node["responses"].(object)
	response, ok := responses[fmt.Sprint(status)].(object)
	if !ok {
		if status < 400 {
			return []string{fmt.Sprintf("the status %d is not described: %v", status, slices.Sorted(maps.Keys(responses)))}
		}
		response, _ = responses["default"].(object)
	}
	if response == nil || response["schema"] == nil {
		if status < 400 && body != "" {
			return []string{fmt.Sprintf("a body is not described for %d", status)}
		}
		return nil
	}
	if body == "" && d.method != http.MethodHead {
		return []string{fmt.Sprintf("there is no body for %d", status)}
	}
	return d.checkBody(response["schema"], d.in.path, body, true)
}

func (d *described) checkBody(schema any, file, body string, answer bool) []string {
	var value any
	if err := json.Unmarshal([]byte(body), &value); err != nil {
		return []string{err.Error()}
	}
	c := &schemaCheck{in: d.in, answer: answer}
	c.check(node{file, schema.(object)}, value, "body")
	return c.wrong
}

// schemaCheck gathers what is wrong with a value. An answer is held to more than
// a request: every property must be described, and words must be spelled as
// described.
type schemaCheck struct {
	in     *swagger
	answer bool
	wrong  []string
}

func (c *schemaCheck) report(at, format string, args ...any) {
	c.wrong = append(c.wrong, at+" "+fmt.Sprintf(format, args...))
}

func (c *schemaCheck) check(n node, value any, at string) {
	n, err := c.in.follow(n)
	if err != nil {
		c.report(at, "%v", err)
		return
	}
	switch v := value.(type) {
	case nil:
		if c.answer {
			c.report(at, "is null")
		}
	case object:
		c.checkObject(n, v, at)
	case []any:
		c.checkType(n, at, "array")
		if items, ok := n.object["items"].(object); ok {
			for i, item := range v {
				c.check(node{n.file, items}, item, fmt.Sprintf("%s[%d]", at, i))
			}
		}
	case string:
		c.checkType(n, at, "string")
		if c.answer {
			c.wrong = append(c.wrong, checkText(n.object, v, at)...)
		}
		c.checkEnum(n, v, at)
	case float64:
		c.checkType(n, at, "number", "integer")
		if n.object["type"] == "integer" && v != float64(int64(v)) {
			c.report(at, "is not a whole number")
		}
	case bool:
		c.checkType(n, at, "boolean")
	}
}

// checkType compares types. In these descriptions, what has properties is an
// object also without a type, and an object of which nothing is said can be
// anything.
func (c *schemaCheck) checkType(n node, at string, types ...string) {
	want, _ := n.object["type"].(string)
	said := n.object["properties"] != nil || n.object["allOf"] != nil || n.object["additionalProperties"] != nil
	if want == "" && said {
		want = "object"
	}
	if want != "" && (want != "object" || said) && !slices.Contains(types, want) {
		c.report(at, "is described as %s, and is %s", want, types[0])
	}
}

func (c *schemaCheck) checkEnum(n node, v, at string) {
	words, ok := n.object["enum"].([]any)
	if !ok {
		return
	}
	for _, w := range words {
		if w == v || !c.answer && strings.EqualFold(w.(string), v) {
			return
		}
	}
	c.report(at, "is '%s', not one of %v", v, words)
}

func (c *schemaCheck) checkObject(n node, v object, at string) {
	c.checkType(n, at, "object")
	properties, required := map[string]node{}, map[string]bool{}
	rest, open := c.members(n, properties, required)
	for name := range required {
		if _, ok := v[name]; !ok {
			c.report(at, "has no %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		p, ok := properties[name]
		switch {
		case ok:
			c.check(p, v[name], at+"."+name)
		case rest != nil:
			c.check(*rest, v[name], at+"."+name)
		case !open && c.answer:
			c.report(at, "has %s, which is not described", name)
		}
	}
}

// members gathers the properties of a schema and of those it is made of. Open is
// one that describes none.
func (c *schemaCheck) members(n node, properties map[string]node, required map[string]bool) (rest *node, open bool) {
	own, _ := n.object["properties"].(object)
	for name, p := range own {
		properties[name] = node{n.file, p.(object)}
	}
	names, _ := n.object["required"].([]any)
	for _, name := range names {
		required[name.(string)] = true
	}
	if more, ok := n.object["additionalProperties"].(object); ok {
		rest = &node{n.file, more}
	}
	bases, _ := n.object["allOf"].([]any)
	open = len(own) == 0 && len(bases) == 0
	for _, b := range bases {
		base, err := c.in.follow(node{n.file, b.(object)})
		if err != nil {
			c.report("", "%v", err)
			continue
		}
		if r, _ := c.members(base, properties, required); r != nil {
			rest = r
		}
	}
	return rest, open
}

// checkText applies the rules for one text.
func checkText(rules object, v, at string) []string {
	var wrong []string
	if pattern, ok := rules["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(v) {
		wrong = append(wrong, fmt.Sprintf("%s: '%s' does not match %s", at, v, pattern))
	}
	n := float64(utf8.RuneCountInString(v))
	if least, ok := rules["minLength"].(float64); ok && n < least {
		wrong = append(wrong, fmt.Sprintf("%s: '%s' is too short", at, v))
	}
	if most, ok := rules["maxLength"].(float64); ok && n > most {
		wrong = append(wrong, fmt.Sprintf("%s: '%s' is too long", at, v))
	}
	if rules["format"] == "date-time" {
		if _, err := time.Parse(time.RFC3339Nano, v); err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: '%s' is no time", at, v))
		}
	}
	return wrong
}

package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// alias makes one name of an option mean another.
func alias(c *cobra.Command, other, name string) {
	c.Flags().SetNormalizeFunc(func(_ *pflag.FlagSet, given string) pflag.NormalizedName {
		if given == other {
			given = name
		}
		return pflag.NormalizedName(given)
	})
}

// text is an option's value. One that looks like an option is refused: it means
// that the value was forgotten.
type text string

func (t *text) String() string { return string(*t) }

func (t *text) Type() string { return "string" }

func (t *text) Set(s string) error {
	if strings.HasPrefix(s, "--") {
		return errNoValue
	}
	*t = text(s)
	return nil
}

// choice is an option with a few values, taken in any case.
type choice struct {
	allowed []string
	value   string
}

func (c *choice) String() string { return c.value }

func (c *choice) Type() string { return strings.Join(c.allowed, "|") }

func (c *choice) Set(s string) error {
	for _, value := range c.allowed {
		if strings.EqualFold(value, s) {
			c.value = value
			return nil
		}
	}
	return &choiceError{allowed: c.allowed}
}

// tags collects KEY=VALUE pairs; "" alone stands for no tags at all.
type tags map[string]string

func (t *tags) String() string { return "" }

func (t *tags) Type() string { return "key=value" }

func (t *tags) Set(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("expected text in UTF-8") // sent as JSON, it would be another text
	}
	if *t == nil {
		*t = tags{}
	}
	if s != "" {
		name, value, _ := strings.Cut(s, "=")
		(*t)[name] = value
	}
	return nil
}

// spreadLists rewrites "--tags a=b c=d", and the other options that take as many
// words as follow, to one option a word.
func spreadLists(args []string) []string {
	out := make([]string, 0, len(args))
	for i := 0; i < len(args); i++ {
		switch option := args[i]; {
		case option == "--":
			return append(out, args[i:]...)
		case isList(option) || option == "-d" && slices.Contains(args[:i], "configure"):
			if i+1 == len(args) || strings.HasPrefix(args[i+1], "-") {
				out = append(out, option+"=")
			}
			for i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
				i++
				out = append(out, option+"="+args[i])
			}
		default:
			out = append(out, option)
		}
	}
	return out
}

func isList(option string) bool {
	switch option {
	case "--tags", "--scopes", "--ids", "--defaults":
		return true
	}
	return false
}

// properties is a JSON object, or a=b,c=d.
type properties map[string]any

func (p *properties) String() string { return "" }

func (p *properties) Type() string { return "json|key=value" }

func (p *properties) Set(s string) error {
	if json.Unmarshal([]byte(s), (*map[string]any)(p)) == nil && *p != nil {
		return nil
	}
	*p = properties{}
	for pair := range strings.SplitSeq(s, ",") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return fmt.Errorf("expected a JSON object or name=value pairs")
		}
		(*p)[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return nil
}

// name is an option that names a resource; an empty one is refused, because it
// would name what is around the resource.
type name string

func (n *name) String() string { return string(*n) }

func (n *name) Type() string { return "name" }

func (n *name) Set(s string) error {
	if s == "" || strings.HasPrefix(s, "--") {
		return errNoValue
	}
	*n = name(s)
	return nil
}

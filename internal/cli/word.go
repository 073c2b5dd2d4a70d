package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// word is an argument that is given without an option's name.
type word struct {
	label    string // how help and messages call it: "NAME"
	usage    string
	value    pflag.Value
	offer    string // what kind of names it takes; "" if they cannot be listed
	optional bool
	many     bool // takes all the words that are left
}

// list collects words.
type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

func (l *list) Type() string { return "list" }

func (l *list) Set(s string) error {
	if s != "" {
		*l = append(*l, s)
	}
	return nil
}

// useOf shows words as a line of usage does.
func useOf(words []word) string {
	var b strings.Builder
	for _, w := range words {
		label := w.label
		if w.many {
			label += " ..."
		}
		if w.optional {
			label = "[" + label + "]"
		}
		b.WriteString(" " + label)
	}
	return b.String()
}

// takeWords gives args to words, in order, and returns the labels of those that
// are missing.
func takeWords(c *cobra.Command, words []word, args []string) (missing []string, err error) {
	for _, w := range words {
		if len(args) == 0 && !w.optional {
			missing = append(missing, w.label)
		}
		n := min(1, len(args))
		if w.many {
			n = len(args)
		}
		for _, arg := range args[:n] {
			if err := w.value.Set(arg); err != nil {
				return nil, wordError(c, w, arg, err)
			}
		}
		args = args[n:]
	}
	if len(args) > 0 {
		return nil, &usageError{cmd: c, text: "unrecognized arguments: " + strings.Join(args, " ")}
	}
	return missing, nil
}

func wordError(c *cobra.Command, w word, arg string, err error) error {
	if bad, ok := errors.AsType[*choiceError](err); ok {
		return &usageError{
			cmd:        c,
			text:       fmt.Sprintf("%s: '%s' is not a valid value for '%s'. Allowed values: %s.", c.CommandPath(), arg, w.label, strings.Join(bad.allowed, ", ")),
			suggestion: didYouMean(arg, bad.allowed),
		}
	}
	return &usageError{cmd: c, text: "argument " + w.label + ": " + err.Error()}
}

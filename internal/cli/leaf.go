package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// action does what a command is for and returns what to print; nil prints
// nothing.
type action func(ctx context.Context) (any, error)

// leaf makes c a command that does something: it takes no words, demands the
// required options (reported in that order), and prints the result of run as v
// says.
func (s *session) leaf(c *cobra.Command, required []string, v view, run action) *cobra.Command {
	for _, name := range required {
		markFlag(c, name, requiredMark)
	}
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return &usageError{cmd: c, text: "unrecognized arguments: " + strings.Join(args, " ")}
		}
		if err := demand(c, required); err != nil {
			return err
		}
		query, err := compileQuery(string(s.global.query))
		if err != nil {
			return &usageError{cmd: c, text: err.Error()}
		}
		s.command = strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" ")
		result, err := run(c.Context())
		if err != nil {
			return err
		}
		return s.print(result, v, query)
	}
	return c
}

func markFlag(c *cobra.Command, name, mark string, values ...string) {
	flag := c.Flags().Lookup(name)
	if flag.Annotations == nil {
		flag.Annotations = map[string][]string{}
	}
	flag.Annotations[mark] = values
}

// The annotations of options: one that must be given, and the name of another
// option that means the same.
const (
	requiredMark = "required"
	sameAsMark   = "same-as"
)

func otherName(flag *pflag.Flag) string {
	if names := flag.Annotations[sameAsMark]; len(names) > 0 {
		return names[0]
	}
	return ""
}

func demand(c *cobra.Command, required []string) error {
	var missing []string
	for _, name := range required {
		flag := c.Flags().Lookup(name)
		if other := c.Flags().Lookup(otherName(flag)); !flag.Changed && (other == nil || !other.Changed) {
			missing = append(missing, optionNames(flag))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &usageError{cmd: c, text: "the following arguments are required: " + strings.Join(missing, ", ")}
}

// optionNames is how an option is called in messages: "--name/-n".
func optionNames(flag *pflag.Flag) string {
	if flag.Shorthand == "" {
		return "--" + flag.Name
	}
	return "--" + flag.Name + "/-" + flag.Shorthand
}

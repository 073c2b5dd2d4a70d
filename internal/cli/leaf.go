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
		c.Flags().Lookup(name).Annotations = map[string][]string{requiredMark: nil}
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

// requiredMark is the annotation of an option one must give.
const requiredMark = "required"

func demand(c *cobra.Command, required []string) error {
	var missing []string
	for _, name := range required {
		if flag := c.Flags().Lookup(name); !flag.Changed {
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

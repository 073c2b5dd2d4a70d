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
	return s.wordy(c, nil, required, v, run)
}

// online is leaf for a command that calls the server.
func (s *session) online(c *cobra.Command, required []string, v view, run func(context.Context, *connection) (any, error)) *cobra.Command {
	return s.leaf(c, required, v, s.connected(run))
}

// wordy is leaf for a command that takes words.
func (s *session) wordy(c *cobra.Command, words []word, required []string, v view, run action) *cobra.Command {
	for _, name := range required {
		markFlag(c, name, requiredMark)
	}
	if len(words) > 0 {
		s.words[c] = words
		c.Use += useOf(words)
	}
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := s.settle(c, v); err != nil {
			return err
		}
		missing, err := takeWords(c, words, args)
		if err != nil {
			return err
		}
		if err := demand(c, missing, required); err != nil {
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

// connected connects first.
func (s *session) connected(run func(context.Context, *connection) (any, error)) action {
	return func(ctx context.Context) (any, error) {
		conn, err := s.connect(ctx)
		if err != nil {
			return nil, err
		}
		return run(ctx, conn)
	}
}

func markFlag(c *cobra.Command, name, mark string, values ...string) {
	flag := c.Flags().Lookup(name)
	if flag.Annotations == nil {
		flag.Annotations = map[string][]string{}
	}
	flag.Annotations[mark] = values
}

// The annotations of options: one that must be given, the name of another
// option that means the same, the setting that is taken when the option is not
// given, and what kind of names it takes.
const (
	requiredMark = "required"
	sameAsMark   = "same-as"
	settingMark  = "setting"
	offerMark    = "offer"
)

// marked is the value of one of a flag's marks; "" if it has none.
func marked(flag *pflag.Flag, mark string) string {
	if values := flag.Annotations[mark]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// demand reports what must be given and is not: words first, then options.
func demand(c *cobra.Command, missing, required []string) error {
	for _, name := range required {
		flag := c.Flags().Lookup(name)
		if other := c.Flags().Lookup(marked(flag, sameAsMark)); !flag.Changed && (other == nil || !other.Changed) {
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

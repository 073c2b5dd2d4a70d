package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// printHelp writes what a command is for, what is below it, its options and
// examples.
func (s *session) printHelp(c *cobra.Command, _ []string) {
	out := c.OutOrStdout()
	kind := "Command"
	if c.HasAvailableSubCommands() {
		kind = "Group"
	}
	c.InitDefaultHelpFlag()
	fmt.Fprintf(out, "\n%s\n    %s : %s\n", kind, c.CommandPath(), c.Short)
	if c.Long != "" {
		fmt.Fprintf(out, "        %s\n", strings.ReplaceAll(c.Long, "\n", "\n        "))
	}
	if words := s.words[c]; len(words) > 0 {
		fmt.Fprintf(out, "\nUsage\n    %s%s\n", c.CommandPath(), useOf(words))
		printWords(out, words)
	}
	printChildren(out, c)
	if c.Runnable() && !c.HasAvailableSubCommands() {
		printFlags(out, "Arguments", c.LocalNonPersistentFlags())
	}
	printFlags(out, "Global Arguments", c.Root().PersistentFlags())
	if c.Example != "" {
		fmt.Fprintf(out, "\nExamples\n    %s\n", strings.ReplaceAll(s.spelled(c.Example), "\n", "\n    "))
	}
}

// spelled is an example with the name that the program was called by.
func (s *session) spelled(example string) string {
	called := strings.NewReplacer("\ntwinkey ", "\n"+s.program+" ", "\n  twinkey ", "\n  "+s.program+" ", "(twinkey ", "("+s.program+" ")
	return strings.TrimPrefix(called.Replace("\n"+example), "\n")
}

// newHelp is the command "help", for those who expect one.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use: "help", Short: "Show the help of a command, as --help does.",
		Example: "twinkey help group create\nShow how to create a resource group.",
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			asked, rest, err := c.Root().Find(args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return unknownWord(asked, rest[0], childNames(asked))
			}
			return asked.Help()
		},
	}
}

func printWords(out io.Writer, words []word) {
	heads, width := make([]string, len(words)), 0
	for i, w := range words {
		heads[i] = w.label
		if !w.optional {
			heads[i] += " [Required]"
		}
		width = max(width, len(heads[i]))
	}
	for i, w := range words {
		fmt.Fprintf(out, "        %-*s : %s\n", width, heads[i], w.usage)
	}
}

func printChildren(out io.Writer, c *cobra.Command) {
	heading, width := "\nSubgroups and commands:\n", 0
	for _, name := range childNames(c) {
		width = max(width, len(name))
	}
	for _, child := range c.Commands() {
		if child.IsAvailableCommand() {
			fmt.Fprintf(out, "%s    %-*s : %s\n", heading, width, child.Name(), child.Short)
			heading = ""
		}
	}
}

func printFlags(out io.Writer, heading string, flags *pflag.FlagSet) {
	heading, width := "\n"+heading+"\n", 0
	flags.VisitAll(func(flag *pflag.Flag) { width = max(width, len(flagHead(flag))) })
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden {
			return
		}
		_, usage := pflag.UnquoteUsage(flag)
		fmt.Fprintf(out, "%s    %-*s : %s\n", heading, width, flagHead(flag), usage)
		heading = ""
	})
}

func flagHead(flag *pflag.Flag) string {
	head := "--" + flag.Name
	if flag.Shorthand != "" {
		head += " -" + flag.Shorthand
	}
	if _, ok := flag.Annotations[requiredMark]; ok {
		head += " [Required]"
	}
	return head
}

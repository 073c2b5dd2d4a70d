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
func printHelp(c *cobra.Command, _ []string) {
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
	printChildren(out, c)
	if c.Runnable() && !c.HasAvailableSubCommands() {
		printFlags(out, "Arguments", c.LocalNonPersistentFlags())
	}
	printFlags(out, "Global Arguments", c.Root().PersistentFlags())
	if c.Example != "" {
		fmt.Fprintf(out, "\nExamples\n    %s\n", strings.ReplaceAll(c.Example, "\n", "\n    "))
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

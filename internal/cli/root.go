package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newRoot builds the part of the tree that args call, or all of it if they do
// not begin with one of its commands. Building it touches no file and no network.
func newRoot(s *session, args []string) *cobra.Command {
	s.words = map[*cobra.Command][]word{}
	root := branch(&cobra.Command{Use: s.program, Short: "Two keys for every service you run."})
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(s.printHelp)
	root.SetHelpCommand(newHelp())
	root.CompletionOptions.DisableDefaultCmd = true
	s.global.register(root)
	called, _ := firstWord(root.PersistentFlags(), args)
	root.AddCommand(s.commands(called)...)
	return root
}

// commands makes the command of that name below the root, or all there are if
// none of ours has it.
func (s *session) commands(called string) []*cobra.Command {
	var all []*cobra.Command
	for _, c := range topCommands() {
		if c.name == called {
			return []*cobra.Command{c.make(s)}
		}
	}
	for _, c := range topCommands() {
		all = append(all, c.make(s))
	}
	if s.cfg.Extra != nil {
		all = append(all, s.cfg.Extra()...)
	}
	return all
}

// topCommand is a command right below the root that has not been made yet.
type topCommand struct {
	name string
	make func(*session) *cobra.Command
}

func topCommands() []topCommand {
	return []topCommand{
		{"login", newLogin}, {"logout", newLogout}, {"account", newAccount}, {"group", newGroup},
		{"cognitiveservices", newCognitive}, {"resource", newResource}, {"provider", newProvider},
		{"role", newRole}, {"ad", newDirectory}, {"admin", newAdmin}, {"activity", newActivity}, {"monitor", newMonitor},
		{"keys", newKeys}, {"accounts", newAccounts}, {"create", newCreate},
		{"config", newConfig}, {"configure", newConfigure}, {"completion", newCompletion},
		{"version", newVersion}, {"client-env", newClientEnv},
	}
}

// globals are the options that every command takes.
type globals struct {
	output         choice
	query          text
	subscription   text
	onlyShowErrors bool
	debug          bool
	verbose        bool
}

func (g *globals) register(root *cobra.Command) {
	flags := root.PersistentFlags()
	g.output = choice{allowed: []string{"json", "jsonc", "none", "table", "tsv", "yaml", "yamlc"}, value: "json"}
	flags.VarP(&g.output, "output", "o", "Output `format`: json, jsonc, none, table, tsv, yaml, yamlc.")
	flags.Lookup("output").Annotations = map[string][]string{settingMark: {settingOutput}}
	flags.Var(&g.query, "query", "JMESPath `expression` to select from the result.")
	flags.Var(&g.subscription, "subscription", "`Name or ID` of the subscription to use instead of the default one.")
	flags.Lookup("subscription").Annotations = map[string][]string{offerMark: {offerSubscription}}
	flags.BoolVar(&g.onlyShowErrors, "only-show-errors", false, "Print errors only, no warnings.")
	flags.BoolVar(&g.debug, "debug", false, "Print every request and its answer's status; never a secret.")
	flags.BoolVar(&g.verbose, "verbose", false, "Print more about what is done.")
}

// branch makes c a command that only has others below it. It reads no flags
// itself, so that a misspelled command is what is reported, not an option that
// the misspelled command would have had.
func branch(c *cobra.Command, children ...*cobra.Command) *cobra.Command {
	c.AddCommand(children...)
	c.Args = cobra.ArbitraryArgs
	c.DisableFlagParsing = true
	c.RunE = func(c *cobra.Command, args []string) error {
		word, help := firstWord(c.Root().PersistentFlags(), args)
		switch {
		case help:
			return c.Help()
		case strings.HasPrefix(word, "-"):
			return unknownWord(c, word, nil)
		case word != "":
			return unknownWord(c, word, childNames(c))
		case c.HasParent():
			return &usageError{cmd: c, text: "'" + c.CommandPath() + "' needs one more word: " + strings.Join(childNames(c), ", ") + "."}
		}
		return c.Help()
	}
	return c
}

// firstWord returns the first of args that is neither a known option nor the
// value of one, and whether help is asked for before it.
func firstWord(known *pflag.FlagSet, args []string) (word string, help bool) {
	for i := 0; i < len(args); i++ {
		name, _, hasValue := strings.Cut(args[i], "=")
		var flag *pflag.Flag
		switch {
		case name == "-h" || name == "--help":
			return "", true
		case strings.HasPrefix(name, "--"):
			flag = known.Lookup(name[2:])
		case len(name) == 2 && name[0] == '-':
			flag = known.ShorthandLookup(name[1:])
		}
		if flag == nil {
			return args[i], false
		}
		if !hasValue && flag.NoOptDefVal == "" {
			i++
		}
	}
	return "", false
}

func childNames(c *cobra.Command) []string {
	var names []string
	for _, child := range c.Commands() {
		if child.IsAvailableCommand() {
			names = append(names, child.Name())
		}
	}
	return names
}

package cli

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newCompletion prints scripts that make a shell complete this program's command
// lines. What they print is for a shell, so --output does not apply.
func newCompletion(s *session) *cobra.Command {
	shell := func(name, load string, write func(root *cobra.Command, w io.Writer) error) *cobra.Command {
		return &cobra.Command{
			Use: name, Short: "Print the completion script for " + name + ".",
			Example: load + "\nComplete command lines in this shell.",
			Args:    cobra.ArbitraryArgs,
			RunE: func(c *cobra.Command, args []string) error {
				if _, err := takeWords(c, nil, args); err != nil {
					return err
				}
				var script strings.Builder
				if err := write(c.Root(), &script); err != nil {
					return err
				}
				return s.write(script.String())
			},
		}
	}
	return branch(&cobra.Command{Use: "completion", Short: "Print a script that completes command lines."},
		shell("bash", "source <(twinkey completion bash)", func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) }),
		shell("zsh", "source <(twinkey completion zsh)", func(root *cobra.Command, w io.Writer) error { return root.GenZshCompletion(w) }),
		shell("fish", "twinkey completion fish | source", func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) }),
		shell("powershell", "twinkey completion powershell | Out-String | Invoke-Expression", func(root *cobra.Command, w io.Writer) error { return root.GenPowerShellCompletionWithDesc(w) }),
	)
}

// completing reports whether args are a shell's question.
func completing(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// What kinds of names an option or a word takes.
const (
	offerAccount      = "account"
	offerGroup        = "group"
	offerKind         = "kind"
	offerSKU          = "sku"
	offerRole         = "role"
	offerSubscription = "subscription"
)

// offerTime bounds what a shell waits for.
const offerTime = time.Second

// offerValues lets a shell ask for the values of options and words.
func (s *session) offerValues(root *cobra.Command) {
	s.global.onlyShowErrors = true
	offerFlag := func(c *cobra.Command) func(*pflag.Flag) {
		return func(flag *pflag.Flag) {
			if f := s.offerFor(flag.Value, marked(flag, offerMark)); f != nil {
				_ = c.RegisterFlagCompletionFunc(flag.Name, f) // it fails for a flag that is not c's
			}
		}
	}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		c.Flags().VisitAll(offerFlag(c))
		if words := s.words[c]; len(words) > 0 {
			c.ValidArgsFunction = s.offerWords(words)
		}
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	root.PersistentFlags().VisitAll(offerFlag(root))
	walk(root)
}

// offerFor returns nil for a value that only the user knows.
func (s *session) offerFor(value pflag.Value, offer string) cobra.CompletionFunc {
	if c, ok := value.(*choice); ok {
		return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
			return startingWith(slices.Clone(c.allowed), typed), cobra.ShellCompDirectiveNoFileComp
		}
	}
	if offer == "" {
		return nil
	}
	return func(c *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(c.Context(), offerTime)
		defer cancel()
		return startingWith(s.offered(ctx, c, offer), typed), cobra.ShellCompDirectiveNoFileComp
	}
}

func (s *session) offerWords(words []word) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		at := len(args)
		if last := len(words) - 1; at > last && words[last].many {
			at = last
		}
		if at >= len(words) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		if f := s.offerFor(words[at].value, words[at].offer); f != nil {
			return f(c, args, typed)
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}

func startingWith(names []string, typed string) []string {
	return slices.DeleteFunc(names, func(name string) bool {
		return len(name) < len(typed) || !strings.EqualFold(name[:len(typed)], typed)
	})
}

// offered lists names of one kind; none if they cannot be had, for whatever
// reason: a shell has no place for an error.
func (s *session) offered(ctx context.Context, c *cobra.Command, offer string) []string {
	if offer == offerSubscription {
		return s.knownSubscriptions()
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return nil
	}
	switch offer {
	case offerAccount:
		return s.names(ctx, conn, accountsRequest(conn, s.given(c, "resource-group", settingGroup)), "name")
	case offerGroup:
		return s.names(ctx, conn, groupRequest(conn, http.MethodGet, ""), "name")
	case offerRole:
		return s.names(ctx, conn, conn.authorization(http.MethodGet, subscriptionScope(conn), roleDefinitions), "properties", "roleName")
	case offerKind:
		return s.names(ctx, conn, conn.offersRequest(), "kind")
	case offerSKU:
		list, err := conn.list(ctx, conn.offersRequest())
		if err != nil {
			return nil
		}
		return namesIn(offersOf(list, s.given(c, "kind", settingKind), ""), "name")
	}
	return nil
}

func (s *session) names(ctx context.Context, conn *connection, r armclient.Request, path ...string) []string {
	list, err := conn.list(ctx, r)
	if err != nil {
		return nil
	}
	return namesIn(list, path...)
}

// given is an option's value on the command line, or else its setting's.
func (s *session) given(c *cobra.Command, flag, setting string) string {
	if f := c.Flags().Lookup(flag); f != nil && f.Changed {
		return f.Value.String()
	}
	value, _, _ := s.setting(setting)
	return value
}

// knownSubscriptions are the names from the last login.
func (s *session) knownSubscriptions() []string {
	st, err := s.store()
	if err != nil {
		return nil
	}
	loaded, err := st.load()
	if err != nil {
		return nil
	}
	t, err := s.target(&loaded.profile)
	known := loaded.profile.Servers[t.endpoint]
	if err != nil || known == nil {
		return nil
	}
	var names []string
	for _, sub := range known.Subscriptions {
		names = append(names, sub.Name)
	}
	return names
}

// namesIn reads one text of every element of a list, each once, sorted. A name
// that could steer a terminal is left out.
func namesIn(list []any, path ...string) []string {
	var names []string
	for _, row := range list {
		if name, ok := at(row, path).(string); ok && name != "" && twinkey.Printable(name, len(name)) == name {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

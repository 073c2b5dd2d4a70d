package cli

import (
	"context"
	"strings"

	twinkey "github.com/twinkey/twinkey"

	"github.com/spf13/cobra"
)

func newConfig(s *session) *cobra.Command {
	return branch(&cobra.Command{Use: "config", Short: "Manage the settings of this program."},
		newConfigSet(s), newConfigGet(s), newConfigUnset(s))
}

func newConfigSet(s *session) *cobra.Command {
	var pairs list
	c := &cobra.Command{
		Use: "set", Short: "Set one or more settings.",
		Long: "The settings that commands read: " + strings.Join(knownSettings(), ", ") + ".\n" +
			"An option that is given wins over the environment (TWINKEY_DEFAULTS_GROUP for defaults.group), and that over a setting.",
		Example: `twinkey config set defaults.group=myGroup defaults.location=local
Make --resource-group and --location optional.
twinkey config set core.output=table
Print tables unless --output says otherwise.`,
	}
	words := []word{{label: "SECTION.NAME=VALUE", usage: "Settings and their values.", value: &pairs, many: true}}
	return s.wordy(c, words, nil, view{}, func(ctx context.Context) (any, error) {
		return nil, s.setAll(ctx, c, pairs)
	})
}

// setAll checks every pair before it sets one.
func (s *session) setAll(ctx context.Context, c *cobra.Command, pairs []string) error {
	for _, pair := range pairs {
		section, name, value, ok := parseSetting(pair)
		if !ok {
			return &usageError{cmd: c, text: "usage error: [section].[name]=[value] ..."}
		}
		if err := s.checkSetting(section, name, value); err != nil {
			return &usageError{cmd: c, text: err.Error()}
		}
	}
	return s.changeSettings(ctx, func(file *settings) {
		for _, pair := range pairs {
			section, name, value, _ := parseSetting(pair)
			file.set(section, name, value)
		}
	})
}

func newConfigGet(s *session) *cobra.Command {
	var key text
	c := &cobra.Command{
		Use: "get", Short: "Show a setting, those of a section, or all of them.",
		Example: `twinkey config get
Show every setting and where it is set.
twinkey config get defaults.group
Show one setting.`,
	}
	words := []word{{label: "SECTION[.NAME]", usage: "What to show; everything if not given.", value: &key, optional: true}}
	return s.wordy(c, words, nil, view{}, func(context.Context) (any, error) {
		all, err := s.effective()
		if err != nil {
			return nil, err
		}
		return getSetting(all, string(key))
	})
}

func getSetting(all map[string][]any, key string) (any, error) {
	if key == "" {
		return sectionsOf(all), nil
	}
	section, name, one := strings.Cut(strings.ToLower(key), ".")
	if !one {
		if all[section] == nil {
			return []any{}, nil
		}
		return all[section], nil
	}
	for _, set := range all[section] {
		if at(set, []string{"name"}) == name {
			return set, nil
		}
	}
	return nil, twinkey.Errorf(twinkey.Invalid, "Configuration '%s' is not set.", twinkey.Printable(key, 100))
}

func newConfigUnset(s *session) *cobra.Command {
	var keys list
	c := &cobra.Command{
		Use: "unset", Short: "Unset one or more settings.",
		Example: "twinkey config unset defaults.group\nWant --resource-group again.",
	}
	words := []word{{label: "SECTION.NAME", usage: "Settings to unset.", value: &keys, many: true}}
	return s.wordy(c, words, nil, view{}, func(ctx context.Context) (any, error) {
		for _, key := range keys {
			if _, _, ok := splitSetting(key); !ok {
				return nil, &usageError{cmd: c, text: "usage error: [section].[name]"}
			}
		}
		return nil, s.changeSettings(ctx, func(file *settings) {
			for _, key := range keys {
				section, name, _ := splitSetting(key)
				file.unset(section, name)
			}
		})
	})
}

// newConfigure is the older way to set the section "defaults".
func newConfigure(s *session) *cobra.Command {
	var defaults list
	var show bool
	c := &cobra.Command{
		Use: "configure", Short: "Set or list the defaults of options.",
		Example: `twinkey configure --defaults group=myGroup location=local
Make --resource-group and --location optional.
twinkey configure --defaults group=''
Want --resource-group again.`,
	}
	c.Flags().VarP(&defaults, "defaults", "d", "Space-separated `name=value` pairs, such as group=myGroup; an empty value takes a default away.")
	c.Flags().BoolVarP(&show, "list-defaults", "l", false, "List the defaults.")
	return s.leaf(c, nil, view{}, func(ctx context.Context) (any, error) {
		switch {
		case len(defaults) > 0:
			return nil, s.setAll(ctx, c, withSection(defaults))
		case !show:
			return nil, &usageError{cmd: c, text: "one of the arguments --defaults/-d --list-defaults/-l is required"}
		}
		all, err := s.effective()
		if err != nil {
			return nil, err
		}
		return getSetting(all, "defaults")
	})
}

func withSection(pairs []string) []string {
	full := make([]string, len(pairs))
	for i, pair := range pairs {
		full[i] = "defaults." + pair
	}
	return full
}

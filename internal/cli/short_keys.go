package cli

import (
	"context"
	"slices"
	"strings"

	twinkey "github.com/twinkey/twinkey"

	"github.com/spf13/cobra"
)

// newKeys is the short family for the two keys.
func newKeys(s *session) *cobra.Command {
	return branch(&cobra.Command{Use: "keys", Short: "Manage the two keys of an account, in few words."},
		newShortKeysList(s), newShortKeysShow(s), newShortKeysRegenerate(s))
}

// newAccounts lists the accounts as a table.
func newAccounts(s *session) *cobra.Command {
	var group name
	c := &cobra.Command{
		Use: "accounts", Short: "List accounts as a table.",
		Example: "twinkey accounts\nList the accounts.",
	}
	optionalGroup(c, &group)
	v := accountView()
	v.output = "table"
	return s.online(c, nil, v, func(ctx context.Context, conn *connection) (any, error) {
		return conn.list(ctx, accountsRequest(conn, string(group)))
	})
}

// nameWord is the word that names an account.
func (o *accountOptions) nameWord() word {
	return word{label: "NAME", usage: "Name of the account.", value: &o.name, offer: offerAccount}
}

func (o *accountOptions) registerGroup(c *cobra.Command) {
	c.Flags().VarP(&o.group, "resource-group", "g", "Name of the resource `group`; not needed if one account alone has the name.")
	fromSetting(c, "resource-group", settingGroup)
	markFlag(c, "resource-group", offerMark, offerGroup)
}

// locate finds the group of an account whose name says which one it is.
func (o *accountOptions) locate(ctx context.Context, conn *connection) error {
	if o.group != "" {
		return nil
	}
	all, err := conn.list(ctx, accountsRequest(conn, ""))
	if err != nil {
		return err
	}
	var groups []string
	for _, element := range all {
		text, _ := at(element, []string{"id"}).(string)
		if id, err := twinkey.ParseResourceID(text); err == nil && twinkey.Fold(id.Account) == twinkey.Fold(string(o.name)) {
			groups = append(groups, id.Group)
		}
	}
	switch len(groups) {
	case 0:
		return twinkey.Errorf(twinkey.NotFound, "No account that you may see in the subscription '%s' is called '%s'.", conn.subscription.Name, o.name)
	case 1:
		o.group = name(groups[0])
		return nil
	}
	slices.Sort(groups)
	return twinkey.Errorf(twinkey.Invalid, "More than one account is called '%s': there is one in each of the resource groups %s. Say which with --resource-group.", o.name, strings.Join(groups, ", "))
}

func newShortKeysList(s *session) *cobra.Command {
	o := &accountOptions{}
	c := &cobra.Command{
		Use: "list", Short: "List both keys of an account.",
		Example: "twinkey keys list myAccount\nList both keys of an account.",
	}
	o.registerGroup(c)
	return s.wordy(c, []word{o.nameWord()}, nil, keysView(), s.connected(func(ctx context.Context, conn *connection) (any, error) {
		if err := o.locate(ctx, conn); err != nil {
			return nil, err
		}
		return o.keys(ctx, s, conn)
	}))
}

func newShortKeysShow(s *session) *cobra.Command {
	o := &accountOptions{}
	key := keyChoice()
	c := &cobra.Command{
		Use: "show", Short: "Print one key of an account, and nothing else.",
		Example: "twinkey keys show myAccount key1\nPrint key 1, for a script to read.",
	}
	o.registerGroup(c)
	return s.wordy(c, []word{o.nameWord(), keyWord(&key)}, nil, view{output: "tsv"}, s.connected(func(ctx context.Context, conn *connection) (any, error) {
		if err := o.locate(ctx, conn); err != nil {
			return nil, err
		}
		keys, err := o.keys(ctx, s, conn)
		if err != nil {
			return nil, err
		}
		text, ok := at(keys, []string{strings.ToLower(key.value)}).(string)
		if !ok {
			return nil, twinkey.Errorf(twinkey.Unreadable, "the server's answer does not hold the key")
		}
		return text, nil
	}))
}

func newShortKeysRegenerate(s *session) *cobra.Command {
	o := &regenerateOptions{key: keyChoice()}
	c := &cobra.Command{
		Use: "regenerate", Short: "Replace one key of an account; the other one stays.",
		Long: "When it returns, the old key is dead at every gateway that is not named as pending.",
		Example: `twinkey keys regenerate myAccount key1
Replace key 1 of an account.`,
	}
	o.registerGroup(c)
	return s.wordy(c, []word{o.nameWord(), keyWord(&o.key)}, nil, keysView(), s.connected(func(ctx context.Context, conn *connection) (any, error) {
		if err := o.locate(ctx, conn); err != nil {
			return nil, err
		}
		return o.run(ctx, s, conn)
	}))
}

// keyChoice is one of the two keys.
func keyChoice() choice {
	return choice{allowed: []string{twinkey.Key1.String(), twinkey.Key2.String()}}
}

func keyWord(key *choice) word {
	return word{label: "KEY", usage: "Which key: key1 or key2.", value: key}
}

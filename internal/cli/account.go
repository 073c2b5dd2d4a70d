package cli

import (
	"context"

	twinkey "github.com/twinkey/twinkey"

	"github.com/spf13/cobra"
)

// newAccount is the family about subscriptions; all of it but a token that has
// run out is answered from profile.json.
func newAccount(s *session) *cobra.Command {
	return branch(&cobra.Command{Use: "account", Short: "Choose among the subscriptions you may use."},
		newAccountShow(s), newAccountList(s), newAccountSet(s), newAccountToken(s))
}

// subscriptionNames adds the spellings that this family has for --subscription.
func subscriptionNames(s *session, c *cobra.Command) {
	f := c.Flags()
	f.VarP(&s.global.subscription, "subscription", "s", "`Name or ID` of the subscription.")
	f.VarP(&s.global.subscription, "name", "n", "Same as --subscription.")
	f.Lookup("name").Hidden = true
	markFlag(c, "subscription", offerMark, offerSubscription)
}

func newAccountShow(s *session) *cobra.Command {
	c := &cobra.Command{
		Use: "show", Short: "Show the current subscription.",
		Example: "twinkey account show\nShow the current subscription.",
	}
	subscriptionNames(s, c)
	return s.leaf(c, nil, view{}, func(context.Context) (any, error) {
		known, at, err := s.pick(string(s.global.subscription))
		if err != nil {
			return nil, err
		}
		return known.Subscriptions[at].object("environmentName"), nil
	})
}

func newAccountList(s *session) *cobra.Command {
	var all, refresh bool
	c := &cobra.Command{
		Use: "list", Short: "List the subscriptions found at login.",
		Example: `twinkey account list --output table
List the subscriptions as a table.
twinkey account list --refresh
Find those that are newer than the login, too.`,
	}
	c.Flags().BoolVar(&all, "all", false, "List those that are not enabled, too.")
	c.Flags().BoolVar(&refresh, "refresh", false, "Ask the server which there are now.")
	return s.leaf(c, nil, subscriptionView(), func(ctx context.Context) (any, error) {
		if refresh {
			conn, err := s.connect(ctx)
			if err != nil {
				return nil, err
			}
			if _, err := s.refresh(ctx, conn); err != nil {
				return nil, err
			}
		}
		return s.listAccounts(all)
	})
}

func newAccountSet(s *session) *cobra.Command {
	c := &cobra.Command{
		Use: "set", Short: "Make a subscription the current one.",
		Example: "twinkey account set --subscription NAME-OR-ID\nMake a subscription the current one.",
	}
	subscriptionNames(s, c)
	return s.leaf(c, nil, view{}, func(ctx context.Context) (any, error) {
		if s.global.subscription == "" {
			return nil, &usageError{cmd: c, text: "the following arguments are required: --subscription/-s/--name/-n"}
		}
		return nil, s.setAccount(ctx, string(s.global.subscription))
	})
}

func newAccountToken(s *session) *cobra.Command {
	c := &cobra.Command{
		Use: "get-access-token", Short: "Print an access token for the server's management API.",
		Example: "twinkey account get-access-token --query accessToken --output tsv\nPrint the bare token.",
	}
	subscriptionNames(s, c)
	return s.leaf(c, nil, view{}, func(ctx context.Context) (any, error) { return s.accessToken(ctx) })
}

// pick finds a subscription of the current server: by name or id, or the
// default one for "".
func (s *session) pick(name string) (*server, int, error) {
	st, err := s.store()
	if err != nil {
		return nil, -1, err
	}
	loaded, err := st.load()
	if err != nil {
		return nil, -1, err
	}
	return s.pickFrom(&loaded.profile, name)
}

func (s *session) pickFrom(p *profile, name string) (*server, int, error) {
	t, err := s.target(p)
	known := p.Servers[t.endpoint]
	if err != nil || known == nil || len(known.Subscriptions) == 0 {
		return nil, -1, errNotLoggedIn(s.program)
	}
	at := -1
	if name == "" {
		at = known.defaultAt()
	} else if at, err = known.find(name); err != nil {
		return nil, -1, err
	}
	if at < 0 {
		return nil, -1, twinkey.Errorf(twinkey.SubscriptionNotFound, "The subscription of '%s' doesn't exist in cloud '%s'.", twinkey.Printable(name, 200), cloudName)
	}
	return known, at, nil
}

func (s *session) listAccounts(all bool) (any, error) {
	st, err := s.store()
	if err != nil {
		return nil, err
	}
	loaded, err := st.load()
	if err != nil {
		return nil, err
	}
	t, err := s.target(&loaded.profile)
	known := loaded.profile.Servers[t.endpoint]
	list := []any{}
	if err != nil || known == nil || len(known.Subscriptions) == 0 {
		s.warnf("Please run \"%s login\" to access your accounts.", s.program)
		return list, nil
	}
	for _, sub := range known.Subscriptions {
		if all || sub.State == "Enabled" {
			list = append(list, sub.object("cloudName"))
		}
	}
	if len(list) < len(known.Subscriptions) {
		s.warnf("A few accounts are skipped as they don't have 'Enabled' state. Use '--all' to display them.")
	}
	return list, nil
}

func (s *session) setAccount(ctx context.Context, name string) error {
	if _, _, err := s.pick(name); err != nil {
		return err
	}
	st, err := s.store()
	if err != nil {
		return err
	}
	return st.update(ctx, func(now *state) error {
		known, at, err := s.pickFrom(&now.profile, name)
		if err != nil {
			return err
		}
		for i := range known.Subscriptions {
			known.Subscriptions[i].IsDefault = i == at
		}
		return nil
	})
}

func (s *session) accessToken(ctx context.Context) (any, error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	expires := conn.expires
	return map[string]any{
		"accessToken":  conn.token.Reveal(),
		"expiresOn":    expires.Local().Format("2006-01-02 15:04:05.000000"),
		"expires_on":   expires.Unix(),
		"subscription": conn.subscription.ID,
		"tenant":       conn.subscription.TenantID,
		"tokenType":    "Bearer",
	}, nil
}

package cli

import (
	"context"
	"net/http"
	"time"

	twinkey "github.com/twinkey/twinkey"

	"github.com/spf13/cobra"
)

// credentialWarning is the Azure CLI's.
const credentialWarning = "The output includes credentials that you must protect. Be sure that you do not include these credentials in your code or check the credentials into your source control. For more information, see https://aka.ms/azadsp-cli"

// lifetime says how long a secret is good.
type lifetime struct {
	years count
	end   moment
}

func (l *lifetime) register(c *cobra.Command) {
	c.Flags().Var(&l.years, "years", "How many `years` the secret is good; 1 if not given.")
	c.Flags().Var(&l.end, "end-date", "When it ends instead: a `time` such as 2031-01-31T12:00:00Z or a day.")
}

func (l *lifetime) until(now time.Time) (time.Time, error) {
	end := time.Time(l.end)
	switch {
	case l.years > 0 && !end.IsZero():
		return end, twinkey.Errorf(twinkey.Invalid, "usage error: --years | --end-date")
	case !end.IsZero():
		return end, nil
	}
	return now.AddDate(max(1, int(l.years)), 0, 0), nil
}

// addPassword gives an application a new secret, which the server shows this
// once.
func (c *connection) addPassword(ctx context.Context, collection, id, name string, end time.Time) (twinkey.Secret, error) {
	credential := map[string]any{"endDateTime": end.UTC().Format(time.RFC3339)}
	if name != "" {
		credential["displayName"] = name
	}
	r := c.graph(http.MethodPost, collection, id, "addPassword")
	r.Body = map[string]any{"passwordCredential": credential}
	resp, err := c.do(ctx, r)
	if err != nil {
		return twinkey.Secret{}, err
	}
	var added struct {
		Text string `json:"secretText"`
	}
	if err := resp.Decode(&added); err != nil {
		return twinkey.Secret{}, err
	}
	return twinkey.NewSecret(added.Text), nil
}

func (c *connection) removePassword(ctx context.Context, s *session, collection, id, keyID string) error {
	r := c.graph(http.MethodPost, collection, id, "removePassword")
	r.Body = map[string]any{"keyId": keyID}
	return s.change(ctx, c, r)
}

func newCredentialReset(s *session) *cobra.Command {
	var life lifetime
	var displayName text
	var keep bool
	c := &cobra.Command{
		Use: "reset", Short: "Give an application a new secret, and take its others away.",
		Example: `twinkey ad sp credential reset --id APP-ID
Replace an application's secrets by a new one.
twinkey ad sp credential reset --id APP-ID --append
Add a secret; the others stay good.`,
	}
	life.register(c)
	c.Flags().Var(&displayName, "display-name", "`Name` of the secret.")
	c.Flags().BoolVar(&keep, "append", false, "Keep the secrets there are.")
	return s.applicationCall(c, nil, view{}, func(ctx context.Context, conn *connection, id string) (any, error) {
		end, err := life.until(s.cfg.Now())
		if err != nil {
			return nil, err
		}
		app, err := conn.application(ctx, id)
		if err != nil {
			return nil, err
		}
		if !keep {
			for _, old := range app.Passwords {
				if err := conn.removePassword(ctx, s, "servicePrincipals", id, old.KeyID); err != nil {
					return nil, err
				}
			}
		}
		secret, err := conn.addPassword(ctx, "servicePrincipals", id, string(displayName), end)
		if err != nil {
			return nil, err
		}
		s.warnf(credentialWarning)
		return map[string]any{"appId": app.AppID, "password": secret.Reveal(), "tenant": conn.subscription.TenantID}, nil
	})
}

func newCredentialList(s *session) *cobra.Command {
	var cert bool
	c := &cobra.Command{
		Use: "list", Short: "List an application's secrets, without their texts.",
		Example: "twinkey ad sp credential list --id APP-ID --query \"[].{id:keyId,ends:endDateTime}\" --output table\nSee when an application's secrets end.",
	}
	c.Flags().BoolVar(&cert, "cert", false, "List certificates instead.")
	return s.applicationCall(c, nil, view{}, func(ctx context.Context, conn *connection, id string) (any, error) {
		shown, _, err := conn.object(ctx, conn.graph(http.MethodGet, "servicePrincipals", id))
		if err != nil {
			return nil, err
		}
		field := "passwordCredentials"
		if cert {
			field = "keyCredentials"
		}
		if list, ok := at(shown, []string{field}).([]any); ok {
			return list, nil
		}
		return []any{}, nil
	})
}

func newCredentialDelete(s *session) *cobra.Command {
	var keyID name
	c := &cobra.Command{
		Use: "delete", Short: "Take one secret of an application away.",
		Example: "twinkey ad sp credential delete --id APP-ID --key-id KEY-ID\nTake one secret of an application away.",
	}
	c.Flags().Var(&keyID, "key-id", "The secret's `id`.")
	return s.applicationCall(c, []string{"key-id"}, view{}, func(ctx context.Context, conn *connection, id string) (any, error) {
		return nil, conn.removePassword(ctx, s, "servicePrincipals", id, string(keyID))
	})
}

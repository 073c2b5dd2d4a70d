package cli

import (
	"context"
	"net/http"

	"github.com/twinkey/twinkey/internal/armclient"

	"github.com/spf13/cobra"
)

// deletedOptions name one deleted account, which is known by its location, too.
type deletedOptions struct {
	accountOptions
	location name
}

func (o *deletedOptions) register(c *cobra.Command) {
	o.accountOptions.register(c)
	c.Flags().VarP(&o.location, "location", "l", "`Location` that the account was in.")
	fromSetting(c, "location", settingLocation)
	markFlag(c, "name", offerMark)
}

func (o *deletedOptions) deleted(conn *connection, method string) armclient.Request {
	return conn.cognitive(method, "locations", string(o.location), "resourceGroups", string(o.group), "deletedAccounts", string(o.name))
}

func newListDeleted(s *session) *cobra.Command {
	c := &cobra.Command{
		Use: "list-deleted", Short: "List the deleted accounts that can be recovered.",
		Example: "twinkey cognitiveservices account list-deleted --output table\nList the deleted accounts that can be recovered.",
	}
	return s.online(c, nil, accountView(), func(ctx context.Context, conn *connection) (any, error) {
		return conn.list(ctx, conn.cognitive(http.MethodGet, "deletedAccounts"))
	})
}

func newShowDeleted(s *session) *cobra.Command {
	o := &deletedOptions{}
	c := &cobra.Command{
		Use: "show-deleted", Short: "Show a deleted account.",
		Example: "twinkey cognitiveservices account show-deleted -n myAccount -g myGroup -l westus\nShow a deleted account.",
	}
	o.register(c)
	return s.online(c, accountNames("location"), accountView(), func(ctx context.Context, conn *connection) (any, error) {
		account, _, err := conn.object(ctx, o.deleted(conn, http.MethodGet))
		return account, err
	})
}

func newRecover(s *session) *cobra.Command {
	o := &deletedOptions{}
	c := &cobra.Command{
		Use: "recover", Short: "Bring a deleted account back.",
		Example: "twinkey cognitiveservices account recover -n myAccount -g myGroup -l westus\nBring a deleted account back.",
	}
	o.register(c)
	return s.online(c, accountNames("location"), accountView(), func(ctx context.Context, conn *connection) (any, error) {
		r := o.request(conn, http.MethodPut)
		r.Body = map[string]any{"location": o.location, "properties": map[string]any{"restore": true}}
		account, resp, err := conn.object(ctx, r)
		if err != nil {
			return nil, err
		}
		s.warnPending(resp)
		return account, nil
	})
}

func newPurge(s *session) *cobra.Command {
	o := &deletedOptions{}
	c := &cobra.Command{
		Use: "purge", Short: "Delete a deleted account for ever.",
		Example: "twinkey cognitiveservices account purge -n myAccount -g myGroup -l westus\nDelete a deleted account for ever.",
	}
	o.register(c)
	return s.online(c, accountNames("location"), view{}, func(ctx context.Context, conn *connection) (any, error) {
		resp, err := conn.do(ctx, o.deleted(conn, http.MethodDelete))
		if err == nil {
			s.warnPending(resp)
		}
		return nil, err
	})
}

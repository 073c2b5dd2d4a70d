package cli

import (
	"context"
	"net/http"
	"strings"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"

	"github.com/spf13/cobra"
)

func newKeysList(s *session) *cobra.Command {
	o := &accountOptions{}
	c := &cobra.Command{
		Use: "list", Short: "List both keys of an account.",
		Example: `twinkey cognitiveservices account keys list --name myAccount --resource-group myGroup
List both keys of an account.`,
	}
	o.register(c)
	return s.online(c, accountNames(), keysView(), func(ctx context.Context, conn *connection) (any, error) {
		return o.keys(ctx, s, conn)
	})
}

// keys reads both keys of an account.
func (o *accountOptions) keys(ctx context.Context, s *session, conn *connection) (any, error) {
	r := o.request(conn, http.MethodPost, "listKeys")
	r.Repeatable = true // it changes nothing
	keys, resp, err := conn.object(ctx, r)
	if err != nil {
		return nil, err
	}
	s.warnPending(resp)
	return keys, nil
}

type regenerateOptions struct {
	accountOptions
	key choice
}

func newKeysRegenerate(s *session) *cobra.Command {
	o := &regenerateOptions{key: keyChoice()}
	c := &cobra.Command{
		Use: "regenerate", Short: "Replace one key of an account; the other one stays.",
		Long: "When it returns, the old key is dead at every gateway that is not named as pending.",
		Example: `twinkey cognitiveservices account keys regenerate --name myAccount --resource-group myGroup --key-name key1
Replace key 1 of an account.`,
	}
	o.register(c)
	c.Flags().Var(&o.key, "key-name", "Which `key` to replace: Key1, Key2.")
	return s.online(c, accountNames("key-name"), keysView(), func(ctx context.Context, conn *connection) (any, error) { return o.run(ctx, s, conn) })
}

func (o *regenerateOptions) run(ctx context.Context, s *session, conn *connection) (any, error) {
	r := o.request(conn, http.MethodPost, "regenerateKey")
	r.Body = map[string]any{"keyName": o.key.value}
	r.Repeatable = true // the server knows a repetition by its request id
	keys, resp, err := conn.object(ctx, r)
	if err != nil {
		return nil, err
	}
	o.tell(s, resp)
	return keys, nil
}

// tell says what was done and who has confirmed it. A server that says nothing
// of it is not spoken for.
func (o *regenerateOptions) tell(s *session, resp *armclient.Response) {
	c := resp.Confirmation
	if c == nil || resp.Generation == 0 {
		s.warnPending(resp)
		return
	}
	key, _ := twinkey.ParseKeyName(o.key.value) // one of the choices
	label := strings.ToUpper(key.Label()[:1]) + key.Label()[1:]
	if len(c.Pending) > 0 {
		s.sayf("WARNING: %s of %s is at generation %d, but not confirmed at revision %d by %s; the old key may still be accepted there.",
			label, o.name, resp.Generation, c.Revision, strings.Join(c.Pending, ", "))
		return
	}
	if s.global.onlyShowErrors {
		return
	}
	repeated := ""
	if resp.Repeated {
		repeated = " (the call had arrived before and was not done twice)"
	}
	s.sayf("%s of %s is at generation %d; confirmed by every gateway at revision %d in %.1f ms%s.",
		label, o.name, resp.Generation, c.Revision, float64(resp.Elapsed.Microseconds())/1000, repeated)
}

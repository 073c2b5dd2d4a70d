package cli

import (
	"context"
	"net/http"
	"strings"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
)

// changesVersion is the API version of changes to subscriptions.
const changesVersion = "2021-10-01"

func newAdminSubscriptionCreate(s *session) *cobra.Command {
	var display name
	c := &cobra.Command{
		Use: "create", Short: "Create a subscription.",
		Example: "twinkey admin subscription create \"Vision team\"\nCreate a subscription.",
	}
	words := []word{{label: "NAME", usage: "Name of the new subscription.", value: &display}}
	return s.wordy(c, words, nil, view{}, s.connected(func(ctx context.Context, conn *connection) (any, error) {
		id := uuid.NewString()
		_, err := conn.do(ctx, armclient.Request{
			Method: http.MethodPut, Path: []string{"subscriptions", id}, APIVersion: changesVersion, Body: map[string]any{"displayName": display},
		})
		if err != nil {
			return nil, err
		}
		return s.refreshed(ctx, conn, id)
	}))
}

func newAdminSubscriptionRename(s *session) *cobra.Command {
	var which, display name
	c := &cobra.Command{
		Use: "rename", Short: "Rename a subscription.",
		Example: "twinkey admin subscription rename \"Vision team\" Vision\nRename a subscription.",
	}
	words := []word{subscriptionWord(&which), {label: "NEW-NAME", usage: "Its new name.", value: &display}}
	return s.wordy(c, words, nil, view{}, s.connected(func(ctx context.Context, conn *connection) (any, error) {
		return s.changeSubscription(ctx, conn, string(which), "rename", map[string]any{"subscriptionName": display})
	}))
}

// newAdminSubscriptionSwitch is the command that makes a subscription read-only,
// or takes that back.
func newAdminSubscriptionSwitch(s *session, use, operation string) *cobra.Command {
	var which name
	short := "Make a subscription read-only; its keys stay good."
	if use == "enable" {
		short = "Allow changes in a subscription again."
	}
	c := &cobra.Command{Use: use, Short: short, Example: "twinkey admin subscription " + use + " \"Vision team\"\n" + short}
	return s.wordy(c, []word{subscriptionWord(&which)}, nil, view{}, s.connected(func(ctx context.Context, conn *connection) (any, error) {
		return s.changeSubscription(ctx, conn, string(which), operation, nil)
	}))
}

func subscriptionWord(which *name) word {
	return word{label: "SUBSCRIPTION", usage: "Name or ID of the subscription.", value: which, offer: offerSubscription}
}

func (s *session) changeSubscription(ctx context.Context, conn *connection, which, operation string, body map[string]any) (any, error) {
	id, err := s.subscriptionID(ctx, conn, which)
	if err != nil {
		return nil, err
	}
	r := armclient.Request{
		Method: http.MethodPost, APIVersion: changesVersion,
		Path: []string{"subscriptions", id, "providers", "Microsoft.Subscription", operation},
	}
	if body != nil {
		r.Body = body
	}
	if _, err := conn.do(ctx, r); err != nil {
		return nil, err
	}
	return s.refreshed(ctx, conn, id)
}

// subscriptionID finds a subscription among those of the server, which may be
// newer than the last login.
func (s *session) subscriptionID(ctx context.Context, conn *connection, which string) (string, error) {
	found, err := s.subscriptions(ctx, conn.client, conn.token, conn.subscription.User)
	if err != nil {
		return "", err
	}
	known := server{Subscriptions: found}
	at, err := known.find(which)
	if err != nil {
		return "", err
	}
	if at < 0 {
		return "", twinkey.Errorf(twinkey.NotFound, "Subscription '%s' not found. Check the spelling and casing and try again.", twinkey.Printable(which, 100))
	}
	return found[at].ID, nil
}

// refresh takes the server's subscriptions over into the profile; the current
// one stays that.
func (s *session) refresh(ctx context.Context, conn *connection) ([]subscription, error) {
	found, err := s.subscriptions(ctx, conn.client, conn.token, conn.subscription.User)
	if err != nil {
		return nil, err
	}
	st, err := s.store()
	if err != nil {
		return nil, err
	}
	return found, st.update(ctx, func(now *state) error {
		known := now.profile.Servers[conn.endpoint]
		if known == nil {
			return nil // somebody has logged out meanwhile
		}
		current := ""
		if at := known.defaultAt(); at >= 0 {
			current = known.Subscriptions[at].ID
		}
		known.merge(found, current)
		if at, err := known.find(current); err == nil && at >= 0 { // it may be another user's
			for i := range known.Subscriptions {
				known.Subscriptions[i].IsDefault = i == at
			}
		}
		return nil
	})
}

// refreshed is a subscription as it is now, here and at the server.
func (s *session) refreshed(ctx context.Context, conn *connection, id string) (any, error) {
	found, err := s.refresh(ctx, conn)
	if err != nil {
		return nil, err
	}
	for _, sub := range found {
		if strings.EqualFold(sub.ID, id) {
			shown := sub.object("cloudName")
			delete(shown, "isDefault") // it is a matter of this machine
			return shown, nil
		}
	}
	return nil, nil
}

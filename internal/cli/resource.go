package cli

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/twinkey/twinkey/internal/armclient"

	"github.com/spf13/cobra"
)

func newResource(s *session) *cobra.Command {
	return branch(&cobra.Command{Use: "resource", Short: "See resources of every type."}, newResourceList(s))
}

func newResourceList(s *session) *cobra.Command {
	var group name
	var kind text
	c := &cobra.Command{
		Use: "list", Short: "List resources.",
		Example: "twinkey resource list -g myGroup --output table\nList what is in a resource group.",
	}
	optionalGroup(c, &group)
	c.Flags().Var(&kind, "resource-type", "`Type` of resource, such as Microsoft.CognitiveServices/accounts; all if not given.")
	return s.online(c, nil, resourceView(), func(ctx context.Context, conn *connection) (any, error) {
		query := url.Values{"$expand": {"createdTime,changedTime,provisioningState"}}
		var conditions []string
		if group != "" {
			conditions = append(conditions, "resourceGroup eq "+quoted(string(group)))
		}
		if kind != "" {
			conditions = append(conditions, "resourceType eq "+quoted(string(kind)))
		}
		if conditions != nil {
			query.Set("$filter", strings.Join(conditions, " and "))
		}
		return conn.list(ctx, armclient.Request{
			Method: http.MethodGet, Path: []string{"subscriptions", conn.subscription.ID, "resources"}, APIVersion: groupsVersion, Query: query,
		})
	})
}

// quoted is a text in a filter: in quotation marks, those within it doubled
// (OData 4.01, "Primitive Literals").
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func resourceView() view {
	return view{
		fields: []string{"changedTime", "createdTime", "id", "identity", "kind", "location", "name", "provisioningState", "sku", "tags", "type"},
		columns: []column{
			{"Name", []string{"name"}}, {"ResourceGroup", []string{"resourceGroup"}}, {"Location", []string{"location"}},
			{"Type", []string{"type"}}, {"Status", []string{"provisioningState"}},
		},
	}
}

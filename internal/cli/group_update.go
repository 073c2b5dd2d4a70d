package cli

import (
	"context"
	"net/http"

	"github.com/spf13/cobra"
)

func newGroupUpdate(s *session) *cobra.Command {
	var group name
	var tags tags
	c := &cobra.Command{
		Use: "update", Short: "Change the tags of a resource group.",
		Example: "twinkey group update --name myGroup --tags team=vision stage=test\nReplace the tags of a resource group.",
	}
	groupName(c, &group)
	c.Flags().Var(&tags, "tags", "Space-separated tags: `key[=value] ...`. They replace all there are.")
	return s.online(c, []string{"name"}, groupView(), func(ctx context.Context, conn *connection) (any, error) {
		known, _, err := conn.object(ctx, groupRequest(conn, http.MethodGet, string(group)))
		if err != nil || tags == nil {
			return known, err
		}
		r := groupRequest(conn, http.MethodPut, string(group))
		r.Body = map[string]any{"location": at(known, []string{"location"}), "tags": tags}
		updated, _, err := conn.object(ctx, r)
		return updated, err
	})
}

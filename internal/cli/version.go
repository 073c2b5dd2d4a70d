package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func newVersion(s *session) *cobra.Command {
	c := &cobra.Command{
		Use: "version", Short: "Print the version of this program.",
		Example: "twinkey version --output tsv\nPrint the bare version.",
	}
	return s.leaf(c, nil, view{}, func(context.Context) (any, error) {
		return map[string]any{"twinkey": s.cfg.Version}, nil
	})
}

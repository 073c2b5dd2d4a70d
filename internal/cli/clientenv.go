package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	twinkey "github.com/twinkey/twinkey"

	"github.com/spf13/cobra"
)

// endpointsFile is what a server writes into its data directory when it starts.
const endpointsFile = "endpoints.json"

// newClientEnv prints the settings that make this program, and others, find a
// local server. It prints shell text, not a result, so --output does not apply.
func newClientEnv(s *session) *cobra.Command {
	var dir text
	shells := []string{"sh"}
	c := &cobra.Command{
		Use: "client-env sh", Short: "Print the environment that finds a local server, for a shell to read.",
		Example: "eval \"$(twinkey client-env sh --data-dir DIR)\"\nSet the variables in this shell.",
		Args:    cobra.ArbitraryArgs,
	}
	c.Flags().Var(&dir, "data-dir", "The server's data `directory`.")
	markFlag(c, "data-dir", requiredMark)
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return &usageError{cmd: c, text: "the following arguments are required: the shell. Allowed values: sh."}
		}
		if args[0] != shells[0] {
			return &usageError{cmd: c, text: fmt.Sprintf("%s: '%s' is not a known shell. Allowed values: sh.", c.CommandPath(), args[0]), suggestion: didYouMean(args[0], shells)}
		}
		if len(args) > 1 {
			return &usageError{cmd: c, text: "unrecognized arguments: " + strings.Join(args[1:], " ")}
		}
		if err := demand(c, nil, []string{"data-dir"}); err != nil {
			return err
		}
		lines, err := clientEnv(s.program, string(dir))
		if err != nil {
			return err
		}
		return s.write(lines)
	}
	return c
}

func clientEnv(program, dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, endpointsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", twinkey.Errorf(twinkey.Unavailable, "no server has been started on %s; run '%s serve --data-dir %s' first", dir, program, dir)
	}
	if err != nil {
		return "", fmt.Errorf("reading the server's endpoints: %w", err)
	}
	var e struct {
		Endpoint       string `json:"endpoint"`
		Authority      string `json:"authority"`
		TenantID       string `json:"tenantId"`
		SubscriptionID string `json:"subscriptionId"`
		CAFile         string `json:"caFile"`
		Gateway        string `json:"gateway"`
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return "", fmt.Errorf("reading the server's endpoints: %s: %w", filepath.Join(dir, endpointsFile), err)
	}
	var lines strings.Builder
	for _, setting := range []struct{ name, value string }{
		{"TWINKEY_ENDPOINT", e.Endpoint},
		{"TWINKEY_AUTHORITY", e.Authority},
		{"TWINKEY_TENANT_ID", e.TenantID},
		{"TWINKEY_SUBSCRIPTION_ID", e.SubscriptionID},
		{"TWINKEY_CA_FILE", e.CAFile},
		{"TWINKEY_GATEWAY", e.Gateway},
	} {
		if setting.value != "" {
			fmt.Fprintf(&lines, "export %s=%s\n", setting.name, shellQuote(setting.value))
		}
	}
	return lines.String(), nil
}

// shellQuote makes s one word of a POSIX shell, with nothing in it special.
func shellQuote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

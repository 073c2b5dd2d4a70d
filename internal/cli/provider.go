package cli

import (
	"context"
	"net/http"

	"github.com/twinkey/twinkey/internal/armclient"

	"github.com/spf13/cobra"
)

func newProvider(s *session) *cobra.Command {
	return branch(&cobra.Command{Use: "provider", Short: "See resource providers."},
		newProviderList(s), newProviderShow(s), newProviderRegister(s))
}

func providerRequest(conn *connection, method string, below ...string) armclient.Request {
	path := []string{"subscriptions", conn.subscription.ID, "providers"}
	return armclient.Request{Method: method, Path: append(path, below...), APIVersion: groupsVersion}
}

func newProviderList(s *session) *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List the resource providers.",
		Example: "twinkey provider list --query \"[].namespace\" --output tsv\nList the providers' names.",
	}
	return s.online(c, nil, view{}, func(ctx context.Context, conn *connection) (any, error) {
		return conn.list(ctx, providerRequest(conn, http.MethodGet))
	})
}

// providerNamespace adds the option that names a provider.
func providerNamespace(c *cobra.Command, namespace *name) {
	c.Flags().VarP(namespace, "namespace", "n", "The provider's `namespace`, such as Microsoft.CognitiveServices.")
}

func newProviderShow(s *session) *cobra.Command {
	var namespace name
	c := &cobra.Command{
		Use: "show", Short: "Show a resource provider.",
		Example: "twinkey provider show --namespace Microsoft.CognitiveServices\nShow a resource provider.",
	}
	providerNamespace(c, &namespace)
	return s.online(c, []string{"namespace"}, view{}, func(ctx context.Context, conn *connection) (any, error) {
		shown, _, err := conn.object(ctx, providerRequest(conn, http.MethodGet, string(namespace)))
		return shown, err
	})
}

func newProviderRegister(s *session) *cobra.Command {
	var namespace name
	var wait bool
	c := &cobra.Command{
		Use: "register", Short: "Register a resource provider; a Twinkey server has them all registered.",
		Example: "twinkey provider register --namespace Microsoft.CognitiveServices\nRegister a resource provider.",
	}
	providerNamespace(c, &namespace)
	c.Flags().BoolVar(&wait, "wait", false, "Accepted for scripts; the command ends when it is done.")
	return s.online(c, []string{"namespace"}, view{}, func(ctx context.Context, conn *connection) (any, error) {
		_, err := conn.do(ctx, providerRequest(conn, http.MethodPost, string(namespace), "register"))
		return nil, err
	})
}

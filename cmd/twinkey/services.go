package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/app"
)

func newServices() *cobra.Command {
	check := &cobra.Command{
		Use:   "check FILE",
		Short: "Say whether a server could use a services file, and all that is wrong with it.",
		Long: "Reads the file as a server would: environment variables and files that it takes secrets from must be there, " +
			"as they are for the server. Connects to nothing.",
		Example: "twinkey services check services.yaml && kill -HUP \"$(pidof twinkey)\"\nLet a server read a file again only if it is good.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return twinkey.Errorf(twinkey.Invalid, "'twinkey services check' takes one file.")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return checkServices(args[0], c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c := &cobra.Command{
		Use: "services", Short: "Look at what services are behind the gateway.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return twinkey.Errorf(twinkey.Invalid, "'%s' is not a command of 'twinkey services'. There is: check.", twinkey.Printable(args[0], 40))
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(check)
	return c
}

// checkServices prints each problem on a line of its own, as compilers do, for
// editors that jump to it.
func checkServices(path string, stdout, stderr io.Writer) error {
	summary, problems, err := app.CheckServices(path)
	if err != nil {
		return err
	}
	if len(problems) == 0 {
		_, err = fmt.Fprintln(stdout, summary)
		return err
	}
	for _, p := range problems {
		fmt.Fprintln(stderr, p)
	}
	if len(problems) == 1 {
		return twinkey.Errorf(twinkey.Invalid, "1 problem in %s", path)
	}
	return twinkey.Errorf(twinkey.Invalid, "%d problems in %s", len(problems), path)
}

// hangups receives every SIGHUP, which daemons take as the request to read their
// configuration again, until stop is called.
func hangups() (received <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// Command twinkey is the whole product in one binary: the server, the command
// line that manages it, and a demonstration of both.
//
// It refuses to hold logic of its own: it reads flags and hands over.
package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/twinkey/twinkey/internal/cli"
)

func main() { os.Exit(run()) }

// run is the program, as tests run it too.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cli.Main(ctx, cli.Config{
		Name: filepath.Base(os.Args[0]), Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
		Version: version(), Extra: func() []*cobra.Command { return []*cobra.Command{newServe(), newServices(), newDemo()} },
	})
}

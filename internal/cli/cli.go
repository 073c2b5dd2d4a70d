// Package cli is the command line: the commands of the Azure CLI that manage
// accounts and their keys, under the same names, with the same output and the
// same exit codes, for a Twinkey server.
//
// It refuses to link any server code, to keep state outside its configuration
// directory, to print anything but the result to standard output, and to do
// work for commands that were not called.
package cli

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Config is one call of the program.
type Config struct {
	// Name is the base name the program was called by. Called az or az.exe, it
	// calls itself az in all it says; by any other name, twinkey.
	Name string
	// Args are the arguments without the program's name.
	Args []string
	// Stdin, Stdout and Stderr are the three streams. When Stdin is a terminal
	// (an *os.File), passwords are read without echo and questions are asked.
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// Getenv reads the environment, as os.Getenv does.
	Getenv func(string) string
	// Version is printed by "version" and sent as User-Agent; zero means "dev".
	Version string
	// Extra makes further commands of the program, when it may be one of them
	// that is called; their errors are printed and end with exit code 1. Zero
	// means none.
	Extra func() []*cobra.Command
	// Now tells the time; zero means time.Now.
	Now func() time.Time
}

// The exit codes, which are the Azure CLI's.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2   // the arguments are wrong; nothing was sent
	exitNotFound    = 3   // the server answered 404, or lists nothing of that name
	exitInterrupted = 130 // the context was cancelled
)

// Main runs one command and returns the exit code. A cancelled ctx stops it at
// once.
func Main(ctx context.Context, cfg Config) int {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Version == "" {
		cfg.Version = "dev"
	}
	s := &session{cfg: cfg, program: programName(cfg.Name), began: cfg.Now()}
	args := spreadLists(cfg.Args)
	root := newRoot(s, args)
	root.SetArgs(args)
	if completing(cfg.Args) {
		s.offerValues(root)
		root.SetArgs(cfg.Args)
	}
	root.SetIn(cfg.Stdin)
	root.SetOut(cfg.Stdout)
	root.SetErr(cfg.Stderr)
	err := root.ExecuteContext(ctx)
	code := s.report(ctx, err)
	s.infof("Command ran in %.3f seconds.", cfg.Now().Sub(s.began).Seconds())
	return code
}

// programName is what the program calls itself.
func programName(called string) string {
	switch strings.ToLower(called) {
	case "az", "az.exe":
		return "az"
	}
	return "twinkey"
}

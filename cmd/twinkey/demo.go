package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/examples/textanalytics"
	"github.com/twinkey/twinkey/internal/app"
)

// demoServices is the demonstration's services.yaml: one service that a single
// kind offers, and a second kind whose keys open everything the first one has.
const demoServices = `services:
  - kind: TextAnalytics
    skus:
      - name: F0
        callsPerMinute: 20
      - name: S
    routes:
      - path: /text/analytics/
        upstream: %s
  - kind: CognitiveServices
    skus:
      - name: S0
    includes: [TextAnalytics]
`

// demoOptions are the flags of demo.
type demoOptions struct {
	once    bool
	dir     string
	noColor bool
}

func newDemo() *cobra.Command {
	var o demoOptions
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show on this machine what two keys are for.",
		Long: "Starts a small text service and a server in front of it, in this process, on addresses of this machine alone. " +
			"Calls the service as anybody could, puts it behind two keys, and regenerates one of them while it is used. Then serves until Ctrl-C.",
		Example: `twinkey demo
Look at it, then try the commands it prints.
twinkey demo --once
Exit after the tour: with 0 only if everything went as it said.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context(), c.OutOrStdout()) },
	}
	f := c.Flags()
	f.BoolVar(&o.once, "once", false, "Exit after the tour; not 0 unless every step went as it said.")
	f.StringVar(&o.dir, "dir", "", "Empty or new `directory` to use and to keep. (default: a temporary one, removed at the end)")
	f.BoolVar(&o.noColor, "no-color", false, "No colours, also on a terminal. So does the variable NO_COLOR.")
	return c
}

func (o *demoOptions) run(ctx context.Context, stdout io.Writer) error {
	// A terminal that is closed ends the demonstration like Ctrl-C, and a pipe
	// nobody reads any more is an error like others: both leave time to clean up.
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP)
	defer stop()
	signal.Ignore(syscall.SIGPIPE)
	defer signal.Reset(syscall.SIGPIPE)
	dir, remove, err := o.directory()
	if err != nil {
		return err
	}
	defer remove()
	if err := app.ForbidCore(); err != nil {
		return fmt.Errorf("forbidding core files: %w", err)
	}
	d := &demo{dir: dir, once: o.once, kept: o.dir != "", out: newPrinter(stdout, o.noColor)}
	return d.run(ctx)
}

// directory makes the place for everything, and says how to remove it.
func (o *demoOptions) directory() (string, func(), error) {
	if o.dir == "" {
		dir, err := os.MkdirTemp("", "twinkey-demo-")
		if err != nil {
			return "", nil, fmt.Errorf("making a temporary directory: %w", err)
		}
		return dir, func() { _ = os.RemoveAll(dir) }, nil
	}
	dir, err := filepath.Abs(o.dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return "", nil, fmt.Errorf("making the directory: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", nil, fmt.Errorf("reading the directory: %w", err)
	}
	if len(entries) > 0 {
		return "", nil, twinkey.Errorf(twinkey.Invalid, "The directory %s is not empty. Name a new one with --dir, or leave --dir out.", dir)
	}
	return dir, func() {}, nil
}

// demo is one run.
type demo struct {
	dir  string
	once bool
	kept bool // the directory stays
	out  *printer
}

func (d *demo) path(name string) string { return filepath.Join(d.dir, name) }

// run starts everything, shows it and stops it.
func (d *demo) run(ctx context.Context) error {
	log, err := os.Create(d.path("server.log"))
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	defer log.Close()
	upstream, stop, err := startUpstream()
	if err != nil {
		return err
	}
	defer stop()
	if err := os.WriteFile(d.path("services.yaml"), fmt.Appendf(nil, demoServices, upstream), 0o600); err != nil {
		return fmt.Errorf("writing services.yaml: %w", err)
	}
	c := app.Config{
		DataDir: d.path("data"), ConfigDir: d.path("config"), Services: d.path("services.yaml"),
		Listen: "127.0.0.1:0", GatewayListen: "127.0.0.1:0",
		Log: slog.New(slog.NewTextHandler(log, nil)),
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var shown error
	err = serve(ctx, c, func(e app.Endpoints) {
		if shown = d.show(ctx, upstream, e); shown != nil || d.once {
			cancel()
		}
	})
	return errors.Join(shown, err)
}

// show takes the tour and says what to try next.
func (d *demo) show(ctx context.Context, upstream string, e app.Endpoints) error {
	d.out.heading("Twinkey: two keys for a service that has none")
	fate := "removed at the end"
	if d.kept {
		fate = "yours to remove"
	}
	d.out.say("Everything runs in this process, on 127.0.0.1, in %s (%s).", d.dir, fate)
	t, err := newTour(upstream, e, d.out)
	if err != nil {
		return err
	}
	if err := t.run(ctx); err != nil {
		return err
	}
	if !d.once {
		d.next(e)
	}
	return d.out.err
}

// next says where everything is and what to do with it.
func (d *demo) next(e app.Endpoints) {
	d.out.heading("Yours now, until Ctrl-C")
	d.out.table([][]string{
		{"management", e.Endpoint}, {"gateway", e.Gateway}, {"CA certificate", e.CAFile},
		{"services", d.path("services.yaml")}, {"server log", d.path("server.log")},
	})
	d.out.say("In another terminal, from the directory this was started in. The first line stands for a program")
	d.out.say("that is not installed; leave it out after: go install ./cmd/twinkey")
	key := "twinkey cognitiveservices account keys list --name " + tourAccount + " --resource-group " + tourGroup
	d.out.code(
		`twinkey() { go run ./cmd/twinkey "$@"; }`,
		"export TWINKEY_CONFIG_DIR="+shellWord(d.path("cli")),
		`eval "$(twinkey client-env sh --data-dir `+shellWord(d.path("data"))+`)"`,
		"twinkey login --local",
		"twinkey account show",
		key,
		"twinkey cognitiveservices account keys regenerate --name "+tourAccount+" --resource-group "+tourGroup+" --key-name key1",
		"KEY=$("+key+" --query key1 --output tsv)",
		`curl --cacert "$TWINKEY_CA_FILE" -H "Ocp-Apim-Subscription-Key: $KEY" -H 'Content-Type: application/json' \`,
		`  -d '{"documents":[{"id":"1","text":"The soup was excellent and the waiter was very kind."}]}' \`,
		`  "$TWINKEY_GATEWAY/text/analytics/v3.1/sentiment"`,
	)
}

// shellWord quotes s for a POSIX shell where that is needed.
func shellWord(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+@%:,", r))
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// startUpstream serves the text service, which asks nobody for anything, on an
// address of its own.
func startUpstream() (address string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("starting the text service: %w", err)
	}
	server := &http.Server{Handler: textanalytics.Handler(), ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // ends when it is closed
	}()
	return "http://" + l.Addr().String(), func() { _ = server.Close(); <-done }, nil
}

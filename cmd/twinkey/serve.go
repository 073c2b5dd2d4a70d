package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/app"
)

// drainTime is how long calls under way may take to finish after SIGTERM.
const drainTime = 30 * time.Second

// serveOptions are the flags of serve.
type serveOptions struct {
	app       app.Config
	upstreams []string
	proxies   []string
	logLevel  slog.Level
	logFormat string
}

func newServe() *cobra.Command {
	var o serveOptions
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the server: control plane, identity provider and gateway.",
		Example: `  twinkey serve --data-dir /var/lib/twinkey --services services.yaml
  twinkey serve --upstream vllm=http://127.0.0.1:8000
  twinkey serve --public-url https://keys.example.com:8443 --gateway-url https://api.example.com --listen :8443 --gateway-listen :443`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.run(c.Context(), c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.StringVar(&o.app.DataDir, "data-dir", defaultDataDir(), "`Directory` of the store.")
	f.StringVar(&o.app.ConfigDir, "config-dir", "", "`Directory` of the outer key, certificates and first credentials; never inside the data directory. (default: the data directory's name + \"-config\")")
	f.StringVar(&o.app.Services, "services", "", "`File` that says what services are behind the gateway. (default: services.yaml in the configuration directory)")
	f.StringArrayVar(&o.upstreams, "upstream", nil, "Service behind the gateway as `PRESET=URL`, instead of a services file; an account for it is made. Can be given several times. Presets: "+presetNames()+".")
	f.StringVar(&o.app.Listen, "listen", "127.0.0.1:8443", "`Address` of the management surface.")
	f.StringVar(&o.app.GatewayListen, "gateway-listen", "127.0.0.1:8444", "`Address` of the gateway.")
	f.StringVar(&o.app.GatewayHTTP, "gateway-http", "", "`Address` of the gateway without TLS. (default: off)")
	f.StringVar(&o.app.OpsListen, "ops-listen", "127.0.0.1:8445", "`Address` of /healthz, /readyz and /metrics; empty for none.")
	f.StringVar(&o.app.PublicURL, "public-url", "", "`URL` under which clients reach the management surface. (default: from --listen)")
	f.StringVar(&o.app.GatewayURL, "gateway-url", "", "`URL` under which clients reach the gateway. (default: from --gateway-listen)")
	f.StringVar(&o.app.TLSCert, "tls-cert", "", "`File` with a certificate chain in PEM. (default: issued by a local authority)")
	f.StringVar(&o.app.TLSKey, "tls-key", "", "`File` with the certificate's key in PEM.")
	f.StringVar(&o.app.GatewayDomain, "gateway-domain", "", "`Domain` below which each account with a sub-domain has a host of its own. (default: none)")
	f.StringSliceVar(&o.proxies, "trusted-proxies", nil, "`Networks`, in CIDR form, of proxies in front of the gateway whose X-Forwarded-For is believed.")
	f.DurationVar(&o.app.DrainRevoked, "drain-revoked", 10*time.Second, "How long an answer may go on streaming after its key has been regenerated.")
	f.IntVar(&o.app.ActivityDays, "activity-days", 90, "How many `days` the activity log goes back.")
	f.Int64Var(&o.app.ActivityEntries, "activity-entries", 1_000_000, "How many `entries` the activity log keeps at most; the oldest hours go first.")
	f.StringVar(&o.app.ActivityExport, "activity-export", "", "`File` to append the activity log to, one JSON object a line. (default: none)")
	f.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "What to log: `level` debug, info, warn or error.")
	f.StringVar(&o.logFormat, "log-format", "text", "`Form` of log lines: text or json.")
	return c
}

func (o *serveOptions) run(ctx context.Context, stdout, stderr io.Writer) error {
	log, err := o.logger(stderr)
	if err != nil {
		return err
	}
	if err := app.ForbidCore(); err != nil {
		return fmt.Errorf("forbidding core files: %w", err)
	}
	o.app.Log, o.app.Version = log, version()
	if o.app.TrustedProxies, err = parseNetworks(o.proxies); err != nil {
		return err
	}
	if o.app.Upstreams, err = parseUpstreams(o.upstreams, o.app.Services); err != nil {
		return err
	}
	reload, stop := hangups()
	defer stop()
	o.app.Reload = reload
	return serve(ctx, o.app, func(e app.Endpoints) {
		log.Info("ready", "endpoint", e.Endpoint, "gateway", e.Gateway, "ca-file", e.CAFile, "subscription", e.SubscriptionID)
		fmt.Fprintf(stderr, "Twinkey is ready. In a shell: eval \"$(twinkey client-env sh --data-dir %s)\" && twinkey login --local\n", o.app.DataDir)
		if err := announce(stdout, o.app, e); err != nil {
			log.Warn("printing how to use the upstreams", "error", err)
		}
	})
}

// serve runs a server until ctx ends or a listener breaks, then drains it.
func serve(ctx context.Context, c app.Config, ready func(app.Endpoints)) error {
	started := starting()
	server, err := app.New(ctx, c)
	if err != nil {
		return sentence(err)
	}
	if err = server.Start(ctx); err == nil {
		started()
		if server.StoreErr() == nil {
			ready(server.Endpoints())
		}
		select {
		case <-ctx.Done():
		case err = <-server.Failed():
		}
	}
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	return errors.Join(err, server.Stop(draining))
}

// starting lets the garbage collector run more rarely while a start reads all
// there is: with a million accounts that is a fifth of the processor time for a
// fifth more memory. What it returns ends that, and gives back what reading has
// left, which serving would not fill for long.
func starting() (started func()) {
	percent := debug.SetGCPercent(200)
	if percent != 100 { // GOGC is set: the operator knows better
		debug.SetGCPercent(percent)
	}
	return func() {
		debug.SetGCPercent(percent)
		go debug.FreeOSMemory()
	}
}

// sentence is the text of err that is made for people, who would otherwise read
// the cause twice.
func sentence(err error) error {
	if text := twinkey.MessageOf(err); text != "" {
		return errors.New(text)
	}
	return err
}

func (o *serveOptions) logger(w io.Writer) (*slog.Logger, error) {
	options := &slog.HandlerOptions{Level: o.logLevel}
	switch o.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, twinkey.Errorf(twinkey.Invalid, "'%s' is not a log format. Allowed values: text, json.", twinkey.Printable(o.logFormat, 40))
}

// parseNetworks reads addresses and networks in CIDR form.
func parseNetworks(texts []string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, text := range texts {
		network, err := netip.ParsePrefix(text)
		if address, addressErr := netip.ParseAddr(text); addressErr == nil {
			network, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil {
			return nil, twinkey.Errorf(twinkey.Invalid, "'%s' is not a network. Expected an address, or a network such as 10.0.0.0/8.", twinkey.Printable(text, 60))
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}

// defaultDataDir is the system's place for the superuser, and the user's own
// otherwise (XDG Base Directory Specification, $XDG_DATA_HOME).
func defaultDataDir() string {
	if os.Geteuid() == 0 {
		return "/var/lib/twinkey"
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "twinkey")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "twinkey-data"
	}
	return filepath.Join(home, ".local", "share", "twinkey")
}

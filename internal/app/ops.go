package app

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/twinkey/twinkey"
)

// opsSurface is the name of the surface that watchers use.
const opsSurface = "ops"

// ops answers whoever watches over the process; it is not for the public.
func (a *App) ops() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.metrics.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	return mux
}

// readyz says whether the server can do everything it is for, or in one sentence
// what it cannot. With ?revision=n the gateway must decide by everything up to n.
func (a *App) readyz(w http.ResponseWriter, r *http.Request) {
	wanted := int64(0)
	if text := r.URL.Query().Get("revision"); text != "" {
		var err error
		if wanted, err = strconv.ParseInt(text, 10, 64); err != nil || wanted < 0 {
			http.Error(w, "The parameter revision must be a whole number, 0 or more.", http.StatusBadRequest)
			return
		}
	}
	decided := a.decidesBy()
	switch {
	case a.closed != nil:
		http.Error(w, closedSentence, http.StatusServiceUnavailable)
	case a.node.Err() != nil:
		http.Error(w, "The store has stopped, so no change can be made; keys keep working.", http.StatusServiceUnavailable)
	case !a.started.Load():
		http.Error(w, "The server is starting: the gateway has not read all accounts yet.", http.StatusServiceUnavailable)
	case a.node.Space().Full:
		http.Error(w, "The store is full, so no change can be made; keys keep working.", http.StatusServiceUnavailable)
	case decided < twinkey.Revision(wanted):
		http.Error(w, fmt.Sprintf("The gateway decides by revision %d and not yet by revision %d.", decided, wanted), http.StatusServiceUnavailable)
	default:
		fmt.Fprintf(w, "ok, revision %d\n", decided)
	}
}

// decidesBy is the revision up to which this server's gateway knows everything:
// that of its table, or a later one if nothing between is for it.
func (a *App) decidesBy() twinkey.Revision {
	decided := a.gateway.Revision()
	if a.closed != nil {
		return decided
	}
	for _, g := range a.hub.Stats().Gateways {
		if g.Name == localGateway {
			decided = max(decided, g.Revision)
		}
	}
	return decided
}

// openOps makes the parts that keep the store in order and watch over it.
func (a *App) openOps() {
	if a.config.ActivityExport != "" {
		a.exporter = &exporter{store: a.store, path: a.config.ActivityExport, log: a.log}
	}
	a.trimmer = a.newTrimmer()
	a.metrics = a.newMetrics()
}

// startOps starts those parts.
func (a *App) startOps(ctx context.Context) {
	a.goRun(func() { a.keepActivity(ctx) })
	a.goRun(func() { a.keepSpace(ctx) })
	if a.exporter != nil {
		a.goRun(func() { a.exportActivity(ctx) })
	}
}

// goServeOps and goServeOthers begin to answer.
func (a *App) goServeOps()    { a.goServeWhere(func(name string) bool { return name == opsSurface }) }
func (a *App) goServeOthers() { a.goServeWhere(func(name string) bool { return name != opsSurface }) }

func (a *App) goServeWhere(wanted func(name string) bool) {
	for _, s := range a.servers {
		if wanted(s.server.Name()) {
			a.goServe(s)
		}
	}
}

// goServe serves until Stop.
func (a *App) goServe(s served) {
	a.goRun(func() {
		if err := s.server.Serve(s.listener); err != nil {
			a.failed <- err
		}
	})
}

package app

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"path/filepath"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/arm"
	"github.com/twinkey/twinkey/internal/gateway"
	"github.com/twinkey/twinkey/internal/graph"
	"github.com/twinkey/twinkey/internal/idp"
	"github.com/twinkey/twinkey/internal/web"
)

// snapshotFile is where the gateway's snapshot is, in the data directory.
var snapshotFile = filepath.Join("gateway", "snapshot")

const (
	// closedSentence is what management and readiness say of a server whose store
	// could not be opened.
	closedSentence = "The store could not be opened, so nothing can be shown or changed until the operator has mended it and restarted the server; keys keep working."
	// snapshotRetry is the time between two attempts to write the snapshot after
	// one that did not succeed.
	snapshotRetry = 10 * time.Second
	// stopPatience is how long a store that could not be used may take to stop.
	stopPatience = 5 * time.Second
)

// openParts opens the store and what lives on it. Where it is the store that
// fails, and not what the operator has said, the gateway alone is opened, on its
// snapshot.
func (a *App) openParts(ctx context.Context) error {
	err := a.beginOpening()
	if err != nil {
		return a.openGatewayAlone(err)
	}
	a.undo = append(a.undo, a.endOpening)
	for _, step := range []func(context.Context) error{a.openStore, a.wire, a.firstStart, a.openSurfaces} {
		if err = step(ctx); err != nil {
			break
		}
	}
	if err == nil {
		return nil
	}
	died := twinkey.KindOf(err) == twinkey.Unavailable || a.StoreErr() != nil
	if a.node != nil {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
		defer cancel()
		err = errors.Join(err, a.node.Stop(stopping))
	}
	if !died || ctx.Err() != nil {
		return err
	}
	a.node, a.hub, a.servers = nil, nil, nil
	return a.openGatewayAlone(err)
}

// openGatewayAlone makes a server that only admits calls, since the store cannot
// be opened.
func (a *App) openGatewayAlone(cause error) error {
	a.closed = cause
	c := a.gatewayConfig()
	c.Tokens = closedTokens{}
	a.gateway = gateway.New(c)
	if !a.restoreGateway(cause) {
		return cause
	}
	a.metrics = a.newMetrics()
	a.serveSurfaces(a.closedManagement())
	return nil
}

// restoreGateway makes the gateway serve from its snapshot, because of a failure
// of the store, if there is a snapshot.
func (a *App) restoreGateway(cause error) bool {
	content, err := a.gateway.Restore()
	switch {
	case err == nil:
		a.log.Error("the store cannot be opened: no change can be made, and keys work by the gateway's snapshot; make room on the disk of the data directory if it is full, or mend what the cause names, then restart the server",
			"data-dir", a.config.DataDir, "cause", cause, "revision", content.Revision, "accounts", content.Accounts)
	case !errors.Is(err, fs.ErrNotExist):
		a.log.Error("the gateway's snapshot cannot be used", "error", err)
	}
	return err == nil
}

// keepSnapshot writes the gateway's snapshot anew when that is due.
func (a *App) keepSnapshot(ctx context.Context) {
	retry := time.NewTicker(snapshotRetry)
	defer retry.Stop()
	for {
		select {
		case <-a.snapshot.Due():
		case <-retry.C:
		case <-ctx.Done():
			return
		}
		if ctx.Err() != nil {
			return
		}
		if err := a.gateway.RenewSnapshot(ctx, a.feed); err != nil && ctx.Err() == nil {
			a.log.Warn("renewing the gateway's snapshot", "error", err)
		}
	}
}

// closedManagement refuses everything, each surface in its own form.
func (a *App) closedManagement() http.Handler {
	closed := twinkey.Errorf(twinkey.Unavailable, closedSentence)
	refuse := func(http.ResponseWriter, *http.Request) error { return closed }
	identity := idp.Closed(a.endpoints.Endpoint, closedSentence, a.config.Now)
	directory, resources := web.Handle(refuse, graph.WriteError), web.Handle(refuse, arm.WriteError)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case graph.Matches(r.URL.Path):
			directory.ServeHTTP(w, r)
		case idp.Matches(r.URL.Path):
			identity.ServeHTTP(w, r)
		default:
			resources.ServeHTTP(w, r)
		}
	})
}

// closedTokens answers the gateway for access tokens where nobody can check them.
type closedTokens struct{}

// Allowed implements gateway.Tokens.
func (closedTokens) Allowed(context.Context, string, string, twinkey.ResourceID) error {
	return twinkey.Errorf(twinkey.Unavailable, closedSentence)
}

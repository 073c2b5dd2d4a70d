package gateway

import (
	"context"
	"fmt"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/snapshot"
)

// Restore makes what the snapshot holds the table, for a gateway that has no
// feed to follow. On an error nothing has changed.
func (g *Gateway) Restore() (snapshot.Content, error) {
	fresh := NewTable()
	content, err := g.config.Snapshot.Read(fresh.Add)
	if err != nil {
		return snapshot.Content{}, err
	}
	fresh.revision.Store(int64(content.Revision))
	g.table.Store(fresh)
	return content, nil
}

// RenewSnapshot writes the snapshot anew if that is due, and acknowledges what
// Follow could not while an outdated one was there.
func (g *Gateway) RenewSnapshot(ctx context.Context, feed Feed) error {
	revision := g.config.Snapshot.Renew(ctx, g.states)
	if revision == 0 {
		return nil
	}
	return acknowledge(ctx, feed, revision)
}

// keep puts a message, which is in force already, where a restart finds it. On
// false a restart may find something older: there must be no acknowledgement
// until RenewSnapshot sends it. Everything at once takes its time to write, which
// nobody waits for who only calls.
func (g *Gateway) keep(m twinkey.FromHub) bool {
	switch to := g.config.Snapshot; {
	case to == nil:
		return true
	case m.Change != nil:
		return to.Append(*m.Change) == nil
	default:
		to.Outdate(m.Chunk.Revision)
		return false
	}
}

// states yields the accounts of the table in force when it begins.
func (g *Gateway) states(yield func(twinkey.AccountState) bool) {
	for s := range g.table.Load().States() {
		if !yield(*s) {
			return
		}
	}
}

func acknowledge(ctx context.Context, feed Feed, revision twinkey.Revision) error {
	if err := feed.Send(ctx, twinkey.FromGateway{Ack: &twinkey.Ack{Revision: revision}}); err != nil {
		return fmt.Errorf("acknowledging revision %d: %w", revision, err)
	}
	return nil
}

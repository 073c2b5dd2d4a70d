package app

import (
	"context"
	"time"
)

const (
	spaceCheck = 5 * time.Second // between two looks at whether the store is full
	spaceRetry = 5 * time.Minute // between two attempts to make room, since one may copy the whole store
)

// keepSpace makes room in a store that has reached its quota, and says once that
// it is full and once that it is not any more.
func (a *App) keepSpace(ctx context.Context) {
	tick := time.NewTicker(spaceCheck)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-a.node.Dead():
			return
		case <-ctx.Done():
			return
		}
		if space := a.node.Space(); space.Full {
			a.log.Error("the store is full: no change can be made until there is room, and keys keep working", "size", space.Size, "quota", space.Quota)
			a.makeRoom(ctx)
		}
	}
}

// makeRoom tries until there is room or ctx ends.
func (a *App) makeRoom(ctx context.Context) {
	said := ""
	for ctx.Err() == nil && a.node.Err() == nil {
		if err := a.trimmer.trim(ctx); err != nil {
			a.log.Warn("trimming the activity log of a full store", "error", err)
		}
		err := a.node.Reclaim(ctx)
		if err == nil {
			a.log.Info("the store has room again", "size", a.node.Space().Size)
			return
		}
		if text := err.Error(); text != said {
			a.log.Error("making room in the store", "error", err)
			said = text
		}
		pause(ctx, spaceRetry)
	}
}

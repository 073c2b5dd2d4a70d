package app

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/etcdstore"
)

// What zero ActivityDays and ActivityEntries stand for, and how often the log is
// looked at.
const (
	activityDays    = 90
	activityEntries = 1_000_000
	trimInterval    = 10 * time.Minute
)

// trimmer keeps the activity log within its limits.
type trimmer struct {
	store    *etcdstore.Store
	now      func() time.Time
	days     int
	entries  int64
	exporter *exporter // what it has not written yet stays; nil: there is none

	left    atomic.Int64 // entries there were when it last looked
	removed atomic.Int64 // since the start
}

func (a *App) newTrimmer() *trimmer {
	return &trimmer{store: a.store, now: a.config.Now, days: a.config.ActivityDays, entries: a.config.ActivityEntries, exporter: a.exporter}
}

// run trims now and whenever tick is received from, until ctx ends.
func (t *trimmer) run(ctx context.Context, tick <-chan time.Time, failed func(error)) {
	for {
		if err := t.trim(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-tick:
		case <-ctx.Done():
			return
		}
	}
}

func (t *trimmer) trim(ctx context.Context) error {
	now := t.now()
	limit := etcdstore.ActivityLimit{Now: now, Since: now.AddDate(0, 0, -t.days), Entries: t.entries, Until: -1}
	if t.exporter != nil {
		limit.Until = twinkey.Revision(t.exporter.written.Load())
	}
	removed, left, err := t.store.TrimActivity(ctx, limit)
	t.removed.Add(removed)
	if err == nil {
		t.left.Store(left)
	}
	return err
}

// keepActivity trims the log as time goes by.
func (a *App) keepActivity(ctx context.Context) {
	tick := time.NewTicker(trimInterval)
	defer tick.Stop()
	a.trimmer.run(ctx, tick.C, func(err error) { a.log.Warn("trimming the activity log", "error", err) })
}

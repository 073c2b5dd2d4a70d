package app

import "github.com/prometheus/client_golang/prometheus"

// collector reads the counters of the parts when it is asked.
type collector struct{ app *App }

// Describe implements prometheus.Collector: which values there are depends on
// the gateways and grants there are.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	s := sample{to}
	c.requests(s)
	c.gateway(s)
	c.snapshot(s)
	c.catalog(s)
	s.gauge("store_alive", "1 while the store can be read and written, 0 once it has stopped.", flag(c.app.StoreErr() == nil))
	if c.app.closed != nil {
		return
	}
	c.hub(s)
	c.store(s)
	c.identity(s)
	c.activity(s)
}

func (c *collector) requests(s sample) {
	const name, help = "requests_total", "Requests answered, by surface and by the first digit of the status."
	for _, served := range c.app.servers {
		if served.server.Name() != managementSurface {
			continue
		}
		for digit, n := range served.server.Answered() {
			s.counter(name, help, n, "surface", managementSurface, "class", class(digit))
		}
	}
	g := c.app.gateway.Stats()
	answered := g.Answered
	answered[5] += g.Unreachable + g.TimedOut
	for _, r := range g.Refused {
		answered[r.Status/100] += r.Count
	}
	for digit, n := range answered[1:] {
		s.counter(name, help, n, "surface", gatewaySurface, "class", class(digit+1))
	}
}

func (c *collector) gateway(s sample) {
	g := c.app.gateway.Stats()
	s.counter("gateway_admitted_total", "Calls the gateway let through.", g.Admitted)
	for _, r := range g.Refused {
		s.counter("gateway_refused_total", "Calls the gateway refused, by reason.", r.Count, "reason", r.Reason)
	}
	const errors, help = "gateway_upstream_errors_total", "Calls whose upstream gave no answer, by cause."
	s.counter(errors, help, g.Unreachable, "cause", "unreachable")
	s.counter(errors, help, g.TimedOut, "cause", "timeout")
	s.gauge("gateway_revision", "Newest change the gateway has applied.", float64(g.Revision))
	s.gauge("gateway_accounts", "Accounts the gateway knows.", float64(g.Accounts))
}

func (c *collector) snapshot(s sample) {
	f := c.app.snapshot.Stats()
	s.gauge("gateway_snapshot_usable", "1 while there is a snapshot of the accounts for a start without the store.", flag(f.Valid))
	s.gauge("gateway_snapshot_revision", "Newest change in the snapshot.", float64(f.Revision))
	s.counter("gateway_snapshot_failures_total", "How often the snapshot could not be written.", f.Failures)
}

func (c *collector) hub(s sample) {
	h := c.app.hub.Stats()
	s.gauge("hub_revision", "Newest revision of the store that the hub has seen.", float64(h.Newest))
	s.counter("store_watch_reopened_total", "How often the watch of the store failed and was opened anew.", h.Reopened)
	s.counter("hub_unreadable_accounts_total", "How often an account was met whose stored document cannot be read.", h.Damaged)
	for _, g := range h.Gateways {
		s.gauge("hub_acknowledged_revision", "Revision up to which a gateway decides by everything.", float64(g.Revision), "gateway", g.Name)
		s.gauge("hub_pending_changes", "Changes a gateway has not acknowledged.", float64(g.Pending), "gateway", g.Name)
	}
}

func (c *collector) store(s sample) {
	space := c.app.node.Space()
	s.gauge("store_full", "1 while the store takes no changes because it has reached its quota.", flag(space.Full))
	s.gauge("store_size_bytes", "Size of the database's file.", float64(space.Size))
	s.gauge("store_in_use_bytes", "Part of the database's file that holds something.", float64(space.InUse))
	s.gauge("store_quota_bytes", "Size at which the database takes no more changes.", float64(space.Quota))
	n := c.app.store.Stats()
	const name, help = "store_transactions_total", "Transactions, by result."
	s.counter(name, help, n.Committed, "result", "committed")
	s.counter(name, help, n.Conflicted, "result", "conflicted")
	s.counter(name, help, n.Refused, "result", "refused")
	s.counter(name, help, n.Unknown, "result", "unknown")
}

func (c *collector) identity(s sample) {
	for _, n := range c.app.provider.TokenCounts() {
		s.counter("token_requests_total", "Token requests, by grant and result.", n.Count, "grant", n.Grant, "result", n.Result)
	}
}

func (c *collector) activity(s sample) {
	s.gauge("activity_entries", "Entries of the activity log when it was last trimmed.", float64(c.app.trimmer.left.Load()))
	s.counter("activity_trimmed_total", "Entries of the activity log removed because of its limits.", uint64(c.app.trimmer.removed.Load()))
	e := c.app.exporter
	if e == nil {
		return
	}
	s.gauge("activity_export_working", "1 if the last write to the export file worked.", flag(e.works()))
	s.gauge("activity_export_lag_seconds", "For how long the oldest entry that is not exported has been waiting.", e.lag(c.app.config.Now()).Seconds())
	s.counter("activity_exported_total", "Entries written to the export file.", uint64(e.exported.Load()))
	s.counter("activity_export_failures_total", "Writes to the export file that failed.", uint64(e.failures.Load()))
}

func (c *collector) catalog(s sample) {
	r := c.app.services
	if r == nil {
		return
	}
	const name, help = "catalog_reloads_total", "How often services.yaml was read again, by result."
	s.counter(name, help, r.reloads.done.Load(), "result", "ok")
	s.counter(name, help, r.reloads.failed.Load(), "result", "failed")
	s.gauge("catalog_loaded_timestamp_seconds", "When the services in force were read, in Unix time.", float64(r.reloads.last.Load())/1e3)
}

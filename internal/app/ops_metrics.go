package app

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
)

// metrics is what /metrics shows. Most of it is read from the parts when it is
// asked for; what needs a histogram is gathered here.
type metrics struct {
	registry   *prometheus.Registry
	confirm    prometheus.Histogram
	incomplete prometheus.Counter
}

func (a *App) newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		confirm: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "twinkey_confirm_seconds", Help: "Time from a change being stored to every gateway having applied it.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		incomplete: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "twinkey_confirm_incomplete_total", Help: "Changes answered while some gateway was still pending.",
		}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "twinkey_build_info", Help: "1; the labels say which program this is.",
		ConstLabels: prometheus.Labels{"version": a.config.Version, "goversion": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.confirm, m.incomplete, build, &collector{a},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// timed measures confirmations.
func (m *metrics) timed(c accounts.Confirmer) accounts.Confirmer { return timedConfirmer{c, m} }

type timedConfirmer struct {
	accounts.Confirmer
	metrics *metrics
}

// Confirm implements accounts.Confirmer.
func (c timedConfirmer) Confirm(ctx context.Context, revision twinkey.Revision) twinkey.Confirmation {
	begin := time.Now()
	done := c.Confirmer.Confirm(ctx, revision)
	c.metrics.confirm.Observe(time.Since(begin).Seconds())
	if len(done.Pending) > 0 {
		c.metrics.incomplete.Inc()
	}
	return done
}

// sample is one reading of the parts.
type sample struct{ to chan<- prometheus.Metric }

// counter and gauge send one value. The labels come in pairs of name and value.
func (s sample) counter(name, help string, value uint64, labels ...string) {
	s.send(prometheus.CounterValue, name, help, float64(value), labels)
}

func (s sample) gauge(name, help string, value float64, labels ...string) {
	s.send(prometheus.GaugeValue, name, help, value, labels)
}

func (s sample) send(kind prometheus.ValueType, name, help string, value float64, labels []string) {
	var names, values []string
	for i := 0; i+1 < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	s.to <- prometheus.MustNewConstMetric(prometheus.NewDesc("twinkey_"+name, help, names, nil), kind, value, values...)
}

// class is the label of a status by its first digit; 0 is an answer that was cut
// off.
func class(digit int) string {
	if digit == 0 {
		return "cut"
	}
	return fmt.Sprintf("%dxx", digit)
}

func flag(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

package poller

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall/internal/directory"
)

type metrics struct {
	sweeps   *prometheus.CounterVec
	failures *prometheus.CounterVec
	duration prometheus.Histogram
	attempt  prometheus.Gauge
}

func newMetrics() *metrics {
	m := &metrics{
		sweeps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_sweeps_total", Help: "Sweeps that ended, by result.",
		}, []string{"result"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_sweep_failures_total", Help: "Sweeps that failed, by reason.",
		}, []string{"reason"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "rollcall_sweep_duration_seconds", Help: "Time from the beginning of a sweep to its end.",
			Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200, 3600},
		}),
		attempt: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rollcall_last_attempt_timestamp_seconds", Help: "When the last sweep began, whatever became of it.",
		}),
	}
	for _, result := range []directory.SweepResult{
		directory.SweepPublished, directory.SweepUnchanged, directory.SweepHeld,
		directory.SweepDropped, directory.SweepFailed,
	} {
		m.sweeps.WithLabelValues(string(result))
	}
	return m
}

// Collectors are the poller's metrics, for one registry.
func (p *Poller) Collectors() []prometheus.Collector {
	return []prometheus.Collector{p.metrics.sweeps, p.metrics.failures, p.metrics.duration, p.metrics.attempt}
}

// began notes an attempt.
func (m *metrics) began(at time.Time) { m.attempt.Set(float64(at.UnixMilli()) / 1000) }

func (m *metrics) observe(note directory.Sweep) {
	m.sweeps.WithLabelValues(string(note.Result)).Inc()
	m.duration.Observe(note.EndedAt.Sub(note.BeganAt).Seconds())
	if note.Result == directory.SweepFailed {
		m.failures.WithLabelValues(string(note.Reason)).Inc()
	}
}

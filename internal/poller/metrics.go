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
	held     *prometheus.GaugeVec
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
		held: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rollcall_held_removals", Help: "Rows that the held sweep would remove; 0 when none is held.",
		}, []string{"kind"}),
	}
	for _, result := range []directory.SweepResult{
		directory.SweepPublished, directory.SweepUnchanged, directory.SweepHeld,
		directory.SweepDropped, directory.SweepFailed,
	} {
		m.sweeps.WithLabelValues(string(result))
	}
	m.hold(directory.Held{})
	return m
}

func (m *metrics) hold(held directory.Held) {
	m.held.WithLabelValues("groups").Set(float64(held.Groups))
	m.held.WithLabelValues("members").Set(float64(held.Members))
	m.held.WithLabelValues("memberships").Set(float64(held.Memberships))
}

// Collectors are the poller's metrics, for one registry.
func (p *Poller) Collectors() []prometheus.Collector {
	return []prometheus.Collector{p.metrics.sweeps, p.metrics.failures, p.metrics.duration, p.metrics.attempt, p.metrics.held}
}

// began notes an attempt.
func (m *metrics) began(at time.Time) {
	if !at.IsZero() {
		m.attempt.Set(float64(at.UnixMilli()) / 1000)
	}
}

// observe notes how a sweep ended; held is nil unless it was held.
func (m *metrics) observe(note directory.Sweep, held *directory.Held) {
	m.sweeps.WithLabelValues(string(note.Result)).Inc()
	m.duration.Observe(note.EndedAt.Sub(note.BeganAt).Seconds())
	if note.Result == directory.SweepFailed {
		m.failures.WithLabelValues(string(note.Reason)).Inc()
	}
	if held != nil {
		m.hold(*held)
	} else if note.Result.Succeeded() {
		m.hold(directory.Held{})
	}
}

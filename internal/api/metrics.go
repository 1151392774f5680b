package api

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"rollcall/internal/directory"
)

// httpMetrics counts requests by route pattern, so that no label is ever a
// person, a group or a path.
type httpMetrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	series   sync.Map // of *httpSeries by seriesKey, as finding them costs more than adding to them
}

type seriesKey struct {
	route, method string
	status        int
}

type httpSeries struct {
	requests prometheus.Counter
	duration prometheus.Observer
}

func newHTTPMetrics() *httpMetrics {
	return &httpMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_http_requests_total", Help: "HTTP requests answered.",
		}, []string{"route", "method", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rollcall_http_request_duration_seconds", Help: "Time from a request to the end of its answer.",
			Buckets: []float64{.0005, .001, .005, .01, .05, .1, .5, 1, 5, 15, 60}, NativeHistogramBucketFactor: 1.1,
		}, []string{"route"}),
	}
}

func (m *httpMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.requests, m.duration}
}

func (m *httpMetrics) observe(route, method string, status int, took time.Duration) {
	key := seriesKey{route, knownMethod(method), status}
	series, isKnown := m.series.Load(key)
	if !isKnown {
		series, _ = m.series.LoadOrStore(key, &httpSeries{
			m.requests.WithLabelValues(route, key.method, strconv.Itoa(status)), m.duration.WithLabelValues(route),
		})
	}
	series.(*httpSeries).requests.Inc()
	series.(*httpSeries).duration.Observe(took.Seconds())
}

func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// A mirrorCollector reads the mirror when it is scraped, so that its gauges
// cannot freeze.
type mirrorCollector struct {
	mirror Mirror
	poller Poller

	revision, rows, confirmed, state, size, history *prometheus.Desc
}

func newMirrorCollector(mirror Mirror, poller Poller) *mirrorCollector {
	return &mirrorCollector{
		mirror: mirror, poller: poller,
		revision:  prometheus.NewDesc("rollcall_revision", "Revision that is served; 0 before the first sweep.", nil, nil),
		rows:      prometheus.NewDesc("rollcall_rows", "Rows of the present revision.", []string{"kind"}, nil),
		confirmed: prometheus.NewDesc("rollcall_confirmed_timestamp_seconds", "When the oldest row was confirmed upstream.", nil, nil),
		state:     prometheus.NewDesc("rollcall_state", "1 for the state that applies, 0 for the others.", []string{"state"}, nil),
		size:      prometheus.NewDesc("rollcall_db_size_bytes", "Size of the database on disk.", nil, nil),
		history:   prometheus.NewDesc("rollcall_history_since_timestamp_seconds", "When the first past state was published that is kept.", nil, nil),
	}
}

// Describe lists the gauges.
func (c *mirrorCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.revision, c.rows, c.confirmed, c.state, c.size, c.history} {
		out <- d
	}
}

// scrapeTimeout bounds what a scrape may wait for the mirror; Collect is
// given no context.
const scrapeTimeout = 5 * time.Second

// Collect reads them.
func (c *mirrorCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	current := c.poller.Status().State
	for _, state := range directory.States {
		gauge(c.state, boolean(state == current), string(state))
	}
	f, _ := c.mirror.Freshness(ctx) // an unreadable mirror shows as revision 0
	gauge(c.revision, float64(f.Revision))
	if !f.ConfirmedAt.IsZero() {
		gauge(c.confirmed, float64(f.ConfirmedAt.UnixMilli())/1000)
	}
	if n, err := c.mirror.Counts(ctx); err == nil {
		gauge(c.rows, float64(n.Groups), "groups")
		gauge(c.rows, float64(n.Members), "members")
		gauge(c.rows, float64(n.Memberships), "memberships")
		gauge(c.rows, float64(n.GuestMemberships), "guest_memberships")
	}
	if since, err := c.mirror.KeptSince(ctx); err == nil && !since.IsZero() {
		gauge(c.history, float64(since.UnixMilli())/1000)
	}
	if size, err := c.mirror.Size(ctx); err == nil {
		gauge(c.size, float64(size))
	}
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// metricsPage serves the registry.
func (s *server) metricsPage() handler {
	page := promhttp.HandlerFor(s.Registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true, ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4, Timeout: 2 * scrapeTimeout,
	})
	return func(w http.ResponseWriter, r *http.Request) error {
		page.ServeHTTP(w, r)
		return nil
	}
}

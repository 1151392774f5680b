package tallyfy

import (
	"context"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall/internal/directory"
)

func newRequestCounter() *prometheus.CounterVec {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rollcall_upstream_requests_total",
		Help: "Requests sent to Tallyfy, retries included, by class of status; error is no answer.",
	}, []string{"code"})
	for _, code := range []string{"2xx", "3xx", "4xx", "5xx", "error"} {
		requests.WithLabelValues(code)
	}
	return requests
}

func statusClass(status int) string {
	if status < 200 || status > 599 {
		return "error"
	}
	return strconv.Itoa(status/100) + "xx"
}

// Collectors returns the client's metrics, for one registry.
func (c *Client) Collectors() []prometheus.Collector {
	collectors := []prometheus.Collector{c.requests, expiryCollector{c}}
	if c.gate.minute != nil {
		collectors = append(collectors, c.remaining("minute", func(b directory.Budget) int { return b.MinuteRemaining }))
	}
	if c.gate.hour != nil {
		collectors = append(collectors, c.remaining("hour", func(b directory.Budget) int { return b.HourRemaining }))
	}
	return collectors
}

func (c *Client) remaining(window string, of func(directory.Budget) int) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "rollcall_upstream_budget_remaining",
		Help:        "Requests to Tallyfy that the limit leaves in the window that ends now.",
		ConstLabels: prometheus.Labels{"window": window},
	}, func() float64 { return float64(of(c.Budget())) })
}

// An expiryCollector tells when the access token expires, and nothing where
// that is not known.
type expiryCollector struct{ client *Client }

var expiryDesc = prometheus.NewDesc("rollcall_token_expiry_timestamp_seconds",
	"When the access token expires; absent when nothing tells.", nil, nil)

// Describe implements prometheus.Collector.
func (expiryCollector) Describe(out chan<- *prometheus.Desc) { out <- expiryDesc }

// Collect implements prometheus.Collector, which is given no context.
func (e expiryCollector) Collect(out chan<- prometheus.Metric) {
	if at := e.client.TokenInfo(context.Background()).ExpiresAt; !at.IsZero() {
		out <- prometheus.MustNewConstMetric(expiryDesc, prometheus.GaugeValue, float64(at.UnixMilli())/1000)
	}
}

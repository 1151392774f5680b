package api

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall/internal/directory"
)

// A hygieneCollector counts findings once a revision, when it is scraped. A
// scrape waits for the count no longer than countPatience: then it tells what
// was counted last, at an earlier revision, and the count goes on.
type hygieneCollector struct {
	mirror interface {
		Hygiene
		State
	}
	domains []string
	desc    *prometheus.Desc

	mu       sync.Mutex
	last     directory.HygieneCounts
	counting chan struct{} // closed when the count under way ends; nil while there is none
}

const (
	countPatience = time.Second
	countTimeout  = time.Minute
)

func newHygieneCollector(o Options) *hygieneCollector {
	return &hygieneCollector{
		mirror: o.Mirror, domains: o.GuestDomains,
		desc: prometheus.NewDesc("rollcall_hygiene_findings", "Findings of GET /v1/hygiene; a rule that is not set up is missing.", []string{"rule", "severity"}, nil),
	}
}

// Describe lists the gauge.
func (c *hygieneCollector) Describe(out chan<- *prometheus.Desc) { out <- c.desc }

// Collect tells what was counted, of the present revision if there is time.
func (c *hygieneCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), countPatience)
	defer cancel()
	present, err := c.mirror.Freshness(ctx)
	if err == nil && present.Revision > 0 {
		select {
		case <-c.count(present.Revision):
		case <-ctx.Done():
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rule := range directory.Rules {
		if n, counted := c.last.Findings[rule.Name]; counted {
			out <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(n), rule.Name, string(rule.Severity))
		}
	}
}

// count has the findings of a revision counted, unless they are or a count is
// under way, and returns what is closed when that has ended.
func (c *hygieneCollector) count(revision int64) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counting != nil {
		return c.counting
	}
	ended := make(chan struct{})
	if c.last.Revision == revision {
		close(ended)
		return ended
	}
	c.counting = ended
	go func() {
		defer close(ended)
		ctx, cancel := context.WithTimeout(context.Background(), countTimeout)
		defer cancel()
		counts, err := c.mirror.HygieneCounts(ctx, c.domains)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.counting = nil; err == nil { // else the next scrape tries again
			c.last = counts
		}
	}()
	return ended
}

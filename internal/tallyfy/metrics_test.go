package tallyfy

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestMetricsCountEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := inTurn(answer(503, ""), answer(429, ""), answer(200, emptyList), answer(302, ""))
		c := newClient(t, up, func(o *Options) { o.Rate, o.Hourly = 90, 900 })
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(c.Collectors()...)
		_, _ = c.GroupPage(t.Context(), 1)
		_, _ = c.GroupPage(t.Context(), 1)
		broken := newClient(t, &failing{err: io.EOF})
		_, _ = broken.Forward(t.Context(), post(t))
		want := `
# HELP rollcall_upstream_budget_remaining Requests to Tallyfy that the limit leaves in the window that ends now.
# TYPE rollcall_upstream_budget_remaining gauge
rollcall_upstream_budget_remaining{window="hour"} 896
rollcall_upstream_budget_remaining{window="minute"} 86
# HELP rollcall_upstream_requests_total Requests sent to Tallyfy, retries included, by class of status; error is no answer.
# TYPE rollcall_upstream_requests_total counter
rollcall_upstream_requests_total{code="2xx"} 1
rollcall_upstream_requests_total{code="3xx"} 1
rollcall_upstream_requests_total{code="4xx"} 1
rollcall_upstream_requests_total{code="5xx"} 1
rollcall_upstream_requests_total{code="error"} 0
`
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want)); err != nil {
			t.Error(err)
		}
		if got := testutil.ToFloat64(broken.requests.WithLabelValues("error")); got != 1 {
			t.Errorf("%v errors counted", got)
		}
		if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
			t.Error(problems, err)
		}
	})
}

func TestALiftedLimitHasNoGauge(t *testing.T) {
	if n := len(newClient(t, always(200, "")).Collectors()); n != 2 {
		t.Errorf("%d collectors", n)
	}
}

package api

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"rollcall/internal/directory"
)

// A brokenMirror fails or panics where a real one cannot be made to.
type brokenMirror struct {
	Mirror
	panics bool
}

func (m brokenMirror) Groups(context.Context, directory.GroupFilter, directory.ListQuery) (directory.Page[directory.Group], error) {
	if m.panics {
		panic("a secret of the heap")
	}
	return directory.Page[directory.Group]{}, errors.New("disk I/O error at /var/lib/secret.db")
}

func (m brokenMirror) GroupPayloads(context.Context, directory.PayloadQuery) (directory.PayloadPage, error) {
	page, err := m.Groups(context.Background(), directory.GroupFilter{}, directory.ListQuery{})
	return directory.PayloadPage{Freshness: page.Freshness}, err
}

func TestAFaultOfRollcallIsADull500WithARequestID(t *testing.T) {
	for _, panics := range []bool{false, true} {
		w := newPeople(t, func(o *Options) { o.Mirror = brokenMirror{o.Mirror, panics} })
		p := w.get("/v1/groups", "X-Request-Id", "r-42", "Accept-Encoding", "gzip").wantsProblem(500, blank)
		if p.RequestID != "r-42" || strings.Contains(p.Detail, "secret") {
			t.Error(p)
		}
		got := w.get(groupsPath, "X-Request-Id", "r-43").wants(500)
		if got.at("error") != true || strings.Contains(got.body, "secret") || got.header.Get("X-Request-Id") != "r-43" {
			t.Error(got.header, got.body)
		}
		message := map[bool]string{false: "request failed", true: "request panicked"}[panics]
		if n := strings.Count(w.log.String(), `"level":"ERROR"`); n != 2 {
			t.Errorf("%d lines tell of two faults", n)
		}
		if lines := w.log.lines(t, message); len(lines) != 2 || lines[0]["request_id"] != "r-42" || !strings.Contains(w.log.String(), "secret") {
			t.Error(w.log)
		}
	}
}

func TestEveryAnswerBearsARequestID(t *testing.T) {
	w := newPeople(t)
	for sent, kept := range map[string]bool{"abc-1.2_3": true, "": false, "has blank": false, strings.Repeat("x", 65): false, "a\"b": false} {
		got := w.get("/v1/groups", "X-Request-Id", sent).header.Get("X-Request-Id")
		if got == "" || (got == sent) != kept {
			t.Errorf("sent %q, got %q", sent, got)
		}
	}
}

func TestWritesAreLoggedAtInfoReadsAtDebugProbesNever(t *testing.T) {
	w := newPeople(t)
	w.poller.sweep.Result = directory.SweepRunning
	for _, path := range []string{"/livez", "/readyz", "/metrics"} {
		w.get(path).wants(200)
	}
	w.get("/v1/members/ada@x.test?sort=name", "Authorization", "Bearer t0ken")
	w.get("/v1/members/ada@x.test/groups")
	w.do("POST", "/v1/sync", "", "X-Request-Id", "r-1").wants(202)
	lines := w.log.lines(t, "request")
	if len(lines) != 3 {
		t.Fatal(w.log)
	}
	for i, want := range []map[string]any{
		{"level": "DEBUG", "route": "/v1/members/{m}", "status": 422.0},
		{"level": "DEBUG", "route": "/v1/members/{m}/groups", "status": 200.0},
		{"level": "INFO", "route": "/v1/sync", "status": 202.0, "method": "POST", "request_id": "r-1"},
	} {
		for key, value := range want {
			if lines[i][key] != value {
				t.Errorf("line %d: %s is %v, want %v", i, key, lines[i][key], value)
			}
		}
	}
	for _, secret := range []string{"ada@x.test", "t0ken"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("%s is in the log", secret)
		}
	}
}

func TestMetricsKeepTheConventions(t *testing.T) {
	w := newPeople(t)
	w.get("/v1/groups")
	problems, err := testutil.GatherAndLint(w.registry)
	if err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}

func TestMetricsSayWhatIsServed(t *testing.T) {
	w := newWorld(t)
	w.poller.status = directory.PollStatus{State: directory.StateStarting}
	wantMetrics(t, w.registry, `
# HELP rollcall_revision Revision that is served; 0 before the first sweep.
# TYPE rollcall_revision gauge
rollcall_revision 0
`, "rollcall_revision", "rollcall_confirmed_timestamp_seconds")
	f := w.publish(people())
	w.poller.status = directory.PollStatus{State: directory.StateFresh}
	wantMetrics(t, w.registry, `
# HELP rollcall_revision Revision that is served; 0 before the first sweep.
# TYPE rollcall_revision gauge
rollcall_revision 1
# HELP rollcall_rows Rows of the present revision.
# TYPE rollcall_rows gauge
rollcall_rows{kind="groups"} 4
rollcall_rows{kind="guest_memberships"} 1
rollcall_rows{kind="members"} 3
rollcall_rows{kind="memberships"} 5
# HELP rollcall_state 1 for the state that applies, 0 for the others.
# TYPE rollcall_state gauge
rollcall_state{state="failing"} 0
rollcall_state{state="fresh"} 1
rollcall_state{state="held"} 0
rollcall_state{state="stale"} 0
rollcall_state{state="starting"} 0
rollcall_state{state="unauthorized"} 0
`, "rollcall_revision", "rollcall_rows", "rollcall_state")
	text := w.get("/metrics").wants(200).body
	for _, name := range []string{"rollcall_confirmed_timestamp_seconds ", "rollcall_db_size_bytes "} {
		if !strings.Contains(text, "\n"+name) {
			t.Error("no", name)
		}
	}
	if f.ConfirmedAt.IsZero() {
		t.Error("nothing is confirmed")
	}
}

func wantMetrics(t *testing.T, registry *prometheus.Registry, want string, names ...string) {
	t.Helper()
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
}

func TestRequestsAreCountedByRouteNeverByPath(t *testing.T) {
	w := newPeople(t)
	w.get("/v1/members/ada@x.test")
	w.get("/v1/members/nobody@x.test")
	w.get("/v1/members/ada@x.test")
	w.get("/v1/groups/nobody-knows")
	w.get("/wp-login.php")
	w.do("BREW", "/v1/groups", "")
	wantMetrics(t, w.registry, `
# HELP rollcall_http_requests_total HTTP requests answered.
# TYPE rollcall_http_requests_total counter
rollcall_http_requests_total{code="200",method="GET",route="/v1/members/{m}"} 2
rollcall_http_requests_total{code="404",method="GET",route="/v1/groups/{g}"} 1
rollcall_http_requests_total{code="404",method="GET",route="/v1/members/{m}"} 1
rollcall_http_requests_total{code="404",method="GET",route="other"} 1
rollcall_http_requests_total{code="405",method="other",route="/v1/{rest...}"} 1
`, "rollcall_http_requests_total")
}

func TestTheOpsAddressServesProbesAndMetricsAlone(t *testing.T) {
	w := newPeople(t)
	ops := httptest.NewServer(w.api.Ops())
	defer ops.Close()
	for path, status := range map[string]int{"/livez": 200, "/readyz": 200, "/metrics": 200, "/v1/groups": 404, groupsPath: 404, "/docs": 404} {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", ops.URL+path, nil)
		req.Host = "scraper.example"
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != status {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, status)
		}
	}
}

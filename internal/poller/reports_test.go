package poller

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// A broken listing is one that must not be believed.
type broken struct {
	faults []tallyfysim.Fault // beside being on the page
	reason directory.Reason
	pages  string // where it shows, if elsewhere than on the page
}

func fault(f tallyfysim.Fault, reason directory.Reason) broken {
	return broken{faults: []tallyfysim.Fault{f}, reason: reason}
}

func rewritten(reason directory.Reason, rewrite func([]byte) []byte) broken {
	return fault(tallyfysim.Fault{Rewrite: rewrite}, reason)
}

func whole(body string) func([]byte) []byte { return func([]byte) []byte { return []byte(body) } }

// rows changes the rows of a page, given as JSON objects, in a body.
func rows(change func(rows []string) []string) func([]byte) []byte {
	return func(body []byte) []byte {
		start, end := bytes.IndexByte(body, '[')+1, bytes.Index(body, []byte(`],"meta"`))
		all := strings.SplitAfter(string(body[start:end]), "},{")
		for i := range all {
			all[i] = strings.TrimSuffix(all[i], ",{")
			if i > 0 {
				all[i] = "{" + all[i]
			}
		}
		return append([]byte(string(body[:start])+strings.Join(change(all), ",")), body[end:]...)
	}
}

// brokenListings are what can be wrong with the last of two pages of a list.
func brokenListings(edit func(*tallyfysim.Sim)) map[string]func(*tallyfysim.Sim) broken {
	constant := func(b broken) func(*tallyfysim.Sim) broken { return func(*tallyfysim.Sim) broken { return b } }
	return map[string]func(*tallyfysim.Sim) broken{
		"the total moves": func(sim *tallyfysim.Sim) broken {
			return fault(tallyfysim.Fault{Before: func() { edit(sim) }}, directory.ReasonUnsteady)
		},
		"the total lies, too low":     constant(rewritten(directory.ReasonUnsteady, renamed(`"total":`, `"total":1,"was":`))),
		"the total lies, too high":    constant(rewritten(directory.ReasonUnsteady, renamed(`"total":`, `"total":9`))),
		"a row comes again":           constant(broken{[]tallyfysim.Fault{{Rewrite: rows(func(r []string) []string { return append(r[1:], r[len(r)-1]) })}}, directory.ReasonUnsteady, "3"}),
		"a row is missing":            constant(broken{[]tallyfysim.Fault{{Rewrite: rows(func(r []string) []string { return r[1:] })}}, directory.ReasonUnsteady, "3"}),
		"half a list":                 constant(broken{[]tallyfysim.Fault{{Rewrite: rows(func(r []string) []string { return r[:len(r)/2] })}}, directory.ReasonUnsteady, "3"}),
		"no row at all":               constant(rewritten(directory.ReasonUnsteady, rows(func([]string) []string { return nil }))),
		"429":                         constant(fault(tallyfysim.Fault{Status: 429, RetryAfter: "600"}, directory.ReasonThrottled)),
		"401":                         constant(fault(tallyfysim.Fault{Status: 401, Body: []byte("Unauthorized.")}, directory.ReasonUnauthorized)),
		"403":                         constant(fault(tallyfysim.Fault{Status: 403, Body: []byte(`{"error":"secret"}`)}, directory.ReasonForbidden)),
		"404":                         constant(fault(tallyfysim.Fault{Status: 404, Body: []byte(`{"error":true,"code":"RESOURCE_NOT_FOUND"}`)}, directory.ReasonNotFound)),
		"422":                         constant(fault(tallyfysim.Fault{Status: 422, Body: []byte(`{"message":"secret"}`)}, directory.ReasonRefused)),
		"500":                         constant(fault(tallyfysim.Fault{Status: 500, Body: []byte("secret stack")}, directory.ReasonServer)),
		"a redirect":                  constant(fault(tallyfysim.Fault{Status: 302, Header: map[string][]string{"Location": {"https://x.test/"}}}, directory.ReasonShape)),
		"HTML":                        constant(rewritten(directory.ReasonNotJSON, whole("<html>secret</html>"))),
		"nothing":                     constant(rewritten(directory.ReasonNotJSON, whole(""))),
		"something after the answer":  constant(rewritten(directory.ReasonNotJSON, func(b []byte) []byte { return append(b, "secret"...) })),
		"no data":                     constant(rewritten(directory.ReasonShape, whole(`{"meta":{}}`))),
		"data an object":              constant(rewritten(directory.ReasonShape, whole(`{"data":{}}`))),
		"data null":                   constant(rewritten(directory.ReasonShape, whole(`{"data":null}`))),
		"an array":                    constant(rewritten(directory.ReasonShape, whole(`[]`))),
		"a row that is no object":     constant(rewritten(directory.ReasonShape, rows(func(r []string) []string { return append(r, `"secret"`) }))),
		"a row without id":            constant(rewritten(directory.ReasonKeyField, renamed(`"id":`, `"idx":`))),
		"an id that is an object":     constant(rewritten(directory.ReasonKeyField, renamed(`"id":`, `"id":{},"idx":`))),
		"a body cut in a row":         constant(fault(tallyfysim.Fault{TruncateAfter: 300}, directory.ReasonTransport)),
		"a body cut, ending cleanly":  constant(rewritten(directory.ReasonTransport, func(b []byte) []byte { return b[:len(b)/2] })),
		"an oversized body":           constant(rewritten(directory.ReasonTooLarge, func(b []byte) []byte { return append(b, bytes.Repeat([]byte(" "), 1<<20)...) })),
		"no answer in time":           constant(fault(tallyfysim.Fault{Delay: time.Hour}, directory.ReasonTimeout)),
		"a connection that breaks":    constant(fault(tallyfysim.Fault{DropConnection: true}, directory.ReasonTransport)),
		"a connection that is closed": constant(fault(tallyfysim.Fault{DropRequest: true}, directory.ReasonTransport)),
	}
}

// Each of these publishes nothing, and says what failed, in which list and on
// which page: in the status, in one line of the log, in the metric of the
// reason.
func TestABrokenListingPublishesNothingAndIsReported(t *testing.T) {
	for list, edit := range map[string]func(*tallyfysim.Sim){
		"groups": func(sim *tallyfysim.Sim) { sim.CreateGroup(tallyfysim.Group{Name: "One more"}) },
		"users": func(sim *tallyfysim.Sim) {
			sim.CreateUser(tallyfysim.User{Email: fmt.Sprintf("%d@x.test", len(sim.Users()))})
		},
	} {
		t.Run(list, func(t *testing.T) {
			inWorld(t, tallyfysim.Options{Seed: 7, Groups: 104, Members: 24, Edges: 60, UserCap: 20}, func(t *testing.T, w *world) {
				w.sweep(directory.SweepPublished)
				all := brokenListings(edit)
				for _, name := range slices.Sorted(maps.Keys(all)) {
					t.Log(name)
					testReport(t, w, list, all[name](w.sim))
				}
			})
		})
	}
}

// Without meta the page after the last one tells where the list ends, so that
// is what must not fail.
func TestAListWithoutMetaWhoseEndIsNotSeenPublishesNothing(t *testing.T) {
	for _, repeats := range []bool{false, true} {
		inWorld(t, tallyfysim.Options{Seed: 7, Groups: 110, Members: 30, NoMeta: true, RepeatLastPage: repeats, TotalPagesSize: 10}, func(t *testing.T, w *world) {
			w.sweep(directory.SweepPublished)
			for _, list := range []struct{ name, page string }{{"groups", "3"}, {"users", "2"}} {
				for name, b := range map[string]broken{
					"500":  fault(tallyfysim.Fault{Status: 500}, directory.ReasonServer),
					"404":  fault(tallyfysim.Fault{Status: 404}, directory.ReasonNotFound),
					"HTML": rewritten(directory.ReasonNotJSON, whole("<html></html>")),
				} {
					t.Log(repeats, list, name)
					w.sim.CreateGroup(tallyfysim.Group{Name: fmt.Sprint(time.Now())})
					before := w.mirror()
					b.faults[0].Match = tallyfysim.OnPage(list.name, list.page)
					w.sim.Fault(b.faults[0])
					w.sweep(directory.SweepFailed)
					w.wantPicture(before)
					w.wantState(directory.StateFailing, b.reason)
					w.sim.Clear()
					time.Sleep(time.Minute)
					w.sweep(directory.SweepPublished)
					w.wantEqual()
				}
			}
		})
	}
}

func testReport(t *testing.T, w *world, list string, b broken) {
	w.reach(tallyfy.Options{MaxBody: 1 << 20}, Options{})
	confirmed := time.Now()
	w.sweep(directory.SweepUnchanged)
	before, revision := w.mirror(), w.revision()
	time.Sleep(time.Minute)
	w.sim.UpdateGroup(w.sim.Groups()[0].ID, func(g *tallyfysim.Group) { g.Name += "!" })
	for _, f := range b.faults {
		f.Match = tallyfysim.OnPage(list, "2")
		w.sim.Fault(f)
	}
	metrics := prometheus.NewPedanticRegistry()
	metrics.MustRegister(w.Collectors()...)
	w.log.take()
	failed := w.sweep(directory.SweepFailed)

	w.wantServed(before, confirmed)
	w.wantRevision(revision)
	state := directory.StateFailing
	if b.reason == directory.ReasonUnauthorized {
		state = directory.StateUnauthorized
	}
	w.wantState(state, b.reason)
	message, page := w.Status().LastError.Message, "page 2"
	if b.pages != "" {
		page = "page " + b.pages
	}
	if !strings.HasPrefix(message, "list "+list+", "+page+": ") || strings.Contains(message, "secret") {
		t.Errorf("last_error is %q, want it to name %s and %s and to quote nothing", message, list, page)
	}
	if failed.Detail != message || failed.Reason != b.reason {
		t.Errorf("the note says %s, %q", failed.Reason, failed.Detail)
	}
	logged := w.log.take()
	if strings.Count(logged, "sweep failed") != 1 || strings.Count(logged, "level=WARN") != 1 || !strings.Contains(logged, "reason="+string(b.reason)) || !strings.Contains(logged, page) {
		t.Errorf("logged:\n%s", logged)
	}
	want := fmt.Sprintf("# HELP rollcall_sweep_failures_total Sweeps that failed, by reason.\n# TYPE rollcall_sweep_failures_total counter\nrollcall_sweep_failures_total{reason=%q} 1\n", b.reason)
	if err := testutil.GatherAndCompare(metrics, strings.NewReader(want), "rollcall_sweep_failures_total"); err != nil {
		t.Error(err)
	}

	w.sim.Clear()
	time.Sleep(20 * time.Minute)
	w.sweep(directory.SweepPublished)
	w.wantEqual()
	w.wantState(directory.StateFresh, "")
}

// take returns what was logged, and forgets it.
func (l *lines) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.text.String()
	l.text.Reset()
	return text
}

package api

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"rollcall/internal/directory"
)

func withDomains(domains ...string) func(*Options) {
	return func(o *Options) { o.GuestDomains = domains }
}

func TestFindingsHaveTheDesignsShape(t *testing.T) {
	w := newPeople(t, withDomains("inside.test"))
	got := w.get("/v1/hygiene?count=true").wants(200)
	finding := func(rule, severity string, group, member, email any, detail string) any {
		return map[string]any{"rule": rule, "severity": severity, "group_id": group, "member_id": member, "email": email, "detail": detail}
	}
	want := []any{
		finding("disabled-in-group", "error", salesID, 12.0, "bo@x.test", `disabled, and still a member of "Sales"`),
		finding("guest-domain", "error", salesID, nil, "Guest@Outside.test", `a guest of "Sales" from a domain that is not allowed`),
		finding("twin-names", "warning", supportID, nil, nil, `"Support" is another group's name, too, case and outer blanks apart`),
		finding("twin-names", "warning", shoutedID, nil, nil, `"SUPPORT" is another group's name, too, case and outer blanks apart`),
		finding("empty-group", "warning", shoutedID, nil, nil, `"SUPPORT" holds nobody`),
		finding("one-person-group", "info", supportID, 11.0, "Ada@x.test", `"Support" holds one person`),
		finding("one-person-group", "info", slashedID, 13.0, "cy@x.test", `"Ops / Night" holds one person`),
		finding("never-logged-in", "info", nil, 11.0, "Ada@x.test", "active, and never logged in"),
		finding("never-logged-in", "info", nil, 13.0, "cy@x.test", "invited, and never logged in"),
	}
	if diff := cmp.Diff(any(want), got.at("data")); diff != "" || got.at("total") != float64(len(want)) {
		t.Error(diff, got.at("total"))
	}
	for query, rules := range map[string][]any{
		"severity=error":                             {"disabled-in-group", "guest-domain"},
		"severity=warning":                           {"disabled-in-group", "guest-domain", "twin-names", "twin-names", "empty-group"},
		"severity=warning&rule=never-logged-in":      {},
		"rule=empty-group&rule=guest-domain":         {"guest-domain", "empty-group"},
		"rule=twin-names&limit=1":                    {"twin-names"},
		"rule=never-logged-in&as_of=rev:1":           {},
		"rule=empty-group&as_of=rev:1&severity=info": {"empty-group"},
	} {
		if got := w.get("/v1/hygiene?" + query).wants(200); !cmp.Equal(got.column("rule"), rules) {
			t.Error(query, got.body)
		}
	}
	if got := newPeople(t).get("/v1/hygiene?rule=guest-domain&count=true").wants(200); len(got.column("rule")) != 0 || got.at("total") != 0.0 {
		t.Error("without the setting:", got.body)
	}
}

func TestFindingsAreWalkedPageByPage(t *testing.T) {
	w := newPeople(t)
	all, cursor := []any{}, ""
	for range 20 {
		page := w.get("/v1/hygiene?limit=1" + cursor).wants(200)
		all = append(all, page.at("data").([]any)...)
		next, more := page.at("next_cursor").(string)
		if !more {
			break
		}
		cursor = "&cursor=" + next
	}
	if diff := cmp.Diff(w.get("/v1/hygiene").at("data"), any(all)); diff != "" {
		t.Error(diff)
	}
}

func TestHygieneRefusesWhatItCannotAnswer(t *testing.T) {
	w := newPeople(t)
	for _, query := range []string{
		"rule=tidy", "rule=", "severity=fatal", "severity=info&severity=error", "limit=0", "limit=1001", "sort=name", "cursor=x",
		"count=maybe", "as_of=2999-01-01", "as_of=soon", "domain=x.test",
	} {
		w.get("/v1/hygiene?"+query).wantsProblem(422, invalidParameter)
	}
	token, _ := w.get("/v1/hygiene?limit=1").at("next_cursor").(string)
	c, err := parseCursor(token)
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{"x", "[]", `["a"]`, `["1.5",""]`} {
		c.ID = place
		w.get("/v1/hygiene?limit=1&cursor="+c.String()).wantsProblem(410, cursorGone)
	}
}

func TestAnotherSettingOfDomainsIsAnotherAnswer(t *testing.T) {
	before := newPeople(t).get("/v1/hygiene").wants(200).header.Get("ETag")
	newPeople(t).get("/v1/hygiene", "If-None-Match", before).wants(304)
	newPeople(t, withDomains("inside.test")).get("/v1/hygiene", "If-None-Match", before).wants(200)
}

func gauges(t *testing.T, w *world) []string {
	t.Helper()
	return regexp.MustCompile(`(?m)^rollcall_hygiene_findings.*$`).FindAllString(w.get("/metrics").wants(200).body, -1)
}

func TestFindingsAreCountedAsGauges(t *testing.T) {
	w := newOwnPeople(t)
	want := []string{
		`rollcall_hygiene_findings{rule="dangling-id",severity="warning"} 0`,
		`rollcall_hygiene_findings{rule="disabled-in-group",severity="error"} 1`,
		`rollcall_hygiene_findings{rule="empty-group",severity="warning"} 1`,
		`rollcall_hygiene_findings{rule="in-no-group",severity="info"} 0`,
		`rollcall_hygiene_findings{rule="never-logged-in",severity="info"} 2`,
		`rollcall_hygiene_findings{rule="one-person-group",severity="info"} 2`,
		`rollcall_hygiene_findings{rule="twin-names",severity="warning"} 2`,
	}
	if diff := cmp.Diff(want, gauges(t, w)); diff != "" {
		t.Error(diff)
	}
	groups, members := people()
	groups[2] = strings.Replace(groups[2], `"members":[]`, `"members":[12,99]`, 1)
	w.publish(groups, members)
	want[0], want[1], want[2] = strings.Replace(want[0], "} 0", "} 1", 1), strings.Replace(want[1], "} 1", "} 2", 1), strings.Replace(want[2], "} 1", "} 0", 1)
	if diff := cmp.Diff(want, gauges(t, w)); diff != "" {
		t.Error(diff)
	}
	if got := gauges(t, newWorld(t)); len(got) != 0 {
		t.Error("before the first sweep:", got)
	}
	if got := gauges(t, newPeople(t, withDomains("x.test"))); !slices.Contains(got, `rollcall_hygiene_findings{rule="guest-domain",severity="error"} 1`) {
		t.Error(got)
	}
}

// A slowMirror counts when it is let.
type slowMirror struct {
	Mirror
	revision atomic.Int64
	asked    atomic.Int64
	let      chan struct{}
}

func (m *slowMirror) Freshness(context.Context) (directory.Freshness, error) {
	return directory.Freshness{Revision: m.revision.Load()}, nil
}

func (m *slowMirror) HygieneCounts(context.Context, []string) (directory.HygieneCounts, error) {
	m.asked.Add(1)
	revision := m.revision.Load()
	<-m.let
	return directory.HygieneCounts{Revision: revision, Findings: map[string]int{directory.EmptyGroup: int(revision)}}, nil
}

func TestAScrapeDoesNotWaitForALongCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &slowMirror{let: make(chan struct{})}
		m.revision.Store(1)
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(newHygieneCollector(Options{Mirror: m}))
		wants := func(values []float64, asked int64) {
			t.Helper()
			families, err := registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			var got []float64
			for _, family := range families {
				for _, metric := range family.GetMetric() {
					got = append(got, metric.GetGauge().GetValue())
				}
			}
			if !slices.Equal(got, values) || m.asked.Load() != asked {
				t.Errorf("%v after %d counts, want %v after %d", got, m.asked.Load(), values, asked)
			}
		}
		wants(nil, 1)
		wants(nil, 1) // no second count while one is under way
		m.let <- struct{}{}
		synctest.Wait()
		wants([]float64{1}, 1)
		m.revision.Store(2)
		wants([]float64{1}, 2) // of the revision before
		m.let <- struct{}{}
		synctest.Wait()
		wants([]float64{2}, 2)
		wants([]float64{2}, 2)
	})
}

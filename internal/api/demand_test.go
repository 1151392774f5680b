package api

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func most(seconds int64) bound { return bound{true, time.Duration(seconds) * time.Second} }

func TestCacheControlIsReadAsTheRFCsHaveIt(t *testing.T) {
	for _, c := range []struct {
		header string // lines separated by |
		want   demand
	}{
		{"", demand{}},
		{"max-age=5", demand{maxAge: most(5)}},
		{"MAX-AGE=5", demand{maxAge: most(5)}},
		{`max-age="5"`, demand{maxAge: most(5)}},
		{"max-age=0", demand{maxAge: most(0)}},
		{" no-cache ,\tmax-age=0", demand{anew: true, maxAge: most(0)}},
		{"max-age=5, stale-if-error=60", demand{maxAge: most(5), staleIfError: most(60)}},
		{"max-age=5|stale-if-error=60", demand{maxAge: most(5), staleIfError: most(60)}},
		{"only-if-cached, max-age=5", demand{maxAge: most(5), onlyCached: true}},
		{"no-store, no-transform, max-stale, max-stale=9, min-fresh=3, x=1", demand{}},
		{`x="a, no-cache, max-age=1", max-age=5`, demand{maxAge: most(5)}},
		{`x="a\", no-cache", max-age=5`, demand{maxAge: most(5)}},
		{",, ,max-age=5,", demand{maxAge: most(5)}},
		{"max-age=99999999999999999999", demand{maxAge: most(1<<31 - 1)}},

		// The strictest of several, and of what cannot be read.
		{"max-age=60, max-age=5", demand{maxAge: most(5)}},
		{"max-age=5|max-age=60", demand{maxAge: most(5)}},
		{"stale-if-error=60, stale-if-error=5", demand{staleIfError: most(5)}},
		{"max-age", demand{maxAge: most(0)}},
		{"max-age=", demand{maxAge: most(0)}},
		{"max-age=-1", demand{maxAge: most(0)}},
		{"max-age=1.5", demand{maxAge: most(0)}},
		{"max-age=5s", demand{maxAge: most(0)}},
		{"max-age=60, max-age=x", demand{maxAge: most(0)}},
		{"stale-if-error=x", demand{staleIfError: most(0)}},
	} {
		h := http.Header{}
		for line := range strings.SplitSeq(c.header, "|") {
			h.Add("Cache-Control", line)
		}
		if got := parseDemand(h); got != c.want {
			t.Errorf("%q reads as %+v, want %+v", c.header, got, c.want)
		}
	}
}

func TestAgesAreJudgedToTheNanosecondAndNeverWhereTheClockWasSetBack(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		demand             demand
		age                time.Duration
		isMet, isTolerable bool
	}{
		{demand{}, 24 * time.Hour, true, false},
		{demand{maxAge: most(5)}, 5 * time.Second, true, false},
		{demand{maxAge: most(5)}, 5*time.Second + 1, false, false},
		{demand{maxAge: most(5)}, -1, false, false},
		{demand{maxAge: most(0)}, 0, true, false},
		{demand{anew: true}, 0, false, false},
		{demand{anew: true, maxAge: most(60)}, time.Second, false, false},
		{demand{maxAge: most(5), staleIfError: most(60)}, 65 * time.Second, false, true},
		{demand{maxAge: most(5), staleIfError: most(60)}, 65*time.Second + 1, false, false},
		{demand{maxAge: most(5), staleIfError: most(60)}, -1, false, false},
		{demand{anew: true, staleIfError: most(60)}, 60 * time.Second, false, true},
		{demand{anew: true, staleIfError: most(60)}, 61 * time.Second, false, false},
		{demand{maxAge: most(1<<31 - 1), staleIfError: most(1<<31 - 1)}, 100 * 365 * 24 * time.Hour, false, true},
	} {
		confirmed := now.Add(-c.age)
		if isMet, isTolerable := c.demand.isMet(confirmed, now), c.demand.isTolerable(confirmed, now); isMet != c.isMet || isTolerable != c.isTolerable {
			t.Errorf("%+v at %s: met %t, tolerable %t", c.demand, c.age, isMet, isTolerable)
		}
	}
}

// However a Cache-Control is written, reading it neither fails nor loosens
// what one more directive asks.
func FuzzCacheControl(f *testing.F) {
	f.Add(`max-age=5, stale-if-error="60",no-cache`)
	f.Add(`x="\", max-age=1`)
	f.Add(",=,\"")
	f.Fuzz(func(t *testing.T, header string) {
		alone := parseDemand(http.Header{"Cache-Control": {header}})
		if l := alone.maxAge.limit; l < 0 || l > (1<<31-1)*time.Second || !alone.maxAge.isSet && l != 0 {
			t.Errorf("%q allows %s", header, l)
		}
		beside := parseDemand(http.Header{"Cache-Control": {header, "max-age=7"}})
		if !beside.maxAge.isSet || beside.maxAge.limit > 7*time.Second || alone.maxAge.isSet && beside.maxAge.limit > alone.maxAge.limit {
			t.Errorf("%q beside max-age=7 allows %s", header, beside.maxAge.limit)
		}
		if beside.anew != alone.anew || beside.onlyCached != alone.onlyCached || beside.staleIfError != alone.staleIfError {
			t.Errorf("%q reads as %+v, beside max-age=7 as %+v", header, alone, beside)
		}
	})
}

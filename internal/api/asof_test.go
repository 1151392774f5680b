package api

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// pastReads are reads of every kind as of an instant, of a group and one of
// its members.
func (l *lab) pastReads(asOf string) (paths []string) {
	for _, read := range l.reads() {
		if isV1(read.path) {
			paths = append(paths, dated(read.path, asOf))
		}
	}
	return paths
}

func dated(path, asOf string) string {
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	return path + separator + "as_of=" + asOf
}

func rfc3339(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

// thinned has somebody leave the first group between two sweeps, and returns
// the group, who left and the instant halfway.
func (l *lab) thinned() (group string, who int64, between time.Time) {
	g := l.sim.Groups()[0]
	who = g.Members[0]
	time.Sleep(20 * time.Second)
	between = time.Now()
	l.sim.UpdateGroup(g.ID, func(g *tallyfysim.Group) { g.Members = g.Members[1:] })
	time.Sleep(time.Minute)
	synctest.Wait()
	return g.ID, who, between
}

func TestAPastStateSaysWhatWasAndWhatIsUncertain(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		certain := time.Now().Add(-9 * time.Second)
		group, who, between := l.thinned()
		after := time.Now()
		time.Sleep(time.Minute)
		for _, c := range []struct {
			asOf              time.Time
			isIn, isUncertain bool
		}{{certain, true, true}, {between, true, true}, {after, false, false}} {
			members := l.get(dated("/v1/groups/"+group+"/members", rfc3339(c.asOf))).wants(200)
			groups := l.get(dated("/v1/members/"+itoa(who)+"/groups", rfc3339(c.asOf))).wants(200)
			check := l.get(dated("/v1/check?include_disabled=true&member="+itoa(who)+"&group="+group, rfc3339(c.asOf))).wants(200)
			at := slices.Index(members.column("member_id"), any(float64(who)))
			if at >= 0 != c.isIn || slices.Contains(groups.column("id"), any(group)) != c.isIn || check.at("data", "member") != c.isIn {
				t.Fatalf("as of %s: in %t; %s %s %s", c.asOf, c.isIn, members.body, groups.body, check.body)
			}
			marked := slices.DeleteFunc(members.column("uncertain"), func(v any) bool { return v == nil })
			if len(marked) == 1 != c.isUncertain || c.isUncertain && (members.column("uncertain")[at] != true || !slices.Contains(groups.column("uncertain"), any(true))) {
				t.Errorf("as of %s: uncertain %t; %s %s", c.asOf, c.isUncertain, members.body, groups.body)
			}
			if strings.Contains(members.body, `"uncertain":false`) {
				t.Errorf("what is certain says so: %s", members.body)
			}
		}
	})
}

// The rows stay as they are for ever: neither age nor an outage keeps them
// from anybody.
func TestAPastStateThatWasConfirmedMeetsEveryDemand(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		_, _, between := l.thinned()
		time.Sleep(time.Minute)
		l.asked()
		l.sim.Fault(tallyfysim.Fault{Status: 503})
		time.Sleep(time.Hour)
		l.asked()
		for _, path := range l.pastReads(rfc3339(between)) {
			for _, asks := range []string{"no-cache", "max-age=0", "only-if-cached, max-age=1"} {
				got := l.get(path, "Cache-Control", asks).wants(200)
				if got.header.Get("Cache-Status") != cacheHit || got.header.Get("ETag") == "" {
					t.Errorf("%s, %s: %v", path, asks, got.header)
				}
				if confirmed := got.at("as_of", "confirmed_before").(string); got.header.Get("Rollcall-Confirmed-At") != confirmed {
					t.Errorf("%s was confirmed at %s and says %s", path, confirmed, got.header.Get("Rollcall-Confirmed-At"))
				}
			}
		}
		l.get("/v1/groups/none?as_of="+rfc3339(between), "Cache-Control", "no-cache").wantsProblem(404, unknownGroup)
		if asked := l.asked(); len(asked) != 0 {
			t.Errorf("asked upstream for what was: %q", asked)
		}
	}, func(_ *tallyfy.Options, o *Options) { o.MaxStale = 2 * time.Minute })
}

func TestAPastStateThatNothingConfirmedSinceAsksForASweep(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		for _, path := range l.pastReads(rfc3339(time.Now())) {
			open := l.get(path).wants(200)
			if open.at("as_of", "confirmed_after") != nil || open.header.Get("ETag") != "" {
				t.Errorf("%s: %s %v", path, open.body, open.header)
			}
			l.get(path, "Cache-Control", "max-age=5, only-if-cached").wantsProblem(504, notCached)
		}
		time.Sleep(time.Second)
		now := rfc3339(time.Now())
		path := l.pastReads(now)[2]
		time.Sleep(time.Second)
		got := l.get(path, "Cache-Control", "max-age=5").wants(200).wantsCache(renewedBy, "12")
		if got.at("as_of", "confirmed_after") == nil || got.header.Get("ETag") == "" {
			t.Errorf("a sweep was made and did not confirm: %s %v", got.body, got.header)
		}
		if asked := l.asked(); len(asked) != 2 {
			t.Errorf("asked %q, want one sweep", asked)
		}
	})
}

func TestThe304OfAPastStateHasTheHeadersOfIts200(t *testing.T) {
	inCountingLab(t, func(t *testing.T, l *lab, _ *countingMirror) {
		_, _, between := l.thinned()
		time.Sleep(time.Minute)
		isPresentAndConfirmed, isPresentAndOpen := time.Now().Add(-45*time.Second), time.Now()
		for _, asOf := range []string{rfc3339(between), rfc3339(isPresentAndConfirmed), rfc3339(isPresentAndOpen), "rev:1", "rev:2"} {
			for _, path := range l.pastReads(asOf) {
				full := l.get(path).wants(200)
				known := l.get(path, "If-None-Match", full.header.Get("ETag"))
				for _, name := range []string{"ETag", "Age", "Rollcall-Confirmed-At", "Rollcall-Revision", "Rollcall-Cursor", "Cache-Status"} {
					if known.header.Get(name) != full.header.Get(name) {
						t.Errorf("%s: %s is %q, with 304 %q", path, name, full.header.Get(name), known.header.Get(name))
					}
				}
				if isSettled := full.at("as_of", "confirmed_after") != nil; isSettled != (known.status == 304) || isSettled != (full.header.Get("ETag") != "") {
					t.Errorf("%s: %d after %s", path, known.status, full.body)
				}
			}
		}
	})
}

// An instant leads to the revision of its time, on every page, though later
// ones could be published at the same instant.
func TestAWalkThroughThePastKeepsItsRevision(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		asOf := url.QueryEscape(rfc3339(time.Now()))
		want := l.get(dated("/v1/members?limit=1000", asOf)).wants(200)
		var got []any
		path := dated("/v1/members?limit=7&sort=-name", asOf)
		for next := path; ; {
			page := l.get(next).wants(200)
			got = append(got, page.column("id")...)
			if page.at("revision") != want.at("revision") || page.at("as_of", "revision") != want.at("revision") {
				t.Fatalf("a page shows another revision: %s", page.body)
			}
			cursor, more := page.at("next_cursor").(string)
			if !more {
				break
			}
			l.thinned()
			next = path + "&cursor=" + cursor
			l.get("/v1/members?limit=7&sort=-name&cursor="+cursor).wantsProblem(422, invalidParameter)
		}
		slices.SortFunc(got, func(a, b any) int { return int(a.(float64) - b.(float64)) })
		if !slices.Equal(got, want.column("id")) {
			t.Errorf("walked %v, want %v", got, want.column("id"))
		}
	})
}

func TestInstantsAreReadHoweverTheyAreWritten(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		l.thinned()
		plus := time.Now().Add(-20 * time.Second).In(time.FixedZone("", 2*60*60)).Format(time.RFC3339)
		for _, text := range []string{plus, strings.ReplaceAll(plus, "+", "%20"), url.QueryEscape(plus), "rev:2", "rev%3A2"} {
			if got := l.get("/v1/groups?as_of=" + text).wants(200); got.at("revision") != 2.0 {
				t.Errorf("as of %s: %s", text, got.body)
			}
		}
		for text, status := range map[string]int{
			"": 422, "rev:": 422, "rev:0": 422, "rev:-1": 422, "rev:3": 422, "rev:1.0": 422, "yesterday": 422, "2099-01-01": 422, "2000-13-01": 422,
			"1999-12-31": 404, "1999-12-31T23:59:59Z": 404, "0001-01-01": 404,
		} {
			l.get("/v1/groups?as_of=" + text).wants(status)
		}
		l.get("/v1/groups?as_of=rev:1&as_of=rev:1").wantsProblem(422, invalidParameter)
	})
}

func TestWhatMovesWithoutHistoryIsUnknownThen(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		now := l.get("/v1/members").wants(200)
		if !slices.ContainsFunc(now.column("last_login_at"), func(v any) bool { return v != nil }) {
			t.Fatal("nobody ever logged in")
		}
		then := l.get("/v1/members?as_of=rev:1").wants(200)
		if slices.ContainsFunc(then.column("last_login_at"), func(v any) bool { return v != nil }) {
			t.Errorf("a last login as of the present revision: %s", then.body)
		}
	})
}

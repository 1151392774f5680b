package api

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/tallyfysim"
)

const renewedBy = "rollcall; fwd=request; stored"

// A labRead is one read of a lab and what a refresh of its answer takes.
type labRead struct {
	path  string
	takes []string
}

// labReads are all reads there are, of some member and a group that holds it.
func (l *lab) reads() []labRead {
	sweep := []string{"GET /users", "GET /groups"}
	group := l.sim.Groups()[0]
	member := itoa(group.Members[0])
	one, user := []string{"GET /groups/" + group.ID}, []string{"GET /users/" + member}
	name := strings.ReplaceAll(group.Name, " ", "%20")
	return []labRead{
		{groupsPath + "/" + group.ID, one},
		{"/api" + groupsPath + "/" + group.ID, one},
		{usersPath + "/" + member, user},
		{groupsPath, sweep},
		{usersPath, sweep},
		{"/v1/groups", sweep},
		{"/v1/groups?with=members", sweep},
		{"/v1/groups/" + group.ID, one},
		{"/v1/groups/" + name, one},
		{"/v1/groups/" + name + "?with=members", one},
		{"/v1/groups/" + group.ID + "/members", sweep},
		{"/v1/members", sweep},
		{"/v1/members/" + member, sweep},
		{"/v1/members/" + member + "/groups", sweep},
		{"/v1/guests/" + l.guest() + "/groups", sweep},
		{"/v1/check?member=" + member + "&group=" + name, append(one, user...)},
		{"/v1/check?member=" + l.guest() + "&group=" + group.ID, one},
	}
}

func (l *lab) guest() string {
	for _, g := range l.sim.Groups() {
		if len(g.Guests) > 0 {
			return g.Guests[0]
		}
	}
	l.t.Fatal("no group holds a guest")
	return ""
}

func TestRowsYoungEnoughCostNothing(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		for _, read := range l.reads() {
			for _, header := range []string{"max-age=10", "max-age=3600", "max-age=10, stale-if-error=60", "max-age=10, only-if-cached", "only-if-cached", "max-stale=5", "stale-if-error=0"} {
				l.get(read.path, "Cache-Control", header).wants(200).wantsCache("rollcall; hit", "10")
			}
		}
		if asked := l.asked(); len(asked) != 0 {
			t.Errorf("asked upstream: %q", asked)
		}
	})
}

func TestOldRowsAreAskedForByTheLeastThatWillDo(t *testing.T) {
	for _, header := range []string{"max-age=9", "no-cache", "max-age=0", "max-age=x"} {
		inLab(t, func(t *testing.T, l *lab) {
			for _, read := range l.reads() {
				l.get(read.path, "Cache-Control", header).wants(200).wantsCache(renewedBy, "0")
				got := l.asked()
				if d := cmp.Diff(sorted(read.takes), sorted(got)); d != "" {
					t.Errorf("%s with %s (-want +asked):\n%s", read.path, header, d)
				}
				l.get(read.path).wants(200).wantsCache("rollcall; hit", "0")
				time.Sleep(10 * time.Second)
			}
		})
	}
}

func TestNoCacheAsksHoweverYoungTheRowsAre(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		for _, read := range l.reads() {
			l.get(read.path, "Cache-Control", "max-age=0")
			l.asked()
			l.get(read.path, "Cache-Control", "max-age=0").wants(200).wantsCache("rollcall; hit", "0")
			if asked := l.asked(); len(asked) != 0 {
				t.Errorf("%s at age 0 asks %q", read.path, asked)
			}
			l.get(read.path, "Cache-Control", "no-cache").wants(200).wantsCache(renewedBy, "0")
			if asked := l.asked(); len(asked) != len(read.takes) {
				t.Errorf("%s with no-cache asks %q", read.path, asked)
			}
		}
	})
}

func TestARefreshedAnswerShowsWhatTallyfyHas(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		group := l.sim.Groups()[0]
		who := group.Members[0]
		l.sim.UpdateGroup(group.ID, func(g *tallyfysim.Group) { g.Description, g.Members = "Moved", g.Members[1:] })
		for _, c := range []struct {
			path string
			keys []string
			want any
		}{
			{groupsPath + "/" + group.ID, []string{"data", "description"}, "Moved"},
			{"/v1/groups/" + group.ID, []string{"data", "description"}, "Moved"},
			{"/v1/check?member=" + itoa(who) + "&group=" + group.ID, []string{"data", "member"}, false},
		} {
			if got := l.get(c.path, "Cache-Control", "no-cache").wants(200).at(c.keys...); got != c.want {
				t.Errorf("%s shows %v, want %v", c.path, got, c.want)
			}
		}
		l.sim.CreateGroup(tallyfysim.Group{Name: "New", Members: []int64{who}})
		if got := l.get("/v1/members/"+itoa(who)+"/groups", "Cache-Control", "max-age=0").wants(200); !strings.Contains(got.body, `"New"`) {
			t.Error(got.body)
		}
	})
}

// While a read is under way a hundred come. It began too early for them, so
// that they share another.
func TestWaitingReadersShareOneRefresh(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		for _, read := range l.reads() {
			slow := l.sim.Fault(tallyfysim.Fault{DelayAnswer: time.Second})
			var all sync.WaitGroup
			var collapsed atomic.Int32
			ask := func() {
				all.Go(func() {
					got := l.get(read.path, "Cache-Control", "no-cache").wants(200)
					if got.header.Get("Cache-Status") == renewedBy+"; collapsed" {
						collapsed.Add(1)
					} else if got.header.Get("Cache-Status") != renewedBy {
						t.Error(read.path, got.header)
					}
				})
			}
			ask()
			synctest.Wait()
			time.Sleep(100 * time.Millisecond)
			for range 100 {
				ask()
			}
			all.Wait()
			shared := int(collapsed.Load()) // who begins one of two looks need not begin the other
			if asked := l.asked(); len(asked) != 2*len(read.takes) || shared > 99 || shared < 100-len(read.takes) {
				t.Errorf("%s: asked %q for 101 readers, of whom %d shared", read.path, asked, shared)
			}
			slow()
		}
	})
}

func TestAClientThatGoesAwayWaitsNoMore(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		for _, read := range l.reads() {
			slow := l.sim.Fault(tallyfysim.Fault{DelayAnswer: 2 * time.Second})
			began := time.Now()
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			var all sync.WaitGroup
			all.Go(func() {
				l.getFor(ctx, read.path, "Cache-Control", "no-cache").wants(statusClientGone)
				if waited := time.Since(began); waited != time.Second {
					t.Errorf("%s: waited %s", read.path, waited)
				}
			})
			synctest.Wait()
			all.Go(func() { l.get(read.path, "Cache-Control", "max-age=0").wants(200) })
			all.Wait()
			slow()
			time.Sleep(10 * time.Second)
		}
	})
}

func TestOnlyIfCachedAsksNothing(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		for _, read := range l.reads() {
			for _, header := range []string{"only-if-cached, max-age=5", "only-if-cached, no-cache"} {
				got := l.get(read.path, "Cache-Control", header, "Authorization", simToken).wants(504)
				if isV1(read.path) {
					got.wantsProblem(504, notCached)
				}
				got.wantsCache("rollcall; ttl=-"+map[bool]string{true: "5", false: "10"}[strings.Contains(header, "max-age")]+"; detail=not-cached", "10")
			}
			l.get(read.path, "Cache-Control", "only-if-cached, max-age=5, stale-if-error=5").wants(200).wantsCache("rollcall; hit; ttl=-5; detail=not-cached", "10")
		}
		for _, path := range []string{groupsPath + "?with=assets", groupsPath + "/x?with=assets", "/organizations/" + org + "/tags", "/me", "/api/me"} {
			l.get(path, "Cache-Control", "only-if-cached", "Authorization", simToken).wantsTallyfy(504, "NOT_CACHED_THIS_GOES_TO_T")
		}
		l.get(groupsPath+"?with=assets", "Cache-Control", "only-if-cached").wants(401)
		l.get("/me", "Cache-Control", "only-if-cached").wants(401)
		if asked := l.asked(); len(asked) != 0 {
			t.Errorf("asked %q", asked)
		}
	})
	w := newWorld(t)
	for _, path := range []string{"/v1/groups", "/v1/check?member=1&group=x", groupsPath, usersPath + "/1"} {
		if got := w.get(path, "Cache-Control", "only-if-cached").wants(504); got.header.Get("Retry-After") == "" || !strings.Contains(got.body, "no data yet") {
			t.Error(path, got.header, got.body)
		}
		w.get(path, "Cache-Control", "max-age=5").wants(503)
	}
}

func TestARowThatIsNotThereIsLookedForBeforeItIsDenied(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		made := l.sim.CreateGroup(tallyfysim.Group{Name: "Made elsewhere"})
		l.get("/v1/groups/"+made).wantsProblem(404, unknownGroup)
		l.get("/v1/groups/"+made, "Cache-Control", "max-age=3600").wants(404).wantsCache("rollcall; hit", "10")
		l.get("/v1/groups/"+made, "Cache-Control", "max-age=5").wants(200).wantsCache(renewedBy, "0")
		if d := cmp.Diff([]string{"GET /groups/" + made}, l.asked()); d != "" {
			t.Error(d)
		}
		named := l.sim.CreateGroup(tallyfysim.Group{Name: "Named elsewhere"})
		l.get("/v1/groups/Named%20elsewhere", "Cache-Control", "max-age=5").wants(200).wantsCache(renewedBy, "0")
		l.get(groupsPath + "/" + named).wants(200)
		who := l.sim.CreateUser(tallyfysim.User{Email: "late@x.test", FirstName: "Late"})
		l.get("/v1/check?member=late@x.test&group=Named%20elsewhere", "Cache-Control", "no-cache").wants(200)
		l.asked()

		none := strings.Repeat("0", 32)
		for path, problem := range map[string]string{"/v1/groups/" + none: unknownGroup, groupsPath + "/" + none: "", usersPath + "/99999999": "", "/v1/members/nobody@x.test": unknownPerson, "/v1/check?member=1&group=" + none: unknownGroup} {
			got := l.get(path, "Cache-Control", "no-cache").wants(404).wantsCache(renewedBy, "0")
			if problem != "" {
				got.wantsProblem(404, problem)
			}
			takesSweep := strings.HasPrefix(path, "/v1/members") || strings.HasPrefix(path, "/v1/check")
			if asked := l.asked(); takesSweep != slices.Contains(asked, "GET /users") {
				t.Errorf("%s: asked %q", path, asked)
			}
			time.Sleep(time.Second)
		}
		l.sim.RemoveUser(who)
		l.get(usersPath+"/"+itoa(who), "Cache-Control", "no-cache").wants(404).wantsCache(renewedBy, "0")
		l.sim.Fault(tallyfysim.Fault{Status: 503})
		time.Sleep(10 * time.Second)
		l.get("/v1/groups/"+none, "Cache-Control", "max-age=5").wantsProblem(504, tooStale)
		l.get("/v1/groups/"+none, "Cache-Control", "max-age=5, stale-if-error=60").wantsProblem(404, unknownGroup)
	})
}

// A group may hold somebody whom the list of users did not show yet.
func TestACheckOfSomebodyNotListedLooksForThem(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		who := l.sim.CreateUser(tallyfysim.User{Email: "late@x.test", FirstName: "Late"})
		group := l.sim.Groups()[0].ID
		l.sim.UpdateGroup(group, func(g *tallyfysim.Group) { g.Members = append(g.Members, who) })
		l.get("/v1/groups/"+group, "Cache-Control", "no-cache").wants(200)
		path := "/v1/check?member=" + itoa(who) + "&group=" + group
		if got := l.get(path).wants(200); got.at("data", "member") != true || got.at("data", "status") != nil {
			t.Error(got.body)
		}
		if got := l.get(path, "Cache-Control", "no-cache").wants(200).wantsCache(renewedBy, "0"); got.at("data", "status") == nil {
			t.Error(got.body)
		}
	})
}

// The name leads to the group no longer, once that has been read.
func TestARenamedGroupIsNotFoundUnderItsOldName(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		id := l.sim.CreateGroup(tallyfysim.Group{Name: "Before"})
		l.get("/v1/groups/Before", "Cache-Control", "no-cache").wants(200)
		l.asked()
		time.Sleep(time.Second)
		l.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Name = "After" })
		l.get("/v1/groups/Before", "Cache-Control", "no-cache").wants(404).wantsCache(renewedBy, "0")
		if d := cmp.Diff([]string{"GET /groups/" + id, "GET /users", "GET /groups"}, l.asked()); d != "" {
			t.Error(d)
		}
		l.sim.DeleteGroup(id)
		l.get("/v1/groups/After", "Cache-Control", "no-cache").wants(404).wantsCache(renewedBy, "0")
	})
}

func sorted(s []string) []string {
	s = append([]string{}, s...)
	slices.Sort(s)
	return s
}

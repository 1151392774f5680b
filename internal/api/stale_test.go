package api

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// Drill: during an outage, a reader with max-age=5 gets an error, not stale
// rows; others get what there is, and its age.
func TestAReaderWithMaxAge5DuringAnOutageGetsAnErrorAndNothingStale(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		reads := l.reads()
		l.sim.Fault(tallyfysim.Fault{Status: 503})
		for _, read := range reads {
			got := l.get(read.path, "Cache-Control", "max-age=5")
			if isV1(read.path) {
				got.wantsProblem(504, tooStale)
			} else {
				got.wantsTallyfy(504, "TOO_STALE_WHAT_IS_KNOWN_I")
			}
			if age := got.header.Get("Age"); age == "" || len(age) > 3 || got.header.Get("ETag") != "" || got.header.Get("Rollcall-Confirmed-At") == "" || !strings.Contains(got.body, "Tallyfy answered 503") {
				t.Error(read.path, got.header, got.body)
			}
			l.get(read.path).wants(200)
			l.get(read.path, "Cache-Control", "max-age=3600").wants(200)
			l.get(read.path, "Cache-Control", "max-age=5, stale-if-error=1").wants(504)
			stale := l.get(read.path, "Cache-Control", "max-age=5, stale-if-error=3600").wants(200)
			if status := stale.header.Get("Cache-Status"); !strings.HasPrefix(status, "rollcall; fwd=request; fwd-status=503; ttl=-") || !strings.HasSuffix(status, "; detail=server") {
				t.Error(read.path, status)
			}
			if stale.header.Get("Age") == "0" || stale.header.Get("ETag") == "" {
				t.Error(read.path, stale.header)
			}
		}
		l.sim.Clear()
		time.Sleep(5 * time.Minute)
		for _, read := range reads {
			l.get(read.path, "Cache-Control", "max-age=5").wants(200)
		}
	})
}

func TestTheStaleAnswerTellsByHowMuchItIsTooOld(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		id := l.sim.Groups()[0].ID
		l.sim.Fault(tallyfysim.Fault{DropConnection: true})
		l.get("/v1/groups/"+id, "Cache-Control", "max-age=5, stale-if-error=3600").wants(200)
		l.sim.Clear()
		l.sim.Fault(tallyfysim.Fault{Status: 401})
		time.Sleep(10 * time.Second)
		l.get("/v1/groups/"+id, "Cache-Control", "no-cache, stale-if-error=3600").wants(200).
			wantsCache("rollcall; fwd=request; fwd-status=401; ttl=-"+l.get("/v1/groups/"+id).header.Get("Age")+"; detail=unauthorized", l.get("/v1/groups/"+id).header.Get("Age"))
	})
}

func TestAReaderWaitsForARefreshNoLongerThanItIsTold(t *testing.T) {
	for _, wait := range []time.Duration{0, 3 * time.Second} {
		inLab(t, func(t *testing.T, l *lab) {
			l.sim.Fault(tallyfysim.Fault{DelayAnswer: 30 * time.Second})
			for _, read := range l.reads() {
				began := time.Now()
				got := l.get(read.path, "Cache-Control", "max-age=5").wants(504)
				want := wait
				if wait == 0 {
					want = 10 * time.Second
				}
				if waited := time.Since(began); waited != want || !strings.Contains(got.body, "--refresh-wait") {
					t.Errorf("%s: waited %s for %s", read.path, waited, got.body)
				}
				if got := l.get(read.path, "Cache-Control", "max-age=5, stale-if-error=3600").wants(200); !strings.HasSuffix(got.header.Get("Cache-Status"), "; detail=timeout") {
					t.Error(got.header)
				}
			}
		}, func(_ *tallyfy.Options, o *Options) { o.RefreshWait = wait })
	}
}

func TestWaitsEndWhenTheServerIsAboutToStop(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		l.sim.Fault(tallyfysim.Fault{DelayAnswer: 5 * time.Second})
		began := time.Now()
		var all sync.WaitGroup
		for _, read := range l.reads() {
			all.Go(func() { l.get(read.path, "Cache-Control", "no-cache").wants(504) })
			all.Go(func() {
				if got := l.get(read.path, "Cache-Control", "no-cache, stale-if-error=60").wants(200); !strings.HasSuffix(got.header.Get("Cache-Status"), "; detail=stopping") {
					t.Error(got.header)
				}
			})
		}
		synctest.Wait()
		l.api.Stopping()
		all.Wait()
		if waited := time.Since(began); waited != 0 {
			t.Errorf("waited %s", waited)
		}
	})
}

func TestASpentBudgetMeetsNoDemand(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		reads := l.reads()
		single := reads[0].path
		n := 0
		for ; l.get(single, "Cache-Control", "no-cache").status == 200; n++ {
			time.Sleep(time.Second)
		}
		if n < 20 || n > 40 {
			t.Errorf("%d refreshes before the budget is spent", n)
		}
		l.asked()
		for _, read := range reads {
			began := time.Now()
			got := l.get(read.path, "Cache-Control", "no-cache").wants(504)
			if !strings.Contains(got.body, "budget of requests to Tallyfy is spent") || got.header.Get("Retry-After") == "" || time.Since(began) != 0 {
				t.Errorf("%s after %s: %v %s", read.path, time.Since(began), got.header, got.body)
			}
			stale := l.get(read.path, "Cache-Control", "no-cache, stale-if-error=600").wants(200)
			if status := stale.header.Get("Cache-Status"); !strings.HasPrefix(status, "rollcall; hit; ttl=") || !strings.HasSuffix(status, "; detail=budget") {
				t.Error(status)
			}
		}
		if asked := l.asked(); len(asked) != 0 {
			t.Errorf("asked %q", asked)
		}
		l.get("/me", "Authorization", simToken).wants(200)
		time.Sleep(2 * time.Minute)
		if asked := l.asked(); len(asked) < 5 {
			t.Errorf("asked %q in two minutes: sweeps on schedule have ended, too", asked)
		}
		l.get(single, "Cache-Control", "no-cache").wants(200)
	}, limited(300))
}

// Readers of lists who do not wait get what is to spare, and the mirror of all
// grows no older than it must.
func TestReadersOfListsDoNotStarveTheSchedule(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		met, oldest := 0, time.Duration(0)
		for began := time.Now(); time.Since(began) < time.Hour; time.Sleep(2 * time.Second) {
			got := l.get("/v1/members", "Cache-Control", "no-cache")
			if got.status == 200 {
				met++
			} else {
				got.wantsProblem(504, tooStale)
			}
			f, err := l.db.Freshness(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			oldest = max(oldest, time.Since(f.ConfirmedAt))
		}
		if met < 30 || oldest > 2*time.Minute {
			t.Errorf("%d demands met, the mirror up to %s old", met, oldest)
		}
	}, limited(300))
}

func TestAHeldSweepMeetsNoDemand(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		reads := l.reads()
		for _, g := range l.sim.Groups()[1:] {
			l.sim.DeleteGroup(g.ID)
		}
		for _, read := range reads {
			got := l.get(read.path, "Cache-Control", "max-age=5")
			if read.takes[0] != "GET /users" {
				got.wants(200)
				continue
			}
			got.wants(504)
			if !strings.Contains(got.body, "/v1/status") {
				t.Error(got.body)
			}
			if got := l.get(read.path, "Cache-Control", "max-age=5, stale-if-error=600").wants(200); !strings.HasSuffix(got.header.Get("Cache-Status"), "; detail=held") {
				t.Error(got.header)
			}
		}
		if s := l.poller.Status(); s.State != directory.StateHeld {
			t.Errorf("state %s", s.State)
		}
	})
}

// The sweep token is refused, the caller's own is not.
func TestATallyfyPathGoesUpstreamUnderTheCallersNameWhereRowsCannotBeRefreshed(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		reads := l.reads()
		l.sim.AddToken("own", 0)
		l.sim.Fault(tallyfysim.Fault{Status: 503, Match: func(r *http.Request) bool { return r.Header.Get("Authorization") == simToken }})
		for _, read := range reads {
			own := []string{"Authorization", "Bearer own", "Cache-Control", "max-age=5"}
			if isV1(read.path) {
				l.get(read.path, own...).wantsProblem(504, tooStale)
				continue
			}
			l.asked()
			got := l.get(read.path, own...).wants(200)
			if status := strings.Join(got.header.Values("Cache-Status"), "|"); status != "rollcall; fwd=request" || got.at("data") == nil || got.header.Get("Age") != "" {
				t.Error(read.path, got.header, got.body)
			}
			sent := l.sim.Requests()
			if last := sent[len(sent)-1]; last.Header.Get("Authorization") != "Bearer own" || "GET "+strings.TrimPrefix(last.Path, "/api") != "GET "+strings.TrimPrefix(read.path, "/api") {
				t.Errorf("%s was forwarded as %s", read.path, last.Path)
			}
			l.get(read.path, "Cache-Control", "max-age=5").wants(504)
			l.get(read.path, "Authorization", "Bearer own", "Cache-Control", "max-age=5, only-if-cached").wantsTallyfy(504, "NOT_CACHED_WHAT_IS_KNOWN_")
		}
	})
}

// A walk shows the revision that it began with, which no refresh makes
// younger.
func TestAPageOfAPastRevisionIsNeverFresh(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		next, _ := l.get("/v1/members?limit=10", "Cache-Control", "max-age=0").wants(200).at("next_cursor").(string)
		page := "/v1/members?limit=10&cursor=" + next
		l.get(page, "Cache-Control", "no-cache").wants(200).wantsCache(renewedBy, "0")
		l.sim.CreateUser(tallyfysim.User{Email: "new@x.test"})
		time.Sleep(10 * time.Second)
		l.get(page, "Cache-Control", "max-age=5").wantsProblem(504, tooStale)
		l.get(page, "Cache-Control", "max-age=5, stale-if-error=600").wants(200)
		l.get(page).wants(200)
		l.get("/v1/members?limit=10", "Cache-Control", "max-age=5").wants(200)
	})
}

// What was confirmed in what is the future now is dated back, so that it is no
// younger than it was.
func TestAClockThatWasSetBackMakesNoRowYoung(t *testing.T) {
	path, sim := t.TempDir()+"/rollcall.db", newLabSim()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Hour)
		openLab(t, sim, path).close()
	})
	synctest.Test(t, func(t *testing.T) { // begins when the other began
		sim.Fault(tallyfysim.Fault{Status: 503})
		l := openLab(t, sim, path)
		defer l.close()
		reads := l.reads()
		for _, read := range reads {
			l.get(read.path).wants(200)
			l.get(read.path, "Cache-Control", "max-age=5").wants(504)
			if age, err := strconv.Atoi(l.get(read.path).header.Get("Age")); err != nil || age < 10 {
				t.Errorf("%s: Age %d, %v", read.path, age, err)
			}
		}
		sim.Clear()
		for _, read := range reads {
			l.get(read.path, "Cache-Control", "max-age=3600").wants(200)
		}
	})
}

func TestAFaultOfOurOwnMeetsNoDemandAndIsLogged(t *testing.T) {
	w := newPeople(t)
	w.poller.failure = errors.New("disk full: /secret/path")
	p := w.get("/v1/groups", "Cache-Control", "max-age=5").wantsProblem(504, tooStale)
	lines := w.log.lines(t, "refresh failed")
	if strings.Contains(p.Detail, "secret") || p.RequestID == "" || len(lines) != 1 || lines[0]["request_id"] != p.RequestID || lines[0]["err"] != "disk full: /secret/path" {
		t.Errorf("%+v is told, %v is logged", p, lines)
	}
	w.get("/v1/groups", "Cache-Control", "max-age=5, stale-if-error=3600").wants(200)
	if lines := w.log.lines(t, "refresh failed"); len(lines) != 2 {
		t.Errorf("%d lines, want one more", len(lines))
	}
}

package poller

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// What the tests allow: sweeps may take 48 requests of the hour, which is
// eight sweeps of 6.
const (
	testHourly = 300
	testShare  = 48
)

func shared() (tallyfy.Options, Options) {
	return tallyfy.Options{Rate: 90, Hourly: testHourly, Sweeps: testShare}, Options{SweepHourly: testShare}
}

func wantShared(t *testing.T, w *world) {
	t.Helper()
	requests := w.sim.Requests()
	wantAtMost(t, testShare, time.Hour, requests)
	wantAtMost(t, 90, time.Minute, requests)
	wantAtMost(t, 12, 5*time.Second, requests)
}

func TestSweepsOfALargeOrganisationComeEvenlyWithinTheirShare(t *testing.T) {
	inWorld(t, populated(500), func(t *testing.T, w *world) {
		w.reach(shared())
		began := time.Now()
		defer w.run()()
		time.Sleep(4 * time.Hour)
		synctest.Wait()
		wantShared(t, w)
		if n := len(w.sim.Requests()); n < 4*testShare*8/10 {
			t.Errorf("%d requests in four hours: the share is not used", n)
		}
		s := w.Status()
		if s.EffectiveInterval != 450*time.Second || !strings.Contains(s.IntervalReason, "6 requests") || !strings.Contains(s.IntervalReason, "48 an hour") {
			t.Errorf("effective interval %s: %s", s.EffectiveInterval, s.IntervalReason)
		}
		for at := began; at.Before(s.LastAttemptAt); at = at.Add(20 * time.Minute) {
			swept := false
			for _, r := range w.sim.Requests() {
				since := r.At.Sub(at)
				swept = swept || strings.HasSuffix(r.Path, "/users") && since >= 0 && since < 20*time.Minute
			}
			if !swept {
				t.Errorf("no sweep began within twenty minutes of %v", at)
			}
		}
		w.wantState(directory.StateFresh, "")
	})
}

func TestTheIntervalStretchesOnlyWhereItMust(t *testing.T) {
	for _, c := range []struct {
		requests, hourly int
		took, want       time.Duration
	}{
		{2, 630, 0, time.Minute},
		{111, 630, 0, 12 * time.Minute},
		{111, 630, 20 * time.Minute, 21 * time.Minute},
		{11, 630, 0, time.Hour / 57},
		{700, 630, 0, 4000 * time.Second},
		{111, 0, 0, time.Minute},
		{0, 630, 0, time.Minute},
	} {
		s := newSchedule(time.Minute, c.hourly, func() float64 { return 0.5 })
		if got, why := s.effective(c.took, c.requests); got != c.want || why == "" {
			t.Errorf("%+v: effective interval %s (%s)", c, got, why)
		}
	}
}

func TestSweepsOnDemandFailuresAndProofsKeepToTheShare(t *testing.T) {
	for name, stir := range map[string]func(w *world){
		"on demand": func(w *world) {
			_, _ = w.Sync(context.Background(), 30*time.Second)
		},
		"failing on the last page": func(w *world) {
			w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.OnPage("groups", "5"), Status: 403, Times: 1})
			_, _ = w.Sync(context.Background(), 0)
		},
		"unsteady": func(w *world) {
			create := func() { w.sim.CreateGroup(tallyfysim.Group{Name: "One more"}) }
			w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.OnPage("groups", "4"), Before: create, Times: 1})
			_, _ = w.Sync(context.Background(), 0)
		},
		"lost answers": func(w *world) {
			w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.OnPage("groups", "3"), DropConnection: true, Times: 2})
			_, _ = w.Sync(context.Background(), 0)
		},
		"proofs": func(w *world) {
			for _, g := range w.sim.Groups()[:4] {
				w.sim.DeleteGroup(g.ID)
				w.sim.CreateGroup(tallyfysim.Group{Name: g.Name + "!"})
			}
			_, _ = w.Sync(context.Background(), 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, populated(500), func(t *testing.T, w *world) {
				w.reach(shared())
				stop := w.run()
				for began := time.Now(); time.Since(began) < 130*time.Minute; time.Sleep(45 * time.Second) {
					stir(w)
				}
				stop()
				wantShared(t, w)
				if n := len(w.sim.Requests()); n < testShare {
					t.Errorf("%d requests: the share was not put to the test", n)
				}
			})
		})
	}
}

// A life that ends in a sweep has noted more than it sent, so a crash loop uses
// less than the share.
func TestACrashLoopOfSweepsKeepsToTheShare(t *testing.T) {
	inWorld(t, populated(500), func(t *testing.T, w *world) {
		rng := newRand(5)
		for began := time.Now(); time.Since(began) < 150*time.Minute; {
			w.reach(shared())
			stop := w.run()
			_, _ = w.Sync(context.Background(), 0)
			time.Sleep(time.Duration(rng.Int64N(int64(8 * time.Minute))))
			stop()
		}
		wantShared(t, w)
		if n := len(w.sim.Requests()); n < testShare {
			t.Errorf("%d requests: the share is not used", n)
		}
	})
}

func TestBeyondTheShareADemandIsRefusedAndNothingFails(t *testing.T) {
	inWorld(t, populated(500), func(t *testing.T, w *world) {
		w.reach(shared())
		stop := w.run()
		defer stop()
		var refusal error
		began := time.Now()
		for refusal == nil && time.Since(began) < 2*time.Hour {
			_, refusal = w.Sync(context.Background(), 20*time.Minute)
		}
		attempt := w.Status().LastAttemptAt
		up, _ := refusal.(*directory.UpstreamError)
		if up == nil || up.Reason != directory.ReasonBudget || up.RetryAfter <= sharePatienceOfClient || up.RetryAfter > time.Hour {
			t.Fatalf("the demand was answered with %v", refusal)
		}
		w.wantState(directory.StateFresh, "")
		n := len(w.sim.Requests())
		for range 5 {
			_, _ = w.Sync(context.Background(), time.Second)
		}
		if got := len(w.sim.Requests()); got != n || !w.Status().LastAttemptAt.Equal(attempt) {
			t.Errorf("%d requests of refused sweeps, last attempt %v", got-n, w.Status().LastAttemptAt)
		}
		id := w.sim.CreateGroup(tallyfysim.Group{Name: "New"})
		for range 20 {
			asked := time.Now()
			if _, err := w.RefreshGroup(context.Background(), id); err != nil || time.Since(asked) > 15*time.Second {
				t.Errorf("a refresh took %s: %v", time.Since(asked), err)
			}
			time.Sleep(time.Minute)
		}
		time.Sleep(up.RetryAfter)
		synctest.Wait()
		if !w.Status().LastAttemptAt.After(attempt) {
			t.Error("no sweep followed when there was room again")
		}
	})
}

// sharePatienceOfClient is how long a sweep may wait within its share.
const sharePatienceOfClient = 2 * time.Minute

func TestWritesAndRefreshesGetThroughWhileSweepsAskForEverything(t *testing.T) {
	inWorld(t, populated(500), func(t *testing.T, w *world) {
		w.reach(shared())
		defer w.run()()
		time.Sleep(time.Minute)
		id := w.sim.Groups()[rand.IntN(100)].ID
		for began := time.Now(); time.Since(began) < 90*time.Minute; time.Sleep(time.Minute) {
			_, _ = w.Sync(context.Background(), 0)
			asked := time.Now()
			if _, err := w.RefreshGroup(context.Background(), id); err != nil || time.Since(asked) > 15*time.Second {
				t.Fatalf("a refresh took %s: %v", time.Since(asked), err)
			}
		}
		var sweeps []tallyfysim.Request
		for _, r := range w.sim.Requests() {
			if !strings.HasSuffix(r.Path, id) {
				sweeps = append(sweeps, r)
			}
		}
		wantAtMost(t, testShare, time.Hour, sweeps)
		wantAtMost(t, testHourly, time.Hour, w.sim.Requests())
	})
}

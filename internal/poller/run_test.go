package poller

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

// run runs the poller; the returned function stops it and waits.
func (w *world) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := w.Run(ctx); err != nil {
			w.t.Fatalf("Run: %v", err)
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

func TestADayOfPollingCostsTwoRequestsAMinuteAndNoRevision(t *testing.T) {
	inWorld(t, tallyfysim.Options{Groups: 5, Members: 5}, func(t *testing.T, w *world) {
		stop := w.run()
		defer stop()
		time.Sleep(24*time.Hour - time.Second)
		synctest.Wait()
		if got := len(w.sim.Requests()); got != 24*60*2 {
			t.Errorf("%d requests, want %d", got, 24*60*2)
		}
		w.wantRevision(1)
		w.wantEqual()
		f, err := w.db.Freshness(context.Background())
		if err != nil || time.Since(f.ConfirmedAt) > time.Minute {
			t.Errorf("confirmed at %v (%v)", f.ConfirmedAt, err)
		}
		if s := w.Status(); s.State != directory.StateFresh || s.EffectiveInterval != time.Minute {
			t.Errorf("status %+v", s)
		}
	})
}

func TestEditsAreFollowedWithinAnInterval(t *testing.T) {
	inWorld(t, populated(10), func(t *testing.T, w *world) {
		stop := w.run()
		defer stop()
		synctest.Wait()
		rng := newRand(11)
		for range 40 {
			w.sim.Stir(rng)
			time.Sleep(2 * time.Minute)
			w.wantEqual()
		}
	})
}

func TestScheduleIsIntervalThenDoublingPauses(t *testing.T) {
	s := newSchedule(time.Minute, 0, func() float64 { return 0.5 })
	var got []time.Duration
	for failures := range 9 {
		got = append(got, s.next(failures, 0))
	}
	want := []time.Duration{
		time.Minute, 5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second,
		80 * time.Second, 160 * time.Second, 5 * time.Minute, 5 * time.Minute,
	}
	if !slices.Equal(got, want) {
		t.Errorf("pauses %v, want %v", got, want)
	}
	if got := s.next(100, 0); got != 5*time.Minute {
		t.Errorf("after a hundred failures %v", got)
	}
	if got := s.next(1, 10*time.Minute); got != 10*time.Minute {
		t.Errorf("Retry-After of ten minutes led to %v", got)
	}
	if got := newSchedule(time.Second, 0, s.jitter).next(1, 0); got != time.Second {
		t.Errorf("at an interval of a second the first retry comes after %v", got)
	}
	for _, c := range []struct {
		chance float64
		want   time.Duration
	}{{0, 54 * time.Second}, {1, 66 * time.Second}} {
		if got := newSchedule(time.Minute, 0, func() float64 { return c.chance }).next(0, 0); got != c.want {
			t.Errorf("the interval is %v, want %v", got, c.want)
		}
	}
}

func TestFailuresAreMetWithPausesAndEndByThemselves(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		remove := w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("", "/users"), Status: 403})
		w.sim.ResetRequests()
		stop := w.run()
		defer stop()
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(w.sim.Requests()); n < 10 || n > 25 {
			t.Errorf("%d requests in an hour of refusals", n)
		}
		if s := w.Status(); s.State != directory.StateFailing || s.LastError.Reason != directory.ReasonForbidden {
			t.Errorf("status %+v", s)
		}
		remove()
		time.Sleep(5*time.Minute + time.Second)
		synctest.Wait()
		if s := w.Status(); s.State != directory.StateFresh || s.LastError != nil {
			t.Errorf("status %+v", s)
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sim.Fault(tallyfysim.Fault{Status: 429, RetryAfter: "600", Times: 1})
		stop := w.run()
		defer stop()
		time.Sleep(10*time.Minute - time.Second)
		synctest.Wait()
		if n := len(w.sim.Requests()); n != 1 {
			t.Errorf("%d requests before the time that upstream asked for", n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		w.wantEqual()
	})
}

func TestSyncWaitsForASweepThatBeganAfterIt(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		stop := w.run()
		defer stop()
		synctest.Wait()
		time.Sleep(time.Second)

		slow := w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("", "/groups"), DelayAnswer: 5 * time.Second})
		if note, err := w.Sync(context.Background(), 0); err != nil || note.Result != directory.SweepRunning {
			t.Errorf("without a wait: %+v, %v", note, err)
		}
		synctest.Wait()
		time.Sleep(time.Second) // the sweep has read the old state by now
		w.sim.UpdateGroup(w.sim.Groups()[0].ID, func(g *tallyfysim.Group) { g.Name = "Renamed" })
		w.sim.ResetRequests()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				note, err := w.Sync(context.Background(), 30*time.Second)
				if err != nil || note.Result != directory.SweepPublished {
					t.Errorf("after a wait: %+v, %v", note, err)
				}
				w.wantEqual()
			})
		}
		all.Wait()
		if got := w.requests(); len(got) != 2 {
			t.Errorf("requests %q, want one sweep for all", got)
		}
		if note, err := w.Sync(context.Background(), 3*time.Second); err != nil || note.Result != directory.SweepRunning {
			t.Errorf("after too short a wait: %+v, %v", note, err)
		}
		time.Sleep(time.Minute)
		slow()

		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("", "/groups"), Status: 403, Times: 1})
		note, err := w.Sync(context.Background(), time.Second)
		if directory.ReasonOf(err) != directory.ReasonForbidden || note.Result != directory.SweepFailed {
			t.Errorf("after a failure: %+v, %v", note, err)
		}
		if note, err := w.Sync(context.Background(), time.Second); err != nil || note.Result != directory.SweepUnchanged {
			t.Errorf("after the failure: %+v, %v", note, err)
		}
	})
}

func TestSweepFollowsWritesOfUnknownReach(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		stop := w.run()
		defer stop()
		synctest.Wait()
		time.Sleep(10 * time.Second)
		w.sim.ResetRequests()
		mark := func(times int) {
			for range times {
				w.MarkEverything()
				time.Sleep(600 * time.Millisecond)
			}
			synctest.Wait()
		}
		mark(4) // the last 600 ms ago
		if n := len(w.sim.Requests()); n != 0 {
			t.Errorf("%d requests while writes go on", n)
		}
		time.Sleep(600 * time.Millisecond)
		synctest.Wait()
		if n := len(w.sim.Requests()); n != 2 {
			t.Errorf("%d requests after writes paused, want a sweep", n)
		}
		w.sim.ResetRequests()
		mark(18) // for 10.8 s
		if n := len(w.sim.Requests()); n != 2 {
			t.Errorf("%d requests after ten seconds of writes, want a sweep", n)
		}
	})
}

func TestDemandThatADroppedSweepDidNotMeetWaitsForTheNext(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		stop := w.run()
		defer stop()
		synctest.Wait()
		time.Sleep(time.Second)
		user := w.sim.Users()[4].ID
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("", "/groups"), Times: 1, After: func() {
			w.sim.Disable(user)
			w.MarkEverything()
		}})
		note, err := w.Sync(context.Background(), 20*time.Second)
		if err != nil || note.Result != directory.SweepPublished {
			t.Errorf("%+v, %v", note, err)
		}
		w.wantEqual()
	})
}

func TestStatusTellsHowASweepGoes(t *testing.T) {
	inWorld(t, populated(250), func(t *testing.T, w *world) {
		if s := w.Status(); s.State != directory.StateStarting {
			t.Errorf("before the first sweep %+v", s)
		}
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("", "/groups"), DelayAnswer: 20 * time.Second})
		stop := w.run()
		defer stop()
		began := time.Now()
		time.Sleep(50 * time.Second)
		synctest.Wait()
		want := directory.Progress{BeganAt: began, Listing: "groups", PagesDone: 2, PagesExpected: 3, RowsDone: 200}
		if s := w.Status(); s.Progress == nil || *s.Progress != want || !s.NextSweepAt.IsZero() || s.State != directory.StateStarting {
			t.Errorf("status %+v, progress %+v", s, s.Progress)
		}
		if n := w.log.count("sweep goes on"); n != 1 {
			t.Errorf("%d lines of progress in 50 s", n)
		}
		time.Sleep(20 * time.Second)
		synctest.Wait()
		s := w.Status()
		if s.Progress != nil || s.State != directory.StateFresh || s.EffectiveInterval != 2*time.Minute ||
			!s.NextSweepAt.Equal(began.Add(2*time.Minute)) || !s.LastAttemptAt.Equal(began) {
			t.Errorf("status %+v", s)
		}
	})
}

func TestStateTurnsStaleByItself(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		began := time.Now()
		w.sweep(directory.SweepPublished)
		time.Sleep(3 * time.Minute)
		if s := w.Status(); s.State != directory.StateFresh || !s.StateSince.Equal(began) {
			t.Errorf("status %+v", s)
		}
		time.Sleep(time.Second)
		if s := w.Status(); s.State != directory.StateStale || !s.StateSince.Equal(began.Add(3*time.Minute)) {
			t.Errorf("status %+v", s)
		}
		w.restart()
		if s := w.Status(); s.State != directory.StateStale || !s.LastAttemptAt.Equal(began) {
			t.Errorf("after a restart %+v", s)
		}
		w.sim.Fault(tallyfysim.Fault{Status: 403, Times: 1})
		failed := time.Now()
		w.sweep(directory.SweepFailed)
		for range 2 {
			if s := w.Status(); s.State != directory.StateFailing || !s.StateSince.Equal(failed) || s.LastError.Reason != directory.ReasonForbidden {
				t.Errorf("after a failure %+v", s)
			}
			w.restart()
		}
		w.sweep(directory.SweepUnchanged)
		if s := w.Status(); s.State != directory.StateFresh || !s.StateSince.Equal(time.Now()) {
			t.Errorf("after a success %+v", s)
		}
	})
}

func TestMetricsCountSweeps(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(w.Collectors()...)
		w.sweep(directory.SweepPublished)
		w.sweep(directory.SweepUnchanged)
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("", "/users"), Status: 404, Times: 1})
		w.sweep(directory.SweepFailed)
		err := testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP rollcall_sweep_failures_total Sweeps that failed, by reason.
# TYPE rollcall_sweep_failures_total counter
rollcall_sweep_failures_total{reason="not-found"} 1
# HELP rollcall_sweeps_total Sweeps that ended, by result.
# TYPE rollcall_sweeps_total counter
rollcall_sweeps_total{result="dropped"} 0
rollcall_sweeps_total{result="failed"} 1
rollcall_sweeps_total{result="held"} 0
rollcall_sweeps_total{result="published"} 1
rollcall_sweeps_total{result="unchanged"} 1
`), "rollcall_sweeps_total", "rollcall_sweep_failures_total")
		if err != nil {
			t.Error(err)
		}
	})
}

func TestOneLineASweep(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		lines := func() int { return w.log.count("\n") }
		w.sweep(directory.SweepPublished)
		if n := lines(); n != 1 {
			t.Errorf("%d lines of the first sweep", n)
		}
		w.sweep(directory.SweepUnchanged)
		if n := lines(); n != 0 {
			t.Errorf("%d lines of an unchanged sweep", n)
		}
		w.sim.Fault(tallyfysim.Fault{Status: 403, Times: 1})
		w.sweep(directory.SweepFailed)
		if n := lines(); n != 1 {
			t.Errorf("%d lines of a failure", n)
		}
		w.sweep(directory.SweepUnchanged)
		if n := lines(); n != 1 {
			t.Errorf("%d lines of a recovery", n)
		}
	})
}

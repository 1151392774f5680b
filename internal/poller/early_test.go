package poller

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

func TestRefreshOfAllIsASweepThatBeganAfterTheCallAndIsShared(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		defer w.run()()
		synctest.Wait()
		time.Sleep(10 * time.Second)
		slow := w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("", "/groups"), DelayAnswer: time.Second})
		defer slow()
		_, _ = w.Sync(context.Background(), 0)
		synctest.Wait() // that sweep has read the old state by now
		w.sim.UpdateGroup(w.sim.Groups()[0].ID, func(g *tallyfysim.Group) { g.Name = "Renamed" })
		w.sim.ResetRequests()
		came := time.Now()
		var all sync.WaitGroup
		var alone atomic.Int32
		for range 100 {
			all.Go(func() {
				done, err := w.RefreshAll(context.Background())
				if err != nil || done.BeganAt.Before(came) {
					t.Errorf("%+v, %v: want a sweep that began after the call", done, err)
				}
				if !done.Shared {
					alone.Add(1)
				}
			})
			synctest.Wait()
		}
		all.Wait()
		w.wantEqual()
		if got := w.requests(); len(got) != 2 || alone.Load() != 1 {
			t.Errorf("requests %q, want one sweep for all; %d callers shared none, want one", got, alone.Load())
		}
	})
}

func TestRefreshOfAllIsNotMetByASweepThatFailedOrIsHeld(t *testing.T) {
	inGuarded(t, small(20, 20), func(t *testing.T, w *world) {
		defer w.run()()
		synctest.Wait()
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("", "/groups"), Status: 403, Times: 1})
		if _, err := w.RefreshAll(context.Background()); directory.ReasonOf(err) != directory.ReasonForbidden {
			t.Errorf("after a failure: %v", err)
		}
		for _, id := range w.groupIDs()[:15] {
			w.sim.DeleteGroup(id)
		}
		if _, err := w.RefreshAll(context.Background()); !errors.Is(err, directory.ErrHeld) {
			t.Errorf("after a held sweep: %v", err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := w.RefreshAll(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("of a caller who is gone: %v", err)
		}
	})
}

// Readers who ask without pause get half of the sweeps, and those on schedule
// go on.
func TestRefreshesOfAllLeaveHalfOfTheShareToTheSchedule(t *testing.T) {
	inWorld(t, populated(500), func(t *testing.T, w *world) {
		w.reach(shared()) // eight sweeps an hour
		defer w.run()()
		synctest.Wait()
		met, refused, oldest := 0, 0, time.Duration(0)
		for began := time.Now(); time.Since(began) < 3*time.Hour; time.Sleep(10 * time.Second) {
			_, err := w.RefreshAll(context.Background())
			up, _ := errors.AsType[*directory.UpstreamError](err)
			switch {
			case err == nil:
				met++
			case up == nil || up.Reason != directory.ReasonBudget || up.RetryAfter <= 0 || up.RetryAfter > time.Hour:
				t.Fatalf("refused with %v", err)
			default:
				refused++
			}
			f, err := w.db.Freshness(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			oldest = max(oldest, time.Since(f.ConfirmedAt))
		}
		wantShared(t, w)
		if met < 6 || met > 3*4 || refused == 0 {
			t.Errorf("%d demands were met and %d refused in three hours", met, refused)
		}
		if oldest > 30*time.Minute {
			t.Errorf("the mirror was %s old for the sake of some", oldest)
		}
	})
}

package tallyfy

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
)

func TestSweepsLeaveTheRestOfTheHourToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := always(200, emptyList)
		c := newClient(t, up, func(o *Options) { o.Rate, o.Hourly, o.Sweeps = 0, 900, 20 })
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Minute)
		defer cancel()
		for ctx.Err() == nil {
			_, _ = c.GroupPage(ctx, 1)
			_, _ = c.Group(c.Sweeping(ctx), "0")
		}
		if n := len(up.at); n != 60 {
			t.Errorf("%d requests of sweeps in two and a half hours, want 60", n)
		}
		for i := 20; i < len(up.at); i++ {
			if up.at[i].Sub(up.at[i-20]) <= time.Hour {
				t.Fatalf("more than 20 requests of sweeps within %s", up.at[i].Sub(up.at[i-20]))
			}
		}
		began, sent := time.Now(), up.count()
		for range 60 {
			_, _ = c.Group(t.Context(), "0")
		}
		if up.count() != sent+60 || time.Since(began) > 0 {
			t.Errorf("%d other requests in %s", up.count()-sent, time.Since(began))
		}
	})
}

func TestASweepForWhichThereIsNoRoomIsToldWhenToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, up := &notebook{}, always(200, emptyList)
		with := func(o *Options) { o.Rate, o.Hourly, o.Sweeps, o.Spend = 0, 900, 20, log }
		c := newClient(t, up, with)
		for range 15 {
			_, _ = c.GroupPage(t.Context(), 1)
		}
		time.Sleep(10 * time.Minute)
		if err := c.Reserve(t.Context(), 5); err != nil {
			t.Errorf("five of five: %v", err)
		}
		noted := log.total()
		err := c.Reserve(t.Context(), 6)
		up1, _ := err.(*directory.UpstreamError)
		if up1 == nil || up1.Reason != directory.ReasonBudget || up1.RetryAfter.Round(time.Second) != 50*time.Minute {
			t.Errorf("six of five: %v", err)
		}
		if log.total() != noted {
			t.Error("a sweep that may not begin was noted")
		}
		// Another life remembers it, and does not count what others sent.
		for range 100 {
			_, _ = c.Group(t.Context(), "0")
		}
		c = newClient(t, up, with)
		if err := c.Reserve(t.Context(), 6); directory.ReasonOf(err) != directory.ReasonBudget {
			t.Errorf("after a restart: %v", err)
		}
		time.Sleep(time.Hour + blockValidity)
		if err := newClient(t, up, with).Reserve(t.Context(), 20); err != nil {
			t.Errorf("an hour later: %v", err)
		}
		if err := newClient(t, up, with).Reserve(t.Context(), 500); directory.ReasonOf(err) != directory.ReasonBudget {
			t.Errorf("more than ever fit, while others are in the way: %v", err)
		}
		time.Sleep(time.Hour + blockValidity)
		if err := newClient(t, up, with).Reserve(t.Context(), 500); err != nil {
			t.Errorf("more than ever fit, when nothing is in the way: %v", err)
		}
	})
}

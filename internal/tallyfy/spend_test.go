package tallyfy

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
)

func TestRequestsAreNotedBeforeTheyLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, up := &notebook{}, always(200, emptyList)
		c := newClient(t, up, func(o *Options) { o.Spend = log })
		for range 25 {
			if _, err := c.GroupPage(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			if up.count() > log.total() {
				t.Fatalf("%d sent, %d noted", up.count(), log.total())
			}
		}
		if log.total() != 30 || len(log.notes) != 3 {
			t.Errorf("noted %v", log.notes)
		}
	})
}

func TestAReservedSweepIsOneNote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &notebook{}
		c := newClient(t, always(200, emptyList), func(o *Options) { o.Spend = log })
		for range 3 {
			if err := c.Reserve(t.Context(), 111); err != nil {
				t.Fatal(err)
			}
			for range 111 {
				_, _ = c.GroupPage(t.Context(), 1)
			}
		}
		if len(log.notes) != 3 || log.total() != 333 {
			t.Errorf("noted %v", log.notes)
		}
	})
}

func TestANoteLapses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &notebook{}
		c := newClient(t, always(200, emptyList), func(o *Options) { o.Spend = log })
		_, _ = c.GroupPage(t.Context(), 1)
		time.Sleep(blockValidity)
		_, _ = c.GroupPage(t.Context(), 1)
		if log.total() != 20 {
			t.Errorf("noted %v", log.notes)
		}
	})
}

func TestANoteThatLapsesWhileItsRequestWaitsIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, up := &notebook{}, always(200, emptyList)
		c := newClient(t, up, func(o *Options) { o.Hourly, o.Spend = 2, log })
		for range 4 {
			if _, err := c.GroupPage(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			if last := log.notes[len(log.notes)-1].At; time.Since(last) >= blockValidity {
				t.Errorf("a request left %v after its note", time.Since(last))
			}
		}
	})
}

func TestWithoutANoteNothingLeaves(t *testing.T) {
	full := errors.New("disk full")
	up := always(200, emptyList)
	c := newClient(t, up, func(o *Options) { o.Spend = &notebook{err: full} })
	_, err := c.GroupPage(t.Context(), 1)
	wantReason(t, err, directory.ReasonStorage)
	_, err = c.Forward(t.Context(), post(t))
	wantReason(t, err, directory.ReasonStorage)
	err = c.Reserve(t.Context(), 3)
	if wantReason(t, err, directory.ReasonStorage); !errors.Is(err, full) || up.count() != 0 {
		t.Errorf("%v, %d requests", err, up.count())
	}
}

// The hour's budget is gone; a restart must not bring it back, nor stand still.
func TestARestartRemembersWhatWasSpent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, up := &notebook{}, always(200, emptyList)
		limits := func(o *Options) { o.Rate, o.Hourly, o.Spend = 0, 60, log }
		first := newClient(t, up, limits)
		spendAll(t, first)
		second := newClient(t, up, limits)
		began := time.Now()
		if _, err := second.GroupPage(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited < 50*time.Second || waited > 2*time.Minute {
			t.Errorf("after a restart the next request waited %v", waited)
		}
		if left := second.Budget().HourRemaining; left > 54 {
			t.Errorf("%d remain after a restart", left)
		}
	})
}

// What is noted may leave minutes later, and counts from then.
func TestANoteCountsAsLateAsItsRequestsCanHaveLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, up := &notebook{}, always(200, emptyList)
		limits := func(o *Options) { o.Hourly, o.Spend = 90, log }
		first := newClient(t, up, limits)
		if err := first.Reserve(t.Context(), 9); err != nil {
			t.Fatal(err)
		}
		time.Sleep(blockValidity - time.Second)
		spend := func(c *Client, until time.Time) {
			for c.gate.delay(time.Now()) == 0 || !time.Now().After(until) {
				if _, err := c.GroupPage(t.Context(), 1); err != nil {
					t.Fatal(err)
				}
			}
		}
		spend(first, time.Time{})
		spend(newClient(t, up, limits), time.Now().Add(time.Hour))
		if worst := worstWindow(up.at, time.Hour); worst > 90 {
			t.Errorf("%d requests in an hour", worst)
		}
	})
}

func TestARestartOfAnIdleServiceCostsSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, up := &notebook{}, always(200, emptyList)
		limits := func(o *Options) { o.Rate, o.Hourly, o.Spend = 90, 900, log }
		c := newClient(t, up, limits)
		for range 60 { // an hour of small sweeps
			if err := c.Reserve(t.Context(), 2); err != nil {
				t.Fatal(err)
			}
			_, _ = c.MemberPage(t.Context(), 1)
			_, _ = c.GroupPage(t.Context(), 1)
			time.Sleep(time.Minute)
		}
		began := time.Now()
		c = newClient(t, up, limits)
		for range 2 {
			if _, err := c.GroupPage(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		if waited := time.Since(began); waited > 5*time.Second {
			t.Errorf("waited %v", waited)
		}
	})
}

func TestACleanRestartInASweepDoesNotBlockForMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, up := &notebook{}, always(200, emptyList)
		limits := func(o *Options) { o.Rate, o.Hourly, o.Spend = 90, 900, log }
		c := newClient(t, up, limits)
		if err := c.Reserve(t.Context(), 111); err != nil {
			t.Fatal(err)
		}
		for range 30 {
			_, _ = c.GroupPage(t.Context(), 1)
		}
		began := time.Now()
		resp, err := newClient(t, up, limits).Forward(t.Context(), post(t))
		if err != nil || resp.StatusCode != 200 || time.Since(began) > 10*time.Second {
			t.Errorf("a write after a restart: %v after %v", err, time.Since(began))
		}
	})
}

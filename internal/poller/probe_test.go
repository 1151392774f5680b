package poller

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

func notMe(line string) bool { return !strings.HasSuffix(line, "/me") }

// revoked is a world that runs, mirrored, whose token was revoked after a
// while and found to be.
func revoked(t *testing.T, token func(w *world) tallyfy.TokenSource, test func(t *testing.T, w *world)) {
	t.Helper()
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.reach(tallyfy.Options{Rate: 90, Hourly: 900, Token: token(w)}, Options{})
		defer w.run()()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		w.sim.RevokeToken(w.sim.Token())
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		w.wantState(directory.StateUnauthorized, directory.ReasonUnauthorized)
		test(t, w)
	})
}

func static(w *world) tallyfy.TokenSource { return tallyfy.StaticToken(w.sim.Token()) }

func TestATokenThatIsDeadForADayCostsAProbeEveryThreeMinutesAndRecoversByItself(t *testing.T) {
	revoked(t, static, func(t *testing.T, w *world) {
		before, confirmed := w.mirror(), w.confirmed(w.sim.Groups()[0].ID)
		w.sim.UpdateGroup(w.sim.Groups()[0].ID, func(g *tallyfysim.Group) { g.Name = "Renamed" })
		w.sim.ResetRequests()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		got := w.requests()
		if n := len(got); n < 24*60/4 || n > 24*60/3+1 || slices.ContainsFunc(got, notMe) {
			t.Errorf("%d requests in a day with a dead token, want one to /me every three minutes: %.3q", n, got)
		}
		w.wantState(directory.StateUnauthorized, directory.ReasonUnauthorized)
		w.wantServed(before, confirmed)

		w.sim.SetToken(w.sim.Token())
		time.Sleep(3*time.Minute + time.Second)
		synctest.Wait()
		w.wantState(directory.StateFresh, "")
		w.wantEqual()
	})
}

func TestADeadTokenRecoversWhenItsFileChanges(t *testing.T) {
	var write func(string)
	file := func(w *world) tallyfy.TokenSource {
		var path string
		path, write = tokenFile(t, w.sim.Token())
		return tallyfy.FileToken(path)
	}
	revoked(t, file, func(t *testing.T, w *world) {
		time.Sleep(24 * time.Hour)
		w.sim.SetToken("another-token")
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		w.wantState(directory.StateUnauthorized, directory.ReasonUnauthorized)

		w.sim.ResetRequests()
		write("another-token")
		time.Sleep(3*time.Minute + time.Second)
		synctest.Wait()
		w.wantState(directory.StateFresh, "")
		if got := w.requests(); len(got) < 3 || notMe(got[0]) || !strings.HasPrefix(got[1], "GET /users") {
			t.Errorf("requests %q, want one probe with the new token and a sweep at once", got)
		}
	})
}

func TestWithADeadTokenDemandsAndMarksCauseNoSweeps(t *testing.T) {
	revoked(t, static, func(t *testing.T, w *world) {
		w.sim.ResetRequests()
		for range 600 {
			w.MarkEverything()
			note, err := w.Sync(context.Background(), time.Second)
			if note.Result != directory.SweepFailed || directory.ReasonOf(err) != directory.ReasonUnauthorized {
				t.Fatalf("%+v, %v", note, err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if got := w.requests(); len(got) > 7 || slices.ContainsFunc(got, notMe) {
			t.Errorf("%d requests in a minute of demands: %.3q", len(got), got)
		}
		w.sim.SetToken(w.sim.Token())
		time.Sleep(probeMemory)
		if note, err := w.Sync(context.Background(), 5*time.Second); err != nil || !note.Result.Succeeded() {
			t.Errorf("a demand after the token works again: %+v, %v", note, err)
		}
	})
}

func TestWithADeadTokenDoubtedGroupsAreNotRead(t *testing.T) {
	revoked(t, static, func(t *testing.T, w *world) {
		w.sim.ResetRequests()
		w.DoubtGroup(context.Background(), w.sim.Groups()[0].ID)
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := w.requests(); slices.ContainsFunc(got, notMe) {
			t.Errorf("requests %.5q, want probes alone", got)
		}
		w.sim.SetToken(w.sim.Token())
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		w.wantEqual()
	})
}

func TestARestartWithADeadTokenProbesBeforeItSweeps(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		w.sim.RevokeToken(w.sim.Token())
		w.sweep(directory.SweepFailed)
		w.restart()
		w.wantState(directory.StateUnauthorized, directory.ReasonUnauthorized)
		w.sim.ResetRequests()
		stop := w.run()
		defer stop()
		synctest.Wait()
		if got := w.requests(); len(got) != 1 || notMe(got[0]) {
			t.Errorf("requests %q, want one to /me", got)
		}
	})
}

func TestARefusalOfASingleRowIsNoDeadToken(t *testing.T) {
	inWorld(t, populated(150), func(t *testing.T, w *world) {
		stop := w.run()
		defer stop()
		time.Sleep(time.Second)
		id := w.sim.Groups()[0].ID
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("", "/"+id), Status: 401, Body: []byte("Unauthorized.")})
		if _, err := w.RefreshGroup(context.Background(), id); directory.ReasonOf(err) != directory.ReasonUnauthorized {
			t.Errorf("the refresh said %v", err)
		}
		w.wantState(directory.StateFresh, "")
		w.sim.DeleteGroup(id) // its proof is refused, too
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		w.wantState(directory.StateFresh, "")
		w.wantEqual()
	})
}

func TestAProbeThatIsForbiddenOrMissingIsNoDeadToken(t *testing.T) {
	revoked(t, static, func(t *testing.T, w *world) {
		w.sim.SetToken(w.sim.Token())
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("", "/me"), Status: 404})
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		w.wantState(directory.StateFresh, "")
	})
}

func TestReadsGoOnWhileUpstreamIs(t *testing.T) {
	for name, c := range map[string]struct {
		fault  tallyfysim.Fault
		state  directory.State
		reason directory.Reason
		most   int           // requests in three hours
		heals  time.Duration // after upstream did
	}{
		"down":                       {tallyfysim.Fault{DropRequest: true}, directory.StateFailing, directory.ReasonTransport, 4 * 45, 6 * time.Minute},
		"failing":                    {tallyfysim.Fault{Status: 503}, directory.StateFailing, directory.ReasonServer, 4 * 45, 6 * time.Minute},
		"answering never":            {tallyfysim.Fault{Delay: 24 * time.Hour}, directory.StateFailing, directory.ReasonTimeout, 45, 8 * time.Minute},
		"throttling for a minute":    {tallyfysim.Fault{Status: 429, RetryAfter: "60"}, directory.StateFailing, directory.ReasonThrottled, 50, 6 * time.Minute},
		"throttling for hours":       {tallyfysim.Fault{Status: 429, RetryAfter: "7200"}, directory.StateFailing, directory.ReasonThrottled, 13, 16 * time.Minute},
		"throttling without a pause": {tallyfysim.Fault{Status: 429}, directory.StateFailing, directory.ReasonThrottled, 4 * 45, 6 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, populated(5), func(t *testing.T, w *world) {
				w.reach(tallyfy.Options{Rate: 90, Hourly: 900}, Options{})
				confirmed := time.Now()
				w.sweep(directory.SweepPublished)
				before := w.mirror()
				remove := w.sim.Fault(c.fault)
				w.sim.ResetRequests()
				defer w.run()()
				time.Sleep(3 * time.Hour)
				synctest.Wait()
				w.wantState(c.state, c.reason)
				w.wantServed(before, confirmed)
				if s := w.Status(); time.Since(s.LastAttemptAt) > 16*time.Minute {
					t.Errorf("the last attempt began at %v: it hangs", s.LastAttemptAt)
				}
				if n := len(w.sim.Requests()); n > c.most || n < 5 {
					t.Errorf("%d requests in three hours, want some, at most %d", n, c.most)
				}
				remove()
				time.Sleep(c.heals)
				synctest.Wait()
				w.wantState(directory.StateFresh, "")
			})
		})
	}
}

func TestAnUpstreamThatTakesThirtySecondsAPageIsFollowed(t *testing.T) {
	inWorld(t, populated(250), func(t *testing.T, w *world) {
		w.reach(tallyfy.Options{Rate: 90, Hourly: 900}, Options{})
		w.sim.Fault(tallyfysim.Fault{DelayAnswer: 30 * time.Second})
		defer w.run()()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		w.wantState(directory.StateFresh, "")
		s := w.Status()
		if s.EffectiveInterval != 3*time.Minute || !strings.Contains(s.IntervalReason, "takes 2m0s") {
			t.Errorf("effective interval %s: %s", s.EffectiveInterval, s.IntervalReason)
		}
		id := w.sim.CreateGroup(tallyfysim.Group{Name: "New"})
		time.Sleep(2 * s.EffectiveInterval)
		synctest.Wait()
		w.wantEqual()
		if age := time.Since(w.confirmed(id)); age > s.EffectiveInterval+2*time.Minute {
			t.Errorf("the mirror is %s old", age)
		}
	})
}

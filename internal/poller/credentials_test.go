package poller

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// credentialed is a world that runs on the tokens of an application, which
// last an hour, acting as an administrator or as the application itself.
func credentialed(t *testing.T, o tallyfysim.Options, test func(t *testing.T, w *world)) {
	t.Helper()
	for _, actAs := range []bool{false, true} {
		o.ApplicationLife, o.MintedLife = time.Hour, time.Hour
		inWorld(t, o, func(t *testing.T, w *world) {
			a := &tallyfy.Application{ClientID: tallyfysim.DefaultClientID, Secret: tallyfy.StaticSecret(tallyfysim.DefaultClientSecret)}
			if actAs {
				a.ActAs = w.sim.Users()[0].Email
			}
			w.reach(tallyfy.Options{Rate: 90, Hourly: 900, Application: a}, Options{})
			defer w.client.Close()
			defer w.run()()
			time.Sleep(10 * time.Second)
			synctest.Wait()
			w.wantState(directory.StateFresh, "")
			test(t, w)
		})
	}
}

func (w *world) wantNoFailure() {
	w.t.Helper()
	if n := w.log.count("sweep failed"); n > 0 {
		w.t.Fatalf("%d sweeps failed", n)
	}
	w.wantState(directory.StateFresh, "")
	w.wantEqual()
}

// tokenRequests counts what arrived at the token endpoint.
func (w *world) tokenRequests() int {
	n := 0
	for _, r := range w.sim.Requests() {
		if strings.HasSuffix(r.Path, "/oauth/token") {
			n++
		}
	}
	return n
}

func TestExpiredApplicationTokenIsRenewedBeforeASweepFails(t *testing.T) {
	credentialed(t, populated(5), func(t *testing.T, w *world) {
		time.Sleep(8 * time.Hour)
		synctest.Wait()
		w.wantNoFailure()
		for _, r := range w.sim.Requests() {
			if r.Status == http.StatusUnauthorized {
				t.Fatalf("%s %s was refused", r.Method, r.Path)
			}
		}
	})
}

func TestATokenThatIsRevokedInASweepCostsNoSweep(t *testing.T) {
	credentialed(t, populated(250), func(t *testing.T, w *world) {
		for range 5 {
			time.Sleep(10 * time.Minute)
			w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.OnPage("groups", "2"), Times: 1, Before: w.sim.RevokeIssued})
			w.sim.CreateGroup(tallyfysim.Group{Name: time.Now().String()})
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		w.wantNoFailure()
	})
}

// While the application is refused, what was mirrored is served and little is
// asked; when it is let in again, sweeps go on by themselves.
func TestARefusedApplicationIsProbedAndRecoversByItself(t *testing.T) {
	credentialed(t, populated(5), func(t *testing.T, w *world) {
		before := w.mirror()
		w.sim.SetClient(tallyfysim.DefaultClientID, "another")
		w.sim.RevokeIssued()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		w.wantState(directory.StateUnauthorized, directory.ReasonUnauthorized)
		w.sim.ResetRequests()
		time.Sleep(8 * time.Hour)
		synctest.Wait()
		w.wantState(directory.StateUnauthorized, directory.ReasonUnauthorized)
		w.wantPicture(before)
		if n := len(w.sim.Requests()); n < 8*60/4 || n > 8*60/2 {
			t.Errorf("%d requests in eight hours with refused credentials", n)
		}
		w.sim.SetClient(tallyfysim.DefaultClientID, tallyfysim.DefaultClientSecret)
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		w.wantState(directory.StateFresh, "")
		w.wantEqual()
	})
}

func TestATokenEndpointThatIsDownForHoursIsNotStormed(t *testing.T) {
	credentialed(t, populated(5), func(t *testing.T, w *world) {
		back := w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On(http.MethodPost, "/oauth/token"), Status: http.StatusBadGateway})
		w.sim.ResetRequests()
		time.Sleep(50 * time.Minute)
		synctest.Wait()
		w.wantNoFailure()
		time.Sleep(7 * time.Hour)
		synctest.Wait()
		w.wantState(directory.StateFailing, directory.ReasonServer)
		if n := w.tokenRequests(); n < 8*60/8 || n > 8*60/2 {
			t.Errorf("%d requests for a token in eight hours", n)
		}
		back()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		w.wantState(directory.StateFresh, "")
	})
}

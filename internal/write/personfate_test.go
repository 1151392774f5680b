package write

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

func TestRefusedUserWriteLeavesEverythingAsItIs(t *testing.T) {
	inWorld(t, tallyfysim.Options{Seats: 1}, func(t *testing.T, w *world) {
		id := w.someUser().ID
		w.person("POST", users+"/invite", welcome, 409, "")
		w.person("PUT", w.userPath(id, "/role"), `{"role":"king"}`, 422, "")
		w.person("DELETE", w.userPath(id, "/delete"), "", 400, "")
		w.person("DELETE", guests+"/nobody@x.test", "", 422, "")
		w.wantRequests("POST", "PUT", "DELETE", "DELETE")
		w.wantSameUsers()
		index, err := w.db.Index(context.Background())
		if err != nil || index.Members[id].Doubted || index.Revision != 1 {
			t.Errorf("%+v, %v", index.Members[id], err)
		}
	})
}

func TestUserWriteAnsweredWith404CausesAReadNotARemoval(t *testing.T) {
	denial := []byte(`{"error":true,"message":"Resource not found","code":"RESOURCE_NOT_FOUND"}`)
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		id := w.someUser().ID
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("DELETE", ""), Times: 1, Status: 404, Body: denial})
		w.person("DELETE", w.userPath(id, ""), "", 404, "applied")
		w.wantRequests("DELETE", "GET")
		w.wantSameUsers()

		w.sim.RemoveUser(id)
		w.person("PUT", w.userPath(id, "/role"), `{"role":"light"}`, 404, "pending")
		w.wantSameUsers()
		w.wantSweepAskedFor()
		w.wantEqual()
	})
}

// Whether or not the write took effect, the user is read until it is known.
func TestUnknownOutcomeOfAUserWriteIsSettledLater(t *testing.T) {
	for name, fault := range map[string]tallyfysim.Fault{
		"lost before": {DropRequest: true}, "lost after": {DropConnection: true}, "cut": {TruncateAfter: 9},
		"never answered": {Delay: time.Hour}, "5xx before": {Status: 500}, "5xx after": {Status: 503, Handled: true},
		"redirect": {Status: 302, Header: http.Header{"Location": {"https://elsewhere.test/"}}},
	} {
		for _, write := range [][3]string{{"PUT", "/role", `{"role":"light"}`}, {"DELETE", "/disable", ""}} {
			t.Run(name+" "+write[0], func(t *testing.T) {
				inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) { testUnknownUserOutcome(t, w, fault, write) })
			})
		}
	}
}

func testUnknownUserOutcome(t *testing.T, w *world, fault tallyfysim.Fault, write [3]string) {
	stop := w.run()
	defer stop()
	time.Sleep(10 * time.Second)
	id := w.someUser().ID
	fault.Match, fault.Times = tallyfysim.On(write[0], ""), 1
	w.sim.Fault(fault)
	broken := w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("GET", ""), Status: 503})
	w.sim.ResetRequests()
	out, err := w.sendPerson(context.Background(), write[0], w.userPath(id, write[1]), write[2])
	if fault.Status == 0 && err == nil || fault.Status != 0 && (err != nil || out.Refresh != directory.RefreshPending) {
		t.Errorf("%+v, %v", out, err)
	}
	index, err := w.db.Index(context.Background())
	if err != nil || !index.Members[id].Doubted {
		t.Errorf("the user is not in doubt: %+v (%v)", index.Members[id], err)
	}
	if sent := w.sent(); sent != 1 {
		t.Errorf("the write was sent %d times", sent)
	}
	time.Sleep(time.Second)
	broken()
	time.Sleep(30 * time.Second) // less than a sweep's interval
	synctest.Wait()
	w.wantEqual()
	w.wantSameUsers()
}

func TestUserWriteThatCouldNotBeSentChangesNothing(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		w.breakUpstream(&directory.UpstreamError{Op: "forward", Reason: directory.ReasonBudget, RetryAfter: time.Minute})
		id := w.someUser().ID
		for _, path := range []string{"/role", "/enable"} {
			if _, err := w.sendPerson(context.Background(), "PUT", w.userPath(id, path), `{}`); directory.ReasonOf(err) != directory.ReasonBudget {
				t.Errorf("error %v", err)
			}
		}
		index, err := w.db.Index(context.Background())
		if err != nil || index.Members[id].Doubted {
			t.Errorf("the user is in doubt: %+v, %v", index.Members[id], err)
		}
		if _, err := w.poller.Sweep(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestUserWriteBeforeTheFirstSweepIsPendingAndAsksForOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tallyfysim.Options{Groups: 3, Members: 3})
		w.person("PUT", w.userPath(w.sim.Users()[2].ID, "/role"), `{"role":"light"}`, 200, "pending")
		stop := w.run()
		defer stop()
		w.wantSameUsers()
	})
}

func TestClientThatGoesAwayStopsNeitherAUserWriteNorItsRefresh(t *testing.T) {
	for _, c := range [][3]string{{"PUT", "/role", `{"role":"light","x":1}`}, {"DELETE", "/disable", ""}} {
		inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
			stop := w.run()
			defer stop()
			ctx, cancel := context.WithCancel(context.Background())
			w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On(c[0], ""), Before: cancel, DelayAnswer: time.Second})
			w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("GET", ""), DelayAnswer: 100 * time.Millisecond})
			if out, err := w.sendPerson(ctx, c[0], w.userPath(w.someUser().ID, c[1]), c[2]); err != nil || out.Status != 200 {
				t.Errorf("%+v, %v", out, err)
			}
			time.Sleep(3 * time.Second)
			w.wantSameUsers()
			w.wantEqual()
		})
	}
}

func TestWritesOnOneUserGoOneAtATimeInOrder(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		w.sim.Fault(tallyfysim.Fault{Match: func(r *http.Request) bool { return r.Method != "GET" }, DelayAnswer: time.Second})
		began, all := time.Now(), sync.WaitGroup{}
		id := w.someUser().ID
		send := func(method, path, body string, refresh directory.Refresh) {
			all.Go(func() { w.person(method, path, body, 200, refresh) })
			synctest.Wait()
		}
		for i := range 8 {
			send("PUT", w.userPath(id, ""), fmt.Sprintf(`{"first_name":"Name %d","last_name":"L","timezone":"UTC"}`, i), "applied")
		}
		send("DELETE", w.userPath(id, "/disable"), "", "pending")
		send("PUT", w.userPath(id, "/enable"), "", "pending")
		send("PUT", w.userPath(w.sim.Users()[0].ID, "/role"), `{"role":"admin"}`, "applied")
		all.Wait()
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("eleven writes took %v, want 10 s for the ten on one user and none for the other", took)
		}
		w.wantSameUsers()
		if got := w.someName(id); got != "Name 7" {
			t.Errorf("the last name is %s", got)
		}
		if len(w.persons.rows) != 0 {
			t.Error("lines are left behind")
		}
	})
}

func (w *world) someName(id int64) string {
	u, _ := w.sim.User(id)
	return u.FirstName
}

func TestOneLineAUserWriteWithoutNamesOrMails(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		w.actor = func(context.Context) string { return "alice" }
		id := w.someUser().ID
		w.person("PUT", w.userPath(id, ""), `{"first_name":"Secretive","last_name":"L","timezone":"UTC"}`, 200, "applied")
		w.person("DELETE", guests+"/secretive@x.test", "", 422, "")
		got := strings.Split(strings.TrimSpace(w.log.String()), "\n")
		if len(got) != 2 {
			t.Fatalf("log %q", got)
		}
		for i, want := range []string{fmt.Sprintf(`on="PUT users/{}" user=%d actor=alice request_id=r-1`, id), `on="DELETE guests/{}" user=0 actor=alice`} {
			if !strings.Contains(got[i], want) || strings.Contains(strings.ToLower(got[i]), "secretive") || strings.Contains(got[i], w.sim.Token()) {
				t.Errorf("line %q, want %q and no name, mail or token", got[i], want)
			}
		}
	})
}

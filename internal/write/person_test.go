package write

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

const (
	below   = "/organizations/" + dbtest.Organization
	users   = below + "/users"
	guests  = below + "/guests"
	welcome = `{"email":"new@works.test","first_name":"New","last_name":"Pyke","role":"standard","message":"Welcome"}`
)

// person sends a write on a user or guest and wants it answered with a status
// and the copy to be as far as said.
func (w *world) person(method, path, body string, status int, refresh directory.Refresh) *directory.Outcome {
	w.t.Helper()
	out, err := w.sendPerson(context.Background(), method, path, body)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	if out.Status != status || out.Refresh != refresh {
		w.t.Fatalf("%s %s: status %d, refresh %q; want %d, %q: %s", method, path, out.Status, out.Refresh, status, refresh, out.Body)
	}
	return out
}

func (w *world) sendPerson(ctx context.Context, method, path, body string) (*directory.Outcome, error) {
	w.t.Helper()
	return w.Person(ctx, w.request(ctx, method, path, body), []byte(body))
}

type shownUser struct{ Email, First, Last, Role, Status, Title, Team string }

// wantSameUsers wants the mirror's members to be upstream's users.
func (w *world) wantSameUsers() {
	w.t.Helper()
	want, got := map[int64]shownUser{}, map[int64]shownUser{}
	for _, u := range w.sim.Users() {
		want[u.ID] = shownUser{u.Email, u.FirstName, u.LastName, u.Role, u.Status, u.JobTitle, u.Team}
	}
	page, err := w.db.Members(context.Background(), directory.ListQuery{Limit: 1000})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range page.Rows {
		got[m.ID] = shownUser{m.Email, text(m.FirstName), text(m.LastName), text(m.Role), string(m.Status), text(m.JobTitle), text(m.Team)}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		w.t.Fatalf("the mirror differs from upstream (-upstream +mirror):\n%s", diff)
	}
}

// someUser is one whom an administrator may write and who is in a group.
func (w *world) someUser() tallyfysim.User {
	w.t.Helper()
	for _, u := range w.sim.Users() {
		if u.Status == tallyfysim.StatusActive && !u.Bot && !u.DefaultAdmin && u.Role == tallyfysim.RoleStandard && w.groupsOf(u.ID) > 0 {
			return u
		}
	}
	w.t.Fatal("there is nobody to write")
	return tallyfysim.User{}
}

func (w *world) groupsOf(id int64) (n int) {
	for _, g := range w.mirror() {
		for _, member := range g.Members {
			if member == id {
				n++
			}
		}
	}
	return n
}

// wantVersions wants the versions of a member, oldest first, to have come
// about by these: actor and cause.
func (w *world) wantVersions(id int64, want ...string) {
	w.t.Helper()
	file, err := sql.Open("sqlite", "file:"+w.path+"?mode=ro")
	if err != nil {
		w.t.Fatal(err)
	}
	defer file.Close()
	rows, err := file.Query(`SELECT coalesce(actor, '') || ':' || cause FROM changesets
		WHERE id IN (SELECT since FROM past_members WHERE id = ?1 UNION SELECT since FROM members WHERE id = ?1) ORDER BY id`, id)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var by string
		if err := rows.Scan(&by); err != nil {
			w.t.Fatal(err)
		}
		got = append(got, by)
	}
	if !slices.Equal(got, want) || rows.Err() != nil {
		w.t.Errorf("the versions come from %q, want %q (%v)", got, want, rows.Err())
	}
}

func (w *world) userPath(id int64, rest string) string {
	return fmt.Sprintf("%s/%d%s", users, id, rest)
}

func TestNextReadShowsAUserWrite(t *testing.T) {
	for name, o := range map[string]tallyfysim.Options{
		"2026": {}, "2025": {Generation: tallyfysim.Gen2025}, "no status": {NoStatus: true}, "text ids": {StringIDs: true},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, o, func(t *testing.T, w *world) {
				w.person("POST", users+"/invite", welcome, 200, "applied")
				if o.NoStatus {
					return // upstream does not tell who is invited
				}
				w.wantSameUsers()
				id := w.someUser().ID
				w.person("PUT", w.userPath(id, "/role"), `{"role":"light"}`, 200, "applied")
				w.wantSameUsers()
				w.person("PUT", w.userPath(id, ""), `{"first_name":"Osric","last_name":"Vane","timezone":"Asia/Tokyo","job_title":"Smith","team":"North"}`, 200, "applied")
				w.wantSameUsers()
				w.person("PUT", below+"/me", `{"first_name":"Own","last_name":"Self","timezone":"UTC"}`, 200, "applied")
				w.wantSameUsers()
				if note, err := w.poller.Sweep(context.Background()); err != nil || note.Result != directory.SweepUnchanged {
					t.Errorf("the next sweep was %s: %v", note.Result, err)
				}
			})
		})
	}
}

// One that shows everything costs no request beside the write.
func TestUserThatShowsAllThatWasSentIsNotRead(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		id := w.someUser().ID
		w.person("POST", users+"/invite", welcome, 200, "applied")
		w.person("PUT", w.userPath(id, "/role"), `{"role":"light"}`, 200, "applied")
		w.person("PUT", w.userPath(id, ""), `{"first_name":"Osric","last_name":"Vane","timezone":"UTC","phone":"","step_preferences":{}}`, 200, "applied")
		w.wantRequests("POST", "PUT", "PUT")
	})
}

func TestUserWriteIsInHistoryUnderItsActor(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		w.actor = func(context.Context) string { return "alice" }
		id := w.someUser().ID
		w.person("PUT", w.userPath(id, "/role"), `{"role":"light"}`, 200, "applied")
		w.wantVersions(id, ":initial", "alice:write")
		w.person("DELETE", w.userPath(id, "/disable"), "", 200, "pending")
		w.wantVersions(id, ":initial", "alice:write", "alice:write")
		w.person("POST", users+"/invite", welcome, 200, "applied")
		w.wantVersions(idOfUser(w, "new@works.test"), "alice:write")
	})
}

// Something else that the answer shows is nobody's write.
func TestWhatAnAnswerShowsBesideTheWriteIsARefresh(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		w.actor = func(context.Context) string { return "alice" }
		u := w.someUser()
		w.sim.UpdateUser(u.ID, func(u *tallyfysim.User) { u.JobTitle = "Set elsewhere" })
		w.person("PUT", w.userPath(u.ID, "/role"), fmt.Sprintf(`{"role":%q}`, u.Role), 200, "applied")
		w.wantVersions(u.ID, ":initial", ":refresh")
		w.wantSameUsers()
	})
}

func TestUserThatTheAnswerDoesNotShowAsSentIsRead(t *testing.T) {
	for name, rewrite := range map[string]func([]byte) []byte{
		"other name":   replaced(`"Osric"`, `"Other"`),
		"name missing": replaced(`"first_name"`, `"fore_name"`),
		"another user": replaced(`"id":1`, `"id":9`),
		"no id":        replaced(`"id"`, `"ident"`),
		"no e-mail":    replaced(`"email"`, `"mail"`),
		"no data":      func([]byte) []byte { return []byte(`{}`) },
		"a list":       func([]byte) []byte { return []byte(`{"data":[]}`) },
		"html":         func([]byte) []byte { return []byte(`<html>`) },
		"nothing":      func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
				w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("PUT", ""), Rewrite: rewrite, Times: 1})
				w.person("PUT", w.userPath(w.someUser().ID, ""), `{"first_name":"Osric","last_name":"Vane","timezone":"UTC"}`, 200, "applied")
				w.wantSameUsers()
				w.wantRequests("PUT", "GET")
			})
		})
	}
}

// Single reads do not carry it, so that only the list can tell.
func TestFieldThatNoAnswerShowsWaitsForASweep(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		w.person("PUT", w.userPath(w.someUser().ID, ""), `{"first_name":"Osric","last_name":"Vane","timezone":"UTC","date_format":"dd/mm/yyyy"}`, 200, "pending")
		w.wantRequests("PUT", "GET")
		w.wantSameUsers()
		w.wantSweepAskedFor()
	})
}

// What an answer shows that may not be applied, and a read does not, counts as
// shown by none.
func TestFieldOfASupersededAnswerWaitsForASweep(t *testing.T) {
	inWorld(t, tallyfysim.Options{Generation: tallyfysim.Gen2025}, func(t *testing.T, w *world) {
		id := w.someUser().ID
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("PUT", ""), Times: 1, After: func() {
			if _, err := w.poller.RefreshMember(context.Background(), id); err != nil {
				t.Error(err)
			}
		}})
		w.person("PUT", w.userPath(id, ""), `{"first_name":"Osric","last_name":"Vane","timezone":"UTC","job_title":"Smith"}`, 200, "pending")
		w.wantSweepAskedFor()
		w.wantSameUsers()
	})
}

// wantSweepAskedFor wants a sweep to begin at once, and not because it is due.
func (w *world) wantSweepAskedFor() {
	w.t.Helper()
	w.sim.ResetRequests()
	stop := w.run()
	defer stop()
	if len(w.sim.Requests()) == 0 {
		w.t.Error("no sweep was asked for")
	}
}

func TestInvitationWithoutAUsableAnswerAsksForASweep(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		for i, fault := range []tallyfysim.Fault{
			{Rewrite: func([]byte) []byte { return []byte(`<html>`) }},
			{Status: 502, Handled: true},
			{DropConnection: true},
		} {
			fault.Match, fault.Times = tallyfysim.On("POST", ""), 1
			w.sim.Fault(fault)
			out, err := w.sendPerson(context.Background(), "POST", users+"/invite", strings.Replace(welcome, "new@", fmt.Sprintf("new%d@", i), 1))
			if (err != nil) != fault.DropConnection || err == nil && out.Refresh != directory.RefreshPending {
				t.Errorf("%+v, %v", out, err)
			}
			w.wantSweepAskedFor()
			w.wantSameUsers()
		}
	})
}

// Whom an invitation puts into groups is in them after a sweep.
func TestInvitationThatMayReachGroupsMarksEverything(t *testing.T) {
	inWorld(t, tallyfysim.Options{InvitationsJoin: true}, func(t *testing.T, w *world) {
		body := strings.Replace(welcome, "}", fmt.Sprintf(`,"groups":[%q]}`, w.someGroup().ID), 1)
		w.person("POST", users+"/invite", body, 200, "pending")
		w.wantSameUsers()
		stop := w.run()
		time.Sleep(2 * time.Second)
		stop()
		w.wantEqual()
		if n := w.groupsOf(idOfUser(w, "new@works.test")); n != 1 {
			t.Errorf("the invited are in %d groups", n)
		}
	})
}

func idOfUser(w *world, email string) int64 {
	for _, u := range w.sim.Users() {
		if u.Email == email {
			return u.ID
		}
	}
	return 0
}

// Each path by which people leave or enter groups, and what a sweep shows
// after it.
func TestWriteThatReachesGroupsIsShownByTheSweepThatFollows(t *testing.T) {
	for name, c := range map[string]struct {
		method, path string
		before       func(w *world, id int64)
		keepsGroups  bool
	}{
		"disable":            {method: "DELETE", path: "/disable"},
		"enable":             {method: "PUT", path: "/enable", before: func(w *world, id int64) { w.sim.Disable(id) }},
		"remove":             {method: "DELETE"},
		"remove, reassigned": {method: "DELETE", path: "?with_reassignment=true&to=%d"},
		"delete":             {method: "DELETE", path: "/delete", before: func(w *world, id int64) { w.sim.Disable(id) }},
		"convert":            {method: "PUT", path: "/to/guest"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, tallyfysim.Options{EnableRestores: true}, func(t *testing.T, w *world) {
				stop := w.run()
				defer stop()
				id := w.someUser().ID
				if c.before != nil {
					c.before(w, id)
					w.mustSweep()
				}
				path := c.path
				if strings.Contains(path, "%d") {
					path = fmt.Sprintf(path, w.sim.Users()[0].ID)
				}
				w.person(c.method, w.userPath(id, path), "", 200, "pending")
				time.Sleep(2 * time.Second)
				w.wantEqual()
				w.wantSameUsers()
				if gone := w.groupsOf(id) == 0; gone == (name == "enable") {
					t.Errorf("the user is in %d groups", w.groupsOf(id))
				}
			})
		})
	}
}

func (w *world) mustSweep() {
	w.t.Helper()
	if _, err := w.poller.Sweep(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

// Nobody waits for the sweep to see that somebody may no longer act.
func TestDisabledUserIsShownAsSuchAtOnce(t *testing.T) {
	for _, path := range []string{"/disable", ""} {
		inWorld(t, tallyfysim.Options{RemovalKeepsRow: true}, func(t *testing.T, w *world) {
			id := w.someUser().ID
			w.person("DELETE", w.userPath(id, path), "", 200, "pending")
			w.wantSameUsers()
			w.wantRequests("DELETE")
		})
	}
}

// Its answer shows a rewritten row, which is no member's.
func TestDeletedUsersRowIsNotTakenFromTheAnswer(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		u := w.someUser()
		w.sim.Disable(u.ID)
		w.mustSweep()
		w.person("DELETE", w.userPath(u.ID, "/delete"), "", 200, "pending")
		found, err := w.db.Member(context.Background(), directory.PersonRef{ID: u.ID})
		if err != nil || found.Row.Email != u.Email {
			t.Errorf("the member is %+v (%v)", found.Row, err)
		}
	})
}

func TestGuestWritesAreShownByTheSweepThatFollows(t *testing.T) {
	for _, c := range [][2]string{{"DELETE", ""}, {"DELETE", "/disable"}, {"PUT", "/enable"}, {"POST", "/to/member"}} {
		inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
			group := w.someGroup()
			w.write("PUT", groups+"/"+group.ID, `{"name":"Guests","description":"d","guests":["Guest@client.test"]}`, 201, "applied")
			stop := w.run()
			defer stop()
			w.person(c[0], guests+"/guest%40client.test"+c[1], "", 200, "pending")
			time.Sleep(2 * time.Second)
			w.wantEqual()
			w.wantSameUsers()
		})
	}
}

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

// Whichever of the two was handled last is what the mirror shows.
func TestSweepBetweenAUserWriteAndItsAnswerMakesTheUserBeReadAgain(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		id := w.someUser().ID
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("PUT", ""), Times: 1, After: func() {
			w.sim.UpdateUser(id, func(u *tallyfysim.User) { u.Role = tallyfysim.RoleAdmin })
			w.mustSweep()
		}})
		w.person("PUT", w.userPath(id, "/role"), `{"role":"light"}`, 200, "applied")
		w.wantSameUsers()
	})
}

// The list was read before the write was sent and is applied after it.
func TestSweepThatBeganEarlierDoesNotTakeAUserWriteBack(t *testing.T) {
	for _, path := range []string{"/role", "/disable"} {
		inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
			stop := w.run()
			defer stop()
			id := w.someUser().ID
			w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.OnPage("groups", "1"), Times: 1, After: func() {
				if path == "/role" {
					w.person("PUT", w.userPath(id, path), `{"role":"light"}`, 200, "applied")
				} else {
					w.person("DELETE", w.userPath(id, path), "", 200, "pending")
				}
			}})
			w.mustSync()
			w.wantSameUsers()
			w.wantEqual()
		})
	}
}

// mustSync asks for a sweep as a client does.
func (w *world) mustSync() {
	w.t.Helper()
	if note, err := w.poller.Sync(context.Background(), 30*time.Second); err != nil || !note.Result.Succeeded() {
		w.t.Fatalf("the sweep was %s: %v", note.Result, err)
	}
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

func TestTargetOf(t *testing.T) {
	for _, c := range []struct {
		method, path, body string
		on                 string
		user               int64
		row                string
		alone              bool
		sent               string
	}{
		{"PUT", "/users/12", `{"a":1}`, "PUT users/{}", 12, "12", true, `{"a":1}`},
		{"PUT", "/users/12/role", `{}`, "PUT users/{}/role", 12, "12", true, `{}`},
		{"PUT", "/me", `{}`, "PUT me", 0, "", true, `{}`},
		{"POST", "/users/invite", welcome, "POST users/invite", 0, "", true, welcome},
		{"POST", "/users/invite", `{"email":"a@x.test","groups":[]}`, "POST users/invite", 0, "", false, `{"email":"a@x.test","groups":[]}`},
		{"POST", "/users/invite", `a=b`, "POST users/invite", 0, "", false, `a=b`},
		{"DELETE", "/users/12/disable", "", "DELETE users/{}/disable", 12, "12", false, `{"status":"disabled"}`},
		{"PUT", "/users/12/enable", "", "PUT users/{}/enable", 12, "12", false, `{"status":"active"}`},
		{"DELETE", "/users/12/", "", "DELETE users/{}", 12, "12", false, `{"status":"disabled"}`},
		{"DELETE", "/users/12/delete", "", "DELETE users/{}/delete", 12, "12", false, ""},
		{"PUT", "/users/12/to/guest", "", "PUT users/{}/to/guest", 12, "12", false, ""},
		{"PUT", "/users/12/anything", `{}`, "PUT users/{}/anything", 12, "12", false, ""},
		{"PATCH", "/users/12", `{}`, "PATCH users/{}", 12, "12", false, ""},
		{"DELETE", "/guests/A%2Bb@X.test", "", "DELETE guests/{}", 0, "a+b@x.test", false, ""},
		{"POST", "/guests/12/to/member", "", "POST guests/{}/to/member", 0, "12", false, ""},
		{"PUT", "/users/-3", "", "PUT users/{}", 0, "", true, ""},
		{"PUT", "/users/%zz", "", "PUT users/{}", 0, "", true, ""},
	} {
		u := &url.URL{Path: below + c.path}
		if parsed, err := url.Parse(below + c.path); err == nil {
			u = parsed
		}
		got := targetOf(c.method, u, []byte(c.body))
		if got.on != c.on || got.user != c.user || got.row() != c.row || got.alone != c.alone || !bytes.Equal(got.sent, []byte(c.sent)) {
			t.Errorf("%s %s: %+v", c.method, c.path, got)
		}
	}
}

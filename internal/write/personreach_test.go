package write

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

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
		found, err := w.db.Member(context.Background(), directory.PersonRef{ID: u.ID}, nil)
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

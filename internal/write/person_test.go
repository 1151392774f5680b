package write

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

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
	page, err := w.db.Members(context.Background(), directory.MemberFilter{}, directory.ListQuery{Limit: 1000})
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

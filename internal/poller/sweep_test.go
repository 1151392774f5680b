package poller

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/payload"
	"rollcall/internal/tallyfysim"
)

func TestFirstSweepMirrorsTheOrganisation(t *testing.T) {
	inWorld(t, populated(150), func(t *testing.T, w *world) {
		note := w.sweep(directory.SweepPublished)
		if note.Requests != 3 || note.Groups != 150 || note.Members != 30 {
			t.Errorf("the note is %+v, want 3 requests, 150 groups, 30 members", note)
		}
		want := []string{"GET /users?page=1", "GET /groups?page=1&per_page=100", "GET /groups?page=2&per_page=100"}
		if got := w.requests(); !slices.Equal(got, want) {
			t.Errorf("requests %q, want %q", got, want)
		}
		w.wantRevision(1)
		w.wantEqual()
	})
}

func TestFirstSweepOfAnEmptyOrganisationIsARevision(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		w.wantRevision(1)
		w.sweep(directory.SweepUnchanged)
		w.wantRevision(1)
	})
}

func TestBothGenerationsWithAndWithoutMetaAreMirrored(t *testing.T) {
	for name, o := range map[string]tallyfysim.Options{
		"2025 without status":            {Generation: tallyfysim.Gen2025, NoStatus: true},
		"2025 without meta":              {Generation: tallyfysim.Gen2025, NoMeta: true},
		"without meta, ids as strings":   {NoMeta: true, StringIDs: true},
		"without meta, last page repeat": {NoMeta: true, RepeatLastPage: true},
		"total pages of another size":    {TotalPagesSize: 10, UserCap: 7, Descending: true},
	} {
		t.Run(name, func(t *testing.T) {
			o.Seed, o.Groups, o.Members = 3, 120, 40
			inWorld(t, o, func(t *testing.T, w *world) {
				w.sweep(directory.SweepPublished)
				want := w.upstream()
				if o.NoStatus {
					for id, m := range want.Members { // who was invited cannot be told
						if m.Status == "invited" {
							m.Status = "active"
							want.Members[id] = m
						}
					}
				}
				w.wantPicture(want)
				w.sweep(directory.SweepUnchanged)
			})
		})
	}
}

// What can go wrong with one page of a list, whatever page it is.
var listFaults = map[string]struct {
	tallyfysim.Fault
	reason directory.Reason
}{
	"500":            {tallyfysim.Fault{Status: 500, Body: []byte("<html>secret stack</html>")}, directory.ReasonServer},
	"429":            {tallyfysim.Fault{Status: 429, RetryAfter: "600"}, directory.ReasonThrottled},
	"401":            {tallyfysim.Fault{Status: 401, Body: []byte("Unauthorized.")}, directory.ReasonUnauthorized},
	"403":            {tallyfysim.Fault{Status: 403}, directory.ReasonForbidden},
	"404":            {tallyfysim.Fault{Status: 404, Body: []byte(`{"error":true,"code":"RESOURCE_NOT_FOUND"}`)}, directory.ReasonNotFound},
	"lost":           {tallyfysim.Fault{DropConnection: true}, directory.ReasonTransport},
	"cut":            {tallyfysim.Fault{TruncateAfter: 300}, directory.ReasonTransport},
	"html":           {tallyfysim.Fault{Status: 200, Body: []byte("<html></html>")}, directory.ReasonNotJSON},
	"empty body":     {tallyfysim.Fault{Status: 200}, directory.ReasonNotJSON},
	"no data":        {tallyfysim.Fault{Status: 200, Body: []byte(`{"meta":{}}`)}, directory.ReasonShape},
	"data an object": {tallyfysim.Fault{Status: 200, Body: []byte(`{"data":{}}`)}, directory.ReasonShape},
	"row without id": {tallyfysim.Fault{Rewrite: renamed(`"id":`, `"idx":`)}, directory.ReasonKeyField},
	"other total":    {tallyfysim.Fault{Rewrite: renamed(`"total":`, `"total":1`)}, directory.ReasonUnsteady},
	"no rows": {tallyfysim.Fault{Rewrite: func(b []byte) []byte {
		return append([]byte(`{"data":[],`), b[bytes.Index(b, []byte(`"meta"`)):]...)
	}}, directory.ReasonUnsteady},
}

func renamed(from, to string) func([]byte) []byte {
	return func(b []byte) []byte { return bytes.Replace(b, []byte(from), []byte(to), 1) }
}

func TestSweepKeepsGroupsWhenPageTwoFails(t *testing.T) {
	inWorld(t, populated(150), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		for name, fault := range listFaults {
			t.Log(name)
			testPageFails(t, w, fault.Fault, "groups", "2", fault.reason)
		}
	})
}

func TestSweepKeepsMembersWhenThePageFails(t *testing.T) {
	inWorld(t, populated(40), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		for name, fault := range listFaults {
			t.Log(name)
			testPageFails(t, w, fault.Fault, "users", "1", fault.reason)
		}
	})
}

// testPageFails wants a sweep that fails on a page to publish nothing, to say
// so, and the next to publish everything.
func testPageFails(t *testing.T, w *world, fault tallyfysim.Fault, list, page string, reason directory.Reason) {
	before, revision := w.mirror(), w.revision()
	w.sim.UpdateGroup(w.sim.Groups()[0].ID, func(g *tallyfysim.Group) { g.Name += "!" })
	w.sim.DeleteGroup(w.sim.Groups()[1].ID)
	w.sim.CreateUser(tallyfysim.User{Email: "new@x.test"})

	fault.Match = tallyfysim.OnPage(list, page)
	remove := w.sim.Fault(fault)
	note := w.sweep(directory.SweepFailed)
	if note.Reason != reason {
		t.Errorf("reason %s (%s), want %s", note.Reason, note.Detail, reason)
	}
	if strings.Contains(note.Detail, "secret") || !strings.Contains(note.Detail, list[:4]) && !strings.Contains(note.Detail, "member") {
		t.Errorf("the note says %q, which names no page or quotes upstream", note.Detail)
	}
	w.wantPicture(before)
	w.wantRevision(revision)
	if status := w.Status(); status.LastError == nil || status.LastError.Reason != reason {
		t.Errorf("status tells of %+v, want %s", status.LastError, reason)
	}

	remove()
	time.Sleep(20 * time.Minute) // what Retry-After asked for
	w.sweep(directory.SweepPublished)
	w.wantEqual()
	if status := w.Status(); status.LastError != nil {
		t.Errorf("after a success status tells of %+v", status.LastError)
	}
}

func TestUnsteadyListAloneIsListedAgainAtMostThreeTimes(t *testing.T) {
	inWorld(t, populated(150), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		w.sim.ResetRequests()
		create := func() { w.sim.CreateGroup(tallyfysim.Group{Name: "One more"}) }
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.OnPage("groups", "2"), Before: create, Times: 2})
		w.sweep(directory.SweepPublished)
		if got := w.requests(); len(got) != 7 || got[0] != "GET /users?page=1" || slices.Contains(got[1:], "GET /users?page=1") {
			t.Errorf("requests %q, want one for users and three times two for groups", got)
		}
		w.wantEqual()

		w.sim.ResetRequests()
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.OnPage("groups", "2"), Before: create, Times: 3})
		if note := w.sweep(directory.SweepFailed); note.Reason != directory.ReasonUnsteady {
			t.Errorf("reason %s, want %s", note.Reason, directory.ReasonUnsteady)
		}
		if got := w.requests(); len(got) != 7 {
			t.Errorf("requests %q, want seven", got)
		}
	})
}

func TestUnchangedSweepMakesNoRevisionButConfirms(t *testing.T) {
	inWorld(t, populated(20), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		time.Sleep(time.Minute)
		began := time.Now()
		for range 3 {
			w.sweep(directory.SweepUnchanged)
		}
		w.wantRevision(1)
		f, err := w.db.Freshness(context.Background())
		if err != nil || !f.ConfirmedAt.Equal(began) {
			t.Errorf("confirmed at %v (%v), want %v", f.ConfirmedAt, err, began)
		}
	})
}

func TestChangesAreDatedBetweenTheSweepsThatEncloseThem(t *testing.T) {
	inWorld(t, populated(3), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		time.Sleep(time.Minute)
		lastSeen := time.Now()
		w.sweep(directory.SweepUnchanged)
		time.Sleep(time.Minute)
		id := w.sim.CreateGroup(tallyfysim.Group{Name: "New", Members: []int64{w.sim.Users()[0].ID}})
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("", "/groups"), DelayAnswer: 3 * time.Second, Times: 1})
		note := w.sweep(directory.SweepPublished)
		page, err := w.db.GroupMembers(context.Background(), directory.GroupRef{ID: id}, "", directory.ListQuery{Limit: 10})
		if err != nil || len(page.Rows) != 1 {
			t.Fatalf("members %+v, %v", page.Rows, err)
		}
		want := directory.Bounds{NotBefore: lastSeen.UTC(), NotAfter: note.BeganAt.Add(3 * time.Second).UTC()}
		if got := page.Rows[0].Since; !got.NotBefore.Equal(want.NotBefore) || !got.NotAfter.Equal(want.NotAfter) {
			t.Errorf("since %v, want %v", got, want)
		}
	})
}

// Whether or not it was in doubt.
func TestWhatASweepFindsComesFromTheSweep(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		group, user := w.sim.Groups()[0].ID, w.sim.Users()[3].ID
		for _, doubt := range []func(){
			func() {},
			func() { w.DoubtGroup(t.Context(), group); w.DoubtMember(t.Context(), user) },
		} {
			w.sim.UpdateGroup(group, func(g *tallyfysim.Group) { g.Name, g.Members = g.Name+"!", g.Members[1:] })
			w.sim.UpdateUser(user, func(u *tallyfysim.User) { u.Team += "!" })
			doubt()
			var pub directory.Publication
			w.store = recordingStore{w.db, &pub}
			w.sweep(directory.SweepPublished)
			for _, from := range []directory.Origin{pub.Groups[0].Attributes, pub.Groups[0].Members, pub.Groups[0].Guests, pub.Members[0].Origin} {
				if from.Cause != directory.CauseSweep || from.NotBefore.IsZero() {
					t.Errorf("a change comes from %+v, want a sweep and a lower bound", from)
				}
			}
		}
	})
}

func TestOddMemberIDsMakeNoEdgeAndCountAsDrift(t *testing.T) {
	inWorld(t, populated(2), func(t *testing.T, w *world) {
		id := w.sim.CreateGroup(tallyfysim.Group{Name: "Odd", Extra: map[string]json.RawMessage{"members": json.RawMessage(`[1001,"1002","nobody",null]`)}})
		w.sweep(directory.SweepPublished)
		if got := w.mirror().Groups[id].Members; !slices.Equal(got, []int64{1001, 1002}) {
			t.Errorf("members %v", got)
		}
		if drift := w.Status().Drift; drift["groups.members: not a number"] != 1 {
			t.Errorf("drift %v", drift)
		}
	})
}

func TestChurnWaitsForARevisionOrAnHour(t *testing.T) {
	inWorld(t, populated(3), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		user := w.sim.Users()[0].ID
		login := func() {
			w.sim.UpdateUser(user, func(u *tallyfysim.User) { u.LastLoginAt = time.Now().Truncate(time.Second) })
		}
		served := func() time.Time {
			found, err := w.db.Member(context.Background(), directory.PersonRef{ID: user}, nil)
			if err != nil {
				t.Fatal(err)
			}
			return found.Row.LastLoginAt
		}
		time.Sleep(time.Minute)
		login()
		before := served()
		for range 59 {
			w.sweep(directory.SweepUnchanged)
			time.Sleep(time.Minute)
		}
		w.wantRevision(1)
		if !served().Equal(before) {
			t.Error("churn alone was published within the hour")
		}
		w.sweep(directory.SweepUnchanged)
		time.Sleep(time.Minute)
		w.sweep(directory.SweepPublished)
		w.wantRevision(2)
		if served().Equal(before) {
			t.Error("churn was not published after an hour")
		}

		time.Sleep(time.Minute)
		login()
		before = served()
		w.sweep(directory.SweepUnchanged)
		w.sim.UpdateGroup(w.sim.Groups()[0].ID, func(g *tallyfysim.Group) { g.Name = "Renamed" })
		w.sweep(directory.SweepPublished)
		w.wantRevision(3)
		if served().Equal(before) {
			t.Error("churn was not published with the next revision")
		}
		w.sweep(directory.SweepUnchanged)
	})
}

func TestSweepTakesTheListFormOfARowKnownFromAWriteWithoutARevision(t *testing.T) {
	inWorld(t, populated(3), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		obs := w.Begin()
		id := w.sim.CreateGroup(tallyfysim.Group{Name: "New", Description: "d", Members: []int64{1003, 1001}})
		if _, err := w.ApplyGroup(context.Background(), obs, w.group(id), wrote); err != nil {
			t.Fatal(err)
		}
		w.wantRevision(2)
		w.sweep(directory.SweepUnchanged)
		w.wantRevision(2)
		w.sim.UpdateGroup(w.sim.Groups()[0].ID, func(g *tallyfysim.Group) { g.Name = "Renamed" })
		w.sweep(directory.SweepPublished)
		served, err := w.db.GroupPayload(context.Background(), id)
		if err != nil || !bytes.Contains(served.Row, []byte(`"members":[1003,1001]`)) {
			t.Errorf("the row is served as %s (%v), want the list form", served.Row, err)
		}
		w.sweep(directory.SweepUnchanged)
	})
}

func TestNothingIsAskedWhileTheMirrorIsWritten(t *testing.T) {
	inWorld(t, populated(150), func(t *testing.T, w *world) {
		locked := false
		w.sim.Fault(tallyfysim.Fault{Before: func() {
			if !w.applying.TryLock() {
				locked = true
				return
			}
			w.applying.Unlock()
		}})
		w.sweep(directory.SweepPublished)
		w.sim.DeleteGroup(w.sim.Groups()[0].ID)
		w.sweep(directory.SweepPublished)
		if _, err := w.RefreshGroup(context.Background(), w.sim.Groups()[0].ID); err != nil {
			t.Fatal(err)
		}
		if locked {
			t.Error("a request left while the ledgers were held for a publication")
		}
	})
}

func TestSweepThatItsCallerEndsLeavesNoNote(t *testing.T) {
	inWorld(t, populated(3), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		ctx, cancel := context.WithCancel(context.Background())
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On(http.MethodGet, "/groups"), Before: cancel, Times: 1})
		if _, err := w.Sweep(ctx); err == nil {
			t.Error("a sweep whose caller went away succeeded")
		}
		if status := w.Status(); status.LastError != nil || status.State != directory.StateFresh {
			t.Errorf("status %+v", status)
		}
		w.sweep(directory.SweepUnchanged)
	})
}

// What a write's answer did not show is new to the sweep that shows it.
func TestSweepAddsWhatAWriteDidNotShow(t *testing.T) {
	inWorld(t, populated(3), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		obs := w.Begin()
		id := w.sim.CreateGroup(tallyfysim.Group{Name: "New", Members: []int64{1001, 1003}})
		row, err := payload.DecodeGroup([]byte(`{"id":"`+id+`","name":"New"}`), directory.SingleForm)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.ApplyGroup(context.Background(), obs, row, wrote); err != nil {
			t.Fatal(err)
		}
		w.sweep(directory.SweepPublished)
		w.wantEqual()
	})
}

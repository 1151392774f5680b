package write

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/poller"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// readings of the contract that matter to a PUT.
var readings = map[string]tallyfysim.Options{
	"2026": {}, "2025": {Generation: tallyfysim.Gen2025}, "absent arrays clear": {AbsentArraysClear: true}, "string ids": {StringIDs: true},
	"name required": {PutNameRequired: true}, "membership keeps time": {MembershipKeepsTime: true}, "trims": {NamesTrim: true},
}

func TestEditChangesWhatItNamesAndNothingElse(t *testing.T) {
	for name, o := range readings {
		t.Run(name, func(t *testing.T) {
			inWorld(t, o, func(t *testing.T, w *world) {
				g := w.smallGroup()
				w.sim.UpdateGroup(g.ID, func(g *tallyfysim.Group) { g.Guests = []string{"Stays@x.test", "Goes@x.test"} })
				in, out := w.newcomers(g.ID)[0], g.Members[0]
				want := w.upstream()[g.ID]
				for _, c := range []struct {
					edit directory.GroupEdit
					make func(*shown)
				}{
					{directory.GroupEdit{AddMembers: []int64{in, in}}, func(s *shown) { s.Members = append(s.Members, in) }},
					{directory.GroupEdit{RemoveMembers: []int64{out}}, func(s *shown) {
						s.Members = slices.DeleteFunc(s.Members, func(id int64) bool { return id == out })
					}},
					{directory.GroupEdit{AddGuests: []string{"New@x.test", "new@X.test"}}, func(s *shown) { s.Guests = append(s.Guests, "New@x.test") }},
					{directory.GroupEdit{RemoveGuests: []string{"goes@X.TEST"}}, func(s *shown) {
						s.Guests = slices.DeleteFunc(s.Guests, func(mail string) bool { return mail == "Goes@x.test" })
					}},
					{directory.GroupEdit{Name: new("Renamed"), Description: new("<told> otherwise & well")}, func(s *shown) {
						s.Name, s.Description = "Renamed", "<told> otherwise & well"
					}},
				} {
					c.make(&want)
					slices.Sort(want.Members)
					slices.Sort(want.Guests)
					c.edit.ID = g.ID
					edited := w.mustEdit(c.edit)
					if got := w.upstream()[g.ID]; fmt.Sprint(got) != fmt.Sprint(want) {
						t.Errorf("%+v made %+v, want %+v", c.edit, got, want)
					}
					if !edited.Changed || edited.Row.Name != want.Name || edited.Row.MemberCount != len(want.Members) || edited.Row.GuestCount != len(want.Guests) {
						t.Errorf("%+v answers %+v", c.edit, edited)
					}
					w.wantRequests("GET", "PUT")
					w.wantEqual()
				}
				if note, err := w.poller.Sweep(context.Background()); err != nil || note.Result != directory.SweepUnchanged {
					t.Errorf("the next sweep was %s: %v", note.Result, err)
				}
			})
		})
	}
}

func TestEditSendsAllFourFieldsAsUpstreamHasThem(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		id := w.smallGroup().ID
		for _, c := range []struct{ from, to, members, guests, description string }{
			{`"members":[`, `"members":["x7",{"id":5},null,"0",`, `"x7" {"id":5} null "0" `, "", `"d"`},
			{`"guests":[`, `"guests":[" Odd@X.test ",17,"",`, "", `" Odd@X.test " 17 "" `, `"d"`},
			{`"description":"d"`, `"description":""`, "", "", ""},
			{`"description":"d"`, `"description":null`, "", "", ""},
			{`"description":"d"`, `"description":"\u00e9\/\ud83d"`, "", "", `"\u00e9\/\ud83d"`},
		} {
			w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Description, g.Guests = "d", []string{"G@x.test"} })
			g, _ := w.sim.Group(id)
			w.sim.Fault(tallyfysim.Fault{Match: onGroup("GET", id), Times: 1, Rewrite: replaced(c.from, c.to)})
			w.sim.ResetRequests()
			_, _ = w.edit(directory.GroupEdit{ID: id, AddGuests: []string{"New@x.test"}})
			sent := w.bodies()
			if len(sent) != 1 {
				t.Fatalf("%s: %d writes", c.to, len(sent))
			}
			body := sent[0]
			if asSet(texts(body.Members)) != asSet(c.members+strings.Trim(fmt.Sprint(g.Members), "[]")) || texts(body.Guests) != c.guests+`"G@x.test" "New@x.test"` ||
				string(body.Description) != c.description || string(body.Name) != fmt.Sprintf("%q", g.Name) {
				t.Errorf("%s: sent %s, %s, %s, %s", c.to, body.Name, body.Description, texts(body.Members), texts(body.Guests))
			}
			time.Sleep(longAgo)
		}
	})
}

func asSet(list string) string {
	elements := strings.Fields(list)
	slices.Sort(elements)
	return fmt.Sprint(elements)
}

func TestEditWithNothingToDoSendsNothing(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		g := w.smallGroup()
		w.sim.UpdateGroup(g.ID, func(g *tallyfysim.Group) { g.Guests = []string{"G@x.test"} })
		for _, e := range []directory.GroupEdit{
			{AddMembers: g.Members[:1]},
			{RemoveMembers: w.newcomers(g.ID)},
			{AddGuests: []string{" g@X.test"}},
			{RemoveGuests: []string{"nobody@x.test"}},
			{Name: new(g.Name), Description: new(g.Description)},
			{},
		} {
			e.ID = g.ID
			edited := w.mustEdit(e)
			if edited.Changed || edited.Row.ID != g.ID || edited.Revision == 0 {
				t.Errorf("%+v answers %+v", e, edited)
			}
			w.wantRequests("GET")
		}
		w.wantEqual() // what the read showed is published all the same
	})
}

func TestDryRunSendsNothing(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		g := w.smallGroup()
		in := w.newcomers(g.ID)[0]
		e := directory.GroupEdit{ID: g.ID, Name: new("As it would be"), AddMembers: []int64{in}, AddGuests: []string{"New@x.test"}, DryRun: true}
		would := w.mustEdit(e)
		if w.wantRequests("GET"); w.isIn(g.ID, in) || w.upstream()[g.ID].Name != g.Name {
			t.Error("a dry run was made")
		}
		e.DryRun = false
		made := w.mustEdit(e)
		if !would.Changed || would.Row.Version != made.Row.Version || would.Row.Name != "As it would be" || !slices.Contains(would.Row.Members, in) ||
			would.Row.MemberCount != made.Row.MemberCount || would.Row.GuestCount != made.Row.GuestCount {
			t.Errorf("it would be %+v and is %+v", would.Row, made.Row)
		}
		requests := w.sim.Requests()
		if sent := requests[len(requests)-1].Body; !bytes.Equal(sent, would.Body) || made.Body != nil {
			t.Errorf("it would send %s and sent %s", would.Body, sent)
		}
		if again := w.mustEdit(e); again.Changed || again.Body != nil {
			t.Errorf("again: %+v", again)
		}
	})
}

func TestEditIsMadeOnlyInTheVersionsThatItAllows(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		g := w.smallGroup()
		found, err := w.db.Group(context.Background(), directory.GroupRef{ID: g.ID})
		if err != nil {
			t.Fatal(err)
		}
		seen := found.Row.Version
		w.mustEdit(directory.GroupEdit{ID: g.ID, Name: new("Renamed"), Versions: []string{"another", seen}})
		w.wantRequests("GET", "PUT")
		for _, versions := range [][]string{{seen}, {}} {
			for _, dry := range []bool{false, true} {
				_, err = w.edit(directory.GroupEdit{ID: g.ID, Name: new("Again"), Versions: versions, DryRun: dry})
				if now := wantError[*directory.VersionError](t, err).Version; now == seen {
					t.Error("the version is the old one")
				}
				w.wantRequests("GET")
			}
		}
		// Nobody wrote through Rollcall, and the mirror does not know it yet.
		w.sim.UpdateGroup(g.ID, func(g *tallyfysim.Group) { g.Description = "Told elsewhere" })
		if found, err = w.db.Group(context.Background(), directory.GroupRef{ID: g.ID}); err != nil {
			t.Fatal(err)
		}
		_, err = w.edit(directory.GroupEdit{ID: g.ID, Name: new("Again"), Versions: []string{found.Row.Version}})
		now := wantError[*directory.VersionError](t, err).Version
		w.wantEqual()
		w.mustEdit(directory.GroupEdit{ID: g.ID, Name: new("Again"), Versions: []string{now}})
	})
}

func TestOutsideEditBeforeTheReadOrAfterTheWriteIsKept(t *testing.T) {
	inGuarded(t, tallyfysim.Options{}, func(t *testing.T, w *world, h *history) {
		g := w.smallGroup()
		in, outside := w.newcomers(g.ID)[0], w.newcomers(g.ID)[1]
		swept := time.Now()
		time.Sleep(longAgo)
		h.take()
		w.sim.Fault(tallyfysim.Fault{Match: onGroup("GET", g.ID), Times: 1, Delay: time.Second, Before: func() {
			w.sim.UpdateGroup(g.ID, func(g *tallyfysim.Group) { g.Members = append(g.Members, outside) })
		}})
		w.sim.Fault(tallyfysim.Fault{Match: onGroup("PUT", g.ID), Times: 1, DelayAnswer: time.Second, After: func() {
			w.sim.UpdateGroup(g.ID, func(g *tallyfysim.Group) { g.Guests = append(g.Guests, "outside@x.test") })
		}})
		began := time.Now()
		w.mustEdit(directory.GroupEdit{ID: g.ID, AddMembers: []int64{in}})
		now, _ := w.sim.Group(g.ID)
		if !slices.Contains(now.Members, in) || !slices.Contains(now.Members, outside) || !slices.Contains(now.Guests, "outside@x.test") {
			t.Errorf("upstream has %+v", now)
		}
		updates := h.take()
		if len(updates) != 2 {
			t.Fatalf("%d updates, want what the read showed and the edit", len(updates))
		}
		read, own := updates[0].Members, updates[1].Members
		if read.Cause != directory.CauseRefresh || read.Actor != "" || read.NotBefore.After(swept) || !read.NotAfter.Equal(began.Add(time.Second)) {
			t.Errorf("the outside edit comes from %+v", read)
		}
		if own.Cause != directory.CauseWrite || own.Actor != "alice" || !own.NotBefore.Equal(began.Add(time.Second)) || !own.NotAfter.Equal(began.Add(2*time.Second)) {
			t.Errorf("the edit comes from %+v, want it between its request at %v and the answer a second later", own, began.Add(time.Second))
		}
		if _, err := w.poller.Sweep(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.wantEqual()
	})
}

// The loss that README and document declare: nothing in upstream's interface
// could tell.
func TestOutsideEditBetweenTheReadAndTheWriteIsOverwritten(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		g := w.smallGroup()
		in, outside := w.newcomers(g.ID)[0], w.newcomers(g.ID)[1]
		w.sim.Fault(tallyfysim.Fault{Match: onGroup("PUT", g.ID), Times: 1, Before: func() {
			w.sim.UpdateGroup(g.ID, func(g *tallyfysim.Group) { g.Members = append(g.Members, outside) })
		}})
		w.mustEdit(directory.GroupEdit{ID: g.ID, AddMembers: []int64{in}})
		if now, _ := w.sim.Group(g.ID); slices.Contains(now.Members, outside) || !slices.Contains(now.Members, in) {
			t.Errorf("upstream has %v", now.Members)
		}
		w.wantEqual()
	})
}

func TestReadThatIsNotBelievedSendsNothing(t *testing.T) {
	inGuarded(t, tallyfysim.Options{}, func(t *testing.T, w *world, _ *history) {
		id, in := w.crowd(40)
		stop := w.run()
		defer stop()
		w.sim.ResetRequests()
		undo := w.thin(id, 25)
		_, err := w.edit(directory.GroupEdit{ID: id, RemoveMembers: []int64{in}})
		if !errors.Is(err, directory.ErrHeld) {
			t.Fatalf("error %v", err)
		}
		w.wantNothingSent()
		undo()
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Members = g.Members[:15] })
		w.sim.ResetRequests()
		if _, err := w.edit(directory.GroupEdit{ID: id, RemoveMembers: []int64{in}}); !errors.Is(err, directory.ErrHeld) {
			t.Fatalf("error %v", err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if len(w.sim.Requests()) < 3 {
			t.Error("no sweep was asked for")
		}
		w.mustEdit(directory.GroupEdit{ID: id, RemoveMembers: []int64{in}}) // the sweeps have published the picture
		w.wantEqual()
	})
}

// crowd makes a group of its own large enough to be guarded, among others
// that make it a small share of all. It returns one of its members, too.
func (w *world) crowd(n int) (id string, member int64) {
	w.t.Helper()
	var ids []int64
	for i := range n {
		ids = append(ids, w.sim.CreateUser(tallyfysim.User{Email: fmt.Sprintf("crowd%d@x.test", i)}))
	}
	for i := range 5 {
		w.sim.CreateGroup(tallyfysim.Group{Name: fmt.Sprint("Crowd ", i), Description: "d", Members: slices.Clone(ids)})
	}
	id = w.sim.CreateGroup(tallyfysim.Group{Name: "Crowd", Description: "d", Members: ids})
	if _, err := w.poller.Sweep(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	return id, ids[0]
}

// thin makes single reads of a group lack most of its members.
func (w *world) thin(id string, lost int) (undo func()) {
	return w.sim.Fault(tallyfysim.Fault{Match: onGroup("GET", id), Rewrite: func(body []byte) []byte {
		var one struct {
			Data map[string]any `json:"data"`
		}
		if err := json.Unmarshal(body, &one); err != nil {
			panic(err)
		}
		members, _ := one.Data["members"].([]any)
		one.Data["members"] = members[lost:]
		out, err := json.Marshal(one)
		if err != nil {
			panic(err)
		}
		return out
	}})
}

func TestReadThatFailsSendsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		fault  tallyfysim.Fault
		reason directory.Reason
	}{
		"401":            {tallyfysim.Fault{Status: 401}, directory.ReasonUnauthorized},
		"403":            {tallyfysim.Fault{Status: 403}, directory.ReasonForbidden},
		"404 for a path": {tallyfysim.Fault{Status: 404}, directory.ReasonNotFound},
		"500":            {tallyfysim.Fault{Status: 500}, directory.ReasonServer},
		"lost":           {tallyfysim.Fault{DropConnection: true}, directory.ReasonTransport},
		"never answered": {tallyfysim.Fault{Delay: time.Hour}, directory.ReasonTimeout},
		"html":           {tallyfysim.Fault{Rewrite: func([]byte) []byte { return []byte("<html>") }}, directory.ReasonNotJSON},
		"no members":     {tallyfysim.Fault{Rewrite: replaced(`"members"`, `"people"`)}, directory.ReasonShape},
		"no guests":      {tallyfysim.Fault{Rewrite: replaced(`"guests"`, `"visitors"`)}, directory.ReasonShape},
		"another group":  {tallyfysim.Fault{Rewrite: replaced(`"id":"`, `"id":"f`)}, directory.ReasonShape},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
				id := w.smallGroup().ID
				c.fault.Match = onGroup("GET", id)
				undo := w.sim.Fault(c.fault)
				if _, err := w.edit(directory.GroupEdit{ID: id, Name: new("Never")}); directory.ReasonOf(err) != c.reason {
					t.Errorf("error %v, want %s", err, c.reason)
				}
				if n := w.sent(); n != 0 {
					t.Errorf("%d writes arrived", n)
				}
				undo()
				w.wantEqual()
			})
		})
	}
}

func TestEditOfAGroupThatIsGoneFindsNone(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		id := w.smallGroup().ID
		w.sim.DeleteGroup(id)
		if _, err := w.edit(directory.GroupEdit{ID: id, Name: new("Never")}); !errors.Is(err, directory.ErrUnknownGroup) {
			t.Errorf("error %v", err)
		}
		w.wantNothingSent()
		w.wantEqual()
		other := w.smallGroup().ID
		w.sim.Fault(tallyfysim.Fault{Match: onGroup("PUT", other), Times: 1, Before: func() { w.sim.DeleteGroup(other) }})
		_, err := w.edit(directory.GroupEdit{ID: other, Name: new("Never")})
		if refused := wantError[*directory.RefusedError](t, err); refused.Status != 404 {
			t.Errorf("status %d", refused.Status)
		}
		w.wantEqual()
	})
}

func TestRefusalOfAnEditComesBackAndChangesNothing(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		g, other := w.sim.Groups()[0], w.sim.Groups()[1]
		before := w.upstream()
		_, err := w.edit(directory.GroupEdit{ID: g.ID, Name: new(other.Name)})
		if refused := wantError[*directory.RefusedError](t, err); refused.Status != 422 || !bytes.Contains(refused.Body, []byte("taken")) {
			t.Errorf("%d %s", refused.Status, refused.Body)
		}
		_, err = w.edit(directory.GroupEdit{ID: g.ID, Description: new("")}) // left out, which this upstream refuses
		if refused := wantError[*directory.RefusedError](t, err); refused.Status != 422 {
			t.Errorf("%d %s", refused.Status, refused.Body)
		}
		for _, status := range []int{400, 401, 403, 409, 429} {
			w.sim.Fault(tallyfysim.Fault{Match: onGroup("PUT", g.ID), Times: 1, Status: status, RetryAfter: "7"})
			_, err = w.edit(directory.GroupEdit{ID: g.ID, Name: new("Never")})
			if refused := wantError[*directory.RefusedError](t, err); refused.Status != status {
				t.Errorf("%d, want %d", refused.Status, status)
			}
			time.Sleep(longAgo)
		}
		if fmt.Sprint(w.upstream()) != fmt.Sprint(before) {
			t.Error("upstream has changed")
		}
		w.wantEqual()
	})
}

func TestEditOfUnknownOutcomeIsSettledLater(t *testing.T) {
	for name, fault := range map[string]tallyfysim.Fault{
		"lost before": {DropRequest: true}, "lost after": {DropConnection: true}, "cut": {TruncateAfter: 9}, "never answered": {Delay: time.Hour},
		"5xx before": {Status: 500}, "5xx after": {Status: 503, Handled: true}, "redirect": {Status: 302},
		"unusable": {Rewrite: func([]byte) []byte { return []byte("<html>") }},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
				stop := w.run()
				defer stop()
				time.Sleep(10 * time.Second)
				id := w.smallGroup().ID
				var broken func()
				fault.Match, fault.Times = onGroup("PUT", id), 1
				fault.Before = func() { broken = w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("GET", ""), Status: 503}) }
				w.sim.Fault(fault)
				w.sim.ResetRequests()
				_, err := w.edit(directory.GroupEdit{ID: id, Name: new("Renamed")})
				if unknown := wantError[*directory.UnknownOutcomeError](t, err); unknown.Status != fault.Status {
					t.Errorf("status %d, want %d", unknown.Status, fault.Status)
				}
				if !slices.Equal(w.doubted(), []string{id}) {
					t.Errorf("in doubt are %v", w.doubted())
				}
				if n := w.sent(); n != 1 {
					t.Errorf("the edit was sent %d times", n)
				}
				broken()
				time.Sleep(30 * time.Second) // less than a sweep's interval
				synctest.Wait()
				w.wantEqual()
			})
		})
	}
}

func TestAnswerWithoutTheGroupIsFollowedByARead(t *testing.T) {
	for name, rewrite := range map[string]func([]byte) []byte{
		"members left out": replaced(`"members"`, `"people"`), "another group": replaced(`"id":"`, `"id":"f`),
		"no data": func([]byte) []byte { return []byte(`{}`) }, "nothing": func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			inGuarded(t, tallyfysim.Options{}, func(t *testing.T, w *world, h *history) {
				g := w.smallGroup()
				in := w.newcomers(g.ID)[0]
				w.sim.Fault(tallyfysim.Fault{Match: onGroup("PUT", g.ID), Times: 1, Rewrite: rewrite})
				w.mustEdit(directory.GroupEdit{ID: g.ID, AddMembers: []int64{in}})
				w.wantRequests("GET", "PUT", "GET")
				w.wantEqual()
				made := h.take()
				if own := made[len(made)-1].Members; own.Cause != directory.CauseWrite || own.Actor != "alice" {
					t.Errorf("the edit comes from %+v", own)
				}
			})
		})
	}
}

func TestWhatCameBackOtherwiseIsToldAndNotTheEditsDoing(t *testing.T) {
	inGuarded(t, tallyfysim.Options{NamesTrim: true}, func(t *testing.T, w *world, h *history) {
		g := w.smallGroup()
		in, dropped := w.newcomers(g.ID)[0], g.Members[0]
		w.sim.UpdateUser(dropped, func(u *tallyfysim.User) { u.Status = tallyfysim.StatusDisabled }) // stays listed until the group is written
		edited, err := w.edit(directory.GroupEdit{ID: g.ID, AddMembers: []int64{in}, Name: new(" Spaced ")})
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("[{Field:name Sent: Spaced  Came:Spaced} {Field:members Sent:[%s] Came:[]}]", ascii(dropped))
		if got := fmt.Sprintf("%+v", edited.Differences); got != want || !edited.Changed {
			t.Errorf("differences %s, want %s", got, want)
		}
		w.wantEqual()
		var own, beside int
		for _, u := range h.take() {
			added, removed := slices.Contains(u.Row.Members, in), !slices.Contains(u.Row.Members, dropped)
			switch {
			case added && !removed && u.Members.Cause == directory.CauseWrite && u.Members.Actor == "alice":
				own++
			case added && removed && u.Members.Cause == directory.CauseRefresh:
				beside++
			}
		}
		if own != 1 || beside != 1 {
			t.Errorf("%d updates by the edit and %d beside it", own, beside)
		}
	})
}

// ascii is how a list of bytes is printed.
func ascii(id int64) string { return fmt.Sprint(json.RawMessage(fmt.Sprint(id))) }

func TestResultWithoutWhatWasAskedIsAConflict(t *testing.T) {
	inWorld(t, tallyfysim.Options{DescriptionOptional: true}, func(t *testing.T, w *world) {
		g := w.smallGroup()
		sleeper := w.newcomers(g.ID)[0]
		w.sim.Disable(sleeper)
		undone := func(edit directory.GroupEdit, undo func(*tallyfysim.Group)) {
			t.Helper()
			edit.ID = g.ID
			if undo != nil { // by somebody else, and seen because the answer is lost in part
				w.sim.Fault(tallyfysim.Fault{Match: onGroup("PUT", g.ID), Times: 1, Rewrite: replaced(`"guests"`, `"visitors"`), After: func() { w.sim.UpdateGroup(g.ID, undo) }})
			}
			_, err := w.edit(edit)
			if c := wantError[*directory.EditConflictError](t, err); len(c.Differences) != 1 || c.Revision == 0 {
				t.Errorf("%+v: %+v", edit, c)
			}
			w.wantEqual()
		}
		undone(directory.GroupEdit{AddMembers: []int64{sleeper}}, nil)
		undone(directory.GroupEdit{Description: new("")}, nil)
		undone(directory.GroupEdit{Name: new("Renamed")}, func(g *tallyfysim.Group) { g.Name = "Renamed back" })
		undone(directory.GroupEdit{RemoveMembers: g.Members[:1]}, func(now *tallyfysim.Group) { now.Members = g.Members })
		undone(directory.GroupEdit{AddGuests: []string{"new@x.test"}}, func(now *tallyfysim.Group) { now.Guests = nil })
	})
}

func TestAnswerThatLosesManyIsNotBelieved(t *testing.T) {
	inGuarded(t, tallyfysim.Options{}, func(t *testing.T, w *world, _ *history) {
		id, out := w.crowd(40)
		lie := func() { w.thin(id, 25) }
		w.sim.Fault(tallyfysim.Fault{Match: onGroup("PUT", id), Times: 1, Rewrite: replaced(`"guests"`, `"visitors"`), After: lie})
		_, err := w.edit(directory.GroupEdit{ID: id, RemoveMembers: []int64{out}})
		if wantError[*directory.UnknownOutcomeError](t, err); !errors.Is(err, directory.ErrHeld) {
			t.Errorf("error %v", err)
		}
		if !w.isIn(id, out) {
			t.Error("it was published")
		}
		w.sim.Clear()
		stop := w.run()
		defer stop()
		time.Sleep(5 * time.Second)
		w.wantEqual()

		g, _ := w.sim.Group(id) // to remove many is no lie
		w.mustEdit(directory.GroupEdit{ID: id, RemoveMembers: g.Members[:30]})
		w.sim.Fault(tallyfysim.Fault{Match: onGroup("PUT", id), Times: 1, Rewrite: replaced(`"guests"`, `"visitors"`)})
		w.mustEdit(directory.GroupEdit{ID: id, AddMembers: g.Members[:30]})
		w.sim.Fault(tallyfysim.Fault{Match: onGroup("PUT", id), Times: 1, Rewrite: replaced(`"guests"`, `"visitors"`)})
		w.mustEdit(directory.GroupEdit{ID: id, RemoveMembers: g.Members[:30]})
		w.wantEqual()
	})
}

func TestSweepBetweenAnEditAndItsAnswerTakesNothingBack(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		g := w.smallGroup()
		for _, fault := range []tallyfysim.Fault{
			{Match: onGroup("GET", g.ID), After: func() { w.sweepNow() }},
			{Match: onGroup("PUT", g.ID), Before: func() { w.sweepNow() }},
			{Match: onGroup("PUT", g.ID), After: func() { w.sweepNow() }},
			{Match: onGroup("PUT", g.ID), After: func() { w.poller.MarkEverything() }},
		} {
			in := w.newcomers(g.ID)[0]
			fault.Times = 1
			w.sim.Fault(fault)
			w.mustEdit(directory.GroupEdit{ID: g.ID, AddMembers: []int64{in}})
			if !w.isIn(g.ID, in) {
				t.Error("the next read does not show the edit")
			}
			w.wantEqual()
		}
	})
}

func (w *world) sweepNow() {
	if _, err := w.poller.Sweep(context.Background()); err != nil {
		w.t.Error(err)
	}
}

func TestClientThatGoesAwayEndsAnEditThatIsNotSent(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		g := w.smallGroup()
		e := directory.GroupEdit{ID: g.ID, AddMembers: w.newcomers(g.ID)[:1]}
		for _, match := range []string{"GET", "PUT"} {
			ctx, cancel := context.WithCancel(context.Background())
			w.sim.Fault(tallyfysim.Fault{Match: onGroup(match, g.ID), Times: 1, Before: cancel, DelayAnswer: time.Second})
			w.sim.ResetRequests()
			_, err := w.editAs(ctx, e)
			switch {
			case match == "GET" && !errors.Is(err, context.Canceled):
				t.Errorf("error %v", err)
			case match == "GET":
				w.wantRequests("GET")
			case err != nil:
				t.Errorf("it was sent, and then: %v", err)
			}
			w.wantEqual()
		}
		ctx, cancel := context.WithCancel(context.Background())
		w.Writer.mirror = thenCancel{w.poller, cancel}
		w.sim.ResetRequests()
		if _, err := w.editAs(ctx, directory.GroupEdit{ID: g.ID, Name: new("Never")}); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		w.wantRequests("GET")

		leave, err := w.lines.enter(context.Background(), g.ID)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel = context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := w.editAs(ctx, e); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		leave()
		w.wantRequests()
	})
}

// A thenCancel loses the client as soon as the group was read.
type thenCancel struct {
	Mirror
	cancel func()
}

func (c thenCancel) SettleGroup(ctx context.Context, id string, how func(*directory.GroupRow) directory.Applied) (directory.Freshness, error) {
	defer c.cancel()
	return c.Mirror.SettleGroup(ctx, id, how)
}

func TestEditBeyondTheBudgetIsNotSent(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		w.rebuild(w.db, tallyfy.Options{Hourly: 1}, poller.Options{})
		id := w.smallGroup().ID
		for _, arrives := range [][]string{{"GET"}, nil} {
			began := time.Now()
			_, err := w.edit(directory.GroupEdit{ID: id, Name: new("Never")})
			if directory.ReasonOf(err) != directory.ReasonBudget || time.Since(began) > 20*time.Second {
				t.Errorf("after %v: %v", time.Since(began), err)
			}
			w.wantNothingSent()
			w.wantRequests(arrives...)
		}
	})
}

func TestOneLineAnEdit(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		g := w.smallGroup()
		rename := directory.GroupEdit{ID: g.ID, Name: new("Secretive")}
		dry := rename
		dry.DryRun = true
		_, _ = w.edit(dry)
		_, _ = w.edit(rename)
		_, _ = w.edit(rename)
		_, _ = w.edit(directory.GroupEdit{ID: g.ID, Name: new("x"), Versions: []string{}})
		w.sim.Fault(tallyfysim.Fault{Match: onGroup("PUT", g.ID), Times: 1, Status: 403})
		_, _ = w.edit(directory.GroupEdit{ID: g.ID, Name: new("x")})
		w.sim.Fault(tallyfysim.Fault{Match: onGroup("PUT", g.ID), Times: 1, DropConnection: true})
		_, _ = w.edit(directory.GroupEdit{ID: g.ID, Name: new("y")})
		w.sim.Disable(w.newcomers(g.ID)[0])
		sleeper := w.sim.CreateUser(tallyfysim.User{Email: "sleeper@x.test", Status: tallyfysim.StatusDisabled})
		_, _ = w.edit(directory.GroupEdit{ID: g.ID, AddMembers: []int64{sleeper}})
		got := strings.Split(strings.TrimSpace(w.log.String()), "\n")
		want := []string{`"dry run"`, "applied", `"nothing to do"`, `"not sent"`, "refused", "unknown", "conflict"}
		if len(got) != len(want) {
			t.Fatalf("log %q", got)
		}
		for i, outcome := range want {
			if !strings.Contains(got[i], "outcome="+outcome+" ") || !strings.Contains(got[i], "group="+g.ID) || !strings.Contains(got[i], "request_id=r-1") ||
				strings.Contains(got[i], "Secretive") || strings.Contains(got[i], w.sim.Token()) {
				t.Errorf("line %q, want %s", got[i], outcome)
			}
		}
	})
}

package write

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

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

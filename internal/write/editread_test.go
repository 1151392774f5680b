package write

import (
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
		time.Sleep(2 * time.Minute) // for sweeps to show everybody again, whatever the one that was asked for saw
		synctest.Wait()
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

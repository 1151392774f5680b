package poller

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

func TestMembersAbsentKeepTheStoredEdgesAndTheirAge(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		first := time.Now()
		time.Sleep(time.Minute)
		id := w.sim.Groups()[0].ID
		before := w.mirror().Groups[id]
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) {
			g.Name = "Renamed"
			g.Extra = map[string]json.RawMessage{"members": nil}
		})
		w.sweep(directory.SweepPublished)
		before.Name = "Renamed"
		w.wantPicture(func() picture { p := w.upstream(); p.Groups[id] = before; return p }())
		served, err := w.db.GroupPayload(context.Background(), id)
		if err != nil || !bytes.Contains(served.Row, []byte(`"members":[`)) || !bytes.Contains(served.Row, []byte(`"Renamed"`)) {
			t.Errorf("the row is served as %s (%v), want the new name and the old members", served.Row, err)
		}
		if got := w.confirmed(id); !got.Equal(first) {
			t.Errorf("confirmed at %v, want %v, when its members were seen last", got, first)
		}
		if drift := w.Status().Drift; drift["groups.members: absent"] != 1 {
			t.Errorf("drift %v", drift)
		}
		w.sweep(directory.SweepUnchanged)

		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Extra = nil; g.Members = nil })
		w.sweep(directory.SweepPublished)
		w.wantEqual()
		if got := w.confirmed(id); !got.Equal(time.Now()) {
			t.Errorf("confirmed at %v, want now", got)
		}
	})
}

// withoutEdges takes the members out of one row of a list or a single read.
func withoutEdges(body []byte) []byte {
	return bytes.Replace(body, []byte(`"members":`), []byte(`"people":`), 1)
}

// A group that comes without its members is shown, but nobody knows who is in
// it until they are.
func TestGroupThatComesWithoutItsMembersIsInDoubtUntilTheyCome(t *testing.T) {
	for name, show := range map[string]func(w *world, id string){
		"a sweep":       func(w *world, _ string) { w.sweep(directory.SweepPublished) },
		"a single read": func(w *world, id string) { w.mustRefresh(id) },
	} {
		for _, sweeps := range []int{0, 3} {
			t.Run(fmt.Sprint(name, sweeps), func(t *testing.T) {
				inWorld(t, populated(5), func(t *testing.T, w *world) {
					w.sweep(directory.SweepPublished)
					time.Sleep(time.Minute)
					first := time.Now()
					id := w.sim.CreateGroup(tallyfysim.Group{
						Name: "New", Members: []int64{w.sim.Users()[0].ID}, Guests: []string{"g@x.test"},
						Extra: map[string]json.RawMessage{"members": nil, "guests": nil},
					})
					w.sweep(directory.SweepPublished)
					for range sweeps {
						time.Sleep(time.Minute)
						w.restart()
						w.sweep(directory.SweepUnchanged)
						if got := w.confirmed(id); !got.Equal(first) {
							t.Errorf("confirmed at %v, want %v", got, first)
						}
					}
					w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Extra = nil })
					time.Sleep(time.Minute)
					show(w, id)
					w.wantEqual()
					for _, kind := range []directory.Kind{directory.KindMember, directory.KindGuest} {
						if got := w.sinceOf(id, kind); !got.NotBefore.IsZero() || !got.NotAfter.Equal(time.Now()) {
							t.Errorf("%s since %+v, want no lower bound", kind, got)
						}
					}
					if got := w.confirmed(id); !got.Equal(time.Now()) {
						t.Errorf("confirmed at %v, want now", got)
					}
					w.sweep(directory.SweepUnchanged)
				})
			})
		}
	}
}

func TestReadWithoutMembersLeavesTheGroupAsOldAsItIs(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		partly := func(id string) {
			w.sim.Fault(tallyfysim.Fault{Match: isSingleRead, Times: 1, Rewrite: withoutEdges})
			w.mustRefresh(id)
		}
		w.sweep(directory.SweepPublished)
		first := time.Now()
		id := w.sim.Groups()[0].ID
		before := w.mirror()
		time.Sleep(time.Minute)
		partly(id)
		w.wantPicture(before)
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Name, g.Members = "Renamed", nil })
		partly(id)
		group := before.Groups[id]
		group.Name = "Renamed"
		before.Groups[id] = group
		w.wantPicture(before)
		if got := w.confirmed(id); !got.Equal(first) {
			t.Errorf("confirmed at %v, want %v", got, first)
		}

		first = time.Now()
		id = w.sim.CreateGroup(tallyfysim.Group{Name: "New", Members: []int64{w.sim.Users()[0].ID}})
		partly(id)
		time.Sleep(time.Minute)
		partly(id)
		if got := w.confirmed(id); !got.Equal(first) {
			t.Errorf("a new group is confirmed at %v, want %v", got, first)
		}
		w.sweep(directory.SweepPublished)
		w.wantEqual()
	})
}

func TestMembersAbsentInEveryGroupRefuseTheSweep(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		before := w.mirror()
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("", "/groups"), Rewrite: func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte(`"members":`), []byte(`"people":`))
		}})
		if note := w.sweep(directory.SweepFailed); note.Reason != directory.ReasonKeyField {
			t.Errorf("reason %s, want %s", note.Reason, directory.ReasonKeyField)
		}
		w.wantPicture(before)
	})
}

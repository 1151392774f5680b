package poller

import (
	"context"
	"errors"
	"regexp"
	"testing"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

func TestTwoProcessesOfOneSweepEachRemoveWhatBothMissed(t *testing.T) {
	o := populated(5)
	o.NoMeta = true
	inWorld(t, o, func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		group, user := w.sim.Groups()[2].ID, w.sim.Users()[7].ID
		w.sim.DeleteGroup(group)
		w.sim.RemoveUser(user)
		w.restart()
		w.sweep(directory.SweepPublished) // the edges of the user
		if now := w.mirror(); len(now.Groups) != 5 || len(now.Members) != 30 {
			t.Fatalf("%d groups and %d members after one sweep that lacked one of each", len(now.Groups), len(now.Members))
		}
		w.restart()
		w.sweep(directory.SweepPublished)
		w.wantEqual()
	})
}

// sights are what may show a row that a sweep has missed.
var sights = map[string]func(w *world, id string){
	"a single read": func(w *world, id string) { w.mustRefresh(id) },
	"a single read that shows a change": func(w *world, id string) {
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Name += "!" })
		w.mustRefresh(id)
	},
	"a single read that shows a part": func(w *world, id string) {
		w.sim.Fault(tallyfysim.Fault{Match: isSingleRead, Times: 1, Rewrite: everywhere(`"members":`, `"people":`)})
		w.mustRefresh(id)
	},
	"a single read that is not believed": func(w *world, id string) {
		w.sim.Fault(tallyfysim.Fault{Match: isSingleRead, Times: 1, Rewrite: withoutMembers})
		if _, err := w.RefreshGroup(context.Background(), id); !errors.Is(err, directory.ErrHeld) {
			w.t.Fatalf("error %v, want ErrHeld", err)
		}
	},
	"the answer to a write":      func(w *world, id string) { w.mustApply(w.Begin(), id) },
	"a write of unknown outcome": func(w *world, id string) { w.DoubtGroup(context.Background(), id) },
	"a sweep":                    func(w *world, _ string) { w.sweep(directory.SweepUnchanged) },
	"a sweep that shows a change": func(w *world, id string) {
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Name += "!" })
		w.sweep(directory.SweepPublished)
	},
}

func withoutMembers(body []byte) []byte {
	return regexp.MustCompile(`"members":\[[^]]*\]`).ReplaceAll(body, []byte(`"members":[]`))
}

func TestWhatShowsARowBreaksTheRunOfItsAbsence(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		inGuarded(t, populated(150), func(t *testing.T, w *world) {
			id := w.largest()
			for name, show := range sights {
				t.Log(name, restarts)
				allow, unhide := forbidReads(w), w.hide("groups", id)
				w.sweep(directory.SweepUnchanged)
				allow()
				unhide()
				show(w, id)
				forbid := forbidReads(w)
				unhide = w.hide("groups", id)
				if restarts {
					w.close()
					w.open()
					w.start(Options{HoldRemovals: true})
				}
				w.sweep(directory.SweepUnchanged)
				if _, shown := w.mirror().Groups[id]; !shown {
					t.Fatal("one sweep that lacks a group has removed it")
				}
				forbid()
				unhide()
				if _, err := w.Sweep(context.Background()); err != nil {
					t.Fatal(err)
				}
				w.wantEqual()
				w.wantNoDoubts()
			}
		})
	}
}

// Removals between pages move a row from a page not yet read to one already
// read, and no total tells.
func TestARowThatSlippedBetweenPagesTwiceStaysIfItAnswers(t *testing.T) {
	o := populated(5)
	o.NoMeta, o.UserCap = true, 3
	inWorld(t, o, func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		users := w.sim.Users()
		slips := users[6].ID
		removeAt := func(page string, gone ...tallyfysim.User) {
			w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.OnPage("users", page), Times: 1, Before: func() {
				for _, u := range gone {
					w.sim.RemoveUser(u.ID)
				}
			}})
		}
		removeAt("3", users[0])
		w.sweep(directory.SweepPublished)
		if e := w.members.rows[slips]; !e.missed {
			t.Fatalf("the first sweep did not miss the row: %+v", e)
		}
		removeAt("2", users[1:4]...)
		w.sweep(directory.SweepPublished)
		if _, shown := w.mirror().Members[slips]; !shown {
			t.Fatal("a member that exists was removed")
		}
		w.sweep(directory.SweepPublished)
		w.sweep(directory.SweepPublished)
		w.wantEqual()
	})
}

func TestSweepLooksAgainAtAllOrNone(t *testing.T) {
	for gone, reads := range map[int]int{proofReads - 1: proofReads - 1, proofReads: 0} {
		o := populated(50)
		o.NoMeta = true
		inWorld(t, o, func(t *testing.T, w *world) {
			w.sweep(directory.SweepPublished)
			w.deleteGroups(0, gone)
			w.sweep(directory.SweepUnchanged)
			w.sim.ResetRequests()
			w.sweep(directory.SweepPublished)
			w.wantEqual()
			if got := len(w.requests()) - 4; got != reads {
				t.Errorf("%d reads for %d groups that two sweeps lack, want %d", got, gone, reads)
			}
		})
	}
}

func TestTwoSweepsRunningMeansWholeOnes(t *testing.T) {
	inWorld(t, populated(150), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		before := w.mirror()
		forbidReads(w)
		groups := w.sim.Groups()
		hide := func(i int) (show func()) {
			w.sim.DeleteGroup(groups[i].ID)
			return func() { w.sim.CreateGroup(groups[i]) }
		}
		show := hide(10)
		w.sweep(directory.SweepUnchanged)
		show()
		w.sweep(directory.SweepUnchanged)
		show = hide(10)
		w.sweep(directory.SweepUnchanged)
		w.wantPicture(before)

		broken := w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.OnPage("groups", "2"), Status: 404})
		w.sweep(directory.SweepFailed)
		w.wantPicture(before)
		broken()
		w.sweep(directory.SweepPublished)
		w.wantEqual()
		show()
	})
}

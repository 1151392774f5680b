package poller

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

// A change is one that something later shows while a sweep runs. It is made
// upstream and then applied, as by the answer to a write or a refresh.
var changes = map[string]func(t *testing.T, w *world){
	"group updated by a write": func(t *testing.T, w *world) {
		id := w.sim.Groups()[0].ID
		obs := w.Begin()
		defer w.End(obs)
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Name += "!" })
		w.mustApply(obs, id)
	},
	"edges changed by a write": func(t *testing.T, w *world) {
		id := w.largest()
		obs := w.Begin()
		defer w.End(obs)
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Members, g.Guests = g.Members[1:], []string{g.Name + "@x.test"} })
		w.mustApply(obs, id)
	},
	"group created by a write": func(t *testing.T, w *world) {
		obs := w.Begin()
		defer w.End(obs)
		w.mustApply(obs, w.sim.CreateGroup(tallyfysim.Group{Name: "New", Members: []int64{w.sim.Users()[0].ID}}))
	},
	"group deleted by a write": func(t *testing.T, w *world) {
		id := w.sim.Groups()[0].ID
		obs := w.Begin()
		defer w.End(obs)
		w.sim.DeleteGroup(id)
		if _, err := w.RemoveGroup(context.Background(), obs, id, directory.Applied{Cause: directory.CauseWrite}); err != nil {
			t.Fatal(err)
		}
	},
	"group created and deleted by writes": func(t *testing.T, w *world) {
		obs := w.Begin()
		id := w.sim.CreateGroup(tallyfysim.Group{Name: "New"})
		w.mustApply(obs, id)
		w.End(obs)
		obs = w.Begin()
		defer w.End(obs)
		w.sim.DeleteGroup(id)
		if _, err := w.RemoveGroup(context.Background(), obs, id, directory.Applied{Cause: directory.CauseWrite}); err != nil {
			t.Fatal(err)
		}
	},
	"group refreshed": func(t *testing.T, w *world) {
		id := w.sim.Groups()[0].ID
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Name += "!" })
		w.mustRefresh(id)
	},
	"group found deleted by a refresh": func(t *testing.T, w *world) {
		id := w.sim.Groups()[0].ID
		w.sim.DeleteGroup(id)
		w.mustRefresh(id)
	},
	"member refreshed": func(t *testing.T, w *world) {
		id := w.sim.Users()[2].ID
		w.sim.UpdateUser(id, func(u *tallyfysim.User) { u.LastName += "!" })
		w.mustRefreshMember(id)
	},
	"member created and refreshed": func(t *testing.T, w *world) {
		w.mustRefreshMember(w.sim.CreateUser(tallyfysim.User{Email: time.Now().Format("150405") + "@x.test", FirstName: "New", LastName: "Person"}))
	},
	"member found removed by a refresh": func(t *testing.T, w *world) {
		users := w.sim.Users()
		for _, u := range users[2:] { // one in no group, so that no edge changes
			if inNoGroup(w, u.ID) {
				w.sim.RemoveUser(u.ID)
				w.mustRefreshMember(u.ID)
				return
			}
		}
		t.Fatal("everybody is in a group")
	},
}

// largest is the group with most members.
func (w *world) largest() string {
	groups := w.sim.Groups()
	return slices.MaxFunc(groups, func(a, b tallyfysim.Group) int { return len(a.Members) - len(b.Members) }).ID
}

func inNoGroup(w *world, id int64) bool {
	for _, g := range w.sim.Groups() {
		for _, member := range g.Members {
			if member == id {
				return false
			}
		}
	}
	return true
}

func (w *world) mustApply(obs directory.Observation, id string) {
	w.t.Helper()
	if _, err := w.ApplyGroup(context.Background(), obs, w.group(id), wrote); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) mustRefresh(id string) {
	w.t.Helper()
	if _, err := w.RefreshGroup(context.Background(), id); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) mustRefreshMember(id int64) {
	w.t.Helper()
	if _, err := w.RefreshMember(context.Background(), id); err != nil {
		w.t.Fatal(err)
	}
}

// The sweep's lists were all read when the change comes: they show the old
// state. The same with the change before the last page, in case the sweep saw
// it in part.
func TestSweepThatBeganBeforeAWriteDoesNotUndoIt(t *testing.T) {
	inWorld(t, populated(150), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		for name, change := range changes {
			for _, late := range []bool{false, true} {
				t.Log(name, late)
				time.Sleep(time.Minute)
				duringSweep(w, late, func() {
					change(t, w)
					w.wantEqual()
				})
				w.sweep(directory.SweepUnchanged)
				w.wantEqual()
				time.Sleep(time.Minute)
				w.sweep(directory.SweepUnchanged)
				w.wantEqual()
				w.wantNoDoubts()
			}
		}
	})
}

// duringSweep runs do while the next sweep reads its last page: when that
// arrives, or when all is read and nothing applied.
func duringSweep(w *world, late bool, do func()) {
	fault := tallyfysim.Fault{Match: tallyfysim.OnPage("groups", "2"), Times: 1}
	if late {
		fault.After = do
	} else {
		fault.Before = do
	}
	w.sim.Fault(fault)
}

func (w *world) wantNoDoubts() {
	w.t.Helper()
	for id, e := range w.groups.rows {
		if e.doubted || e.missed {
			w.t.Fatalf("group %s is in doubt: %+v", id, e)
		}
	}
	for id, e := range w.members.rows {
		if e.doubted || e.missed {
			w.t.Fatalf("member %d is in doubt: %+v", id, e)
		}
	}
}

// The sweep publishes everything else that it saw.
func TestSweepLeavesAloneOnlyWhatIsNewer(t *testing.T) {
	inWorld(t, populated(150), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		w.sim.UpdateGroup(w.sim.Groups()[3].ID, func(g *tallyfysim.Group) { g.Name = "Renamed outside" })
		duringSweep(w, true, func() { changes["group updated by a write"](t, w) })
		w.sweep(directory.SweepPublished)
		w.wantEqual()
	})
}

// A row that the sweep left alone is as old as what was applied to it.
func TestSweepDoesNotConfirmWhatItLeavesAlone(t *testing.T) {
	inWorld(t, populated(150), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		id := w.sim.Groups()[0].ID
		time.Sleep(time.Minute)
		obs := w.Begin()
		defer w.End(obs)
		began := time.Now()
		time.Sleep(time.Second)
		duringSweep(w, true, func() {
			w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Name = "Renamed" })
			w.mustApply(obs, id)
		})
		w.sweep(directory.SweepUnchanged)
		for range 2 {
			if got := w.confirmed(id); !got.Equal(began) {
				t.Fatalf("confirmed at %v, want %v, when the write left", got, began)
			}
			w.restart()
		}
	})
}

// A confirmation counts as an application: what was asked before it may be
// older.
func TestReadThatBeganBeforeAConfirmationIsReadAgain(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		id := w.sim.Groups()[0].ID
		obs := w.Begin()
		defer w.End(obs)
		stale := w.group(id)
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Name = "Renamed" })
		w.sweep(directory.SweepPublished)
		w.sweep(directory.SweepUnchanged)
		if _, err := w.ApplyGroup(context.Background(), obs, stale, wrote); !errors.Is(err, directory.ErrSuperseded) {
			t.Errorf("error %v, want ErrSuperseded", err)
		}
		w.wantEqual()

		// The same within a refresh, which then reads again.
		w.sim.Fault(tallyfysim.Fault{Match: isSingleRead, Times: 1, After: func() {
			w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Name = "Renamed again" })
			w.sweep(directory.SweepPublished)
		}})
		w.sim.ResetRequests()
		w.mustRefresh(id)
		w.wantEqual()
		if got := w.requests(); len(got) != 4 {
			t.Errorf("requests %q, want the lists and two reads", got)
		}
	})
}

func TestNothingThatBeganBeforeADeletionBringsTheRowBack(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		id := w.sim.Groups()[0].ID
		obs := w.Begin()
		defer w.End(obs)
		stale := w.group(id)
		w.sim.DeleteGroup(id)
		w.sweep(directory.SweepPublished)
		for range 3 { // the grave stays while obs runs
			w.sweep(directory.SweepUnchanged)
			if _, err := w.ApplyGroup(context.Background(), obs, stale, wrote); !errors.Is(err, directory.ErrSuperseded) {
				t.Fatalf("error %v, want ErrSuperseded", err)
			}
		}
		w.wantEqual()
		w.End(obs)
		w.sweep(directory.SweepUnchanged)
		if n := len(w.groups.graves); n != 0 {
			t.Errorf("%d graves are left", n)
		}
	})
}

// A row that was created and deleted before a sweep, and read in between,
// leaves no grave. The sweep's silence stands for it.
func TestReadOfARowThatCameAndWentDoesNotCreateIt(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		obs := w.Begin()
		defer w.End(obs)
		id := w.sim.CreateGroup(tallyfysim.Group{Name: "Brief"})
		stale := w.group(id)
		w.sim.DeleteGroup(id)
		w.sweep(directory.SweepUnchanged)
		if _, err := w.ApplyGroup(context.Background(), obs, stale, wrote); !errors.Is(err, directory.ErrSuperseded) {
			t.Errorf("error %v, want ErrSuperseded", err)
		}
		w.wantEqual()
	})
}

// A deletion may come to a row that the mirror does not hold yet.
func TestSweepDoesNotCreateWhatWasDeletedWhileItRan(t *testing.T) {
	inWorld(t, populated(150), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		id := w.sim.CreateGroup(tallyfysim.Group{Name: "Brief"})
		duringSweep(w, true, func() {
			obs := w.Begin()
			defer w.End(obs)
			w.sim.DeleteGroup(id)
			if _, err := w.RemoveGroup(context.Background(), obs, id, directory.Applied{Cause: directory.CauseWrite}); err != nil {
				t.Fatal(err)
			}
		})
		w.sweep(directory.SweepUnchanged)
		w.wantEqual()
	})
}

func TestWriteOfUnknownReachDropsTheRunningSweep(t *testing.T) {
	inWorld(t, populated(150), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		before := w.mirror()
		w.sim.Disable(w.sim.Users()[4].ID)
		read := w.Begin()
		defer w.End(read)
		row := w.group(w.sim.Groups()[0].ID)
		duringSweep(w, true, w.MarkEverything)
		note := w.sweep(directory.SweepDropped)
		if note.Reason != "" {
			t.Errorf("the note is %+v", note)
		}
		w.wantPicture(before)
		if status := w.Status(); status.State != directory.StateFresh || status.LastError != nil {
			t.Errorf("a dropped sweep is no failure: %+v", status)
		}
		if _, err := w.ApplyGroup(context.Background(), read, row, wrote); !errors.Is(err, directory.ErrSuperseded) {
			t.Errorf("error %v, want ErrSuperseded", err)
		}
		w.sweep(directory.SweepPublished)
		w.wantEqual()
	})
}

func TestNothingIsAppliedBeforeTheFirstSweep(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		id := w.sim.Groups()[0].ID
		if _, err := w.RefreshGroup(context.Background(), id); !errors.Is(err, directory.ErrNoData) {
			t.Errorf("error %v, want ErrNoData", err)
		}
		obs := w.Begin()
		defer w.End(obs)
		if _, err := w.RemoveGroup(context.Background(), obs, id, wrote); !errors.Is(err, directory.ErrNoData) {
			t.Errorf("error %v, want ErrNoData", err)
		}
		w.DoubtGroup(context.Background(), id)
		w.wantRevision(0)
		w.sweep(directory.SweepPublished)
		w.wantEqual()
	})
}

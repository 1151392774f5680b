package poller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Name += "!" })
		w.mustApply(obs, id)
	},
	"edges changed by a write": func(t *testing.T, w *world) {
		id := w.largest()
		obs := w.Begin()
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Members, g.Guests = g.Members[1:], []string{g.Name + "@x.test"} })
		w.mustApply(obs, id)
	},
	"group created by a write": func(t *testing.T, w *world) {
		obs := w.Begin()
		w.mustApply(obs, w.sim.CreateGroup(tallyfysim.Group{Name: "New", Members: []int64{w.sim.Users()[0].ID}}))
	},
	"group deleted by a write": func(t *testing.T, w *world) {
		id := w.sim.Groups()[0].ID
		obs := w.Begin()
		w.sim.DeleteGroup(id)
		if _, err := w.RemoveGroup(context.Background(), obs, id, directory.Applied{Cause: directory.CauseWrite}); err != nil {
			t.Fatal(err)
		}
	},
	"group created and deleted by writes": func(t *testing.T, w *world) {
		obs := w.Begin()
		id := w.sim.CreateGroup(tallyfysim.Group{Name: "New"})
		w.mustApply(obs, id)
		obs = w.Begin()
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
		id := w.loner()
		w.sim.RemoveUser(id)
		w.mustRefreshMember(id)
	},
}

// loner is a user in no group, so that no edge changes with it.
func (w *world) loner() int64 {
	w.t.Helper()
	for _, u := range w.sim.Users() {
		if strings.HasPrefix(u.Email, "loner") {
			return u.ID
		}
	}
	w.t.Fatal("there is no loner left")
	return 0
}

// largest is the group with most members.
func (w *world) largest() string {
	groups := w.sim.Groups()
	return slices.MaxFunc(groups, func(a, b tallyfysim.Group) int { return len(a.Members) - len(b.Members) }).ID
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

// The change comes when the sweep has read all of its lists, or all but the
// last page. Either nothing was new to the sweep, or every row was.
func TestSweepThatBeganBeforeAWriteDoesNotUndoIt(t *testing.T) {
	inWorld(t, populated(110), func(t *testing.T, w *world) {
		for i := range 2 * 2 {
			w.sim.CreateUser(tallyfysim.User{Email: fmt.Sprintf("loner.%d@x.test", i)})
		}
		w.sweep(directory.SweepPublished)
		for name, change := range changes {
			for _, late := range []bool{false, true} {
				for _, want := range []directory.SweepResult{directory.SweepUnchanged, directory.SweepPublished} {
					t.Log(name, late, want)
					time.Sleep(time.Minute)
					if want == directory.SweepPublished {
						w.editEverything()
					}
					duringSweep(w, late, func() { change(t, w) })
					w.sweep(want)
					w.wantEqual()
					time.Sleep(time.Minute)
					w.sweep(directory.SweepUnchanged)
					w.wantEqual()
					w.wantNoDoubts()
				}
			}
		}
	})
}

func (w *world) editEverything() {
	for _, g := range w.sim.Groups() {
		w.sim.UpdateGroup(g.ID, func(g *tallyfysim.Group) { g.Description += "." })
	}
	for _, u := range w.sim.Users() {
		w.sim.UpdateUser(u.ID, func(u *tallyfysim.User) { u.FirstName += "." })
	}
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

// What the read shows was true while it lasted, but the sweep that began after
// it has found the row as it was before.
func TestReadThatBeganBeforeAConfirmationIsNotApplied(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		group := w.sim.Groups()[0]
		rename := func(name string) {
			w.sim.UpdateGroup(group.ID, func(g *tallyfysim.Group) { g.Name, g.UpdatedAt = name, group.UpdatedAt })
		}
		obs := w.Begin()
		rename("For a moment")
		stale := w.group(group.ID)
		rename(group.Name)
		w.sweep(directory.SweepUnchanged)
		if _, err := w.ApplyGroup(context.Background(), obs, stale, wrote); !errors.Is(err, directory.ErrSuperseded) {
			t.Errorf("error %v, want ErrSuperseded", err)
		}
		w.wantEqual()

		// The same with a single read that confirms.
		obs = w.Begin()
		w.mustRefresh(group.ID)
		if _, err := w.ApplyGroup(context.Background(), obs, stale, wrote); !errors.Is(err, directory.ErrSuperseded) {
			t.Errorf("error %v, want ErrSuperseded", err)
		}
		w.wantEqual()
	})
}

func TestRefreshThatWasOvertakenReadsAgain(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		id := w.sim.Groups()[0].ID
		w.sim.Fault(tallyfysim.Fault{Match: isSingleRead, Times: 1, After: func() {
			w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Name = "Renamed" })
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
		stale := w.group(id)
		w.sim.DeleteGroup(id)
		w.sweep(directory.SweepPublished)
		for range 3 {
			w.sweep(directory.SweepUnchanged)
			if _, err := w.ApplyGroup(context.Background(), obs, stale, wrote); !errors.Is(err, directory.ErrSuperseded) {
				t.Fatalf("error %v, want ErrSuperseded", err)
			}
		}
		w.wantEqual()
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
		if _, err := w.RemoveGroup(context.Background(), obs, id, wrote); !errors.Is(err, directory.ErrNoData) {
			t.Errorf("error %v, want ErrNoData", err)
		}
		w.DoubtGroup(context.Background(), id)
		w.wantRevision(0)
		w.sweep(directory.SweepPublished)
		w.wantEqual()
	})
}

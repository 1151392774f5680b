package poller

import (
	"context"
	"fmt"
	"testing"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

func (w *world) sinceOf(group string, kind directory.Kind) directory.Bounds {
	w.t.Helper()
	page, err := w.db.GroupMembers(context.Background(), directory.GroupRef{ID: group}, kind, directory.ListQuery{Limit: 1})
	if err != nil || len(page.Rows) == 0 {
		w.t.Fatalf("the members of %s: %+v, %v", group, page.Rows, err)
	}
	return page.Rows[0].Since
}

// Of a paged list only the second sweep shows what was absent, as of the
// first, whoever made them.
func TestSecondSweepAfterRestartBoundsNewGroups(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		for groups, sweepsBefore := range map[int]int{150: 1, 5: 0} {
			t.Run(fmt.Sprint(restarts, groups), func(t *testing.T) {
				inWorld(t, populated(groups), func(t *testing.T, w *world) {
					var began []time.Time
					for range 3 {
						time.Sleep(time.Minute)
						began = append([]time.Time{time.Now()}, began...)
						if _, err := w.Sweep(context.Background()); err != nil {
							t.Fatal(err)
						}
						if restarts {
							w.restart()
						}
					}
					time.Sleep(time.Minute)
					id := w.sim.CreateGroup(tallyfysim.Group{Name: "New", Members: []int64{w.sim.Users()[0].ID}})
					w.sweep(directory.SweepPublished)
					if got, want := w.sinceOf(id, directory.KindMember), began[sweepsBefore]; !got.NotBefore.Equal(want) || !got.NotAfter.Equal(time.Now()) {
						t.Errorf("since %+v, want not before %v and not after now", got, want)
					}
				})
			})
		}
	}
}

// Absences too many to be believed show nothing of what is not stored, though
// the list came in one page.
func TestListThatIsNotBelievedShowsNoAbsence(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		t.Run(fmt.Sprint(restarts), func(t *testing.T) {
			inWorld(t, populated(40), func(t *testing.T, w *world) {
				first := time.Now()
				w.sweep(directory.SweepPublished)
				time.Sleep(time.Minute)
				user := w.sim.CreateUser(tallyfysim.User{Email: "new@x.test"})
				id := w.sim.CreateGroup(tallyfysim.Group{Name: "New", Members: []int64{user}})
				allow, unhide := forbidReads(w), w.hide("groups", w.groupIDs()...)
				hideUsers := w.hide("users", w.userIDs()...)
				w.sweep(directory.SweepUnchanged)
				allow()
				unhide()
				hideUsers()
				if restarts {
					w.restart()
				}
				if got := w.members.seenBefore(user); !got.Equal(first) {
					t.Errorf("the member that is not stored was absent at %v, want %v", got, first)
				}
				time.Sleep(time.Minute)
				w.sweep(directory.SweepPublished)
				if got := w.sinceOf(id, directory.KindMember); !got.NotBefore.Equal(first) {
					t.Errorf("since %+v, want not before %v", got, first)
				}
			})
		})
	}
}

// What comes back was away in between: its new life began after the deletion.
func TestRowThatReturnsIsDatedAfterItsDeletion(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		id := w.largest()
		group, _ := w.sim.Group(id)
		var deleted time.Time
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("", "/groups"), Times: 1, After: func() {
			time.Sleep(time.Second)
			deleted = time.Now()
			w.sim.DeleteGroup(id)
			w.mustRefresh(id)
		}})
		w.sweep(directory.SweepUnchanged)
		time.Sleep(time.Minute)
		w.sim.CreateGroup(group)
		w.sweep(directory.SweepPublished)
		if got := w.sinceOf(id, directory.KindMember); !got.NotBefore.Equal(deleted) {
			t.Errorf("since %+v, want not before %v", got, deleted)
		}
	})
}

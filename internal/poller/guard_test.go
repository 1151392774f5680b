package poller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

// losing is removals of so many groups, members and edges, from the first on.
func losing(groups, members, edges int) removals {
	r := newRemovals()
	for i := range groups {
		r.groups[fmt.Sprint(i)] = struct{}{}
	}
	for i := range members {
		r.members[int64(i)] = struct{}{}
	}
	for i := range edges {
		r.edges[uint64(i)] = struct{}{}
	}
	return r
}

func TestRemovalsAreWeighedByKind(t *testing.T) {
	of := stock{groups: 100, members: 20, edges: 1000}
	for _, c := range []struct {
		removals
		want weight
	}{
		{losing(0, 0, 0), light},
		{losing(25, 5, 250), light},
		{losing(26, 0, 0), heavy},
		{losing(0, 6, 0), brief},
		{losing(0, 10, 0), brief},
		{losing(0, 11, 0), heavy},
		{losing(0, 20, 0), heavy},
		{losing(0, 0, 251), heavy},
		{losing(0, 6, 251), heavy},
	} {
		if got := c.weigh(of, 0.25); got != c.want {
			t.Errorf("%d groups, %d members, %d edges of %+v weigh %d, want %d", len(c.groups), len(c.members), len(c.edges), of, got, c.want)
		}
	}
	few := stock{groups: 4, members: 1}
	for _, c := range []struct {
		removals
		want weight
	}{{losing(2, 0, 0), light}, {losing(3, 0, 0), brief}, {losing(4, 0, 0), heavy}, {losing(0, 1, 0), heavy}} {
		if got := c.weigh(few, 0.25); got != c.want {
			t.Errorf("%d groups, %d members of %+v weigh %d, want %d", len(c.groups), len(c.members), few, got, c.want)
		}
	}
}

func TestIDNamesASetOfRemovals(t *testing.T) {
	a, b := losing(3, 3, 3), losing(3, 3, 3)
	if a.id() != b.id() {
		t.Error("the same removals have two names")
	}
	seen := map[string]bool{}
	for _, r := range []removals{losing(0, 0, 0), losing(1, 0, 0), losing(0, 1, 0), losing(0, 0, 1), losing(2, 0, 0), losing(1, 1, 0)} {
		if seen[r.id()] {
			t.Errorf("%+v shares its name", r)
		}
		seen[r.id()] = true
	}
}

// guarded is a world whose poller holds removals.
func inGuardedWorld(t *testing.T, release time.Duration, test func(t *testing.T, w *world)) {
	t.Helper()
	o := populated(40)
	inWorld(t, o, func(t *testing.T, w *world) {
		w.start(Options{HoldRemovals: true, HoldRelease: release})
		w.sweep(directory.SweepPublished)
		test(t, w)
	})
}

// deleteGroups deletes some, twice, so that the lists prove it.
func (w *world) deleteGroups(from, to int) {
	for _, g := range w.sim.Groups()[from:to] {
		w.sim.DeleteGroup(g.ID)
	}
}

func TestManyRemovalsAreHeldUntilTheyAreAccepted(t *testing.T) {
	inGuardedWorld(t, 0, func(t *testing.T, w *world) {
		before := w.mirror()
		w.deleteGroups(1, 31)
		w.sim.UpdateGroup(w.sim.Groups()[0].ID, func(g *tallyfysim.Group) { g.Name = "Renamed" })
		for range 5 {
			w.sweep(directory.SweepHeld)
			w.wantPicture(before)
			time.Sleep(time.Hour)
		}
		w.wantRevision(1)
		held := w.Status().Held
		if held == nil || held.Groups != 30 || held.Members != 0 || !held.ReleaseAt.IsZero() || w.Status().State != directory.StateHeld {
			t.Fatalf("status %+v, held %+v", w.Status(), held)
		}

		stop := w.run()
		defer stop()
		synctest.Wait()
		note, err := w.AcceptRemovals(context.Background(), "0123456789abcdef", time.Minute)
		changed, isChanged := errors.AsType[*directory.HeldChangedError](err)
		if note.Result != directory.SweepHeld || !isChanged || changed.ID != held.ID {
			t.Errorf("another name was accepted: %+v, %v", note, err)
		}
		w.wantPicture(before)
		// Life goes on: what needs no hold by itself does not change the name.
		w.sim.DeleteGroup(w.sim.Groups()[3].ID)
		note, err = w.AcceptRemovals(context.Background(), held.ID, time.Minute)
		if err != nil || note.Result != directory.SweepPublished {
			t.Errorf("%+v, %v", note, err)
		}
		w.wantEqual()
		if s := w.Status(); s.State != directory.StateFresh || s.Held != nil {
			t.Errorf("status %+v", s)
		}
	})
}

func TestAcceptedRemovalsDoNotCoverOthers(t *testing.T) {
	inGuardedWorld(t, 0, func(t *testing.T, w *world) {
		forbidReads(w)
		w.deleteGroups(0, 12)
		before := w.mirror()
		w.sweep(directory.SweepHeld)
		held := w.Status().Held
		w.deleteGroups(0, 12)
		w.sweep(directory.SweepHeld)
		stop := w.run()
		defer stop()
		synctest.Wait()
		note, err := w.AcceptRemovals(context.Background(), held.ID, time.Minute)
		changed, isChanged := errors.AsType[*directory.HeldChangedError](err)
		if note.Result != directory.SweepHeld || !isChanged || changed.ID == held.ID || changed.ID != w.Status().Held.ID {
			t.Fatalf("%+v, %v", note, err)
		}
		w.wantPicture(before)
		if note, err = w.AcceptRemovals(context.Background(), changed.ID, time.Minute); err != nil || note.Result != directory.SweepPublished {
			t.Errorf("%+v, %v", note, err)
		}
		w.wantEqual()
	})
}

func TestFewRemovalsAreHeldUntilTheNextSweepAgrees(t *testing.T) {
	inWorld(t, tallyfysim.Options{Groups: 8, Members: 8, Edges: -1, Guests: -1}, func(t *testing.T, w *world) {
		w.start(Options{HoldRemovals: true})
		w.sweep(directory.SweepPublished)
		before := w.mirror()
		w.deleteGroups(2, 5)
		w.sweep(directory.SweepHeld)
		w.wantPicture(before)
		broken := w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("", "/users"), Status: 403})
		w.sweep(directory.SweepFailed)
		if s := w.Status(); s.State != directory.StateHeld || s.LastError == nil {
			t.Errorf("after a failure %+v", s)
		}
		broken()
		w.sweep(directory.SweepPublished)
		w.wantEqual()
	})
}

func TestSweepThatRecoversClearsTheHold(t *testing.T) {
	inGuardedWorld(t, 0, func(t *testing.T, w *world) {
		before := w.mirror()
		empty := w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("", "/groups"), Rewrite: func(b []byte) []byte {
			var out strings.Builder
			for rest := string(b); ; {
				head, tail, found := strings.Cut(rest, `"members":[`)
				out.WriteString(head)
				if !found {
					return []byte(out.String())
				}
				out.WriteString(`"members":[`)
				rest = tail[strings.IndexByte(tail, ']'):]
			}
		}})
		for range 3 {
			w.sweep(directory.SweepHeld)
		}
		w.wantPicture(before)
		if held := w.Status().Held; held.Memberships == 0 || held.Groups != 0 {
			t.Errorf("held %+v", held)
		}
		empty()
		w.sweep(directory.SweepUnchanged)
		w.wantPicture(before)
		if s := w.Status(); s.State != directory.StateFresh || s.Held != nil {
			t.Errorf("status %+v", s)
		}
	})
}

func TestHeldPictureIsBelievedForItsAgeWhereThatIsAskedFor(t *testing.T) {
	inGuardedWorld(t, time.Hour, func(t *testing.T, w *world) {
		w.deleteGroups(1, 31)
		began := time.Now()
		for range 6 {
			w.sweep(directory.SweepHeld)
			if held := w.Status().Held; !held.Since.Equal(began) || !held.ReleaseAt.Equal(began.Add(time.Hour)) {
				t.Fatalf("held %+v", held)
			}
			time.Sleep(10 * time.Minute)
		}
		w.sweep(directory.SweepPublished)
		w.wantEqual()
	})
}

func TestWritesGoOnPublishingWhileASweepIsHeld(t *testing.T) {
	inGuardedWorld(t, 0, func(t *testing.T, w *world) {
		w.deleteGroups(5, 35)
		w.sweep(directory.SweepHeld)
		changes["group updated by a write"](t, w)
		changes["group created by a write"](t, w)
		w.wantRevision(3)
		w.sweep(directory.SweepHeld)
		if got := len(w.mirror().Groups); got != 41 {
			t.Errorf("%d groups, want the forty and the new one", got)
		}
	})
}

func TestReadThatWouldDropManyEdgesWaitsForASweep(t *testing.T) {
	inGuardedWorld(t, 0, func(t *testing.T, w *world) {
		id := w.largest()
		group, _ := w.sim.Group(id)
		if len(group.Members) < 20 {
			t.Fatalf("the largest group has %d members", len(group.Members))
		}
		before := w.mirror()
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Members = g.Members[15:] })
		if _, err := w.RefreshGroup(context.Background(), id); !errors.Is(err, directory.ErrHeld) {
			t.Errorf("error %v, want ErrHeld", err)
		}
		w.wantPicture(before)
		if len(w.agenda.demands) != 1 {
			t.Error("no sweep was asked for")
		}
		w.sweep(directory.SweepPublished) // the share of all edges is small
		w.wantEqual()
		// What a write itself asked for is no surprise.
		obs := w.Begin()
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Members = nil })
		w.mustApply(obs, id)
		w.wantEqual()
	})
}

func TestHeldRemovalsAreCountedInMetrics(t *testing.T) {
	inGuardedWorld(t, 0, func(t *testing.T, w *world) {
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(w.Collectors()...)
		w.deleteGroups(1, 31)
		w.sweep(directory.SweepHeld)
		if got := testutil.ToFloat64(w.metrics.held.WithLabelValues("groups")); got != 30 {
			t.Errorf("%v groups held", got)
		}
		if got := testutil.ToFloat64(w.metrics.sweeps.WithLabelValues("held")); got != 1 {
			t.Errorf("%v sweeps held", got)
		}
	})
}

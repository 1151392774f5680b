package poller

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

func TestRefreshOfAnUnchangedRowConfirmsIt(t *testing.T) {
	for _, generation := range []tallyfysim.Generation{tallyfysim.Gen2025, tallyfysim.Gen2026} {
		o := populated(5)
		o.Generation = generation
		inWorld(t, o, func(t *testing.T, w *world) {
			w.sweep(directory.SweepPublished)
			time.Sleep(time.Minute)
			id := w.sim.Groups()[0].ID
			w.mustRefresh(id)
			w.mustRefreshMember(w.sim.Users()[3].ID)
			w.wantRevision(1)
			if got := w.confirmed(id); !got.Equal(time.Now()) {
				t.Errorf("confirmed at %v, want now", got)
			}
			w.sweep(directory.SweepUnchanged)
			w.wantRevision(1)
		})
	}
}

func TestRefreshKeepsTheListForm(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		id := w.sim.Groups()[0].ID
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Name = "Renamed"; g.Members = []int64{1003, 1001} })
		w.mustRefresh(id)
		w.wantEqual()
		w.wantRevision(2)
		payload, err := w.db.GroupPayload(context.Background(), id)
		if err != nil || !bytes.Contains(payload.Row, []byte(`[1001,1003]`)) || bytes.Contains(payload.Row, []byte(".000")) {
			t.Errorf("the row is served as %s (%v), want numbers and whole seconds", payload.Row, err)
		}
		w.sweep(directory.SweepUnchanged)
	})
}

func TestRefreshRemovesWhatDeniesItself(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		id := w.sim.Groups()[0].ID
		w.sim.DeleteGroup(id)
		w.mustRefresh(id)
		w.wantEqual()
		w.wantRevision(2)
		w.mustRefresh(id) // of a row that nobody knows is no failure
		w.wantRevision(2)
	})
}

func TestRefreshRemovesNothingWhileNoOtherRowCanBeRead(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		before := w.mirror()
		id := w.sim.Groups()[0].ID
		denial := []byte(`{"error":true,"message":"Resource not found","code":"RESOURCE_NOT_FOUND"}`)
		for _, times := range []int{0, 1, 2} {
			remove := w.sim.Fault(tallyfysim.Fault{Match: isSingleRead, Times: times, Status: 404, Body: denial})
			if _, err := w.RefreshGroup(context.Background(), id); directory.ReasonOf(err) != directory.ReasonNotFound {
				t.Errorf("error %v, want the denial", err)
			}
			remove()
			w.wantPicture(before)
		}
		if len(w.agenda.demands) != 1 {
			t.Error("no sweep was asked for")
		}
	})
}

func TestRefreshFailureChangesNothing(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		before := w.mirror()
		for name, fault := range listFaults {
			if fault.reason == directory.ReasonUnsteady || name == "404" {
				continue
			}
			fault.Match = isSingleRead
			remove := w.sim.Fault(fault.Fault)
			if _, err := w.RefreshGroup(context.Background(), w.sim.Groups()[0].ID); err == nil {
				t.Errorf("%s: no error", name)
			}
			remove()
			w.wantPicture(before)
			time.Sleep(20 * time.Minute)
		}
		w.wantRevision(1)
	})
}

func TestWhatAWriteSentIsItsOwnAndTheRestARefresh(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		began := time.Now()
		time.Sleep(time.Minute)
		id := w.sim.Groups()[0].ID
		obs := w.Begin()
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Name, g.Guests = "Renamed", []string{"outside@x.test"} })
		var pub directory.Publication
		w.groups.store = recordingStore{w.db, &pub}
		w.store = w.groups.store
		how := directory.Applied{Cause: directory.CauseWrite, Actor: "alice", Sent: directory.Sent{Name: true, Members: true}}
		if _, err := w.ApplyGroup(context.Background(), obs, w.group(id), how); err != nil {
			t.Fatal(err)
		}
		got := pub.Groups[0]
		own := directory.Origin{
			Bounds: directory.Bounds{NotBefore: began, NotAfter: time.Now()}, Cause: directory.CauseWrite, Actor: "alice",
		}
		beside := directory.Origin{Bounds: own.Bounds, Cause: directory.CauseRefresh}
		for _, c := range []struct {
			field     string
			got, want directory.Origin
		}{{"attributes", got.Attributes, own}, {"members", got.Members, own}, {"guests", got.Guests, beside}} {
			if c.got.Cause != c.want.Cause || c.got.Actor != c.want.Actor ||
				!c.got.NotBefore.Equal(c.want.NotBefore) || !c.got.NotAfter.Equal(c.want.NotAfter) {
				t.Errorf("%s come from %+v, want %+v", c.field, c.got, c.want)
			}
		}
	})
}

func TestWhatARequestAloneCanHaveMadeLiesBehindIt(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		swept := time.Now()
		id := w.sim.Groups()[0].ID
		for _, c := range []struct{ since, want time.Time }{
			{time.Time{}, swept}, {swept.Add(-time.Hour), swept.Add(time.Minute)}, {swept.Add(5 * time.Minute), swept.Add(5 * time.Minute)},
		} {
			time.Sleep(time.Minute)
			obs := w.Begin()
			w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Name, g.Guests = g.Name+"!", append(g.Guests, g.Name+"@x.test") })
			var pub directory.Publication
			w.groups.store = recordingStore{w.db, &pub}
			w.store = w.groups.store
			how := directory.Applied{Cause: directory.CauseWrite, Sent: directory.Sent{Guests: true}, NotBefore: c.since}
			if _, err := w.ApplyGroup(context.Background(), obs, w.group(id), how); err != nil {
				t.Fatal(err)
			}
			if got := pub.Groups[0].Guests.NotBefore; !got.Equal(c.want) {
				t.Errorf("sent after %v, the change lies behind %v, want %v", c.since, got, c.want)
			}
			if got := pub.Groups[0].Attributes.NotBefore; got.After(obs.BeganAt) {
				t.Errorf("what was seen beside lies behind %v", got)
			}
		}
	})
}

type recordingStore struct {
	Store
	last *directory.Publication
}

func (s recordingStore) Publish(ctx context.Context, p directory.Publication) (directory.Freshness, error) {
	*s.last = p
	return s.Store.Publish(ctx, p)
}

// A slow single read, and one caller whose read is under way.
func inFlight(t *testing.T, test func(t *testing.T, w *world, id string, all *sync.WaitGroup)) {
	t.Helper()
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		id := w.sim.Groups()[0].ID
		w.sim.ResetRequests()
		w.sim.Fault(tallyfysim.Fault{Match: isSingleRead, DelayAnswer: time.Second})
		var all sync.WaitGroup
		all.Go(func() { w.mustRefresh(id) })
		synctest.Wait()
		test(t, w, id, &all)
		all.Wait()
		if n := len(w.groups.flights.rows); n != 0 {
			t.Errorf("%d lines are left", n)
		}
	})
}

func TestRefreshesThatCameBeforeAReadBeganShareIt(t *testing.T) {
	inFlight(t, func(t *testing.T, w *world, id string, all *sync.WaitGroup) {
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Name = "Renamed" })
		came := time.Now()
		var alone atomic.Int32
		for range 100 { // these must not share the read that is under way
			all.Go(func() {
				done, err := w.RefreshGroup(context.Background(), id)
				if err != nil || done.BeganAt.Before(came) {
					t.Errorf("%+v, %v: want a read that began after the call", done, err)
				}
				if !done.Shared {
					alone.Add(1)
				}
			})
		}
		all.Wait()
		if got := w.requests(); len(got) != 2 || alone.Load() != 1 {
			t.Errorf("%d reads, want two; %d callers shared none, want one", len(got), alone.Load())
		}
		w.wantEqual()
	})
}

func TestRefreshGoesOnForOthersWhenACallerGoesAway(t *testing.T) {
	inFlight(t, func(t *testing.T, w *world, id string, all *sync.WaitGroup) {
		ctx, cancel := context.WithCancel(context.Background())
		all.Go(func() {
			if _, err := w.RefreshGroup(ctx, id); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v, want that of the caller's context", err)
			}
		})
		synctest.Wait()
		for range 3 {
			all.Go(func() { w.mustRefresh(id) })
		}
		time.Sleep(1500 * time.Millisecond) // the read for these four is under way
		cancel()
		left := time.Now()
		all.Wait()
		if got := w.requests(); len(got) != 2 || time.Since(left) > 500*time.Millisecond {
			t.Errorf("%d reads, the last %s after the caller left: want it to go on", len(got), time.Since(left))
		}
	})
}

func TestRefreshForNobodyEndsOrNeverBegins(t *testing.T) {
	inFlight(t, func(t *testing.T, w *world, id string, all *sync.WaitGroup) {
		all.Wait()
		left := time.Now()
		// The read of the first is ended. That of the other never begins, as
		// it leaves earlier: at one instant either may come before the other.
		for _, patience := range []time.Duration{300 * time.Millisecond, 200 * time.Millisecond} {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			all.Go(func() {
				if _, err := w.RefreshGroup(ctx, id); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v, want that of the caller's context", err)
				}
			})
			synctest.Wait()
		}
		all.Wait()
		if got := w.requests(); len(got) != 2 || time.Since(left) != 300*time.Millisecond {
			t.Errorf("%d reads, over after %s", len(got), time.Since(left))
		}
	})
}

func TestDoubtedGroupIsReadAgainUntilItIsKnown(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		first := time.Now()
		ctx, cancel := context.WithCancel(context.Background())
		var others sync.WaitGroup
		others.Go(func() { w.runRereads(ctx) })
		time.Sleep(time.Minute)

		id := w.sim.Groups()[0].ID
		w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Name = "Renamed" })
		restore := w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On(http.MethodGet, id), Status: 503})
		w.DoubtGroup(ctx, id)
		time.Sleep(5 * time.Minute)
		if got := w.confirmed(id); !got.Equal(first) {
			t.Errorf("confirmed at %v, want %v", got, first)
		}
		restore()
		time.Sleep(2 * time.Minute)
		w.wantEqual()
		if got := w.confirmed(id); !got.After(first) {
			t.Errorf("confirmed at %v, which is not new", got)
		}
		w.sim.ResetRequests()
		time.Sleep(time.Hour)
		if got := w.requests(); len(got) != 0 {
			t.Errorf("a known group is read on: %q", got)
		}
		cancel()
		others.Wait()
	})
}

// The sweep's list was read before the write was sent.
func TestSweepThatBeganBeforeADoubtDoesNotEndIt(t *testing.T) {
	inWorld(t, populated(150), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		first := time.Now()
		time.Sleep(time.Minute)
		id := w.sim.Groups()[0].ID
		duringSweep(w, true, func() { w.DoubtGroup(context.Background(), id) })
		w.sweep(directory.SweepUnchanged)
		if got := w.confirmed(id); !got.Equal(first) {
			t.Errorf("confirmed at %v, want %v", got, first)
		}
		w.sweep(directory.SweepUnchanged)
		if got := w.confirmed(id); !got.Equal(time.Now()) {
			t.Errorf("confirmed at %v, want now: a later sweep has seen the group", got)
		}
	})
}

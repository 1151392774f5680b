package promises_test

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// A clock that jumps between two lives of the program, by years and in both
// directions, as the clock of a machine without a battery does. Each bubble
// begins at the same instant, so how long it sleeps first is what its clock
// shows.
//
// In one life the pauses are measured by the monotonic clock, which does not
// jump; what a jump of the wall clock would change, the instants that are
// written down, is what these lives share.
func TestAClockThatJumpsBreaksNothing(t *testing.T) {
	sim := tallyfysim.New(tallyfysim.Options{Seed: 7, Groups: 10, Members: 40, Edges: 100})
	path := filepath.Join(t.TempDir(), "rollcall.db")
	rng := rand.New(rand.NewPCG(7, 7))
	const day = 24 * time.Hour
	var before directory.Freshness
	var feed []string
	for _, clock := range []struct {
		name string
		at   time.Duration
	}{
		{"at first", 400 * day},
		{"set back by more than a year", 0},
		{"set forward by years", 3000 * day},
		{"set back by a minute", 3000*day - time.Minute},
		{"set back by hours", 3000*day - 5*time.Hour},
	} {
		t.Run(clock.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(clock.at)
				before = liveByThisClock(t, sim, path, rng, before)
			})
			now := checkFile(t, path).feed()
			if len(now) <= len(feed) || !equalStart(feed, now) {
				t.Errorf("the feed of %d changes does not go on after %d", len(now), len(feed))
			}
			feed = now
		})
	}
}

func equalStart(beginning, whole []string) bool {
	for i := range beginning {
		if i >= len(whole) || beginning[i] != whole[i] {
			return false
		}
	}
	return true
}

// liveByThisClock lives for some minutes in which something changes.
func liveByThisClock(t *testing.T, sim *tallyfysim.Sim, path string, rng *rand.Rand, before directory.Freshness) directory.Freshness {
	t.Helper()
	p := join(t, sim, path, time.Minute, tallyfy.Options{Rate: 90, Hourly: 900})
	defer p.close()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	sim.ResetRequests()
	began := time.Now()
	running.Go(func() { _ = p.Run(ctx) })
	const minutes = 10
	for range minutes {
		sim.Stir(rng)
		sim.Stir(rng)
		time.Sleep(time.Minute)
	}
	synctest.Wait()
	if status := p.Status(); status.State != directory.StateFresh || time.Until(status.NextSweepAt) > 2*time.Minute {
		t.Errorf("state %s, next sweep at %s", status.State, status.NextSweepAt)
	}
	if n := len(sim.Requests()); n < minutes {
		t.Errorf("%d requests in %d minutes: the budget was blocked", n, minutes)
	}
	after, err := p.db.Freshness(ctx)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case after.Epoch != before.Epoch && before.Epoch != "":
		t.Error("another life of the database")
	case after.Revision <= before.Revision:
		t.Errorf("revision %d after %d", after.Revision, before.Revision)
	case after.PublishedAt.Before(before.PublishedAt):
		t.Errorf("published at %s, earlier than %s", after.PublishedAt, before.PublishedAt)
	case after.ConfirmedAt.Before(began), after.ConfirmedAt.After(time.Now()):
		t.Errorf("confirmed at %s by a clock that went from %s to %s", after.ConfirmedAt, began, time.Now())
	}
	return after
}

// While upstream is down, what is known grows older, however the clock is set
// back: between two lives, and under one.
func TestAClockThatIsSetBackMakesNothingYoung(t *testing.T) {
	const outage = 40 * time.Minute
	sim := tallyfysim.New(tallyfysim.Options{Seed: 7, Groups: 10, Members: 40, Edges: 100})
	path := filepath.Join(t.TempDir(), "rollcall.db")
	for _, life := range []struct {
		name     string
		start    time.Duration
		moves    time.Duration // of the clock on the wall, halfway
		downFrom time.Duration
		age      time.Duration // at the end, at least
	}{
		{"upstream goes down", 400 * 24 * time.Hour, 0, 10 * time.Minute, outage - 10*time.Minute},
		{"set back by a year", 35 * 24 * time.Hour, 0, 0, 2*outage - 10*time.Minute - pauseMost},
		{"set back by half an hour", 35*24*time.Hour + 10*time.Minute, 0, 0, 3*outage - 10*time.Minute - 2*pauseMost},
		{"set back by three hours in this life", 35*24*time.Hour + outage, -3 * time.Hour, 0, 4*outage - 10*time.Minute - 3*pauseMost},
	} {
		t.Run(life.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(life.start)
				var moved atomic.Int64
				clock := func() time.Time { return time.Now().Add(time.Duration(moved.Load())) }
				p := joinBy(clock, t, sim, path, time.Minute, tallyfy.Options{Rate: 90, Hourly: 900})
				defer p.close()
				ctx, cancel := context.WithCancel(t.Context())
				var running sync.WaitGroup
				defer running.Wait()
				defer cancel()
				running.Go(func() { _ = p.Run(ctx) })
				time.Sleep(life.downFrom)
				defer sim.Fault(tallyfysim.Fault{Status: 502})()
				time.Sleep(outage/2 - life.downFrom)
				synctest.Wait()
				moved.Store(int64(life.moves))
				time.Sleep(outage / 2)
				synctest.Wait()
				fresh, err := p.db.Freshness(ctx)
				if age := fresh.Age(clock()); err != nil || age < life.age || age > life.age+4*pauseMost {
					t.Errorf("its age is %s, %v; want %s", age, err, life.age)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		p := join(t, sim, path, time.Minute, tallyfy.Options{})
		defer p.close()
		p.sweep()
		if fresh, err := p.db.Freshness(t.Context()); err != nil || fresh.Age(time.Now()) > time.Minute {
			t.Errorf("after a sweep its age is %s, %v", fresh.Age(time.Now()), err)
		}
	})
}

// pauseMost is about the longest pause between two attempts to sweep, of which
// nothing is noted when a life ends.
const pauseMost = 6 * time.Minute

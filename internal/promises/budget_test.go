package promises_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// A limit is the most requests in any sliding interval.
type limit struct {
	requests int
	length   time.Duration
}

// wantWithin looks at every interval that begins with a request.
func wantWithin(t *testing.T, requests []tallyfysim.Request, limits ...limit) {
	t.Helper()
	slices.SortFunc(requests, func(a, b tallyfysim.Request) int { return a.At.Compare(b.At) })
	for _, l := range limits {
		for i, first := range requests {
			if last := i + l.requests; last < len(requests) && requests[last].At.Sub(first.At) < l.length {
				t.Errorf("more than %d requests within %s, from %s on", l.requests, requests[last].At.Sub(first.At), first.At)
				break
			}
		}
	}
}

// A process that is killed again and again does not begin with a full budget
// each time. What upstream counts is when requests arrive, which is a moment
// after they left: the intervals are a second shorter than promised. Hourly
// limits would let so short lives send nothing at all.
func TestACrashLoopStaysWithinTheLimits(t *testing.T) {
	needBinary(t)
	t.Parallel()
	up := newUpstream(t, tallyfysim.Options{Seed: 2, Groups: 3, Members: 10, Edges: 20})
	env := up.environment(t).with("ROLLCALL_UPSTREAM_RATE", "90", "ROLLCALL_POLL_INTERVAL", "50ms")
	lives := 8
	if os.Getenv(crashesVar) != "" {
		lives = 150 // some minutes
	}
	for range lives {
		p := launch(t, env, "serve")
		time.Sleep(500*time.Millisecond + rand.N(2*time.Second))
		p.kill()
	}
	requests := up.sim.Requests()
	t.Logf("%d requests in %d lives", len(requests), lives)
	if len(requests) < lives/2 {
		t.Errorf("%d requests in %d lives: nothing was to be counted", len(requests), lives)
	}
	wantWithin(t, requests, limit{12, 4 * time.Second}, limit{90, 59 * time.Second})
}

// hourly is less than the default, for the sake of those who wait.
const hourly = 300

// The same over hours, in virtual time, where requests arrive as they leave.
func TestACrashLoopOfHoursStaysWithinTheLimits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	synctest.Test(t, func(t *testing.T) {
		sim := tallyfysim.New(tallyfysim.Options{Seed: 2, Groups: 3, Members: 10, Edges: 20})
		rng := rand.New(rand.NewPCG(2, 2))
		lives := 0
		for began := time.Now(); time.Since(began) < 65*time.Minute; lives++ {
			life(t, sim, path, time.Duration(rng.Int64N(int64(8*time.Minute))))
		}
		requests := sim.Requests()
		t.Logf("%d requests in %d lives", len(requests), lives)
		if len(requests) < hourly {
			t.Errorf("%d requests in %d lives: a budget of %d an hour was not used", len(requests), lives, hourly)
		}
		wantWithin(t, requests, limit{12, 5 * time.Second}, limit{90, time.Minute}, limit{hourly, time.Hour})
	})
}

// life runs the parts for a while and lets them die without a word to the
// file. A sweep is due every other second.
func life(t *testing.T, sim *tallyfysim.Sim, path string, length time.Duration) {
	t.Helper()
	p := join(t, sim, path, 2*time.Second, tallyfy.Options{Rate: 90, Hourly: hourly})
	defer p.close()
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	var running sync.WaitGroup
	running.Go(func() { _ = p.Run(ctx) })
	running.Wait()
}

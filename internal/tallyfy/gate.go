package tallyfy

import (
	"context"
	"math"
	"sync"
	"time"

	"rollcall/internal/directory"
)

// A lane is the urgency of a request: one of a higher lane goes first.
type lane int

const (
	listLane    lane = iota // sweeps
	readLane                // single rows
	forwardLane             // callers who wait
	lanes
)

const (
	forwardPatience = 10 * time.Second // a forwarded request waits this long for its turn
	pausePatience   = 30 * time.Second // a read waits out a pause of this length
	pauseDefault    = 5 * time.Second  // after a 429 that names none
	pauseMost       = 15 * time.Minute // whatever a 429 names
)

// A gate lets requests through one by one as the limits allow.
type gate struct {
	turn [lanes]chan struct{} // holds one token: the head of the lane's queue

	mu      sync.Mutex
	windows []*window
	minute  *window // nil when lifted
	hour    *window // nil when lifted
	share   *share  // of sweeps, nil when lifted
	paused  time.Time
	waiting [lanes]int
	changed chan struct{} // closed when somebody stops waiting
}

func newGate(perMinute, hourly, sweeps int) *gate {
	g := &gate{changed: make(chan struct{}), share: newShare(sweeps)}
	for l := range g.turn {
		g.turn[l] = make(chan struct{}, 1)
	}
	if perMinute > 0 {
		g.minute = newWindow(perMinute, perMinute/9, time.Minute)
		g.windows = append(g.windows, newWindow(12, 6, 5*time.Second), g.minute)
	}
	if hourly > 0 {
		g.hour = newWindow(hourly, hourly/10, time.Hour)
		g.windows = append(g.windows, g.hour)
	}
	return g
}

// enter waits for the turn of a request and takes it. In its lane it is first
// come, first served. A forwarded request gives up with ReasonBudget, a read
// gives up with ReasonThrottled when a pause is too long to wait for.
func (g *gate) enter(ctx context.Context, l lane) error {
	began := time.Now()
	g.queue(l, 1)
	defer g.queue(l, -1)
	select {
	case g.turn[l] <- struct{}{}:
		defer func() { <-g.turn[l] }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		wait, changed := g.take(l)
		if wait == 0 {
			return nil
		}
		if err := g.hopeless(l, wait, time.Since(began)); err != nil {
			return err
		}
		if !sleep(ctx, wait, changed) {
			return ctx.Err()
		}
	}
}

// take lets a request through if it may leave now, else says how long it must
// wait, and what may shorten that.
func (g *gate) take(l lane) (time.Duration, <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	for higher := l + 1; higher < lanes; higher++ {
		if g.waiting[higher] > 0 {
			return math.MaxInt64, g.changed
		}
	}
	wait := g.delay(now)
	if l == listLane {
		wait = max(wait, g.share.wait(now, 1))
	}
	if wait == 0 {
		for _, w := range g.windows {
			w.spend(now)
		}
		if l == listLane {
			g.share.note(now, 1)
		}
	}
	return wait, g.changed
}

// delay tells how long until the next request may leave.
func (g *gate) delay(now time.Time) time.Duration {
	wait := max(0, g.paused.Sub(now))
	for _, w := range g.windows {
		wait = max(wait, w.wait(now))
	}
	return wait
}

// hopeless is the error of a request that would wait too long. As those ahead
// in the lane came earlier and keep to the same patience, whoever is not at
// the head has not lost his yet.
func (g *gate) hopeless(l lane, wait, waited time.Duration) error {
	if wait == math.MaxInt64 {
		return nil
	}
	if l == forwardLane {
		if wait > forwardPatience-waited {
			return &directory.UpstreamError{Reason: directory.ReasonBudget, RetryAfter: wait, Err: errOutOfPatience}
		}
		return nil
	}
	g.mu.Lock()
	pause := time.Until(g.paused)
	g.mu.Unlock()
	if pause > pausePatience {
		return &directory.UpstreamError{Reason: directory.ReasonThrottled, RetryAfter: pause, Err: errPaused}
	}
	return nil
}

// queue counts who waits, and wakes the lower lanes when somebody is gone.
func (g *gate) queue(l lane, n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting[l] += n
	if n < 0 && l > listLane {
		close(g.changed)
		g.changed = make(chan struct{})
	}
}

// pause keeps everybody waiting for d from now, if they do not already wait
// longer.
func (g *gate) pause(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := time.Now().Add(d); until.After(g.paused) {
		g.paused = until
	}
}

// restore replays what earlier processes spent.
func (g *gate) restore(now time.Time, spent []directory.Spend) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range g.windows {
		for _, s := range spent {
			if now.Sub(s.At) <= w.length { // a sliding window that ends later holds nothing older
				w.replay(s.At, s.Requests)
			}
		}
		w.settle(now)
	}
	for _, s := range spent {
		if s.BySweep && now.Sub(s.At) <= time.Hour {
			g.share.note(s.At, s.Requests)
		}
	}
}

func (g *gate) budget(now time.Time) directory.Budget {
	g.mu.Lock()
	defer g.mu.Unlock()
	var b directory.Budget
	if g.minute != nil {
		b.MinuteLimit, b.MinuteRemaining = g.minute.limit, g.minute.remaining(now)
	}
	if g.hour != nil {
		b.HourLimit, b.HourRemaining = g.hour.limit, g.hour.remaining(now)
	}
	if g.paused.After(now) {
		b.PausedUntil = g.paused
	}
	return b
}

// sleep waits for d or a signal; it is false when the context ended.
func sleep(ctx context.Context, d time.Duration, signal <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-signal:
	case <-ctx.Done():
		return false
	}
	return true
}

package db

import (
	"context"
	"sync"
	"time"
)

// Confirmations are instants by the wall clock, and so their age is wrong by
// as much as the clock was moved since: set back, it makes what was confirmed
// long ago young again, or later than now, for as long as nothing is confirmed
// anew. Therefore what was confirmed before is dated back as far as the clock
// was set back, and ages go on. In one process the clock that only runs tells
// how far that is. Between two it is at least from the last that the earlier
// noted to now.
//
// A clock that was set forward makes everything older, which at worst is known
// too well; it cannot be told from a machine that slept.

// notice is the least that a clock was set back by for it to matter. Clocks
// are slowed and quickened all the time.
const notice = 5 * time.Second

// A clock compares the wall clock with the one that only runs.
type clock struct {
	wall    func() time.Time
	started time.Time // by the running clock, which only time.Since reads

	mu    sync.Mutex
	lead  time.Duration // of the wall clock over the running one, the most since it was last settled
	noted time.Time     // while a mirror is opened, the last that an earlier process noted
}

func newClock(wall func() time.Time) *clock {
	if wall == nil {
		wall = time.Now
	}
	c := &clock{wall: wall, started: time.Now()}
	c.settle()
	return c
}

// compareClocks dates confirmations back at the beginning of a process.
func (db *DB) compareClocks(ctx context.Context) error {
	last, err := db.writes.LastSweep(ctx)
	if err := orNone(err); err != nil {
		return err
	}
	db.clock.noted = fromMS(last.EndedMs)
	err = db.write(ctx, func(context.Context, *writing) error { return nil })
	db.clock.noted = time.Time{}
	return err
}

func (c *clock) leads() time.Duration {
	return time.Duration(c.wall().UnixNano()) - time.Since(c.started)
}

// setBack is by how much the clock was set back since it was last settled, and
// at least what confirmations are ahead of it.
func (c *clock) setBack(confirmed time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	leads, now := c.leads(), c.wall()
	c.lead = max(c.lead, leads)
	return max(c.lead-leads, c.noted.Sub(now), confirmed.Sub(now))
}

// settle takes the clock as it is.
func (c *clock) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lead = c.leads()
}

// keepAges dates confirmations back if the clock was set back, and returns by
// how much.
func (w *writing) keepAges(ctx context.Context) (back time.Duration, err error) {
	back = w.clock.setBack(fromMS(w.mirror.ConfirmedMs))
	if back < notice {
		return 0, nil
	}
	by := back.Milliseconds()
	if err := w.q.MoveSweeps(ctx, MoveSweepsParams{By: by, Now: w.clock.wall().UnixMilli(), ConfirmedMs: w.mirror.ConfirmedMs}); err != nil {
		return 0, err
	}
	if err := w.q.MoveGroupConfirmations(ctx, by); err != nil {
		return 0, err
	}
	if err := w.q.MoveMemberConfirmations(ctx, by); err != nil {
		return 0, err
	}
	if w.mirror.ConfirmedMs > 0 {
		w.mirror.ConfirmedMs -= by
	}
	return back, w.q.SetConfirmed(ctx, w.mirror.ConfirmedMs)
}

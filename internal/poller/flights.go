package poller

import (
	"context"
	"sync"
	"time"

	"rollcall/internal/directory"
)

// flights lets callers who want the same row share a read, but none that
// began before they came.
type flights[ID comparable] struct {
	mu   sync.Mutex
	rows map[ID]*line
}

// A line is the read of a row that is under way, and the one that all share
// who came since; nil if nobody did.
type line struct{ flying, boarding *flight }

// A flight is one read and those who wait for it.
type flight struct {
	run     func(context.Context) error
	ctx     context.Context // ends when nobody waits any more
	cancel  context.CancelFunc
	callers int           // guarded by flights.mu
	ended   chan struct{} // closed when what follows is known
	began   time.Time
	err     error
}

// do waits for a run that begins after the call and returns its error. Runs
// for one row go one at a time, and all who come while one is under way share
// the next. A caller whose ctx ends stops waiting, and the run goes on for the
// others; the last of them ends it and returns when it has ended.
func (f *flights[ID]) do(ctx context.Context, id ID, run func(context.Context) error) (directory.Renewal, error) {
	fl, shared := f.board(ctx, id, run)
	select {
	case <-fl.ended:
		return directory.Renewal{BeganAt: fl.began, Shared: shared}, fl.err
	case <-ctx.Done():
		f.leave(id, fl)
		return directory.Renewal{}, ctx.Err()
	}
}

// board puts a caller on the next flight for a row and reports whether others
// are on it already.
func (f *flights[ID]) board(ctx context.Context, id ID, run func(context.Context) error) (fl *flight, shared bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.rows[id]
	if l != nil && l.boarding != nil {
		l.boarding.callers++
		return l.boarding, true
	}
	fl = &flight{run: run, callers: 1, ended: make(chan struct{})}
	fl.ctx, fl.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if l != nil {
		l.boarding = fl
		return fl, false
	}
	if f.rows == nil {
		f.rows = map[ID]*line{}
	}
	f.rows[id] = &line{flying: fl}
	go f.fly(id, fl)
	return fl, false
}

func (f *flights[ID]) fly(id ID, fl *flight) {
	defer fl.cancel()
	fl.began = time.Now()
	fl.err = fl.run(fl.ctx)
	f.land(id)
	close(fl.ended)
}

// land makes way for the next flight of the line.
func (f *flights[ID]) land(id ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.rows[id]
	l.flying, l.boarding = l.boarding, nil
	if l.flying == nil {
		delete(f.rows, id)
		return
	}
	go f.fly(id, l.flying)
}

// leave takes a caller off a flight. Without callers it does not begin, or
// ends early, which the last of them waits for.
func (f *flights[ID]) leave(id ID, fl *flight) {
	if f.drop(id, fl) {
		<-fl.ended
	}
}

// drop reports whether the flight has begun and lost its last caller.
func (f *flights[ID]) drop(id ID, fl *flight) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl.callers--; fl.callers > 0 {
		return false
	}
	fl.cancel()
	if l := f.rows[id]; l != nil && l.boarding == fl {
		l.boarding = nil
		return false
	}
	return true
}

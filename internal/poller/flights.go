package poller

import (
	"context"
	"sync"

	"rollcall/internal/directory"
)

// flights lets callers who want the same row share a read, but none that
// began before they came.
type flights[ID comparable] struct {
	mu   sync.Mutex
	rows map[ID]*flight
}

// A flight is the line of callers for one row.
type flight struct {
	callers int           // guarded by flights.mu
	turn    chan struct{} // held by who reads; guards the rest
	began   uint64        // number of the last read that ended; 0 is none
	present directory.Freshness
	err     error
}

// do returns the outcome of a run that began after the call. Runs for one row
// go one at a time; a caller that waited takes the outcome of a run that began
// while it waited, unless that run's own caller went away.
func (f *flights[ID]) do(ctx context.Context, id ID, number func() uint64, run func() (directory.Freshness, error)) (directory.Freshness, error) {
	came := number()
	line := f.join(id)
	defer f.leave(id, line)
	select {
	case line.turn <- struct{}{}:
		defer func() { <-line.turn }()
	case <-ctx.Done():
		return directory.Freshness{}, ctx.Err()
	}
	if line.began > came {
		return line.present, line.err
	}
	began := number()
	present, err := run()
	if ctx.Err() == nil {
		line.began, line.present, line.err = began, present, err
	}
	return present, err
}

func (f *flights[ID]) join(id ID) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rows == nil {
		f.rows = map[ID]*flight{}
	}
	line := f.rows[id]
	if line == nil {
		line = &flight{turn: make(chan struct{}, 1)}
		f.rows[id] = line
	}
	line.callers++
	return line
}

func (f *flights[ID]) leave(id ID, line *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if line.callers--; line.callers == 0 {
		delete(f.rows, id)
	}
}

package poller

import (
	"context"
	"time"

	"rollcall/internal/directory"
)

// An agenda holds what decides when the next sweep begins. Poller.mu guards
// it.
type agenda struct {
	schedule schedule
	nextAt   time.Time // of the next sweep if nothing asks for an earlier one
	demands  []*demand // wait for a sweep that has not begun yet
	marks    marks
	wake     chan struct{}

	drop  context.CancelCauseFunc // of the running sweep, nil if none runs
	track *tracker                // likewise

	refused  bool      // upstream refuses the token: nextAt is that of a probe
	refusal  error     // what the last attempt or probe said of it, nil if not known
	probedAt time.Time // when it said so
}

// A demand waits for a sweep that began after it.
type demand struct {
	accept string // id of removals that the sweep may make
	done   chan struct{}
	note   directory.Sweep
	err    error
}

// marks are the writes of unknown reach since the last sweep began.
type marks struct{ first, last time.Time }

// A sweep begins when writes of unknown reach have paused for a second, at
// the latest after ten.
const (
	markPause = time.Second
	markLimit = 10 * time.Second
)

// due is when the sweep after the marks begins; zero if there are none.
func (m marks) due() time.Time {
	if m.first.IsZero() {
		return time.Time{}
	}
	paused, limit := m.last.Add(markPause), m.first.Add(markLimit)
	if limit.Before(paused) {
		return limit
	}
	return paused
}

func newAgenda(s schedule) agenda { return agenda{schedule: s, wake: make(chan struct{}, 1)} }

// due is when the next sweep begins, or the next probe of a refused token.
func (a *agenda) due(now time.Time) time.Time {
	if at := a.marks.due(); !at.IsZero() && !a.refused {
		return at
	}
	if len(a.demands) > 0 {
		return now
	}
	return a.nextAt
}

// stir makes the loop look at the agenda again.
func (a *agenda) stir() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// MarkEverything says that a write of unknown reach has gone upstream or
// come back: whatever was observed before may be wrong about any row. A
// running sweep is dropped, and the next begins when such writes pause.
func (p *Poller) MarkEverything() {
	p.observations.voidAll()
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.agenda.marks.first.IsZero() {
		p.agenda.marks.first = now
	}
	p.agenda.marks.last = now
	if p.agenda.drop != nil {
		p.agenda.drop(errDropped)
	}
	p.agenda.stir()
}

// ask demands a sweep that begins after the call. Whoever asks before it
// begins shares the demand.
func (p *Poller) ask() *demand {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d := p.agenda.asked(); d != nil {
		return d
	}
	return p.agenda.ask()
}

// asked returns the demand that others have made already, nil if there is
// none.
func (a *agenda) asked() *demand {
	for _, d := range a.demands {
		if d.accept == "" {
			return d
		}
	}
	return nil
}

func (a *agenda) ask() *demand {
	d := &demand{done: make(chan struct{})}
	a.demands = append(a.demands, d)
	a.stir()
	return d
}

// Sync waits up to wait for a sweep that begins after the call and returns its
// note, with the error of one that failed. When it is not over by then, or
// with no wait, the note says that it runs and Run goes on with it. All who
// wait share one sweep; one that is dropped meets no demand.
func (p *Poller) Sync(ctx context.Context, wait time.Duration) (directory.Sweep, error) {
	return p.ask().await(ctx, wait)
}

func (d *demand) await(ctx context.Context, wait time.Duration) (directory.Sweep, error) {
	running := directory.Sweep{Result: directory.SweepRunning}
	if wait <= 0 {
		return running, nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-d.done:
		return d.note, d.err
	case <-timer.C:
		return running, nil
	case <-ctx.Done():
		return running, ctx.Err()
	}
}

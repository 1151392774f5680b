package poller

import (
	"context"
	"errors"
	"time"

	"golang.org/x/time/rate"

	"rollcall/internal/directory"
)

var errEarly = errors.New("sweeps out of turn have used up their part of the hourly requests for now")

// newEarly limits the sweeps that readers ask for out of turn, so that the
// mirror of all does not grow old because some could not wait: in any hour
// they take up to half of what sweeps may make.
func newEarly(hourly int) *rate.Limiter {
	if hourly <= 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	quarter := max(1, hourly/4)
	return rate.NewLimiter(rate.Limit(quarter)/3600, quarter)
}

// RefreshAll waits for a sweep that begins after the call; all who wait share
// it. It returns the error of one that failed, ErrHeld for one that is held,
// and ReasonBudget, asking for none, when readers have asked for too many.
func (p *Poller) RefreshAll(ctx context.Context) (directory.Renewal, error) {
	d, shared, err := p.askEarly()
	if err != nil {
		return directory.Renewal{}, err
	}
	select {
	case <-d.done:
	case <-ctx.Done():
		return directory.Renewal{}, ctx.Err()
	}
	switch {
	case d.err != nil:
		return directory.Renewal{}, d.err
	case !d.note.Result.Succeeded():
		return directory.Renewal{}, directory.ErrHeld
	}
	return directory.Renewal{BeganAt: d.note.BeganAt, Shared: shared}, nil
}

// askEarly is ask within the limit of sweeps out of turn.
func (p *Poller) askEarly() (d *demand, shared bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d := p.agenda.asked(); d != nil {
		return d, true, nil
	}
	now := time.Now()
	cost := p.early.ReserveN(now, min(max(1, p.health.cost), max(1, p.early.Burst())))
	if wait := cost.DelayFrom(now); wait > 0 {
		cost.CancelAt(now)
		return nil, false, &directory.UpstreamError{Op: "sweep out of turn", Reason: directory.ReasonBudget, RetryAfter: wait, Err: errEarly}
	}
	return p.agenda.ask(), false, nil
}

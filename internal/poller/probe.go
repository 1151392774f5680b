package poller

import (
	"context"
	"errors"
	"slices"
	"time"

	"rollcall/internal/directory"
)

const (
	// probePause is about how long a refused token rests before it is tried
	// again.
	probePause = 3 * time.Minute
	// probeMemory is how long a refusal answers those who ask for a sweep.
	probeMemory = 10 * time.Second
)

// clears are the failures of a probe that say that the token is not refused.
var clears = []directory.Reason{
	directory.ReasonForbidden, directory.ReasonNotFound, directory.ReasonRefused,
	directory.ReasonNotJSON, directory.ReasonShape, directory.ReasonTooLarge,
}

// stillRefused reports whether a token that was refused must be taken to be
// refused still. It asks once, or not at all if it has just done so. While it
// is refused nothing else is asked for sweeps, whoever asks for them: their
// demands fail.
func (p *Poller) stillRefused(ctx context.Context) bool {
	p.mu.Lock()
	refused, err := p.agenda.refused, p.agenda.refusal
	known := err != nil && time.Since(p.agenda.probedAt) < probeMemory
	p.mu.Unlock()
	if !refused {
		return false
	}
	if !known {
		err = p.upstream.Me(ctx)
	}
	if ctx.Err() != nil {
		return true
	}
	if err == nil || slices.Contains(clears, directory.ReasonOf(err)) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !known {
		p.agenda.probedAt, p.agenda.refusal = time.Now(), err
		p.agenda.nextAt = time.Now().Add(p.pauseAfter(0, err))
	}
	p.agenda.refuse(err)
	return true
}

// isRefused reports whether upstream refused the token of the last sweep.
func (p *Poller) isRefused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.agenda.refused
}

// settle sets the time of what comes after a sweep that ended. The caller
// holds mu.
func (p *Poller) settle(sw *sweep, err error, now time.Time) {
	p.agenda.refused, p.agenda.refusal = !p.health.refusedAt.IsZero(), nil
	p.agenda.nextAt = now.Add(p.pauseAfter(p.health.failures, err))
	s := p.agenda.schedule
	switch {
	case p.agenda.refused:
		p.agenda.probedAt, p.agenda.refusal = now, err
	case err != nil:
		p.agenda.notBefore(sw.note.BeganAt.Add(s.penalty(sw.note.Requests)))
	default: // held sweeps cost as much
		spacing := float64(s.spacing(sw.note.Requests)) * (1 + s.jitter()/10)
		p.agenda.notBefore(sw.note.BeganAt.Add(time.Duration(spacing)))
	}
}

func (a *agenda) notBefore(at time.Time) {
	if at.After(a.nextAt) {
		a.nextAt = at
	}
}

// refuse fails all demands.
func (a *agenda) refuse(err error) {
	for _, d := range a.demands {
		d.note = directory.Sweep{Result: directory.SweepFailed, Reason: directory.ReasonOf(err), Detail: err.Error()}
		d.err = err
		close(d.done)
	}
	a.demands = nil
}

// pauseAfter is the pause until the next sweep, or the next probe. The caller
// holds mu.
func (p *Poller) pauseAfter(failures int, err error) time.Duration {
	var retryAfter time.Duration
	if up, ok := errors.AsType[*directory.UpstreamError](err); ok {
		retryAfter = up.RetryAfter
	}
	if !p.health.refusedAt.IsZero() {
		return max(p.agenda.schedule.about(probePause), retryAfter)
	}
	return p.agenda.schedule.next(failures, retryAfter)
}

package poller

import (
	"maps"
	"time"

	"rollcall/internal/directory"
)

// A health is what attempts to sweep came to. Poller.mu guards it.
type health struct {
	startedAt time.Time
	attemptAt time.Time            // when the last attempt began
	lastError *directory.LastError // nil after a success
	failures  int                  // in a row
	failingAt time.Time            // since when attempts fail, zero if they do not
	refusedAt time.Time            // since when upstream refuses the token, likewise
	freshAt   time.Time            // since when attempts succeed
	confirmed time.Time            // when the last sweep that succeeded began
	took      time.Duration        // that sweep
	cost      int                  // its requests
	drift     map[string]int       // that it saw
	held      *directory.Held      // by the last whole sweep
}

// restoredHealth is what the notes of an earlier life tell.
func restoredHealth(now time.Time, attempt, success directory.Sweep) health {
	h := health{startedAt: now, attemptAt: attempt.BeganAt}
	if !success.BeganAt.IsZero() {
		h.succeeded(success, success.EndedAt)
	}
	if attempt.Result == directory.SweepFailed {
		h.failed(attempt, attempt.EndedAt)
	}
	h.failures = 0
	return h
}

func (h *health) succeeded(note directory.Sweep, now time.Time) {
	if h.freshAt.IsZero() || h.lastError != nil || h.held != nil {
		h.freshAt = now
	}
	h.confirmed, h.took, h.cost = note.BeganAt, note.EndedAt.Sub(note.BeganAt), note.Requests
	h.held = nil
	h.reached()
}

// isHeld notes a sweep that read everything and published nothing of it.
func (h *health) isHeld(held directory.Held) {
	h.held = &held
	h.reached()
}

// reached notes that upstream answered as it should.
func (h *health) reached() {
	h.lastError, h.failures = nil, 0
	h.failingAt, h.refusedAt = time.Time{}, time.Time{}
}

func (h *health) failed(note directory.Sweep, now time.Time) {
	h.lastError = &directory.LastError{At: now, Reason: note.Reason, Message: note.Detail}
	h.failures++
	if h.failingAt.IsZero() {
		h.failingAt = now
	}
	switch {
	case note.Reason != directory.ReasonUnauthorized:
		h.refusedAt = time.Time{}
	case h.refusedAt.IsZero():
		h.refusedAt = now
	}
}

// state is the first that applies, and since when it does.
func (h *health) state(now time.Time, effective time.Duration) (directory.State, time.Time) {
	if state, since := h.trouble(); state != "" {
		return state, since
	}
	stale := h.confirmed.Add(3 * effective)
	switch {
	case h.confirmed.IsZero():
		return directory.StateStarting, h.startedAt
	case now.After(stale):
		return directory.StateStale, stale
	}
	return directory.StateFresh, h.freshAt
}

// trouble is the state that the last attempt left, empty if it succeeded.
func (h *health) trouble() (directory.State, time.Time) {
	switch {
	case !h.refusedAt.IsZero():
		return directory.StateUnauthorized, h.refusedAt
	case h.held != nil:
		return directory.StateHeld, h.held.Since
	case !h.failingAt.IsZero():
		return directory.StateFailing, h.failingAt
	}
	return "", time.Time{}
}

// Status tells how polling goes.
func (p *Poller) Status() directory.PollStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	s := directory.PollStatus{
		LastAttemptAt: p.health.attemptAt,
		NextSweepAt:   p.agenda.due(now),
		Drift:         maps.Clone(p.health.drift),
	}
	s.EffectiveInterval, s.IntervalReason = p.agenda.schedule.effective(p.health.took, p.health.cost)
	if p.health.held != nil {
		s.Held = new(*p.health.held)
	}
	s.State, s.StateSince = p.health.state(now, s.EffectiveInterval)
	if p.health.lastError != nil {
		s.LastError = new(*p.health.lastError)
	}
	if p.agenda.track != nil {
		s.Progress = new(p.agenda.track.now())
		s.NextSweepAt = time.Time{}
	}
	return s
}

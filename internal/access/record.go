package access

import (
	"context"
	"errors"
	"time"

	"rollcall/internal/directory"
)

// A record is what is known of one token.
type record struct {
	state   state
	grant   Grant     // while granted
	askedAt time.Time // when the probe that set the state began

	failure *failure // of the last probe, nil after one that came to an end
	wasOurs bool     // the token passed a probe, and none refused it since
	running *probe
	probes  window
	began   time.Time // of the last probe
}

type state uint8

const (
	unknown state = iota
	granted
	refused
)

// A failure is a probe that Tallyfy did not answer. None is made before until.
type failure struct {
	until time.Time
	err   error
}

const (
	pauseAfterFailure = 10 * time.Second
	maxPause          = 5 * time.Minute
)

func newFailure(now time.Time, err error) *failure {
	pause := pauseAfterFailure
	if up, ok := errors.AsType[*directory.UpstreamError](err); ok && up.RetryAfter > 0 {
		pause = min(up.RetryAfter, maxPause)
	}
	return &failure{now.Add(pause), err}
}

// answer returns what is remembered, as far as it may still be used.
func (r *record) answer(now time.Time, o GrantsOptions) (grant Grant, known bool, err error) {
	age := now.Sub(r.askedAt)
	switch {
	case r.state == granted && (age < o.Memory || r.failure != nil && age < o.Grace):
		return r.grant, true, nil
	case r.state == refused && age < o.Memory:
		return Grant{}, true, errRefused
	case r.failure != nil && now.Before(r.failure.until):
		return Grant{}, true, retryLater(r.failure.until.Sub(now), r.failure.err)
	}
	return Grant{}, false, nil
}

// mayProbeAgain reports whether a grant lives by grace, and it is time to see
// whether Tallyfy answers again.
func (r *record) mayProbeAgain(now time.Time) bool {
	return r.failure != nil && r.running == nil && !now.Before(r.failure.until)
}

// settle takes up what a probe found.
func (r *record) settle(began, now time.Time, f findings) {
	switch {
	case f.refused:
		r.state, r.grant, r.failure, r.wasOurs = refused, Grant{}, nil, false
		r.askedAt = began
	case f.err != nil:
		r.grant.Rights &^= f.denied
		r.failure = newFailure(now, f.err)
	default:
		r.state, r.grant, r.failure, r.wasOurs = granted, f.grant, nil, true
		r.askedAt = began
	}
}

var errRefused = unauthenticated("Tallyfy does not accept this token")

// A probe is one that runs. Its result is set before done is closed.
type probe struct {
	done      chan struct{}
	cancel    context.CancelFunc
	overtaken bool // its result is not to be used
	grant     Grant
	err       error
}

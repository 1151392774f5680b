package tallyfy

import (
	"context"
	"errors"
	"time"

	"rollcall/internal/directory"
)

// sharePatience is how long a sweep may wait for its share before it is told
// to begin later.
const sharePatience = 2 * time.Minute

var errShare = errors.New("sweeps have used up their share of the hourly requests for now")

// A share lets at most limit requests of sweeps through in any sliding hour,
// both ends included. Unlike a window it lets them leave as closely as they
// like, since a list that is read quickly moves less while it is read.
type share struct {
	limit int
	sent  []time.Time // within an hour, ascending
}

// newShare returns nil, which lets everything through, for a limit of 0.
func newShare(limit int) *share {
	if limit <= 0 {
		return nil
	}
	return &share{limit: limit}
}

// wait tells how long until n requests fit, 0 for now; of more than ever fit,
// until none is in the way.
func (s *share) wait(now time.Time, n int) time.Duration {
	if s == nil {
		return 0
	}
	s.prune(now)
	over := len(s.sent) + min(n, s.limit) - s.limit
	if over <= 0 {
		return 0
	}
	return s.sent[over-1].Add(time.Hour + 1).Sub(now)
}

// note counts n requests that left at an instant, no earlier than those
// before.
func (s *share) note(at time.Time, n int) {
	if s == nil {
		return
	}
	for range min(n, s.limit) {
		s.sent = append(s.sent, at)
	}
	s.sent = s.sent[max(0, len(s.sent)-s.limit):]
}

func (s *share) prune(now time.Time) {
	old := 0
	for old < len(s.sent) && now.Sub(s.sent[old]) > time.Hour {
		old++
	}
	s.sent = s.sent[old:]
}

type sweepKey struct{}

// Sweeping marks what is read under the returned context as part of a sweep:
// it goes last and counts against the share of sweeps. Lists always do.
func (c *Client) Sweeping(ctx context.Context) context.Context {
	return context.WithValue(ctx, sweepKey{}, true)
}

func laneOf(ctx context.Context, l lane) lane {
	switch {
	case ctx.Value(sweepKey{}) != nil:
		return listLane
	case l == readLane && ctx.Value(awaitedKey{}) != nil:
		return forwardLane
	}
	return l
}

// Reserve notes the requests of a coming sweep, so that a process that dies
// in it, again and again, cannot spend more than the limits. When the share of
// sweeps does not hold them for minutes to come, it notes nothing and fails
// with ReasonBudget and the time to come back.
func (c *Client) Reserve(ctx context.Context, requests int) error {
	err := c.meter.restore(ctx, c.gate)
	if err == nil {
		err = c.gate.hasRoom(time.Now(), requests)
	}
	if err == nil {
		err = c.sweeps.reserve(ctx, requests)
	}
	if up, ok := errors.AsType[*directory.UpstreamError](err); ok {
		up.Op = "note the requests of a sweep"
	}
	return err
}

func (g *gate) hasRoom(now time.Time, requests int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if wait := g.share.wait(now, requests); wait > sharePatience {
		return &directory.UpstreamError{Reason: directory.ReasonBudget, RetryAfter: wait, Err: errShare}
	}
	return nil
}

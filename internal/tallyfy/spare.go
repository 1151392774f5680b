package tallyfy

import (
	"errors"
	"math"
	"time"

	"rollcall/internal/directory"
)

var errSpare = errors.New("what is left of the hourly requests for now is kept for sweeps and writes")

// Spare tells whether requests are to be had for what can be done without. It
// fails with ReasonBudget, and the time to come back, when no more than a
// quarter is left of those that the hourly limit lets through at once: whoever
// asks for more than there is must not keep sweeps and writes waiting.
func (c *Client) Spare() error {
	c.gate.mu.Lock()
	defer c.gate.mu.Unlock()
	if c.gate.hour == nil {
		return nil
	}
	wait := c.gate.hour.spare(time.Now())
	if wait == 0 {
		return nil
	}
	return &directory.UpstreamError{Op: "refresh", Reason: directory.ReasonBudget, RetryAfter: wait, Err: errSpare}
}

// spare tells how long until more than a quarter of the burst is there, 0 for
// now.
func (w *window) spare(now time.Time) time.Duration {
	burst := float64(w.bucket.Burst())
	missing := min(burst, burst/4+1) - w.bucket.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return time.Duration(math.Ceil(missing / float64(w.bucket.Limit()) * 1e9))
}

package poller

import (
	"math/rand/v2"
	"time"
)

// A schedule says how long to pause between sweeps.
type schedule struct {
	interval time.Duration
	jitter   func() float64
}

// The pauses after failures: the first, unless the interval is shorter, and
// the longest that doubling leads to.
const (
	firstRetry = 5 * time.Second
	lastRetry  = 5 * time.Minute
)

func newSchedule(interval time.Duration, jitter func() float64) schedule {
	if interval <= 0 {
		interval = time.Minute
	}
	if jitter == nil {
		jitter = rand.Float64
	}
	return schedule{interval, jitter}
}

// next is the pause after a sweep: the interval after a success; after so many
// failures in a row a pause that doubles, but never less than upstream asked
// for. A tenth is taken off or put on at random, so that processes which
// started together do not stay together.
func (s schedule) next(failures int, retryAfter time.Duration) time.Duration {
	pause := s.interval
	if failures > 0 {
		pause = min(s.interval, firstRetry)
		for range failures - 1 {
			if pause *= 2; pause >= lastRetry {
				pause = lastRetry
				break
			}
		}
	}
	pause = time.Duration(float64(pause) * (0.9 + 0.2*s.jitter()))
	return max(pause, retryAfter)
}

package poller

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// A schedule says how long to pause between sweeps.
type schedule struct {
	interval time.Duration
	hourly   int // requests that sweeps may make in an hour, 0 for any number
	jitter   func() float64
}

// The pauses after failures: the first, unless the interval is shorter, and
// the longest that doubling leads to.
const (
	firstRetry = 5 * time.Second
	lastRetry  = 5 * time.Minute
)

func newSchedule(interval time.Duration, hourly int, jitter func() float64) schedule {
	if interval <= 0 {
		interval = time.Minute
	}
	if jitter == nil {
		jitter = rand.Float64
	}
	return schedule{interval, hourly, jitter}
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
	return max(s.about(pause), retryAfter)
}

// about moves a pause by up to a tenth, at random.
func (s schedule) about(pause time.Duration) time.Duration {
	return time.Duration(float64(pause) * (0.9 + 0.2*s.jitter()))
}

// spacing is the least time from the beginning of a sweep that takes so many
// requests to that of the next, such that as many of them as begin in an hour
// keep to the share. 0 is any.
func (s schedule) spacing(requests int) time.Duration {
	if s.hourly <= 0 || requests <= 0 {
		return 0
	}
	if whole := s.hourly / requests; whole > 0 {
		return time.Hour / time.Duration(whole)
	}
	return time.Hour * time.Duration(requests) / time.Duration(s.hourly)
}

// penalty is the spacing after a sweep that failed: what it took is made up
// for, no more.
func (s schedule) penalty(requests int) time.Duration {
	if s.hourly <= 0 {
		return 0
	}
	return time.Hour * time.Duration(requests) / time.Duration(s.hourly)
}

// effective is the time from one sweep to the next, given what the last that
// succeeded cost, and why it is that: the interval, which begins when a sweep
// ends, and what a sweep takes, to a tenth of the interval, as that is what
// chance moves it by; or what keeps sweeps within their share.
func (s schedule) effective(took time.Duration, requests int) (time.Duration, string) {
	took = took.Truncate(s.interval / 10)
	spacing := s.spacing(requests)
	switch {
	case spacing > s.interval+took:
		return spacing, fmt.Sprintf("A sweep takes %d requests, and sweeps may make %d an hour.", requests, s.hourly)
	case took > 0:
		return s.interval + took, fmt.Sprintf("The poll interval of %s after a sweep that takes %s.", s.interval, took)
	}
	return s.interval, fmt.Sprintf("The poll interval of %s.", s.interval)
}

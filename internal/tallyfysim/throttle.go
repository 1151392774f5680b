package tallyfysim

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// A throttle admits a bounded number of requests in each sliding window.
type throttle struct {
	mu       sync.Mutex
	windows  []window
	admitted []time.Time // ascending, no older than the longest window
	headers  int         // limit told in headers, 0 for none
}

type window struct {
	length time.Duration
	limit  int
}

func newThrottle(o Options) *throttle {
	t := &throttle{}
	for _, w := range []window{{5 * time.Second, o.PerFiveSeconds}, {time.Minute, o.PerMinute}, {time.Hour, o.PerHour}} {
		if w.limit > 0 {
			t.windows = append(t.windows, w)
		}
	}
	if o.RateHeaders {
		t.headers = o.PerMinute
	}
	return t
}

// admit notes a request at now, or says how long it must wait.
func (t *throttle) admit(now time.Time) (time.Duration, bool) {
	if len(t.windows) == 0 {
		return 0, true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	longest := t.windows[len(t.windows)-1].length
	for len(t.admitted) > 0 && now.Sub(t.admitted[0]) >= longest {
		t.admitted = t.admitted[1:]
	}
	var after time.Duration
	for _, w := range t.windows {
		if n := len(t.admitted); n >= w.limit {
			if left := w.length - now.Sub(t.admitted[n-w.limit]); left > after {
				after = left
			}
		}
	}
	if after > 0 {
		return after, false
	}
	t.admitted = append(t.admitted, now)
	return 0, true
}

// stamp tells what is left of the minute, if asked to.
func (t *throttle) stamp(h http.Header, now time.Time) {
	if t.headers == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	used := 0
	for _, at := range t.admitted {
		if now.Sub(at) < time.Minute {
			used++
		}
	}
	h.Set("X-RateLimit-Limit", strconv.Itoa(t.headers))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(max(0, t.headers-used)))
}

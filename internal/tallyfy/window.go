package tallyfy

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

// A window lets at most limit requests through in any sliding interval of
// its length, both ends included.
//
// A token bucket of burst b and rate r lets floor(b + r·length) through in
// such an interval at worst, so r follows from the limit and b: the largest
// for which that is not limit+1.
type window struct {
	limit  int
	length time.Duration
	bucket *rate.Limiter
	sent   []int64 // unix nanoseconds of what left within length, ascending
}

func newWindow(limit, burst int, length time.Duration) *window {
	burst = max(1, burst)
	perSecond := float64(limit+1-burst) / length.Seconds()
	const margin = 1e-6 // keeps the sum below limit+1, rounding included
	return &window{
		limit:  limit,
		length: length,
		bucket: rate.NewLimiter(rate.Limit(perSecond*(1-margin)), burst),
	}
}

// wait tells how long until a request may leave, 0 for now.
func (w *window) wait(now time.Time) time.Duration {
	missing := 1 - w.bucket.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return time.Duration(math.Ceil(missing / float64(w.bucket.Limit()) * 1e9))
}

// spend takes one request, which wait has allowed.
func (w *window) spend(now time.Time) {
	w.bucket.AllowN(now, 1)
	w.note(now, 1)
}

func (w *window) note(at time.Time, requests int) {
	w.prune(at)
	for range min(requests, w.limit) {
		w.sent = append(w.sent, at.UnixNano())
	}
}

func (w *window) prune(now time.Time) {
	old := 0
	for old < len(w.sent) && w.sent[old] <= now.Add(-w.length).UnixNano() {
		old++
	}
	w.sent = w.sent[old:]
}

// remaining tells how many more requests the interval that ends now holds.
func (w *window) remaining(now time.Time) int {
	w.prune(now)
	return max(0, w.limit-len(w.sent))
}

// replay spends requests that left at earlier instants.
func (w *window) replay(at time.Time, requests int) {
	w.note(at, requests)
	for requests > 0 {
		n := min(requests, w.bucket.Burst()) // the most that one call takes
		w.bucket.ReserveN(at, n)
		requests -= n
	}
}

// settle ends a replay. What was replayed is never less, nor earlier, than
// what was sent, and whoever sent it kept to the bucket: its true level is at
// least zero, so a level below is forgiven. Without this a note of many
// requests of which few were sent would block for as long as all of them.
// When a limit was lowered in between, what the higher one had allowed stays
// in the windows that span the change.
func (w *window) settle(now time.Time) {
	level := int(max(0, math.Floor(w.bucket.TokensAt(now))))
	fresh := rate.NewLimiter(w.bucket.Limit(), w.bucket.Burst())
	fresh.AllowN(now, w.bucket.Burst()-level)
	w.bucket = fresh
}

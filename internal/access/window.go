package access

import "time"

const (
	probesPerWindow = 6
	windowLength    = time.Minute
)

// A window admits as many probes as it may in any sliding minute.
type window struct {
	admitted [probesPerWindow]time.Time
	oldest   int
}

// take admits a probe and returns 0, or returns how long to wait.
func (w *window) take(now time.Time) time.Duration {
	if before := w.admitted[w.oldest]; !before.IsZero() && now.Sub(before) < windowLength {
		return windowLength - now.Sub(before)
	}
	w.admitted[w.oldest] = now
	w.oldest = (w.oldest + 1) % probesPerWindow
	return 0
}

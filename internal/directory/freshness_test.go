package directory

import (
	"math"
	"testing"
	"time"
)

func TestWhatIsConfirmedLaterThanNowCountsAsOldest(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]time.Duration{
		time.Hour: time.Hour, 0: 0, -time.Second: 0, -5 * time.Second: 0,
		-6 * time.Second: math.MaxInt64, -time.Hour: math.MaxInt64,
	} {
		if got := (Freshness{ConfirmedAt: now.Add(-ago)}).Age(now); got != want {
			t.Errorf("confirmed %s ago: age %s, want %s", ago, got, want)
		}
	}
}

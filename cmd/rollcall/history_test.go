package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
)

func TestHistoryIsReadInDaysAndDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"forever": 0, "400d": 400 * day, "1d": day, "36h": 36 * time.Hour, "1h": time.Hour, "90m": 90 * time.Minute,
		"99999999d": longestHistory * day,
	} {
		var h history
		if err := h.UnmarshalText([]byte(text)); err != nil || time.Duration(h) != want {
			t.Errorf("%s reads as %s, %v; want %s", text, time.Duration(h), err, want)
		}
		var again history
		if err := again.UnmarshalText([]byte(h.String())); err != nil || again != h {
			t.Errorf("%s is written as %s, which reads as %v, %v", text, h, again, err)
		}
	}
	for _, text := range []string{"", "0", "0d", "59m", "-1h", "-1d", "1.5d", "400", "d", "for ever", "1y"} {
		code, _, stderr := invoke(t, complete("ROLLCALL_HISTORY", text), "config")
		if code == exitUsage && strings.Contains(stderr, "--history (ROLLCALL_HISTORY)") {
			continue
		}
		if text != "" { // an empty variable is none
			t.Errorf("ROLLCALL_HISTORY=%s: exit %d, %s", text, code, stderr)
		}
	}
}

func TestPastStatesGoHourly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var at []time.Duration
		keep := func(_ context.Context, kept time.Duration) error {
			if kept != 400*day {
				t.Errorf("keeps %s", kept)
			}
			at = append(at, time.Since(began))
			return errors.New("disk full")
		}
		var log strings.Builder
		stop := keepHistory(t.Context(), keep, history(400*day), slog.New(slog.NewTextHandler(&log, nil)))
		time.Sleep(2*time.Hour + 2*time.Minute)
		stop()
		time.Sleep(2 * time.Hour)
		want := []time.Duration{time.Minute, time.Hour + time.Minute, 2*time.Hour + time.Minute}
		if len(at) != len(want) || at[0] != want[0] || at[1] != want[1] || at[2] != want[2] {
			t.Errorf("kept at %v, want %v", at, want)
		}
		if n := strings.Count(log.String(), "disk full"); n != 3 {
			t.Errorf("%d failures are told of:\n%s", n, log.String())
		}
	})
}

func TestThoseDeletedForGoodAreLookedForEachMinuteFromWhereItWasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var from []int64
		erase := func(_ context.Context, after int64) ([]directory.Erasure, int64, error) {
			from = append(from, after)
			if len(from) == 2 {
				return nil, after, errors.New("disk full")
			}
			return []directory.Erasure{{Members: []int64{7}, Clean: true}}, after + 3, nil
		}
		var log strings.Builder
		stop := eraseDeleted(t.Context(), erase, slog.New(slog.NewTextHandler(&log, nil)))
		time.Sleep(3*time.Minute + time.Second)
		stop()
		if len(from) != 3 || from[0] != 0 || from[1] != 3 || from[2] != 3 {
			t.Errorf("looked from %v", from)
		}
		if text := log.String(); strings.Count(text, "person forgotten") != 2 || strings.Count(text, "disk full") != 1 {
			t.Errorf("the log:\n%s", text)
		}
	})
}

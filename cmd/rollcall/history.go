package main

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// historySettings say how long past states are kept.
type historySettings struct {
	History history `name:"history" env:"ROLLCALL_HISTORY" default:"forever" placeholder:"forever" help:"How long past states are kept, such as 400d, at least an hour; forever removes none."`
}

// A history is how long past states are kept; 0 is for ever.
type history time.Duration

const (
	forever        = "forever"
	leastHistory   = time.Hour
	longestHistory = 100_000 // days
	day            = 24 * time.Hour
)

// UnmarshalText reads days, such as 400d, a duration or forever.
func (h *history) UnmarshalText(text []byte) error {
	if string(text) == forever {
		*h = 0
		return nil
	}
	kept, err := time.ParseDuration(string(text))
	if digits, isDays := strings.CutSuffix(string(text), "d"); isDays {
		var days uint64
		days, err = strconv.ParseUint(digits, 10, 32)
		kept = time.Duration(min(days, longestHistory)) * day
	}
	switch {
	case err != nil:
		return fmt.Errorf("%q is not a time to keep past states for, give one such as 400d or 36h, or forever", text)
	case kept < leastHistory:
		return fmt.Errorf("%s is too short a time to keep past states for, give at least 1h, or forever", text)
	}
	*h = history(kept)
	return nil
}

// String is what UnmarshalText reads.
func (h history) String() string {
	switch kept := time.Duration(h); {
	case kept == 0:
		return forever
	case kept%day == 0:
		return strconv.FormatInt(int64(kept/day), 10) + "d"
	default:
		return kept.String()
	}
}

const (
	firstPruning = time.Minute // after the start, which has enough to do
	pruneEvery   = time.Hour
)

// keepHistory removes what is no longer kept until ctx ends or stop is called,
// which waits for the end.
func keepHistory(ctx context.Context, keep func(context.Context, time.Duration) error, h history, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for pause := firstPruning; ; pause = pruneEvery {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
			if err := keep(ctx, time.Duration(h)); err != nil && ctx.Err() == nil {
				log.Error("past states that are to go stay for another hour", "error", err)
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

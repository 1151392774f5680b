package main

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/directory"
)

// historySettings say how long past states are kept.
type historySettings struct {
	History history `name:"history" env:"ROLLCALL_HISTORY" default:"forever" placeholder:"forever" help:"How long past states are kept, such as 400d, at least an hour; forever removes none."`

	EraseDeleted bool `name:"erase-deleted" env:"ROLLCALL_ERASE_DELETED" help:"Forget members who are gone and whom Tallyfy showed as deleted for good, with an e-mail that ends in .deleted.ID (default: false)."`
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
	eraseEvery   = time.Minute
)

// keepHistory removes what is no longer kept until ctx ends or stop is called,
// which waits for the end.
func keepHistory(ctx context.Context, keep func(context.Context, time.Duration) error, h history, log *slog.Logger) (stop func()) {
	return repeat(ctx, firstPruning, pruneEvery, func(ctx context.Context) {
		if err := keep(ctx, time.Duration(h)); err != nil && ctx.Err() == nil {
			log.Error("past states that are to go stay for another hour", "error", err)
		}
	})
}

// eraseDeleted forgets those whom Tallyfy has deleted for good, as they go.
func eraseDeleted(ctx context.Context, erase func(context.Context, int64) ([]directory.Erasure, int64, error), log *slog.Logger) (stop func()) {
	var seen int64 // the last changeset that was looked at
	return repeat(ctx, eraseEvery, eraseEvery, func(ctx context.Context) {
		all, last, err := erase(ctx, seen)
		seen = last
		for _, done := range all {
			log.Info("person forgotten", "member_ids", done.Members, "guests", done.Guests, "versions", done.Versions, "clean", done.Clean,
				"revision", done.Revision, "cause", "--erase-deleted")
		}
		if err != nil && ctx.Err() == nil {
			log.Error("somebody whom Tallyfy deleted for good could not be forgotten, which is tried again", "error", err)
		}
	})
}

// repeat calls f after a while and then again and again, until ctx ends or
// stop is called, which waits for the end.
func repeat(ctx context.Context, first, pause time.Duration, f func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for wait := first; ; wait = pause {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			f(ctx)
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

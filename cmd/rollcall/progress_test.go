package main

import (
	"bytes"
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
)

func TestProgressLineStaysBelowTheLogAndGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var screen bytes.Buffer
		line := &progressLine{terminal: &screen}
		var status atomic.Pointer[directory.PollStatus]
		status.Store(&directory.PollStatus{State: directory.StateStarting})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go line.follow(ctx, func() directory.PollStatus { return *status.Load() })
		synctest.Wait()

		status.Store(&directory.PollStatus{Progress: &directory.Progress{Listing: "groups", PagesDone: 2, PagesExpected: 100, RowsDone: 200}})
		time.Sleep(progressInterval)
		synctest.Wait()
		line.Write([]byte("a log line\n"))
		status.Store(&directory.PollStatus{State: directory.StateFresh})
		time.Sleep(progressInterval)
		synctest.Wait()

		const drawn = "first sweep: groups, page 2 of 100, 200 rows"
		if got, want := screen.String(), clearLine+drawn+clearLine+"a log line\n"+drawn+clearLine; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

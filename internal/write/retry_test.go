package write

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

const renaming = `{"name":"Renamed","description":"d"}`

// throttle refuses the next writes.
func (w *world) throttle(times int, retryAfter string, before func()) {
	w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("PUT", ""), Times: times, Status: http.StatusTooManyRequests, RetryAfter: retryAfter, Before: before})
}

func TestWriteThatWasNotAdmittedIsSentAgain(t *testing.T) {
	for name, c := range map[string]struct {
		times      int
		retryAfter string
		took       time.Duration
	}{
		"once":       {1, "7", 7 * time.Second},
		"by date":    {1, "Sat, 01 Jan 2000 00:00:07 GMT", 7 * time.Second},
		"thrice":     {3, "3", 9 * time.Second},
		"unsaid":     {1, "", 5 * time.Second},
		"at once":    {2, "0", 2 * time.Second},
		"at the end": {1, "10", 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
				w.throttle(c.times, c.retryAfter, nil)
				began := time.Now()
				w.write("PUT", groups+"/"+w.someGroup().ID, renaming, 201, "applied")
				if took := time.Since(began); took != c.took {
					t.Errorf("it took %v, want %v", took, c.took)
				}
				w.wantEqual()
				for _, r := range w.sim.Requests() {
					if string(r.Body) != renaming {
						t.Errorf("sent %q", r.Body)
					}
				}
				if n := strings.Count(w.log.String(), "\n"); n != 1 {
					t.Errorf("%d lines in the log", n)
				}
			})
		})
	}
}

func TestWriteThatIsNotAdmittedForLongIsRefusedWithTheTimeToWait(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		path := groups + "/" + w.someGroup().ID
		for _, c := range []struct {
			retryAfter string
			took       time.Duration
			sent       int
		}{{"11", 0, 1}, {"6", 6 * time.Second, 2}, {"1", 10 * time.Second, 11}, {"Sat, 01 Jan 2000 01:00:00 GMT", 0, 1}} {
			time.Sleep(time.Minute) // for earlier pauses to be over
			w.throttle(c.sent, c.retryAfter, nil)
			began := time.Now()
			out := w.write("PUT", path, renaming, 429, "")
			if took := time.Since(began); took != c.took || out.Header.Get("Retry-After") != c.retryAfter || w.sent() != c.sent {
				t.Errorf("%q: %d sent in %v, %v; want %d in %v", c.retryAfter, w.sent(), took, out.Header, c.sent, c.took)
			}
			w.sim.ResetRequests()
		}
	})
}

func TestNothingButA429IsSentAgain(t *testing.T) {
	for _, status := range []int{408, 409, 425, 500, 502, 503, 504} {
		inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
			w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("PUT", ""), Status: status, RetryAfter: "1"})
			if _, err := w.send("PUT", groups+"/"+w.someGroup().ID, renaming); err != nil {
				t.Error(err)
			}
			if n := w.sent(); n != 1 {
				t.Errorf("%d: sent %d times", status, n)
			}
		})
	}
}

// It was never admitted, so that nothing is left to be seen through.
func TestWriteThatWasNotAdmittedEndsWithItsClient(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(context.Background())
		w.throttle(1, "5", cancel)
		out, err := w.Group(ctx, w.request(ctx, "PUT", groups+"/"+w.someGroup().ID, renaming), []byte(renaming))
		if err != nil || out.Status != 429 {
			t.Errorf("%+v, %v", out, err)
		}
		w.wantRequests("PUT")
	})
}

// Our own limits forbid the second attempt, so that upstream's word stands.
func TestWriteThatMayNotBeSentAgainKeepsItsRefusal(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		w.throttle(1, "2", func() {
			w.breakUpstream(&directory.UpstreamError{Op: "forward", Reason: directory.ReasonBudget, RetryAfter: time.Minute})
		})
		w.write("PUT", groups+"/"+w.someGroup().ID, renaming, 429, "")
	})
}

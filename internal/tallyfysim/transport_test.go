package tallyfysim_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/tallyfysim"
)

func TestDelaysPassInTheBubblesTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := small(tallyfysim.Options{})
		s.Fault(tallyfysim.Fault{Delay: 30 * time.Second, DelayAnswer: time.Hour})
		start := time.Now()
		get(t, s, "./groups").want(t, http.StatusOK, "")
		if took := time.Since(start); took != time.Hour+30*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestASlowAnswerShowsWhatWasTrueWhenItWasMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := small(tallyfysim.Options{})
		s.Fault(tallyfysim.Fault{Times: 1, Match: tallyfysim.On(http.MethodGet, "/groups/g"), DelayAnswer: time.Minute})
		go func() {
			time.Sleep(time.Second)
			s.UpdateGroup("g", func(g *tallyfysim.Group) { g.Name = "later" })
		}()
		get(t, s, "./groups/g").want(t, http.StatusOK, `"name":"Night shift"`)
		get(t, s, "./groups/g").want(t, http.StatusOK, `"name":"later"`)
	})
}

func TestACancelledRequestEndsAtOnce(t *testing.T) {
	for _, c := range []struct {
		name    string
		fault   tallyfysim.Fault
		handled bool
	}{
		{"before it is looked at", tallyfysim.Fault{Delay: time.Hour}, false},
		{"after it took effect", tallyfysim.Fault{DelayAnswer: time.Hour}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := small(tallyfysim.Options{})
				s.Fault(c.fault)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				start := time.Now()
				_, err := s.Transport().RoundTrip(newRequest(t, s, http.MethodDelete, "./groups/g", "").WithContext(ctx))
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
					t.Errorf("got %v after %v", err, time.Since(start))
				}
				if _, there := s.Group("g"); there == c.handled {
					t.Errorf("the group is there: %v", there)
				}
			})
		})
	}
}

func TestAClientsTimeoutWorksInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := small(tallyfysim.Options{})
		s.Fault(tallyfysim.Fault{Delay: time.Hour})
		client := &http.Client{Transport: s.Transport(), Timeout: time.Minute}
		start := time.Now()
		_, err := client.Do(newRequest(t, s, http.MethodGet, "/me", ""))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}

func TestABodyEndsWithItsContext(t *testing.T) {
	s := small(tallyfysim.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	res, err := s.Transport().RoundTrip(newRequest(t, s, http.MethodGet, "./users", "").WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(res.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	res.Body.Close()
	if _, err := res.Body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Errorf("got %v", err)
	}
}

// closing tells whether a body was closed.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

func TestRoundTripClosesTheRequestsBody(t *testing.T) {
	s := small(tallyfysim.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, ctx := range []context.Context{t.Context(), ctx} {
		body := &closing{Reader: strings.NewReader("{}")}
		req := newRequest(t, s, http.MethodPut, "./groups/g", "").WithContext(ctx)
		req.Body = body
		if res, err := s.Transport().RoundTrip(req); err == nil {
			res.Body.Close()
		}
		if !body.closed {
			t.Error("left open")
		}
	}
}

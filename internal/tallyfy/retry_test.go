package tallyfy

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
)

func TestReadsAreRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, status := range []int{429, 502, 503, 504} {
			up := inTurn(answer(status, "busy"), answer(status, ""), answer(status, ""), answer(200, emptyList))
			if _, err := newClient(t, up).GroupPage(t.Context(), 1); err != nil || up.count() != 4 {
				t.Errorf("%d: %v after %d requests", status, err, up.count())
			}
			up = always(status, "")
			if _, err := newClient(t, up).GroupPage(t.Context(), 1); err == nil || up.count() != 4 {
				t.Errorf("%d for ever: %v after %d requests", status, err, up.count())
			}
		}
		for _, status := range []int{400, 401, 403, 404, 409, 422, 500, 501, 521} {
			up := always(status, "")
			if _, err := newClient(t, up).GroupPage(t.Context(), 1); err == nil || up.count() != 1 {
				t.Errorf("%d: %v after %d requests", status, err, up.count())
			}
		}
	})
}

func TestWritesAreNeverRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, status := range []int{429, 500, 502, 503, 504} {
			up := always(status, "")
			resp, err := newClient(t, up).Forward(t.Context(), post(t))
			if err != nil || resp.StatusCode != status || up.count() != 1 {
				t.Errorf("%d: %v after %d requests", status, err, up.count())
			}
		}
		down := &failing{err: errors.New("connection reset by peer")}
		_, err := newClient(t, down).Forward(t.Context(), post(t))
		if wantReason(t, err, directory.ReasonTransport); down.tries != 1 {
			t.Errorf("sent %d times", down.tries)
		}
	})
}

// A failing transport gets no answer.
type failing struct {
	err   error
	hang  bool
	tries int
}

func (f *failing) RoundTrip(r *http.Request) (*http.Response, error) {
	f.tries++
	if f.hang {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return nil, f.err
}

func TestNoAnswerIsRetriedAndThenReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := &failing{err: io.ErrUnexpectedEOF}
		began := time.Now()
		_, err := newClient(t, down).GroupPage(t.Context(), 1)
		wantReason(t, err, directory.ReasonTransport)
		if want := "list groups, page 1: transport: unexpected EOF"; err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		if took := time.Since(began); down.tries != 4 || took < 3*time.Second || took > 6*time.Second {
			t.Errorf("%d tries in %v", down.tries, took)
		}
	})
}

func TestARequestEndsWithItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &failing{hang: true}
		c := newClient(t, slow, func(o *Options) { o.Timeout = 7 * time.Second })
		began := time.Now()
		_, err := c.GroupPage(t.Context(), 1)
		if wantReason(t, err, directory.ReasonTimeout); time.Since(began) != 7*time.Second || slow.tries != 1 {
			t.Errorf("%d tries in %v", slow.tries, time.Since(began))
		}
		_, err = c.Forward(t.Context(), post(t))
		wantReason(t, err, directory.ReasonTimeout)
	})
}

// trickle sends the first byte at once and never a second.
type trickle struct{}

func (trickle) RoundTrip(r *http.Request) (*http.Response, error) {
	out, in := io.Pipe()
	go func() {
		_, _ = in.Write([]byte(`{`))
		<-r.Context().Done()
		_ = in.CloseWithError(r.Context().Err())
	}()
	return &http.Response{StatusCode: 200, Body: out, Header: http.Header{}, Request: r}, nil
}

func TestABodyThatNeverEndsEndsWithTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := newClient(t, trickle{}).GroupPage(t.Context(), 1)
		if wantReason(t, err, directory.ReasonTimeout); time.Since(began) != time.Minute {
			t.Errorf("ended after %v", time.Since(began))
		}
	})
}

func TestAShortRetryAfterIsObeyedAndALongOneReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, status := range []int{429, 503} {
			up := inTurn(answer(status, "", "Retry-After", "30"), answer(200, emptyList))
			began := time.Now()
			_, err := newClient(t, up).GroupPage(t.Context(), 1)
			if took := time.Since(began); err != nil || took != 30*time.Second {
				t.Errorf("%d: %v after %v", status, err, took)
			}
			up = inTurn(answer(status, "", "Retry-After", "31"), answer(200, emptyList))
			began = time.Now()
			_, err = newClient(t, up).GroupPage(t.Context(), 1)
			e, _ := errors.AsType[*directory.UpstreamError](err)
			if e == nil || e.RetryAfter != 31*time.Second || time.Since(began) != 0 || up.count() != 1 {
				t.Errorf("%d: %v after %v", status, err, time.Since(began))
			}
		}
	})
}

func TestA429MakesEverybodyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := inTurn(answer(429, "", "Retry-After", "8"), answer(200, `{"data":{"id":"aa","name":"n","members":[]}}`))
		c := newClient(t, up)
		began := time.Now()
		resp, err := c.Forward(t.Context(), post(t))
		if err != nil || resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "8" {
			t.Fatal(resp, err)
		}
		if paused := c.Budget().PausedUntil; !paused.Equal(began.Add(8 * time.Second)) {
			t.Errorf("paused until %v", paused)
		}
		if _, err := c.Group(t.Context(), "aa"); err != nil || time.Since(began) != 8*time.Second {
			t.Errorf("read after %v: %v", time.Since(began), err)
		}
	})
}

func TestALongPauseFailsReadsAtOnceAndEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := inTurn(answer(429, "", "Retry-After", "86400"), answer(200, emptyList))
		c := newClient(t, up)
		began := time.Now()
		for range 3 {
			_, err := c.GroupPage(t.Context(), 1)
			if e := wantReason(t, err, directory.ReasonThrottled); e.RetryAfter != 15*time.Minute {
				t.Errorf("retry after %v", e.RetryAfter)
			}
		}
		_, err := c.Forward(t.Context(), post(t))
		if e := wantReason(t, err, directory.ReasonBudget); e.RetryAfter != 15*time.Minute || up.count() != 1 {
			t.Errorf("forward: retry after %v, %d requests", e.RetryAfter, up.count())
		}
		time.Sleep(time.Until(began.Add(15 * time.Minute)))
		if _, err := c.GroupPage(t.Context(), 1); err != nil {
			t.Error(err)
		}
	})
}

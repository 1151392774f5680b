package tallyfy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

type laneKey struct{}

func withLane(ctx context.Context, l lane) context.Context {
	return context.WithValue(ctx, laneKey{}, l)
}

// attempts sends each attempt of a request: it waits for the request's turn,
// notes and counts it, bounds its time and obeys a 429.
type attempts struct {
	client  *Client
	next    http.RoundTripper
	timeout time.Duration
}

func (a *attempts) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := a.client.admit(r.Context()); err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	for {
		resp, isStale, err := a.send(r)
		if !isStale || !isRepeatable(r) || a.client.admit(r.Context()) != nil {
			return resp, err
		}
	}
}

// send makes one attempt. The connection was stale if it had been kept and
// turned out to be dead.
func (a *attempts) send(r *http.Request) (resp *http.Response, isStale bool, err error) {
	c := a.client
	ctx, cancel := context.WithTimeoutCause(r.Context(), a.timeout, errSlow)
	began := time.Now()
	resp, err = a.next.RoundTrip(unrepeated(r.WithContext(withReuse(ctx, &isStale))))
	if err != nil {
		cause := context.Cause(ctx)
		cancel()
		c.requests.WithLabelValues("error").Inc()
		if errors.Is(cause, errSlow) {
			return nil, false, errSlow
		}
		return nil, isStale, err
	}
	c.requests.WithLabelValues(statusClass(resp.StatusCode)).Inc()
	c.log.Debug("tallyfy answered", "method", r.Method, "status", resp.StatusCode, "duration", time.Since(began))
	if resp.StatusCode == http.StatusTooManyRequests {
		pause := min(retryAfter(resp), pauseMost)
		c.gate.pause(pause)
		c.log.Warn("tallyfy throttles: all requests wait", "pause", pause)
	}
	resp.Body = &timedBody{body: resp.Body, ctx: ctx, cancel: cancel}
	return resp, false, nil
}

// CloseIdleConnections is what http.Client looks for.
func (a *attempts) CloseIdleConnections() {
	if next, ok := a.next.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}

// admit notes a request and waits until it may leave.
func (c *Client) admit(ctx context.Context) error {
	if err := c.meter.restore(ctx, c.gate); err != nil {
		return err
	}
	l, _ := ctx.Value(laneKey{}).(lane)
	m := c.meter
	if l == listLane {
		m = c.sweeps
	}
	until, err := m.take(ctx) // first, as it may have to write to disk
	if err != nil {
		return err
	}
	if err := c.gate.enter(ctx, l); err != nil {
		m.giveBack(until)
		return err
	}
	if !time.Now().Before(until) { // the note lapsed in a long wait
		_, err = m.take(ctx)
	}
	return err
}

// retryAfter reads how long a throttled or unavailable upstream asks to be
// left alone, in seconds or as a date; 0 where it does not say, for a 429
// pauseDefault, and a second at least where it does.
func retryAfter(resp *http.Response) time.Duration {
	header := strings.TrimSpace(resp.Header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return max(time.Second, time.Duration(seconds)*time.Second)
	}
	if date, err := http.ParseTime(header); err == nil {
		return max(time.Second, time.Until(date))
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		return pauseDefault
	}
	return 0
}

// A timedBody releases the request's timer when it is closed, and tells a
// timeout from a broken connection.
type timedBody struct {
	body   io.ReadCloser
	ctx    context.Context
	cancel context.CancelFunc
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if err != nil && err != io.EOF && errors.Is(context.Cause(b.ctx), errSlow) {
		err = errSlow
	}
	return n, err
}

func (b *timedBody) Close() error {
	defer b.cancel()
	return b.body.Close()
}

package write

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/directory"
)

// mostAnswer bounds the answer to a write: the largest group by far, and some.
const mostAnswer = 64 << 20

// groupID is the id in …/groups/{id}, empty for …/groups.
func groupID(u *url.URL) string {
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	before, last := path[:strings.LastIndexByte(path, '/')+1], path[strings.LastIndexByte(path, '/')+1:]
	if !strings.HasSuffix(before, "/groups/") {
		return ""
	}
	id, err := url.PathUnescape(last)
	if err != nil {
		return last
	}
	return id
}

// turnPatience is how long a write that upstream does not admit is tried.
const turnPatience = 10 * time.Second

// forward sends r with body and reads the whole answer. What upstream did not
// admit, a 429, is sent again when its Retry-After has passed, as long as that
// is within turnPatience and ctx holds; else the 429 is the answer. But for
// that wait, what is sent does not end with ctx.
func (w *Writer) forward(ctx context.Context, r *http.Request, body []byte) (*directory.Outcome, error) {
	until := time.Now().Add(turnPatience)
	out, err := w.once(ctx, r, body)
	for err == nil && out.Status == http.StatusTooManyRequests {
		pause := retryAfter(out.Header)
		if time.Now().Add(pause).After(until) || !sleep(ctx, pause) {
			break
		}
		again, failure := w.once(ctx, r, body)
		if isUnsent(failure) {
			break
		}
		out, err = again, failure
	}
	return out, err
}

// once sends r with body and reads the whole answer. An answer that breaks
// off is lost.
func (w *Writer) once(ctx context.Context, r *http.Request, body []byte) (*directory.Outcome, error) {
	ctx = context.WithoutCancel(ctx)
	out := r.Clone(ctx)
	out.Header.Del("Accept-Encoding") // the answer is read here, so that its coding is the transport's
	out.Body, out.GetBody, out.ContentLength = http.NoBody, nil, int64(len(body))
	if len(body) > 0 {
		out.Body = io.NopCloser(bytes.NewReader(body))
	}
	resp, err := w.upstream.Forward(ctx, out)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer+1))
	if err == nil && len(answer) > mostAnswer {
		err = errors.New("it is over the size limit")
	}
	if err != nil {
		return nil, &directory.UpstreamError{
			Op: "read the answer to " + r.Method, Reason: directory.ReasonTransport, Err: err,
		}
	}
	return &directory.Outcome{Status: resp.StatusCode, Header: resp.Header, Body: answer}, nil
}

// retryAfter reads how long a throttled upstream asks to be left alone, in
// seconds or as a date: at least a second, and a few where it does not say.
func retryAfter(h http.Header) time.Duration {
	const unsaid = 5 * time.Second
	text := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return max(time.Second, time.Duration(seconds)*time.Second)
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(time.Second, time.Until(date))
	}
	return unsaid
}

// sleep waits and reports whether ctx still holds.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

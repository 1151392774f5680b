package tallyfy

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"rollcall/internal/directory"
)

const (
	retries      = 3
	firstBackoff = 500 * time.Millisecond
	lastBackoff  = 8 * time.Second
)

// newRetrier repeats reads that were throttled, met a gateway's failure or
// got no answer. Only reads go through it.
func newRetrier(once *http.Client) *retryablehttp.Client {
	return &retryablehttp.Client{
		HTTPClient:   once,
		RetryMax:     retries,
		CheckRetry:   mayRetry,
		Backoff:      backoff,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
}

// mayRetry tells whether a read is worth another attempt at once. Beyond a
// short Retry-After the schedule is the place to wait; a request that took
// all its time would take it again; what the gate refuses, it will again.
func mayRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	if err != nil {
		if _, ours := errors.AsType[*directory.UpstreamError](err); ours || errors.Is(err, errSlow) {
			return false, nil
		}
		return retryablehttp.DefaultRetryPolicy(ctx, nil, err)
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return retryAfter(resp) <= pausePatience, nil
	}
	return false, nil
}

// backoff obeys Retry-After, which mayRetry has found short, and else doubles
// with jitter. After a 429 the gate makes everybody wait, so this adds nothing.
func backoff(_, _ time.Duration, attempt int, resp *http.Response) time.Duration {
	if resp != nil {
		if told := retryAfter(resp); told > 0 {
			return told
		}
	}
	wait := min(firstBackoff<<attempt, lastBackoff)
	return wait + rand.N(wait/5)
}

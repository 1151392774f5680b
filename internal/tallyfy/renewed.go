package tallyfy

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"rollcall/internal/directory"
)

const (
	// youngToken is the age below which a token's refusal says that the next
	// one may well be refused, too.
	youngToken = 2 * time.Minute

	firstRest = 5 * time.Second // after the first failure
	lastRest  = 2 * time.Minute // what doubling leads to
)

// A renewed token is asked for when it is first needed, again in the last
// tenth of its life, while the old one is still used, and once when it was
// refused. Whoever needs it meanwhile shares the one request under way. After
// a failure, and after a token that was refused soon, the next request waits;
// until then a refused token that has not expired is used, as upstream may
// have refused more than the token.
type renewed struct {
	kind   directory.TokenKind
	ask    func(context.Context) (lease, error)
	mended func(context.Context) bool // whether what may have made ask fail was changed
	log    *slog.Logger

	mu       sync.Mutex
	lease    lease
	refused  bool      // upstream answered 401 to it
	flight   *flight   // the request under way, nil for none
	failure  error     // of the last request, nil after a success
	failures int       // in a row
	refusals int       // of young tokens in a row
	restTill time.Time // nothing is asked before
}

// A flight is one request for a token; token and err are set when done is
// closed.
type flight struct {
	done   chan struct{}
	cancel context.CancelFunc
	token  string
	err    error
}

func (r *renewed) Token(ctx context.Context) (string, error) {
	r.mu.Lock()
	now := time.Now()
	if r.flight == nil && (r.refused || r.lease.isDue(now)) && r.mayAsk(ctx, now) {
		r.begin(ctx)
	}
	f, token, failure := r.flight, r.lease.token, r.failure
	holds := r.lease.holds(now)
	isGood := holds && !r.refused
	r.mu.Unlock()
	switch {
	case isGood || f == nil && holds:
		return token, nil
	case f == nil && failure != nil:
		return "", failure
	case f == nil:
		return "", errFutile
	}
	select {
	case <-f.done:
		return f.token, f.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (r *renewed) mayAsk(ctx context.Context, now time.Time) bool {
	return !now.Before(r.restTill) || r.failure != nil && r.mended(ctx)
}

// begin sends a request, which outlives the caller that needs it first. The
// caller holds mu.
func (r *renewed) begin(ctx context.Context) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight{done: make(chan struct{}), cancel: cancel}
	r.flight = f
	go func() {
		defer cancel()
		token, err := r.ask(ctx)
		r.land(ctx, f, token, err)
	}()
}

func (r *renewed) land(ctx context.Context, f *flight, got lease, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer close(f.done)
	r.flight = nil
	if err != nil {
		f.err = err
		r.failed(ctx, err)
		return
	}
	if !r.refused {
		r.refusals = 0
	}
	r.lease, r.refused = got, false
	r.failure, r.failures, r.restTill = nil, 0, time.Time{}
	f.token = got.token
	r.log.Info("access token received", append(r.about(), "expires_at", expiryText(got.expires))...)
}

// failed notes a request that brought no token. One that was never sent needs
// no rest. That the present token could not be renewed is told to nobody else
// and logged once.
func (r *renewed) failed(ctx context.Context, err error) {
	r.failure = err
	if reason := directory.ReasonOf(err); ctx.Err() != nil || reason == directory.ReasonBudget || reason == directory.ReasonStorage {
		return
	}
	r.failures++
	pause := rest(r.failures)
	if up, ok := errors.AsType[*directory.UpstreamError](err); ok {
		pause = max(pause, up.RetryAfter)
	}
	now := time.Now()
	r.restTill = now.Add(pause)
	if r.failures == 1 && r.lease.holds(now) && !r.refused {
		r.log.Warn("access token not renewed, the old one is used while it lasts",
			append(r.about(), "expires_at", expiryText(r.lease.expires), "error", err)...)
	}
}

func expiryText(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.UTC().Format(time.RFC3339)
}

func (r *renewed) about() []any { return []any{"kind", string(r.kind)} }

// Refused has the next Token ask for another.
func (r *renewed) Refused(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if token == "" || token != r.lease.token || r.refused {
		return
	}
	r.refused = true
	now := time.Now()
	if now.Sub(r.lease.begins) >= youngToken {
		r.refusals = 0
		return
	}
	r.refusals++
	if till := now.Add(rest(r.refusals - 1)); till.After(r.restTill) {
		r.restTill = till
	}
}

// rest is the pause before the next request after so many failures.
func rest(failures int) time.Duration {
	if failures <= 0 {
		return 0
	}
	return min(firstRest<<min(failures-1, 10), lastRest)
}

func (r *renewed) expiry(context.Context) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lease.expires
}

// close ends a request under way.
func (r *renewed) close() {
	r.mu.Lock()
	f := r.flight
	r.mu.Unlock()
	if f != nil {
		f.cancel()
		<-f.done
	}
}

func (r *renewed) String() string       { return redacted }
func (r *renewed) GoString() string     { return redacted }
func (r *renewed) LogValue() slog.Value { return slog.StringValue(redacted) }

package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/internal/directory"
)

// A Status is what Rollcall knows of itself.
type Status struct {
	Organization      string              `json:"organization" doc:"The mirrored organisation."`
	Revision          int64               `json:"revision" doc:"0 before the first sweep."`
	Epoch             string              `json:"epoch"`
	State             string              `json:"state" enum:"unauthorized,held,failing,starting,stale,fresh" doc:"The first that applies: Tallyfy refuses the token; a sweep is held; the last attempt failed; no data yet; older than three effective intervals; fresh."`
	StateSince        *time.Time          `json:"state_since"`
	ConfirmedAt       *time.Time          `json:"confirmed_at" doc:"When the request left that confirmed the oldest row."`
	LastAttemptAt     *time.Time          `json:"last_attempt_at"`
	LastError         OrNull[LastError]   `json:"last_error" doc:"The failure of the last attempt: why, and which request, with the list and its page; null after a success."`
	Rows              directory.Counts    `json:"rows"`
	HistorySince      *time.Time          `json:"history_since" doc:"When the first state was published that as_of and the feed show; null before the first of all."`
	NextSweepAt       *time.Time          `json:"next_sweep_at" doc:"Null while one runs."`
	EffectiveInterval string              `json:"effective_interval" example:"1m0s" doc:"The time from one sweep to the next, as it is now: the poll interval, or longer."`
	IntervalReason    string              `json:"effective_interval_reason" example:"A sweep takes 111 requests, and sweeps may make 630 an hour." doc:"Why it is what it is, for a person."`
	Budget            Budget              `json:"budget" doc:"What is left of the limits on requests to Tallyfy."`
	Drift             map[string]int      `json:"drift" doc:"Rows of the last sweep that are not as documented, or not as rows used to be, counted by field: fields never seen before, gone, or of another kind, and values that make no sense. At most a hundred names; the rest is other."`
	Progress          OrNull[Progress]    `json:"progress" doc:"Of a running sweep; null while none runs."`
	Token             OrNull[TokenStatus] `json:"token" doc:"The token that sweeps use; null where there is none, as when a file is read."`
	Held              OrNull[Held]        `json:"held" doc:"What the last whole sweep would remove, so much that nothing of it was published; null while nothing is held."`
}

// A Budget is what is left of the limits on requests to Tallyfy. A limit of
// 0 means none.
type Budget struct {
	MinuteLimit     int        `json:"minute_limit"`
	MinuteRemaining int        `json:"minute_remaining"`
	HourLimit       int        `json:"hour_limit"`
	HourRemaining   int        `json:"hour_remaining"`
	PausedUntil     *time.Time `json:"paused_until" doc:"After Tallyfy answered 429; null else."`
}

func budget(b directory.Budget) Budget {
	return Budget{b.MinuteLimit, b.MinuteRemaining, b.HourLimit, b.HourRemaining, instant(b.PausedUntil)}
}

// A TokenStatus is what may be told of the token that sweeps use.
type TokenStatus struct {
	Kind      string     `json:"kind" enum:"personal,application,act_as" doc:"personal: given as it is, and ended when its owner logs out; application: asked for with client credentials; act_as: a user's, minted with these. The last two are renewed by themselves."`
	ExpiresAt *time.Time `json:"expires_at" doc:"Null when nothing tells."`
}

func tokenStatus(t directory.TokenInfo) OrNull[TokenStatus] {
	if t.Kind == "" {
		return OrNull[TokenStatus]{}
	}
	return OrNull[TokenStatus]{&TokenStatus{string(t.Kind), instant(t.ExpiresAt)}}
}

// A LastError is the failure of the last attempt.
type LastError struct {
	At      *time.Time `json:"at"`
	Reason  string     `json:"reason" example:"throttled" doc:"One of a fixed list, also in the metrics."`
	Message string     `json:"message" doc:"For a person: which request failed, and how."`
}

func lastError(e *directory.LastError) OrNull[LastError] {
	if e == nil {
		return OrNull[LastError]{}
	}
	return OrNull[LastError]{&LastError{instant(e.At), string(e.Reason), e.Message}}
}

// A Progress tells how far a running sweep has come.
type Progress struct {
	BeganAt       *time.Time `json:"began_at"`
	Listing       string     `json:"listing" doc:"members or groups."`
	PagesDone     int        `json:"pages_done"`
	PagesExpected int        `json:"pages_expected" doc:"A guess from the first page; 0 until it came."`
	RowsDone      int        `json:"rows_done"`
}

func progress(p *directory.Progress) OrNull[Progress] {
	if p == nil {
		return OrNull[Progress]{}
	}
	return OrNull[Progress]{&Progress{instant(p.BeganAt), p.Listing, p.PagesDone, p.PagesExpected, p.RowsDone}}
}

// A StatusInput is nothing.
type StatusInput struct{}

// An OwnOutput is an answer about Rollcall itself. It moves without a
// revision and carries no ETag.
type OwnOutput[T any] struct {
	Status int
	Freshness
	FeedCursor string `header:"Rollcall-Cursor" doc:"The present place in the feed of changes; opaque, absent before the first revision."`
	Body       One[T]
}

var statusDoc = doc{"get-status", "How is Rollcall", "State, age, counts, errors and budget. It answers before there is data, too.", "itself"}

func (s *server) status(ctx context.Context, _ *StatusInput) (*OwnOutput[Status], error) {
	f, err := s.Mirror.Freshness(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.Mirror.Counts(ctx)
	if err != nil {
		return nil, err
	}
	status := newStatus(s.Organization, f, s.Poller.Status(), rows)
	since, err := s.Mirror.KeptSince(ctx)
	if err != nil {
		return nil, err
	}
	status.HistorySince = instant(since)
	status.Budget, status.Token = budget(s.Upstream.Budget()), tokenStatus(s.Upstream.TokenInfo(ctx))
	return own(f, http.StatusOK, status), nil
}

func own[T any](f directory.Freshness, status int, data T) *OwnOutput[T] {
	out := &OwnOutput[T]{Status: status, Freshness: freshnessOf(f, time.Now()), Body: One[T]{data, shown(f)}}
	if f.Revision > 0 {
		out.FeedCursor = feedPlace(f)
	}
	return out
}

func newStatus(org string, f directory.Freshness, p directory.PollStatus, rows directory.Counts) Status {
	drift := p.Drift
	if drift == nil {
		drift = map[string]int{}
	}
	return Status{
		Organization: org, Revision: f.Revision, Epoch: f.Epoch,
		State: string(p.State), StateSince: instant(p.StateSince), ConfirmedAt: instant(f.ConfirmedAt),
		LastAttemptAt: instant(p.LastAttemptAt), LastError: lastError(p.LastError), Rows: rows,
		NextSweepAt: instant(p.NextSweepAt), EffectiveInterval: p.EffectiveInterval.String(), IntervalReason: p.IntervalReason,
		Drift: drift, Progress: progress(p.Progress), Held: held(p.Held),
	}
}

// OrNull is an object or null, which huma cannot say of an object by itself.
type OrNull[T any] struct{ Value *T }

// MarshalJSON is that of the object, or null.
func (o OrNull[T]) MarshalJSON() ([]byte, error) { return json.Marshal(o.Value) }

// Schema is that of the object, or null.
func (OrNull[T]) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{r.Schema(reflect.TypeFor[T](), true, ""), {Type: "null"}}}
}

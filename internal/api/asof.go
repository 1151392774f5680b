package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/directory"
)

// A Dated asks for a past state.
type Dated struct {
	AsOf string `query:"as_of" example:"2026-03-01" doc:"The past state to answer from: an RFC 3339 instant (a space is read as +), a date (00:00 UTC) or rev:7. The answer is the last revision published at or before it, and fields that move without history, such as last_login_at, are null. An instant to come is 422, one before the first revision 404, one no longer kept 410."`
}

// asOf reads as_of, nil for the present.
func (in *Dated) asOf() (*directory.AsOf, error) { return parseMoment("as_of", in.AsOf) }

// parseMoment reads a parameter that names a past state, nil if it is empty.
func parseMoment(parameter, text string) (*directory.AsOf, error) {
	if text == "" {
		return nil, nil
	}
	if number, ok := strings.CutPrefix(text, "rev:"); ok {
		revision, err := strconv.ParseInt(number, 10, 64)
		if err != nil || revision < 1 {
			return nil, invalid(parameter, "names no revision: rev: and a number from 1 on, such as rev:7")
		}
		return &directory.AsOf{Revision: revision}, nil
	}
	instant, err := parseInstant(text)
	switch {
	case err != nil:
		return nil, invalid(parameter, "is none of an RFC 3339 instant, such as 2026-03-01T09:00:00Z, a date, such as 2026-03-01, and a revision, such as rev:7")
	case instant.After(time.Now()):
		return nil, invalid(parameter, "has not come yet: leave it out for the present")
	}
	return &directory.AsOf{Instant: instant}, nil
}

// parseInstant takes a space for a plus, as which it is often sent.
func parseInstant(text string) (time.Time, error) {
	if date, err := time.Parse(time.DateOnly, text); err == nil {
		return date, nil
	}
	return time.Parse(time.RFC3339Nano, strings.ReplaceAll(text, " ", "+"))
}

// A Historian knows which past states are kept.
type Historian interface {
	// KeptSince returns when the first state was published that as_of and the
	// feed show; zero before the first of all.
	KeptSince(context.Context) (time.Time, error)
}

// A Then tells which past state an answer shows.
type Then struct {
	Revision        int64      `json:"revision"`
	ConfirmedBefore *time.Time `json:"confirmed_before" doc:"The last confirmation at or before the instant; null where none is known."`
	ConfirmedAfter  *time.Time `json:"confirmed_after" doc:"The first confirmation after it; null until there is one, and while it is, the answer has no ETag."`
}

func then(t *directory.Then) *Then {
	if t == nil {
		return nil
	}
	return &Then{t.Revision, instant(t.ConfirmedBefore), instant(t.ConfirmedAfter)}
}

// isDated reports whether a request asks for a past state, however its query is
// written.
func isDated(r *http.Request) bool {
	raw := r.URL.RawQuery
	return strings.ContainsAny(raw, "_%") && r.URL.Query().Has("as_of")
}

// isSettled reports whether an answer can no longer change but with a revision.
func isSettled(f directory.Freshness) bool { return f.Then == nil || !f.Then.ConfirmedAfter.IsZero() }

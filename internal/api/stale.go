package api

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"rollcall/internal/directory"
)

// An unmetError says why rows could not be refreshed as a demand asks.
type unmetError struct{ error }

func (e *unmetError) Unwrap() error { return e.error }

var (
	errOnlyCached  = errors.New("only-if-cached")
	errPatience    = errors.New("no refresh ended in time")
	errStopping    = errors.New("the server is about to stop")
	errUnconfirmed = errors.New("the refresh did not confirm every row of the answer")
)

// unmetReasons are the reasons that are not upstream's, in a word for
// Cache-Status and in a sentence for a person.
var unmetReasons = []struct {
	err            error
	word, sentence string
}{
	{errOnlyCached, notCached, "only-if-cached forbids to ask Tallyfy."},
	{errPatience, "timeout", "No refresh ended within the time that --refresh-wait gives it."},
	{errStopping, "stopping", "The server is about to stop."},
	{directory.ErrHeld, "held", "Tallyfy shows suspiciously little, which is not believed yet: see /v1/status."},
	{directory.ErrSuperseded, "superseded", "Writes came between again and again."},
	{errUnconfirmed, "unconfirmed", "A refresh did not confirm every row of the answer: some wait for a proof that they are gone, or a cursor shows a past revision."},
}

// why returns the reason in a word and in a sentence, and when it is worth
// trying again, 0 for not known.
func (e *unmetError) why() (word, sentence string, retryAfter time.Duration) {
	if up, ok := errors.AsType[*directory.UpstreamError](e); ok {
		return string(up.Reason), explainUpstream(up).Detail, up.RetryAfter
	}
	for _, r := range unmetReasons {
		if errors.Is(e, r.err) {
			return r.word, r.sentence, 0
		}
	}
	return string(directory.ReasonInternal), "Something went wrong inside Rollcall; its log tells more under the request id.", 0
}

// isFault reports whether the reason is one of Rollcall's own.
func (e *unmetError) isFault() bool {
	word, _, _ := e.why()
	return word == string(directory.ReasonInternal) || word == string(directory.ReasonStorage)
}

// tooOldFor refuses an answer that is older than the request allows.
func (s *server) tooOldFor(r *http.Request, unmet *unmetError, f directory.Freshness) *Problem {
	age := "of an age that cannot be told, as the clock was set back"
	if since := time.Since(f.ConfirmedAt); since >= 0 {
		age = since.Round(time.Second).String() + " old"
	}
	_, sentence, retryAfter := unmet.why()
	p := newProblem(http.StatusGatewayTimeout, tooStale, "Too stale: what is known is %s, Cache-Control asks for younger, and it could not be refreshed. %s "+
		"Where older rows will do, say so with stale-if-error.", age, sentence)
	if errors.Is(unmet, errOnlyCached) {
		p = newProblem(http.StatusGatewayTimeout, notCached, "Not cached: what is known is %s, Cache-Control asks for younger, and %s Leave one of them out.", age, sentence)
	}
	p.cause = unmet
	if unmet.isFault() {
		p.RequestID = RequestID(r.Context())
	}
	if retryAfter > 0 {
		p.header.Set("Retry-After", seconds(retryAfter))
	}
	freshnessFor(r, f).set(p.header)
	return p
}

// isTooStale reports whether an error says that rows could not be refreshed.
func isTooStale(err error) bool {
	p, ok := errors.AsType[*Problem](err)
	return ok && p.Type == tooStale
}

// notMirrored answers those who want what is cached and ask for something
// else.
func notMirrored() *Problem {
	p := newProblem(http.StatusGatewayTimeout, notCached, "Not cached: this goes to Tallyfy, which only-if-cached forbids: leave that out.")
	p.header.Set("Cache-Status", "rollcall; detail="+notCached)
	return p
}

// nothingCached answers those who want what is cached before there is data.
func (s *server) nothingCached() *Problem {
	p := newProblem(http.StatusGatewayTimeout, notCached, "Not cached: there is no data yet, and only-if-cached forbids to ask Tallyfy. Try again later.")
	p.header.Set("Retry-After", s.noData().header.Get("Retry-After"))
	return p
}

// dated says of a row that is not there how old that knowledge is.
func (s *server) dated(r *http.Request, miss error, f directory.Freshness) error {
	if miss == nil {
		return nil
	}
	p := s.explain(miss)
	freshnessFor(r, f).set(p.header)
	return p
}

// cacheHit is the Cache-Status (RFC 9211) of an answer for which nothing was
// asked of upstream.
const cacheHit = "rollcall; hit"

// say sets what the Cache-Status of the answer will be.
func say(r *http.Request, cacheStatus string) { infoOf(r.Context()).cacheStatus = cacheStatus }

func cacheStatus(r *http.Request) string {
	if said := infoOf(r.Context()).cacheStatus; said != "" {
		return said
	}
	return cacheHit
}

func renewedStatus(done directory.Renewal) string {
	status := "rollcall; fwd=request; stored"
	if done.Shared {
		status += "; collapsed"
	}
	return status
}

// unmetStatus tells by how much an answer is older than it should be, and why.
// It is shown all the same, or not at all.
func unmetStatus(unmet *unmetError, d demand, confirmed time.Time, isShown bool) string {
	status := "rollcall"
	word, _, _ := unmet.why()
	isAsked := word != notCached && word != string(directory.ReasonBudget)
	up, isUpstreams := errors.AsType[*directory.UpstreamError](unmet)
	switch {
	case isAsked && isUpstreams && up.Status != 0:
		status += "; fwd=request; fwd-status=" + strconv.Itoa(up.Status)
	case isAsked:
		status += "; fwd=request"
	case isShown:
		status += "; hit"
	}
	left := d.maxAge.limit - time.Since(confirmed)
	return fmt.Sprintf("%s; ttl=%d; detail=%s", status, left/time.Second, word)
}

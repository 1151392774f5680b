package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/directory"
)

// statusClientGone is what the log and the metrics say of a request whose
// client did not wait for the answer; nobody receives it.
const statusClientGone = 499

// explain is the one table from error to answer. What it does not know is a
// fault of Rollcall: a dull 500, the detail goes to the log.
func (s *server) explain(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if p := s.explainAccess(err); p != nil {
		return p
	}
	if p := explainQuery(err); p != nil {
		return p
	}
	if errors.Is(err, context.Canceled) {
		return newProblem(statusClientGone, blank, "The client went away.")
	}
	if body, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return newProblem(http.StatusRequestEntityTooLarge, tooLarge, "The body is larger than the limit of %d bytes.", body.Limit)
	}
	if up, ok := errors.AsType[*directory.UpstreamError](err); ok {
		return explainUpstream(up)
	}
	if name, ok := errors.AsType[*directory.AmbiguousNameError](err); ok {
		p := newProblem(http.StatusConflict, ambiguousName, "%d groups have the name %.200q: name one by its id.", len(name.IDs), name.Name)
		p.IDs = name.IDs
		return p
	}
	if unknown, ok := errors.AsType[*directory.UnknownGroupError](err); ok {
		return newProblem(http.StatusNotFound, unknownGroup, "No group has the id or name %.200q: /v1/groups lists those there are.", unknown.Name)
	}
	if held, ok := errors.AsType[*directory.HeldChangedError](err); ok {
		p := newProblem(http.StatusConflict, heldChanged, "The sweep would remove other rows than those accepted, so nothing was published. They are held as %s: "+
			"/v1/status says what they are, and POST /v1/sync?accept_removals=%s accepts them.", held.ID, held.ID)
		p.HeldID = held.ID
		return p
	}
	if early, ok := errors.AsType[*directory.TooEarlyError](err); ok {
		return newProblem(http.StatusNotFound, unknownInstant, "Nothing is known of the time before %s, when the first revision was published: ask for that instant or a later one.",
			early.First.Format(time.RFC3339Nano))
	}
	switch {
	case errors.Is(err, directory.ErrHeld):
		return newProblem(http.StatusBadGateway, upstreamRefused, "Tallyfy shows the group with suspiciously few of its members, which is not believed until a sweep shows the same: "+
			"one has been asked for, try again after it.")
	case errors.Is(err, directory.ErrUnknownGroup):
		return newProblem(http.StatusNotFound, unknownGroup, "No group has this id or name: /v1/groups lists those there are.")
	case errors.Is(err, directory.ErrUnknownPerson):
		return newProblem(http.StatusNotFound, unknownPerson, "Nobody has this id or e-mail: /v1/members lists the members, and a guest is known while a group holds it.")
	case errors.Is(err, directory.ErrCursorGone):
		return newProblem(http.StatusGone, cursorGone, "The cursor's revision is no longer in this database: begin again without a cursor.")
	case errors.Is(err, directory.ErrReversed):
		return invalid("from", "names a later state than to: turn them round")
	case errors.Is(err, directory.ErrFuture):
		return invalid("as_of", "names a revision that has not come yet: leave it out for the present")
	case errors.Is(err, directory.ErrPruned):
		return newProblem(http.StatusGone, pruned, "So old a state is no longer kept: --history says how long states are.")
	case errors.Is(err, directory.ErrNotKept):
		p := newProblem(http.StatusServiceUnavailable, blank, "The file could not be made in the folder beside the database: free space on its disk, or make it writable, then try again. "+
			"The log tells more.")
		p.header.Set("Retry-After", seconds(time.Minute))
		return p
	case errors.Is(err, directory.ErrNoData):
		return s.noData()
	}
	p := newProblem(http.StatusInternalServerError, blank, "Something went wrong inside Rollcall; its log tells more under the request id.")
	p.cause = err
	return p
}

// explainUpstream tells of a request that upstream did not answer well. Its
// answers to forwarded requests are no errors and go back as they came.
func explainUpstream(up *directory.UpstreamError) *Problem {
	var p *Problem
	switch up.Reason {
	case directory.ReasonBudget:
		p = newProblem(http.StatusTooManyRequests, tooManyRequests, "The budget of requests to Tallyfy is spent for now: try again later.")
	case directory.ReasonThrottled:
		p = newProblem(http.StatusTooManyRequests, tooManyRequests, "Tallyfy limits requests for now: try again later.")
	case directory.ReasonUnauthorized:
		p = newProblem(http.StatusBadGateway, upstreamUnauth, "Tallyfy refuses the token that Rollcall was started with: give it a new one.")
	case directory.ReasonTimeout:
		p = newProblem(http.StatusGatewayTimeout, upstreamRefused, "Tallyfy did not answer in time (%s).", up.Op)
	case directory.ReasonStorage:
		p = newProblem(http.StatusServiceUnavailable, blank, "Nothing was sent to Tallyfy, because Rollcall's database cannot be written and every request is noted there "+
			"before it leaves: free space on its disk, or make it writable again, then try again. The log tells more under the request id.")
		p.header.Set("Retry-After", seconds(time.Minute))
	case directory.ReasonInternal:
		p = newProblem(http.StatusInternalServerError, blank, "Something went wrong inside Rollcall; its log tells more under the request id.")
	default:
		p = newProblem(http.StatusBadGateway, upstreamRefused, "Tallyfy could not be used: %s.", plain(up))
	}
	p.cause = up
	if up.RetryAfter > 0 || p.Status == http.StatusTooManyRequests {
		p.header.Set("Retry-After", seconds(up.RetryAfter))
	}
	return p
}

// plain says what upstream did without what lies below it: causes may name
// hosts and addresses.
func plain(up *directory.UpstreamError) string {
	return (&directory.UpstreamError{Op: up.Op, Reason: up.Reason, Status: up.Status, Code: up.Code}).Error()
}

// noData says why there is nothing to answer from yet.
func (s *server) noData() *Problem {
	status := s.Poller.Status()
	why := string(status.State)
	if status.LastError != nil {
		why = string(status.LastError.Reason)
	}
	p := newProblem(http.StatusServiceUnavailable, noDataYet, "No data yet: the first sweep of Tallyfy has not succeeded (%s). Try again later.", why)
	p.header.Set("Retry-After", seconds(time.Until(status.NextSweepAt)))
	return p
}

// seconds is a Retry-After: whole seconds, at least one, at most an hour.
func seconds(d time.Duration) string {
	return strconv.Itoa(int(math.Ceil(min(max(d, time.Second), time.Hour).Seconds())))
}

// fail answers with what err means, in the shape of the surface.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	s.answer(w, r, s.finish(r, err))
}

func (s *server) answer(w http.ResponseWriter, r *http.Request, p *Problem) {
	w.Header().Set("Cache-Control", cacheControl)
	for name, values := range p.header {
		w.Header()[name] = values
	}
	if p.Status == statusClientGone {
		w.WriteHeader(p.Status)
		return
	}
	if isV1(r.URL.Path) {
		s.writeJSON(w, r, p.Status, p.ContentType(""), p)
		return
	}
	s.writeJSON(w, r, p.Status, "application/json", tallyfyShape(p))
}

// finish explains err and adds what is known of the request: the request id,
// the line in the log.
func (s *server) finish(r *http.Request, err error) *Problem {
	p := s.explain(err)
	switch {
	case isRefusal(p):
		infoOf(r.Context()).told = true
		s.refused.log(s.Logger, r, p)
	case p.Status == http.StatusInternalServerError, directory.ReasonOf(p.cause) == directory.ReasonStorage:
		p.RequestID = RequestID(r.Context())
		s.Logger.ErrorContext(r.Context(), "request failed", "err", err, "route", route(r), "request_id", p.RequestID)
	}
	return p
}

// isMiss reports whether an error says that a row is not there.
func isMiss(err error) bool {
	_, ambiguous := errors.AsType[*directory.AmbiguousNameError](err)
	return ambiguous || errors.Is(err, directory.ErrUnknownGroup) || errors.Is(err, directory.ErrUnknownPerson)
}

func noEndpoint(http.ResponseWriter, *http.Request) error { return noSuchEndpoint() }

func noSuchEndpoint() *Problem {
	return newProblem(http.StatusNotFound, noSuchPath, "There is nothing at this path: /docs lists what there is.")
}

// writeJSON encodes to memory first, so that what cannot be encoded can
// still become a 500.
func (s *server) writeJSON(w http.ResponseWriter, r *http.Request, status int, contentType string, v any) {
	body, err := encode(v)
	if err != nil {
		s.Logger.ErrorContext(r.Context(), "answer cannot be encoded", "err", err, "route", route(r))
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	writeBody(w, status, contentType, body)
}

func writeBody(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have gone
}

func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return buf.Bytes(), err
}

func isV1(path string) bool { return path == "/v1" || strings.HasPrefix(path, "/v1/") }

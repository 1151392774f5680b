package api

import (
	"fmt"
	"net/http"
)

// A Problem says what went wrong and what to do about it. On /v1 it is the
// body as it is (RFC 9457); on Tallyfy's surface it takes Tallyfy's shapes.
type Problem struct {
	Type      string          `json:"type" example:"unknown-group" doc:"What kind of problem it is, one of a fixed list; about:blank where the status says it all."`
	Title     string          `json:"title" example:"Not Found" doc:"The status in words."`
	Status    int             `json:"status" example:"404" doc:"The HTTP status."`
	Detail    string          `json:"detail" example:"No group has this id or name." doc:"What happened and what to do, for a person."`
	IDs       []string        `json:"ids,omitempty" doc:"Of ambiguous-name: the groups that bear the name."`
	Version   string          `json:"version,omitempty" example:"5f0c2a9d41e7b836" doc:"Of precondition-failed: the group's version as of now."`
	HeldID    string          `json:"held_id,omitempty" example:"5f0c2a9d41e7b836" doc:"Of held-changed: what is held now."`
	Errors    []ProblemDetail `json:"errors,omitempty" doc:"Of invalid-parameter: each fault on its own. Of upstream-refused: the faults that Tallyfy finds in an edit."`
	RequestID string          `json:"request_id,omitempty" doc:"Under which the log tells more."`

	Differences []Difference `json:"differences,omitempty" doc:"Of edit-conflict: what came back otherwise than it was sent."`

	header http.Header // sent beside it
	cause  error       // for the log; never shown
}

// A ProblemDetail is one fault of a request.
type ProblemDetail struct {
	Location string `json:"location" example:"query.limit" doc:"Where it is."`
	Message  string `json:"message" example:"expected number <= 1000" doc:"What it is."`
}

// The kinds of problem, a fixed list.
const (
	unauthenticatedType = "unauthenticated"
	forbiddenType       = "forbidden"
	unknownGroup        = "unknown-group"
	unknownPerson       = "unknown-person"
	noSuchPath          = "no-such-path"
	unknownInstant      = "unknown-instant"
	pruned              = "pruned"
	ambiguousName       = "ambiguous-name"
	editConflict        = "edit-conflict"
	heldChanged         = "held-changed"
	stillExists         = "still-exists"
	cursorGone          = "cursor-gone"
	preconditionFailed  = "precondition-failed"
	tooLarge            = "too-large"
	invalidParameter    = "invalid-parameter"
	tooManyRequests     = "too-many-requests"
	queryRefused        = "query-refused"
	upstreamRefused     = "upstream-refused"
	upstreamUnauth      = "upstream-unauthorized"
	noDataYet           = "no-data-yet"
	tooStale            = "too-stale"
	notCached           = "not-cached"
	outcomeUnknown      = "outcome-unknown"
	blank               = "about:blank"
)

func newProblem(status int, kind, format string, args ...any) *Problem {
	return &Problem{
		Type: kind, Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...),
		header: http.Header{},
	}
}

// invalid names the parameter at fault.
func invalid(parameter, format string, args ...any) *Problem {
	p := invalidAt("query."+parameter, format, args...)
	p.Detail = parameter + ": " + p.Errors[0].Message
	return p
}

// invalidAt names the place at fault, be it in the body or a header.
func invalidAt(location, format string, args ...any) *Problem {
	detail := ProblemDetail{location, fmt.Sprintf(format, args...)}
	p := newProblem(http.StatusUnprocessableEntity, invalidParameter, "%s: %s", location, detail.Message)
	p.Errors = []ProblemDetail{detail}
	return p
}

// Error is what the log says.
func (p *Problem) Error() string {
	text := fmt.Sprintf("%d %s: %s", p.Status, p.Type, p.Detail)
	if p.cause != nil {
		text += ": " + p.cause.Error()
	}
	return text
}

func (p *Problem) Unwrap() error { return p.cause }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders returns what is sent beside the problem.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType is that of RFC 9457, whatever was negotiated.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

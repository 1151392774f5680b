package api

import (
	"errors"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"rollcall/internal/access"
)

// explainAccess words what package access refuses; nil for other errors.
func (s *server) explainAccess(err error) *Problem {
	if later, ok := errors.AsType[*access.RetryLaterError](err); ok {
		p := newProblem(http.StatusServiceUnavailable, blank, "What this token may see cannot be asked of Tallyfy now: try again later.")
		p.header.Set("Retry-After", seconds(later.After))
		p.cause = err
		return p
	}
	if no, ok := errors.AsType[*access.ForbiddenError](err); ok {
		return forbidden("%s.", capitalized(no.Error()))
	}
	if errors.Is(err, access.ErrUnauthenticated) {
		return s.unauthenticated(err)
	}
	return nil
}

func forbidden(format string, args ...any) *Problem {
	return newProblem(http.StatusForbidden, forbiddenType, format, args...)
}

// unauthenticated says what is missing, and makes browsers and spreadsheets
// ask for it. Where only Tallyfy wants to know who calls, a password would be
// of no use.
func (s *server) unauthenticated(err error) *Problem {
	why := strings.TrimPrefix(err.Error(), access.ErrUnauthenticated.Error()+": ")
	p := newProblem(http.StatusUnauthorized, unauthenticatedType, "Unauthenticated. %s.", capitalized(why))
	if s.Access.Mode() == access.ModeNone {
		p.header.Set("WWW-Authenticate", `Bearer realm="Tallyfy"`)
		return p
	}
	p.header["Www-Authenticate"] = []string{`Bearer realm="Rollcall"`, `Basic realm="Rollcall", charset="UTF-8"`}
	return p
}

// isRefusal reports whether it was decided here that a caller gets no answer.
func isRefusal(p *Problem) bool {
	_, later := errors.AsType[*access.RetryLaterError](p.cause)
	return later || p.Type == unauthenticatedType || p.Type == forbiddenType
}

func capitalized(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// refusedInstead is what a caller gets in place of Tallyfy's refusal of the
// sweep token; nil if status is none.
func refusedInstead(status int) error {
	switch status {
	case http.StatusUnauthorized:
		return newProblem(http.StatusBadGateway, upstreamUnauth, "Tallyfy refuses the token that Rollcall was started with: give it a new one.")
	case http.StatusForbidden:
		return newProblem(http.StatusBadGateway, upstreamRefused, "Tallyfy forbids this to the token that Rollcall was started with: one of its rules is against it, or the token's owner is no administrator.")
	}
	return nil
}

package api

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/directory"
)

// explainEdit words what only a safe edit fails with; everything else is left
// to explain.
func explainEdit(err error) error {
	if version, ok := errors.AsType[*directory.VersionError](err); ok {
		p := newProblem(http.StatusPreconditionFailed, preconditionFailed, "The group has version %q, which If-Match does not name, so nothing was sent: read the group again. "+
			"If-Match takes the version of a group, not the ETag of an answer.", version.Version)
		p.Version = version.Version
		return p
	}
	if conflict, ok := errors.AsType[*directory.EditConflictError](err); ok {
		p := newProblem(http.StatusConflict, editConflict, "Tallyfy took the edit, but the group does not hold what was asked: see the differences. A disabled member "+
			"is not taken, for one, and somebody else may have undone it. Reads show the group as it is.")
		p.Differences = differences(conflict.Differences)
		freshnessOf(conflict.Freshness, time.Now()).set(p.header)
		return p
	}
	if unknown, ok := errors.AsType[*directory.UnknownOutcomeError](err); ok {
		return unknownEdit(unknown)
	}
	if refused, ok := errors.AsType[*directory.RefusedError](err); ok {
		return refusedEdit(refused)
	}
	return err
}

// unknownEdit tells of an edit that may have been made.
func unknownEdit(err *directory.UnknownOutcomeError) *Problem {
	p := newProblem(http.StatusGatewayTimeout, outcomeUnknown, "Tallyfy's answer was lost or shows no group that can be believed, so the edit may or may not have been made: "+
		"read the group, or send the same edit again, which does nothing if it was.")
	if err.Status != 0 {
		p = newProblem(http.StatusBadGateway, upstreamRefused, "Tallyfy answered %d, so the edit may or may not have been made: "+
			"read the group, or send the same edit again, which does nothing if it was.", err.Status)
	}
	p.header.Set("Rollcall-Refresh", string(directory.RefreshPending))
	p.cause = err
	return p
}

// refusedEdit passes on why Tallyfy refuses an edit.
func refusedEdit(refused *directory.RefusedError) *Problem {
	if refused.Status == http.StatusTooManyRequests {
		wait, _ := strconv.Atoi(refused.Header.Get("Retry-After"))
		return explainUpstream(&directory.UpstreamError{
			Op: "edit a group", Reason: directory.ReasonThrottled, Status: refused.Status, RetryAfter: time.Duration(wait) * time.Second,
		})
	}
	message, faults := faultsOfBody(refused.Body)
	if message == "" {
		message = http.StatusText(refused.Status)
	}
	p := newProblem(refused.Status, upstreamRefused, "Tallyfy refuses the edit (%d), and nothing was changed: %s", refused.Status, message)
	p.Errors = faults
	if refused.Status == http.StatusUnauthorized {
		p.header.Set("WWW-Authenticate", `Bearer realm="Tallyfy"`)
	}
	return p
}

// The most that is passed on of a refusal.
const (
	mostFaults  = 20
	longestText = 300
)

// faultsOfBody reads the words of a refusal in any of the shapes that Tallyfy
// gives them (https://tallyfy.com/products/pro/integrations/open-api/).
func faultsOfBody(body []byte) (message string, faults []ProblemDetail) {
	var e struct {
		Message any            `json:"message"`
		Error   any            `json:"error"`
		Errors  map[string]any `json:"errors"`
	}
	if json.Unmarshal(body, &e) != nil {
		return "", nil
	}
	for _, field := range slices.Sorted(maps.Keys(e.Errors)) {
		faults = appendFaults(faults, "tallyfy."+field, e.Errors[field])
	}
	if len(faults) > 0 {
		return joined(faults), faults
	}
	if nested, ok := e.Error.(map[string]any); ok && e.Message == nil {
		e.Message = nested["message"]
	}
	message, _ = e.Message.(string)
	return clipped(message), nil
}

// appendFaults adds the texts in a value: itself, or those of a list or an
// object.
func appendFaults(faults []ProblemDetail, location string, value any) []ProblemDetail {
	switch v := value.(type) {
	case string:
		if len(faults) < mostFaults {
			faults = append(faults, ProblemDetail{clipped(location), clipped(v)})
		}
	case []any:
		for _, one := range v {
			faults = appendFaults(faults, location, one)
		}
	case map[string]any:
		for _, field := range slices.Sorted(maps.Keys(v)) {
			faults = appendFaults(faults, location+"."+field, v[field])
		}
	}
	return faults
}

func joined(faults []ProblemDetail) string {
	var texts []string
	for _, f := range faults {
		texts = append(texts, f.Message)
	}
	return strings.Join(texts, " ")
}

func clipped(s string) string {
	if len(s) <= longestText {
		return s
	}
	return strings.ToValidUTF8(s[:longestText], "") + "…"
}

package api

import (
	"net/http"
	"strings"
)

// tallyfyShape is a problem as Tallyfy words it: 401 and 429 with a message
// alone, 422 with errors, anything else with error, message and code.
func tallyfyShape(p *Problem) any {
	switch p.Status {
	case http.StatusUnauthorized:
		return map[string]any{"message": p.Detail}
	case http.StatusTooManyRequests:
		return map[string]any{"message": p.Detail, "code": "RATE_LIMIT_EXCEEDED"}
	case http.StatusUnprocessableEntity:
		faults := map[string][]string{}
		for _, e := range p.Errors {
			name := e.Location[strings.LastIndexByte(e.Location, '.')+1:]
			faults[name] = append(faults[name], e.Message)
		}
		return map[string]any{"message": "The given data was invalid.", "errors": faults}
	case http.StatusNotFound:
		if p.Type == noSuchPath {
			return tallyfyError("API endpoint not found", "ENDPOINT_NOT_FOUND")
		}
		return tallyfyError("Resource not found", "RESOURCE_NOT_FOUND")
	}
	return tallyfyError(p.Detail, upstreamCode(p.Detail))
}

func tallyfyError(message, code string) any {
	return map[string]any{"error": true, "message": message, "code": code}
}

// notFoundUpstream is what Tallyfy says of another organisation.
func notFoundUpstream() *Problem {
	return newProblem(http.StatusNotFound, blank, "Resource not found")
}

// upstreamCode makes a code from a message as Tallyfy does: upper case,
// punctuation dropped, blanks to underscores, the first 25 characters.
func upstreamCode(message string) string {
	code := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '_'
		case 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9':
			return r
		}
		return -1
	}, message)
	return strings.ToUpper(code[:min(len(code), 25)])
}

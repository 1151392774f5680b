package tallyfysim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// An ErrorForm is one of the shapes in which upstream refuses.
type ErrorForm int

// The shapes seen in documentation and clients, and those a proxy in front of
// a PHP program must be expected to send.
const (
	FormFlagged ErrorForm = iota + 1 // {"error":true,"message":…,"code":…}
	FormMessage                      // {"message":…}, on a 429 with a code
	FormFields                       // {"error":true,"errors":{field:[…]}}
	FormInvalid                      // {"message":…,"errors":{…}} with lists, bare strings and nested values
	FormSeats                        // {"error":{"code":…,"message":…,"details":{…}}}
	FormOAuth                        // {"error":"invalid_client",…}
	FormEdge                         // {"error":…,"message":…} without a code
	FormText                         // plain text
	FormHTML                         // a page of HTML
	FormEmpty                        // nothing at all
)

// Refuse returns a fault that answers once with status in the given shape and
// lets nothing take effect.
func Refuse(status int, form ErrorForm) Fault {
	a := refusal(status, form)
	return Fault{Times: 1, Status: status, Header: a.header, Body: a.body}
}

func refusal(status int, form ErrorForm) answer {
	text := http.StatusText(status)
	switch form {
	case FormMessage:
		if status == http.StatusTooManyRequests {
			return hourlyCap("API calls", 1000, time.Minute)
		}
		return messageOnly(status, text+".")
	case FormFields:
		return jsonAnswer(status, map[string]any{"error": true, "errors": map[string]any{"name": []string{text}}})
	case FormInvalid:
		return jsonAnswer(status, map[string]any{"message": "The given data was invalid.", "errors": map[string]any{
			"name": []string{text}, "description": text, "members": map[string]any{"0": []string{text}},
		}})
	case FormSeats:
		a := seatPoolExhausted()
		a.status = status
		return a
	case FormOAuth:
		return jsonAnswer(status, map[string]any{"error": "invalid_client", "error_description": "Client authentication failed"})
	case FormEdge:
		return jsonAnswer(status, map[string]any{"error": "forbidden", "message": "Permission denied. Error code: apsh213."})
	case FormText:
		return plainAnswer(status, "text/plain; charset=UTF-8", text+".")
	case FormHTML:
		return plainAnswer(status, "text/html; charset=UTF-8", "<!DOCTYPE html><html><head><title>"+text+"</title></head><body>"+text+"</body></html>")
	case FormEmpty:
		return answer{status: status, header: http.Header{}}
	default:
		return flagged(status, text)
	}
}

// flagged is the general error: upstream makes the code from the message.
func flagged(status int, message string) answer {
	return coded(status, message, codeOf(message))
}

func coded(status int, message, code string) answer {
	return jsonAnswer(status, map[string]any{"error": true, "message": message, "code": code})
}

// codeOf folds a message as upstream does: upper case, no punctuation, blanks
// to underscores, 25 characters at most.
func codeOf(message string) string {
	var b strings.Builder
	for _, r := range strings.ToUpper(message) {
		switch {
		case b.Len() == 25:
			return b.String()
		case r == ' ':
			b.WriteByte('_')
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			b.WriteRune(r)
		}
	}
	return b.String()
}

func messageOnly(status int, message string) answer {
	return jsonAnswer(status, map[string]any{"message": message})
}

func endpointNotFound() answer {
	return coded(http.StatusNotFound, "API endpoint not found", "ENDPOINT_NOT_FOUND")
}

func notFound() answer {
	return coded(http.StatusNotFound, "Resource not found", "RESOURCE_NOT_FOUND")
}

func unauthenticated() answer { return messageOnly(http.StatusUnauthorized, "Unauthenticated.") }

func forbidden() answer {
	return flagged(http.StatusForbidden, "You do not have permission to do this.")
}

func badRequest(message string) answer { return flagged(http.StatusBadRequest, message) }

// loginPage is what a client gets that does not ask for JSON.
func loginPage() answer {
	a := plainAnswer(http.StatusFound, "text/html; charset=UTF-8", "<!DOCTYPE html><html><body>Redirecting to the login page</body></html>")
	a.header.Set("Location", "https://account.tallyfy.com/login")
	return a
}

func throttled(after time.Duration) answer {
	a := messageOnly(http.StatusTooManyRequests, "Too Many Attempts.")
	a.header.Set("Retry-After", retrySeconds(after))
	return a
}

func hourlyCap(thing string, n int, after time.Duration) answer {
	a := jsonAnswer(http.StatusTooManyRequests, map[string]any{
		"message": "You have reached the hourly limit for " + thing + " (" + strconv.Itoa(n) + " per hour per organization).",
		"code":    "RATE_LIMIT_EXCEEDED",
	})
	a.header.Set("Retry-After", retrySeconds(after))
	return a
}

func seatPoolExhausted() answer {
	return jsonAnswer(http.StatusConflict, map[string]any{"error": map[string]any{
		"code": "SEAT_POOL_EXHAUSTED", "message": "No full seats are left.", "details": map[string]any{"pool_type": "full"},
	}})
}

// retrySeconds rounds up: a caller that waits so long is admitted.
func retrySeconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// invalid is a refusal by validation, field by field.
func (s *Sim) invalid(fields map[string][]string) answer {
	if s.opts.BareValidation {
		return jsonAnswer(http.StatusUnprocessableEntity, map[string]any{"error": true, "errors": fields})
	}
	return jsonAnswer(http.StatusUnprocessableEntity, map[string]any{"message": "The given data was invalid.", "errors": fields})
}

func mustJSON(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // only maps and strings of this package come here
	}
	return raw
}

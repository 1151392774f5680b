package api

import (
	"errors"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A demand is what the Cache-Control of a read asks of the age of its answer
// (RFC 9111, 5.2.1 and RFC 5861, 4). The zero demand asks nothing.
type demand struct {
	anew         bool  // no-cache: refreshed after the request came, however young
	maxAge       bound // the answer's age
	staleIfError bound // what the answer may be older than maxAge where refreshing it fails
	onlyCached   bool  // nothing is to be asked of upstream
}

// A bound is a limit that may be absent.
type bound struct {
	isSet bool
	limit time.Duration
}

// tighten keeps the lower of two limits.
func (b *bound) tighten(limit time.Duration) {
	if !b.isSet || limit < b.limit {
		*b = bound{true, limit}
	}
}

func demandOf(r *http.Request) demand { return parseDemand(r.Header) }

// parseDemand reads the directives it knows and passes over others. Of one
// given twice, the strictest counts; a limit that cannot be read is 0, as the
// one that was meant may have been.
func parseDemand(h http.Header) (d demand) {
	for name, value := range directives(h) {
		switch name {
		case "no-cache":
			d.anew = true
		case "max-age":
			d.maxAge.tighten(deltaSeconds(value))
		case "stale-if-error":
			d.staleIfError.tighten(deltaSeconds(value))
		case "only-if-cached":
			d.onlyCached = true
		}
	}
	return d
}

// isMet reports whether rows that were last confirmed at an instant are young
// enough. If the clock was set back since, their age is not known.
func (d demand) isMet(confirmed, now time.Time) bool {
	return !d.anew && (!d.maxAge.isSet || isWithin(now.Sub(confirmed), d.maxAge.limit))
}

// isTolerable reports whether such rows may be shown where they could not be
// refreshed.
func (d demand) isTolerable(confirmed, now time.Time) bool {
	return d.staleIfError.isSet && isWithin(now.Sub(confirmed), d.maxAge.limit+d.staleIfError.limit)
}

func isWithin(age, limit time.Duration) bool { return age >= 0 && age <= limit }

// directives are those of Cache-Control, in one header or several: names in
// lower case, values without quotes.
func directives(h http.Header) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, line := range h["Cache-Control"] {
			for line != "" {
				var directive string
				directive, line = cutDirective(line)
				name, value, _ := strings.Cut(directive, "=")
				if !yield(strings.ToLower(strings.TrimSpace(name)), unquote(strings.TrimSpace(value))) {
					return
				}
			}
		}
	}
}

// cutDirective returns what stands before the first comma outside of quotes,
// and what after it.
func cutDirective(line string) (directive, rest string) {
	isQuoted := false
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '"':
			isQuoted = !isQuoted
		case '\\':
			if isQuoted {
				i++
			}
		case ',':
			if !isQuoted {
				return line[:i], line[i+1:]
			}
		}
	}
	return line, ""
}

func unquote(value string) string {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}

// deltaSeconds reads a number of seconds (RFC 9111, 1.2.2). One that is too
// large to hold is the largest there is.
func deltaSeconds(value string) time.Duration {
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return time.Duration(n) * time.Second
}

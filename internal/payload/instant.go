package payload

import (
	"strings"
	"time"
)

// layouts are the spellings of instants that Tallyfy has used; each may carry
// a fraction of a second. One without a zone is UTC.
var layouts = []string{
	"2006-01-02T15:04:05Z07:00",
	"2006-01-02 15:04:05",
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02T15:04:05Z0700",
	"2006-01-02",
}

const toSecond = len("2006-01-02 15:04:05")

// A stamp is an instant and how it was written.
type stamp struct {
	time.Time
	spelling string
}

// stampOf reads a JSON value; ok is false for anything but a timestamp.
func stampOf(value []byte) (s stamp, ok bool) {
	s.spelling, ok = text(value)
	if !ok || len(s.spelling) < len(time.DateOnly) {
		return s, false
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s.spelling); err == nil {
			s.Time = t
			return s, true
		}
	}
	return s, false
}

// fraction returns the sub-second part as written, with its point.
func (s stamp) fraction() string {
	if len(s.spelling) <= toSecond {
		return ""
	}
	tail := s.spelling[toSecond:]
	if tail[0] != '.' && tail[0] != ',' {
		return ""
	}
	digits := strings.TrimLeft(tail[1:], "0123456789")
	return tail[:len(tail)-len(digits)]
}

// resolution is the smallest step that the spelling can show.
func (s stamp) resolution() time.Duration {
	if len(s.spelling) < toSecond {
		return 24 * time.Hour
	}
	step := time.Second
	for range max(0, len(s.fraction())-1) {
		step = max(step/10, 1)
	}
	return step
}

// sameInstant reports whether two stamps agree as far as both can show: the
// same row's timestamps carry more digits from one endpoint than another.
func sameInstant(a, b stamp) bool {
	step := max(a.resolution(), b.resolution())
	return a.UTC().Truncate(step).Equal(b.UTC().Truncate(step))
}

// like spells s as sample is spelt: the same separator, digits and zone.
func (s stamp) like(sample stamp) string {
	if len(sample.spelling) < toSecond {
		return s.UTC().Format(time.DateOnly)
	}
	fraction := sample.fraction()
	zone := sample.spelling[toSecond+len(fraction):]
	layout := "2006-01-02" + sample.spelling[10:11] + "15:04:05"
	if fraction != "" {
		layout += fraction[:1] + strings.Repeat("0", len(fraction)-1)
	}
	_, offset := sample.Zone() // not its location: Local's offset moves with the season
	return s.In(time.FixedZone("", offset)).Format(layout) + zone
}

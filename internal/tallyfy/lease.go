package tallyfy

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// shortestLife is how long a token that was asked for is used at least, so
// that an endpoint which gives out stillborn ones is not asked all the time.
const shortestLife = time.Minute

// A lease is a token that was given for a while.
type lease struct {
	token   string
	begins  time.Time
	expires time.Time // zero when nothing tells
}

// newLease takes the expiry that the grant told, zero if it did not, else the
// life that the token itself tells, which holds whatever our clock says.
func newLease(token string, begins, told time.Time) lease {
	l := lease{token: token, begins: begins}
	issued, expires := datesOf(token)
	switch {
	case !told.IsZero():
		l.expires = told
	case !issued.IsZero() && expires.After(issued):
		l.expires = begins.Add(expires.Sub(issued))
	case expires.After(begins):
		l.expires = expires
	default:
		return l
	}
	if least := begins.Add(shortestLife); l.expires.Before(least) {
		l.expires = least
	}
	return l
}

func (l lease) holds(now time.Time) bool {
	return l.token != "" && (l.expires.IsZero() || now.Before(l.expires))
}

// isDue reports whether it is time for another: in the last tenth of its life.
func (l lease) isDue(now time.Time) bool {
	if l.token == "" || l.expires.IsZero() {
		return l.token == ""
	}
	return !now.Before(l.expires.Add(-l.expires.Sub(l.begins) / 10))
}

// latestDate bounds the instants that a token may tell: the end of year 9999.
const latestDate = 253402300799

// datesOf reads when a token says it was issued and when it expires, without
// verifying anything. Both are zero for a token that is no JWT (RFC 7519), and
// each for one that does not tell. Passport's instants have fractions.
func datesOf(token string) (issued, expires time.Time) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return issued, expires
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return issued, expires
	}
	var claims struct{ IAT, EXP float64 }
	if json.Unmarshal(raw, &claims) != nil {
		return issued, expires
	}
	return instantOf(claims.IAT), instantOf(claims.EXP)
}

func instantOf(seconds float64) time.Time {
	if seconds <= 0 || seconds > latestDate {
		return time.Time{}
	}
	return time.UnixMilli(int64(seconds * 1000)).UTC()
}

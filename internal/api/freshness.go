package api

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/directory"
)

// A Freshness says how old an answer is and which state it shows. It goes
// out as headers, because bodies hold nothing that moves without a revision.
type Freshness struct {
	Age         int    `header:"Age" doc:"Seconds since the oldest row of the answer was confirmed, with as_of since the last confirmation before the instant; 2147483648 where nobody knows, as the clock was set back since."`
	ConfirmedAt string `header:"Rollcall-Confirmed-At" doc:"When the request left that found the oldest row of the answer as it is (RFC 3339)."`
	CacheStatus string `header:"Cache-Status" doc:"rollcall; hit where the mirror answered as it was; fwd=request where the request's Cache-Control made it ask Tallyfy, stored if it got the rows, else with the reason as detail (RFC 9211)."`
	Revision    int64  `header:"Rollcall-Revision" doc:"The revision that the answer shows."`
	Epoch       string `header:"Rollcall-Epoch" doc:"The life of the database that the revision belongs to."`
}

func freshnessOf(f directory.Freshness, now time.Time) Freshness {
	h := Freshness{CacheStatus: cacheHit, Revision: f.Revision, Epoch: f.Epoch}
	if !f.ConfirmedAt.IsZero() {
		h.Age = inSeconds(f.Age(now))
		h.ConfirmedAt = f.ConfirmedAt.UTC().Format(time.RFC3339Nano)
	}
	return h
}

// freshnessFor is freshnessOf for the answer to a read.
func freshnessFor(r *http.Request, f directory.Freshness) Freshness {
	h := freshnessOf(f, time.Now())
	h.CacheStatus = cacheStatus(r)
	return h
}

// inSeconds is an Age; one too large to be told is 2^31 (RFC 9111, 1.2.2).
func inSeconds(age time.Duration) int { return int(min(age/time.Second, 1<<31)) }

func (f Freshness) set(h http.Header) {
	h.Set("Age", strconv.Itoa(f.Age))
	if f.ConfirmedAt != "" {
		h.Set("Rollcall-Confirmed-At", f.ConfirmedAt)
	}
	h.Set("Cache-Status", f.CacheStatus)
	h.Set("Rollcall-Revision", strconv.FormatInt(f.Revision, 10))
	h.Set("Rollcall-Epoch", f.Epoch)
}

// What a read lets others keep: for the same caller, asking each time.
const (
	cacheControl = "private, no-cache"
	vary         = "Authorization, Accept-Encoding"
)

// etag names an answer: the state it shows, what was asked, and the program
// that worded it with the one setting that rows depend on. It is weak, because it holds for each compression.
func (s *server) etag(f directory.Freshness, query string) string {
	text := fmt.Sprintf("%s\n%q\n%s\n%d\n%d\n%d\n%d\n%s", s.Version, s.GuestDomains, f.Epoch, f.Revision, f.PublishedAt.UnixMilli(), f.Nonce, f.Erased, query)
	return `W/"` + digest(text, 16) + `"`
}

func digest(text string, bytes int) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:bytes])
}

// asked is what a body depends on of its request: the query, and of Tallyfy's
// lists the origin, which their links show.
func (s *server) asked(r *http.Request, of scope) string {
	if of == scopeList && !isV1(r.URL.Path) {
		return s.origin(r) + canonical(r.URL)
	}
	return canonical(r.URL)
}

// isKnown reports whether the caller has an answer already that there is:
// If-None-Match names it or anything.
func isKnown(r *http.Request, etag string) bool {
	return names(r, etag) || names(r, "W/*")
}

// names reports whether If-None-Match, in one header or several, names an
// answer. Comparison is weak.
func names(r *http.Request, etag string) bool {
	for _, line := range r.Header["If-None-Match"] {
		for candidate := range strings.SplitSeq(line, ",") {
			if "W/"+strings.TrimPrefix(strings.TrimSpace(candidate), "W/") == etag {
				return true
			}
		}
	}
	return false
}

package api

import (
	"net/http"
	"time"

	"rollcall/internal/directory"
)

// A scope says which rows an answer is made of, as far as its age goes.
type scope int

// The scopes. Of a single row more may be known than the last sweep told.
const (
	scopeNone scope = iota // no read of the mirror
	scopeList
	scopeRow
)

// presentFor returns the present state if that is all that an answer's age and
// headers depend on, and young enough. The age of rows that differ in it, and
// whether a past state is still kept, only the read can tell.
func (s *server) presentFor(r *http.Request, of scope, now time.Time) (present directory.Present, suffices bool) {
	if isDated(r) {
		return present, false
	}
	present, isKnown := s.Mirror.Present()
	return present, isKnown && (of == scopeList || present.Uniform) && s.isYoungEnough(r, present, now)
}

// isYoungEnough reports whether a state may be shown as the request and
// --max-stale have it.
func (s *server) isYoungEnough(r *http.Request, present directory.Present, now time.Time) bool {
	return (s.MaxStale == 0 || present.Age(now) <= s.MaxStale) && demandOf(r).isMet(present.ConfirmedAt, now)
}

// isSpared answers 304, before anything is read, where the caller names the
// answer that the mirror would give. An ETag holds state and query, so a match
// proves that the same query was answered from the same state.
func (s *server) isSpared(w http.ResponseWriter, r *http.Request, present directory.Present, asked string) bool {
	if len(r.Header["If-None-Match"]) == 0 {
		return false
	}
	etag := s.etag(present.Freshness, asked)
	if !names(r, etag) {
		return false
	}
	setReadHeaders(w, r, present.Freshness, etag)
	w.WriteHeader(http.StatusNotModified)
	return true
}

// isNotModified sets the headers of a read and, if the caller has the answer
// already, sends 304 with them.
func (s *server) isNotModified(w http.ResponseWriter, r *http.Request, f directory.Freshness, of scope) bool {
	infoOf(r.Context()).shows = stateOf(f)
	etag := s.etag(f, s.asked(r, of))
	setReadHeaders(w, r, f, etag)
	if !isKnown(r, etag) {
		return false
	}
	w.WriteHeader(http.StatusNotModified)
	return true
}

func setReadHeaders(w http.ResponseWriter, r *http.Request, f directory.Freshness, etag string) {
	h := w.Header()
	freshnessFor(r, f).set(h)
	h.Set("ETag", etag)
	h.Set("Cache-Control", cacheControl)
	h.Set("Vary", vary)
	if isV1(r.URL.Path) {
		h.Set("Rollcall-Cursor", feedPlace(f))
	}
}

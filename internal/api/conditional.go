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

// isSpared answers 304, before anything is read, where the caller names the
// answer that the mirror would give. An ETag holds state and query, so a match
// proves that the same query was answered from the same state. What this
// cannot tell, such as the age of rows that differ in it or whether a past
// state is still kept, is left to the read.
func (s *server) isSpared(w http.ResponseWriter, r *http.Request, query string, of scope) bool {
	if of == scopeNone || len(r.Header["If-None-Match"]) == 0 || isDated(r) {
		return false
	}
	present, isKnown := s.Mirror.Present()
	if !isKnown || of == scopeRow && !present.Uniform || s.tooOld(present.Freshness) != nil || !demandOf(r).isMet(present.ConfirmedAt, time.Now()) {
		return false
	}
	etag := s.etag(present.Freshness, query)
	if !names(r, etag) {
		return false
	}
	setReadHeaders(w, r, present.Freshness, etag)
	w.WriteHeader(http.StatusNotModified)
	return true
}

// isNotModified sets the headers of a read and, if the caller has the answer
// already, sends 304 with them.
func (s *server) isNotModified(w http.ResponseWriter, r *http.Request, f directory.Freshness, query string) bool {
	etag := s.etag(f, query)
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

// sparing puts isSpared before a read of /v1.
func (s *server) sparing(of scope, h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if s.isSpared(w, r, canonical(r.URL), of) {
			return nil
		}
		return h(w, r)
	}
}

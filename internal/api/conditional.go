package api

import (
	"net/http"

	"rollcall/internal/directory"
)

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

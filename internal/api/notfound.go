package api

import (
	"net/http"
	"strings"
)

// notOnV1 answers what no operation of /v1 does: 405 if the path takes other
// methods, else 404.
func (s *server) notOnV1(w http.ResponseWriter, r *http.Request) error {
	allowed := s.methodsOf(r)
	if len(allowed) == 0 {
		return noSuchEndpoint()
	}
	p := newProblem(http.StatusMethodNotAllowed, blank, "This path takes %s.", strings.Join(allowed, ", "))
	p.header.Set("Allow", strings.Join(allowed, ", "))
	return p
}

// methodsOf asks the mux which methods the path of r takes.
func (s *server) methodsOf(r *http.Request) []string {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := s.mux.Handler(probe); pattern != r.Pattern {
			allowed = append(allowed, method)
		}
	}
	return allowed
}

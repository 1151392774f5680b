package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"rollcall/internal/access"
)

// maxHeaders bounds the lines of a request's header; their bytes are bounded
// by the server. Browsers and proxies together send some thirty.
const maxHeaders = 100

// front sends a request to its route. Paths that the mux would answer with a
// redirect are refused before, because a client that follows it would send
// its token to wherever the path was bent to.
func (s *server) front(w http.ResponseWriter, r *http.Request) {
	if lines(r.Header) > maxHeaders {
		s.fail(w, r, newProblem(http.StatusRequestHeaderFieldsTooLarge, blank, "The request has more than %d header lines.", maxHeaders))
		return
	}
	if err := checkPath(r.URL); err != nil {
		refuse := func(http.ResponseWriter, *http.Request) error { return err }
		s.guarded(access.Open, s.toTheKnown(refuse)).ServeHTTP(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

func lines(h http.Header) int {
	n := 0
	for _, values := range h {
		n += len(values)
	}
	return n
}

// checkPath refuses on Tallyfy's surface what another server may read as
// another path: dot segments, encoded slashes, backslashes and control
// characters; and elsewhere what is not in its simplest form.
func checkPath(u *url.URL) error {
	escaped := u.EscapedPath()
	if !strings.HasPrefix(escaped, "/") { // of CONNECT and OPTIONS *
		return noSuchEndpoint()
	}
	if isTallyfys(u.Path) {
		if hasDots(u.Path) || strings.Contains(strings.ToLower(escaped), "%2f") || strings.ContainsFunc(u.Path, isNoPath) {
			return newProblem(http.StatusBadRequest, blank, "The path holds dot segments, an encoded slash, a backslash or a control character: send it in its simplest form.")
		}
	} else if hasDots(escaped) {
		return newProblem(http.StatusNotFound, noSuchPath, "The path holds dot segments: send it in its simplest form.")
	}
	if strings.Contains(escaped, "//") {
		return newProblem(http.StatusNotFound, noSuchPath, "The path holds an empty segment: send it in its simplest form.")
	}
	return nil
}

func hasDots(path string) bool {
	return strings.Contains(path, "/.") && slices.ContainsFunc(strings.Split(path, "/"), func(segment string) bool {
		return segment == "." || segment == ".."
	})
}

func isNoPath(r rune) bool { return r == '\\' || unicode.IsControl(r) }

func isTallyfys(path string) bool {
	path = strings.TrimPrefix(path, "/api")
	for _, root := range []string{"/organizations", "/me", "/applications"} {
		if path == root || strings.HasPrefix(path, root+"/") {
			return true
		}
	}
	return false
}

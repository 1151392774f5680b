package api

import (
	"fmt"
	"net/http"
	"time"
)

// livez says that the process answers; it depends on nothing else.
func (s *server) livez(w http.ResponseWriter, _ *http.Request) error {
	writeBody(w, http.StatusOK, "text/plain; charset=utf-8", []byte("ok\n"))
	return nil
}

// readyz says whether there is data, and young enough. It names nobody and
// tells nothing of upstream.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) error {
	checks, ready := s.readiness(r)
	status, text := http.StatusOK, "ok\n"
	if !ready {
		status, text = http.StatusServiceUnavailable, "not ready\n"
		w.Header().Set("Retry-After", seconds(time.Until(s.Poller.Status().NextSweepAt)))
	}
	if r.URL.Query().Has("verbose") {
		text = checks + text
	}
	w.Header().Set("Cache-Control", "no-store")
	writeBody(w, status, "text/plain; charset=utf-8", []byte(text))
	return nil
}

func (s *server) readiness(r *http.Request) (checks string, ready bool) {
	f, err := s.Mirror.Freshness(r.Context())
	hasData := err == nil && f.Revision > 0
	isYoung := hasData && s.tooOld(f) == nil
	isStaying := !s.isStopping()
	checks = mark(isStaying, "not stopping") + mark(err == nil, "mirror readable") + mark(hasData, "data present")
	if s.MaxStale > 0 {
		checks += mark(isYoung, fmt.Sprintf("data younger than %s", s.MaxStale))
	}
	return checks, isStaying && hasData && isYoung
}

func (s *server) isStopping() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}

func mark(ok bool, what string) string {
	if ok {
		return "[+] " + what + "\n"
	}
	return "[-] " + what + "\n"
}

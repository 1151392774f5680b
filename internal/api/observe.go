package api

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"rollcall/internal/access"
)

// observe gives a request its id, serves it, and tells log and metrics how
// it went. A panic becomes a 500.
func (s *server) observe(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	id := r.Header.Get("X-Request-Id")
	if id == "" || !saneID.MatchString(id) {
		id = newID()
	}
	about := &requestInfo{id: id}
	r = r.WithContext(context.WithValue(r.Context(), requestKey{}, about))
	r.URL, about.request = s.belowPublic(r.URL), r
	out := &recorder{ResponseWriter: w, byOrigin: len(s.Origins) > 0}
	out.Header().Set("X-Request-Id", id)
	began := time.Now()
	defer func() {
		mustCut := s.recovered(out, r, recover())
		s.note(r, out, time.Since(began))
		if mustCut {
			panic(http.ErrAbortHandler)
		}
	}()
	next(out, r)
}

// newID tells requests apart; it need not be hard to guess.
func newID() string { return strconv.FormatUint(rand.Uint64()|1<<63, 32) }

var saneID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

type requestKey struct{}

// A requestInfo is what is known of a request while it is served.
type requestInfo struct {
	id      string
	request *http.Request
	caller  access.Caller   // the zero Caller before it was identified, and of what is open
	with    access.Upstream // whose token goes upstream with it
	beyond  bool            // it went upstream because the caller sees too little of the mirror
	told    bool            // the log has a line of its own for it, or had no room

	authorization []string // as it came, for streams that ask again

	cacheStatus string // of the answer, where there is more to say than hit
	shows       state  // of the mirror, that the answer to a read does
}

func infoOf(ctx context.Context) *requestInfo {
	about, _ := ctx.Value(requestKey{}).(*requestInfo)
	return about
}

// RequestID is the id of the request that ctx belongs to, empty outside of
// one. It stands in X-Request-Id, in problems and in the log.
func RequestID(ctx context.Context) string {
	if about := infoOf(ctx); about != nil {
		return about.id
	}
	return ""
}

// requestOf is the request that ctx belongs to, as the mux has it.
func requestOf(ctx context.Context) *http.Request { return infoOf(ctx).request }

// recovered turns a panic into a 500. Where an answer has begun it reports
// that the connection must be cut, so that nobody takes half of one for a
// whole.
func (s *server) recovered(w *recorder, r *http.Request, p any) (mustCut bool) {
	switch p {
	case nil:
		return false
	case http.ErrAbortHandler:
		return true
	}
	s.Logger.ErrorContext(r.Context(), "request panicked", "panic", p, "stack", string(debug.Stack()), "route", route(r), "request_id", RequestID(r.Context()))
	if w.status != 0 {
		return true
	}
	problem := newProblem(http.StatusInternalServerError, blank, "Something went wrong inside Rollcall; its log tells more under the request id.")
	problem.RequestID = RequestID(r.Context())
	s.answer(w, r, problem)
	return false
}

// note tells metrics, and the log: writes at info, reads and what has a line of
// its own at debug, probes never.
func (s *server) note(r *http.Request, w *recorder, took time.Duration) {
	status := w.status
	if status == 0 {
		status = http.StatusOK
	}
	s.metrics.observe(route(r), r.Method, status, took)
	level := slog.LevelDebug
	switch {
	case isProbe(r.URL.Path):
		return
	case isWrite(r) && !infoOf(r.Context()).told:
		level = slog.LevelInfo
	}
	if !s.Logger.Enabled(r.Context(), level) {
		return
	}
	s.Logger.Log(r.Context(), level, "request", "method", r.Method, "route", route(r), "status", status,
		"bytes", w.bytes, "duration", took, "actor", Actor(r.Context()), "request_id", RequestID(r.Context()))
}

func isProbe(path string) bool {
	return path == "/livez" || path == "/readyz" || path == "/metrics"
}

// route is the pattern that a request matched, without its method; it names
// no person and no group.
func route(r *http.Request) string {
	_, path, hasMethod := strings.Cut(r.Pattern, " ")
	switch {
	case hasMethod:
		return path
	case r.Pattern == "" || r.Pattern == "/":
		return "other"
	}
	return r.Pattern
}

// basePath is the path of the public URL, without a slash at its end.
func (s *server) basePath() string {
	if s.PublicURL == nil {
		return ""
	}
	return strings.TrimSuffix(s.PublicURL.Path, "/")
}

// belowPublic strips the public URL's path, where a proxy left it on.
func (s *server) belowPublic(u *url.URL) *url.URL {
	base := s.basePath()
	if base == "" || !strings.HasPrefix(u.Path, base+"/") {
		return u
	}
	stripped := *u
	stripped.Path = strings.TrimPrefix(u.Path, base)
	stripped.RawPath = strings.TrimPrefix(u.RawPath, base)
	return &stripped
}

// A recorder remembers what an answer came to.
type recorder struct {
	http.ResponseWriter
	byOrigin bool // what pages may read depends on where they come from
	status   int
	bytes    int64
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
		if vary := w.Header()["Vary"]; w.byOrigin && !slices.Contains(vary, "Origin") {
			w.Header()["Vary"] = append(vary[:len(vary):len(vary)], "Origin") // handlers set theirs
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Flush lets streamed answers through.
func (w *recorder) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// bounded logs refusals, with a line at most a second after the first twenty,
// so that a flood of strangers does not become a flood of lines.
type bounded struct{ limit *rate.Limiter }

func newBounded() *bounded { return &bounded{rate.NewLimiter(1, 20)} }

func (b *bounded) log(logger *slog.Logger, r *http.Request, p *Problem) {
	if !b.limit.Allow() {
		return
	}
	why := p.Detail
	if p.cause != nil {
		why = p.cause.Error()
	}
	logger.InfoContext(r.Context(), "request refused", "type", p.Type, "method", r.Method, "route", route(r),
		"status", p.Status, "why", why, "actor", Actor(r.Context()), "request_id", RequestID(r.Context()))
}

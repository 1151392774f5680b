package api

import (
	"context"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"

	"rollcall/internal/directory"
)

const (
	maxBody     = 1 << 20   // of a request, if it is read, or JSON
	maxUpload   = 100 << 20 // of a request that is passed on unread and is not JSON: files
	maxDownload = 256 << 20 // of an answer that is passed back
)

// forward passes a request on, under the token that permit left on it, and
// streams the answer back. A write whose reach is not known row by row makes
// the poller look at everything again.
func (s *server) forward(w http.ResponseWriter, r *http.Request) error {
	if isRead(r) && demandOf(r).onlyCached {
		return notMirrored()
	}
	if err := forwardable(r); err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, bodyLimit(r))
	var failure error
	(&httputil.ReverseProxy{
		Rewrite:        belowBase,
		Transport:      roundTripper(func(out *http.Request) (*http.Response, error) { return s.send(out) }),
		ModifyResponse: s.passable,
		ErrorHandler:   func(_ http.ResponseWriter, _ *http.Request, err error) { failure = err },
		ErrorLog:       slog.NewLogLogger(s.Logger.Handler(), slog.LevelDebug),
		FlushInterval:  -1,
	}).ServeHTTP(&passback{ResponseWriter: w, header: http.Header{}}, r)
	return failure
}

// passable turns Tallyfy's refusal of the sweep token into an error and makes
// every other answer presentable.
func (s *server) passable(answer *http.Response) error {
	if err := s.heed(answer.Request, answer.StatusCode); err != nil {
		return err
	}
	return presentable(answer)
}

// forwardable refuses what is no plain request: tunnels, echoes, and the
// change to another protocol, but for the offer of HTTP/2 that some clients
// make with every request.
func forwardable(r *http.Request) error {
	switch {
	case r.Method == http.MethodConnect, r.Method == http.MethodTrace:
		p := newProblem(http.StatusMethodNotAllowed, blank, "%s is not passed on.", r.Method)
		p.header.Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
		return p
	case changesProtocol(r.Header):
		return newProblem(http.StatusBadRequest, blank, "Upgrades to another protocol are not passed on.")
	case r.ContentLength > bodyLimit(r):
		return &http.MaxBytesError{Limit: bodyLimit(r)}
	}
	return nil
}

func changesProtocol(h http.Header) bool {
	for _, line := range h.Values("Upgrade") {
		for protocol := range strings.SplitSeq(line, ",") {
			if !strings.EqualFold(strings.TrimSpace(protocol), "h2c") {
				return true
			}
		}
	}
	return false
}

func bodyLimit(r *http.Request) int64 {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media == "" || strings.HasSuffix(media, "json") {
		return maxBody
	}
	return maxUpload
}

// belowBase leaves of the URL what stands below the upstream's base: path and
// query, as they came.
func belowBase(p *httputil.ProxyRequest) { p.Out.URL = below(p.In.URL) }

func below(u *url.URL) *url.URL {
	out := &url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}
	if strings.HasPrefix(out.Path, "/api/") {
		out.Path, out.RawPath = strings.TrimPrefix(out.Path, "/api"), strings.TrimPrefix(out.RawPath, "/api")
	}
	return out
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// send forwards one request and, after a write that may have changed rows of
// the mirror, marks them. A write is seen through, whether or not its client
// waits.
func (s *server) send(out *http.Request) (*http.Response, error) {
	ctx := out.Context()
	if isWrite(out) {
		ctx = context.WithoutCancel(ctx)
	}
	answer, err := s.Upstream.Forward(ctx, out)
	if err == nil {
		answer.Request = out
		dropPrivate(answer.Header)
		dropPrivate(answer.Trailer) // as announced
		err = checkAnswer(answer)
	}
	if err != nil {
		if touchesRows(out) && mayHaveActed(err) {
			s.Poller.MarkEverything()
			err = unknownOutcome(err)
		}
		return nil, err
	}
	if !touchesRows(out) {
		return answer, nil
	}
	if isRefusal := answer.StatusCode >= 400 && answer.StatusCode < 500; !isRefusal {
		s.Poller.MarkEverything()
		answer.Header.Set("Rollcall-Refresh", string(directory.RefreshPending))
	}
	return answer, nil
}

var rowPaths = regexp.MustCompile(`^/(organizations/[^/]+/(users|guests|groups)|applications)(/|$)`)

func touchesRows(r *http.Request) bool {
	return isWrite(r) && rowPaths.MatchString(r.URL.Path)
}

// mayHaveActed reports whether upstream may have acted on a request that
// failed: not if nothing was sent, nor if its body was cut.
func mayHaveActed(err error) bool {
	if _, cut := errors.AsType[*http.MaxBytesError](err); cut {
		return false
	}
	up, ok := errors.AsType[*directory.UpstreamError](err)
	return !ok || up.Reason != directory.ReasonBudget && up.Reason != directory.ReasonStorage && up.Reason != directory.ReasonInternal
}

func unknownOutcome(err error) error {
	p := newProblem(http.StatusGatewayTimeout, outcomeUnknown, "Tallyfy's answer was lost, so the write may or may not have happened: read before trying again.")
	p.header.Set("Rollcall-Refresh", string(directory.RefreshPending))
	p.cause = err
	return p
}

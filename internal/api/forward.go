package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rollcall/internal/directory"
)

const (
	// maxBody bounds what is read of a request.
	maxBody = 1 << 20
	// maxUpload bounds what is passed on unread and is not JSON: files.
	maxUpload = 100 << 20
)

// forward passes a request on, under the token that permit left on it, and
// streams the answer back. A write whose reach is not known row by row makes the poller
// look at everything again.
func (s *server) forward(w http.ResponseWriter, r *http.Request) error {
	limit := bodyLimit(r)
	if r.ContentLength > limit {
		return &http.MaxBytesError{Limit: limit}
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	var failure error
	(&httputil.ReverseProxy{
		Rewrite:        belowBase,
		Transport:      roundTripper(func(out *http.Request) (*http.Response, error) { return s.send(out) }),
		ModifyResponse: func(answer *http.Response) error { return s.presentable(answer) },
		ErrorHandler:   func(_ http.ResponseWriter, _ *http.Request, err error) { failure = err },
		ErrorLog:       slog.NewLogLogger(s.Logger.Handler(), slog.LevelDebug),
		FlushInterval:  -1,
	}).ServeHTTP(w, r)
	return failure
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
func belowBase(p *httputil.ProxyRequest) {
	p.Out.URL = below(p.In.URL)
}

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
// the mirror, marks them.
func (s *server) send(out *http.Request) (*http.Response, error) {
	answer, err := s.Upstream.Forward(out.Context(), out)
	if err != nil {
		if touchesRows(out) && mayHaveActed(err) {
			s.Poller.MarkEverything()
			err = unknownOutcome(err)
		}
		return nil, err
	}
	answer.Request = out
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
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	return rowPaths.MatchString(r.URL.Path)
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

// presentable takes out of an upstream answer what is not for our callers,
// and replaces the body of a 5xx, which may hold internal texts.
func (s *server) presentable(answer *http.Response) error {
	if err := s.heed(answer.Request, answer.StatusCode); err != nil {
		return err
	}
	maps.DeleteFunc(answer.Header, func(name string, _ []string) bool { return isPrivate(name) })
	answer.Header.Add("Cache-Status", "rollcall; fwd="+forwardReason(answer.Request))
	if answer.StatusCode < 500 {
		return nil
	}
	body, err := dullBody(answer.StatusCode)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	answer.Body = io.NopCloser(bytes.NewReader(body))
	answer.ContentLength = int64(len(body))
	answer.Header.Del("Content-Encoding")
	answer.Header.Set("Content-Length", strconv.Itoa(len(body)))
	answer.Header.Set("Content-Type", "application/json")
	return nil
}

func dullBody(status int) ([]byte, error) {
	message := fmt.Sprintf("Tallyfy answered %d", status)
	return json.Marshal(tallyfyError(message, upstreamCode(message)))
}

// forwardReason is why the mirror did not answer, in the words of RFC 9211.
func forwardReason(r *http.Request) string {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "method"
	}
	return "bypass"
}

// private are the headers of upstream's host, its cookies and its policies
// for browsers, which would be taken for ours.
var private = []string{
	"Access-Control-Allow-Credentials", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods",
	"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Access-Control-Max-Age",
	"Alt-Svc", "Cf-Cache-Status", "Cf-Ray", "Clear-Site-Data", "Location", "Nel", "Report-To", "Server",
	"Set-Cookie", "Strict-Transport-Security", "Via", "X-Powered-By", "X-Request-Id",
}

func isPrivate(name string) bool { return slices.Contains(private, name) }

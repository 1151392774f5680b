package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"rollcall/internal/directory"
)

// A passback takes an answer from ReverseProxy. That adds upstream's headers
// to our own, and clears both after an informational answer (1xx); here they
// come together with the final one.
type passback struct {
	http.ResponseWriter
	header  http.Header // of the answer to come
	isFinal bool
}

func (w *passback) Header() http.Header {
	if w.isFinal { // trailers
		return w.ResponseWriter.Header()
	}
	return w.header
}

func (w *passback) WriteHeader(status int) {
	own := w.ResponseWriter.Header()
	if status >= http.StatusOK {
		takeOver(own, w.header)
		w.isFinal = true
		w.ResponseWriter.WriteHeader(status)
		return
	}
	kept := maps.Clone(own)
	clear(own)
	maps.Copy(own, w.header)
	dropPrivate(own)
	w.ResponseWriter.WriteHeader(status)
	clear(own)
	maps.Copy(own, kept)
}

// Unwrap is for http.ResponseController.
func (w *passback) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// takeOver puts upstream's headers among our own: they replace those of the
// same name, but what an answer varies by adds up.
func takeOver(own, theirs http.Header) {
	vary := append(own.Values("Vary"), theirs.Values("Vary")...)
	maps.Copy(own, theirs)
	if len(vary) > 0 {
		own["Vary"] = vary
	}
}

// presentable caps the body of an upstream answer, and replaces that of a 5xx,
// which may hold internal texts, and of a redirect, which leads to upstream's
// host.
func presentable(answer *http.Response) error {
	answer.Header.Add("Cache-Status", "rollcall; fwd="+forwardReason(answer.Request))
	if !mustBeDull(answer.StatusCode) {
		answer.Body = &capped{body: answer.Body, answer: answer, left: maxDownload}
		return nil
	}
	body, err := dullBody(answer.StatusCode)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	answer.Body, answer.Trailer = io.NopCloser(bytes.NewReader(body)), nil
	answer.ContentLength = int64(len(body))
	answer.Header.Del("Content-Encoding")
	answer.Header.Set("Content-Length", strconv.Itoa(len(body)))
	answer.Header.Set("Content-Type", "application/json")
	return nil
}

// mustBeDull tells a status whose body is replaced.
func mustBeDull(status int) bool {
	return status >= 500 || status >= 300 && status < 400 && status != http.StatusNotModified
}

func dullBody(status int) ([]byte, error) {
	message := fmt.Sprintf("Tallyfy answered %d", status)
	return json.Marshal(tallyfyError(message, upstreamCode(message)))
}

// forwardReason is why the mirror did not answer, in the words of RFC 9211.
func forwardReason(r *http.Request) string {
	switch {
	case !isRead(r):
		return "method"
	case cacheStatus(r) != cacheHit:
		return "request" // which wants younger rows than there are
	}
	return "bypass"
}

// checkAnswer refuses an answer that says it is over the limit, or that leaves HTTP.
// It closes what it refuses.
func checkAnswer(answer *http.Response) error {
	refusal := &directory.UpstreamError{Op: "forward " + answer.Request.Method, Status: answer.StatusCode}
	switch {
	case answer.StatusCode == http.StatusSwitchingProtocols:
		refusal.Reason, refusal.Err = directory.ReasonShape, errors.New("it changes to another protocol")
	case answer.ContentLength > maxDownload && answer.Request.Method != http.MethodHead:
		refusal.Reason, refusal.Err = directory.ReasonTooLarge, errTooLong
	default:
		return nil
	}
	_ = answer.Body.Close()
	return refusal
}

var (
	errTooLong   = errors.New("the answer is over the size limit")
	errBrokenOff = errors.New("the answer broke off, or its time was up")
)

// A capped body breaks off at a limit, and takes out of the trailers, which
// are known at its end, what is not for our callers.
type capped struct {
	body   io.ReadCloser
	answer *http.Response
	left   int64
}

func (b *capped) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLong
	}
	switch {
	case errors.Is(err, io.EOF):
		dropPrivate(b.answer.Trailer)
	case err != nil && !errors.Is(err, context.Canceled):
		err = errBrokenOff // the cause names addresses
	}
	return n, err
}

func (b *capped) Close() error { return b.body.Close() }

// dropPrivate takes out headers that name upstream's hosts, its cookies, its
// policies for browsers, which would be taken for ours, and what only we say.
func dropPrivate(h http.Header) {
	maps.DeleteFunc(h, func(name string, values []string) bool {
		return isPrivate(name) || slices.ContainsFunc(values, func(value string) bool { return strings.Contains(value, "://") })
	})
}

var private = []string{
	"Alt-Svc", "Clear-Site-Data", "Content-Location", "Content-Security-Policy", "Content-Security-Policy-Report-Only", "Link", "Location",
	"Nel", "Public-Key-Pins", "Refresh", "Report-To", "Reporting-Endpoints", "Server", "Server-Timing", "Set-Cookie", "Set-Cookie2",
	"Sourcemap", "Strict-Transport-Security", "Via", "X-Host", "X-Powered-By", "X-Request-Id", "X-Runtime", "X-Sourcemap",
}

var privatePrefixes = []string{
	"Access-Control-", "Cf-", "Rollcall-", "X-Amz", "X-Backend", "X-Debug", "X-Forwarded", "X-Original", "X-Served", "X-Upstream",
}

func isPrivate(name string) bool {
	name = http.CanonicalHeaderKey(name)
	return slices.Contains(private, name) ||
		slices.ContainsFunc(privatePrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

package tallyfysim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// Transport answers requests in process, whatever host they name: without
// sockets and without goroutines, so that it works inside a synctest bubble.
// It waits in the caller's goroutine and obeys the request's context there
// and while the body is read.
func (s *Sim) Transport() http.RoundTripper { return transport{s} }

type transport struct{ sim *Sim }

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	arrived, err := arrive(req)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a, err := t.sim.exchange(arrived)
	if err != nil {
		return nil, err
	}
	return a.response(ctx, req), nil
}

// arrive makes of a client's request what a server would see, and closes its
// body.
func arrive(req *http.Request) (*http.Request, error) {
	var body []byte
	if req.Body != nil {
		defer req.Body.Close()
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, fmt.Errorf("tallyfysim: read the request's body: %w", err)
		}
	}
	arrived := req.Clone(req.Context())
	arrived.Body = io.NopCloser(bytes.NewReader(body))
	arrived.RequestURI = req.URL.RequestURI()
	return arrived, nil
}

func (a answer) response(ctx context.Context, req *http.Request) *http.Response {
	header := a.header.Clone()
	header.Set("Content-Length", strconv.Itoa(len(a.body)))
	body := a.sent()
	if req.Method == http.MethodHead {
		body = nil
	}
	return &http.Response{
		Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, ContentLength: int64(len(a.body)), Request: req,
		Body: &responseBody{ctx: ctx, left: body, cut: a.isCut()},
	}
}

// A responseBody ends as a socket's would: with an error when the answer was
// cut or the request's context has ended.
type responseBody struct {
	ctx    context.Context
	left   []byte
	cut    bool
	closed bool
}

func (b *responseBody) Read(p []byte) (int, error) {
	if b.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	if len(b.left) == 0 {
		if b.cut {
			return 0, io.ErrUnexpectedEOF
		}
		return 0, io.EOF
	}
	n := copy(p, b.left)
	b.left = b.left[n:]
	return n, nil
}

func (b *responseBody) Close() error {
	b.closed = true
	return nil
}

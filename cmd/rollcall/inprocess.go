package main

import (
	"bytes"
	"io"
	"net/http"
)

// An inProcess transport hands requests to a handler of this process. It
// keeps whole answers in memory.
type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	incoming := r.Clone(r.Context())
	incoming.Host, incoming.RequestURI, incoming.RemoteAddr = r.URL.Host, r.URL.RequestURI(), "127.0.0.1:0"
	incoming.URL.Scheme, incoming.URL.Host = "", ""
	if incoming.Body == nil {
		incoming.Body = http.NoBody
	}
	w := &recordedAnswer{header: http.Header{}}
	t.handler.ServeHTTP(w, incoming)
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

// A recordedAnswer is a ResponseWriter that keeps what it is given.
type recordedAnswer struct {
	header http.Header // of the handler
	sent   http.Header // as of WriteHeader
	status int
	body   bytes.Buffer
}

func (w *recordedAnswer) Header() http.Header { return w.header }

func (w *recordedAnswer) WriteHeader(status int) {
	if w.status == 0 {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *recordedAnswer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

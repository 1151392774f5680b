package api

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A leaver is a wire whose client goes away in the middle of a request.
type leaver struct {
	*wire
	arrived chan context.Context // of a request, at upstream
	release chan struct{}        // lets upstream answer
	came    chan context.Context // of a request, at the API
	served  chan struct{}        // the API has done with a request
	front   *httptest.Server
}

func newLeaver(t *testing.T) *leaver {
	t.Helper()
	l := &leaver{
		arrived: make(chan context.Context, 1), release: make(chan struct{}),
		came: make(chan context.Context, 1), served: make(chan struct{}, 1),
	}
	l.wire = newWire(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server looks whether the client is there
		l.arrived <- r.Context()
		select {
		case <-r.Context().Done():
		case <-l.release:
		}
	})
	l.front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.came <- r.Context()
		defer func() { l.served <- struct{}{} }()
		l.api.ServeHTTP(w, r)
	}))
	t.Cleanup(l.front.Close)
	return l
}

// leave sends a request, goes away when it has arrived, and returns when the
// API knows that, with the context of what arrived.
func (l *leaver) leave(method, path string) context.Context {
	l.t.Helper()
	ctx, cancel := context.WithCancel(l.t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, l.front.URL+path, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer own")
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if resp, err := plainTransport.RoundTrip(r); err == nil {
			resp.Body.Close()
		}
	}()
	upstream := <-l.arrived
	cancel()
	<-gone
	<-(<-l.came).Done()
	return upstream
}

func TestAClientThatGoesAwayEndsAForwardedRead(t *testing.T) {
	l := newLeaver(t)
	for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
		<-l.leave(method, "/me").Done()
		<-l.served
	}
	if l.poller.marks != 0 {
		t.Error("a read marked everything")
	}
}

// The write is answered after its client has gone, and what it changed is
// looked at.
func TestAClientThatGoesAwayEndsNoForwardedWrite(t *testing.T) {
	l := newLeaver(t)
	for i, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		at := l.leave(method, "/organizations/"+org+"/guests/a@x.test/custom-fields")
		select {
		case l.release <- struct{}{}:
		case <-at.Done():
			t.Errorf("%s: the write was cancelled", method)
		}
		<-l.served
		if l.poller.marks != i+1 {
			t.Errorf("%s: what it changed is not looked at: %d marks", method, l.poller.marks)
		}
	}
}

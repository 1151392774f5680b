package tallyfysim

import (
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// keptRequests bounds the memory of a simulator that runs for days.
const keptRequests = 50_000

// A Request is one that arrived, admitted or not.
type Request struct {
	At            time.Time
	Method        string
	Path          string // as sent, undecoded, with /api where that was sent
	Query         url.Values
	Header        http.Header // as it arrived, token included
	Authorization bool        // whether that header was there
	Body          []byte
	Status        int // of the answer; 0 while there is none and when the connection broke
}

type requestLog struct {
	mu   sync.Mutex
	list []*Request
}

// begin notes a request; the returned function notes the answer's status.
func (l *requestLog) begin(r *http.Request, body []byte) func(status int) {
	req := &Request{
		At: time.Now(), Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.Query(),
		Header: r.Header.Clone(), Authorization: r.Header.Get("Authorization") != "", Body: body,
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) == keptRequests {
		l.list = slices.Delete(l.list, 0, keptRequests/2)
	}
	l.list = append(l.list, req)
	return func(status int) {
		l.mu.Lock()
		defer l.mu.Unlock()
		req.Status = status
	}
}

// Requests returns what arrived since the start or the last
// [Sim.ResetRequests], oldest first. Of a very long history the older half is
// forgotten. Headers, queries and bodies are shared and must not be changed.
func (s *Sim) Requests() []Request {
	s.requests.mu.Lock()
	defer s.requests.mu.Unlock()
	out := make([]Request, 0, len(s.requests.list))
	for _, r := range s.requests.list {
		out = append(out, *r)
	}
	return out
}

// ResetRequests forgets what arrived so far.
func (s *Sim) ResetRequests() {
	s.requests.mu.Lock()
	defer s.requests.mu.Unlock()
	s.requests.list = nil
}

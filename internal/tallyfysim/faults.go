package tallyfysim

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrDropped is what [Sim.Transport] returns for a connection that broke
// without an answer.
var ErrDropped = errors.New("tallyfysim: connection dropped")

// A Fault is something that happens to requests. Of the faults that match a
// request the one added first that has times left happens to it, alone.
//
// In order: Before, Delay, DropRequest, the request taking effect unless
// Status is set without Handled, After, DelayAnswer, DropConnection, and the
// answer, changed by RetryAfter, Header, Rewrite and TruncateAfter.
type Fault struct {
	Match func(*http.Request) bool // nil matches all; must not read the body
	Times int                      // how many requests; 0 for all until removed

	// Before and After run under no lock, so they may edit the organisation.
	// Before runs when the request has arrived, After once its answer is made
	// and before any of it leaves.
	Before func()
	After  func()

	// Delay passes before the request is looked at, DelayAnswer between the
	// answer being made and its leaving. Both end with the caller's context.
	Delay       time.Duration
	DelayAnswer time.Duration

	DropRequest    bool // the connection breaks and the request takes no effect
	DropConnection bool // the connection breaks, the request has taken effect

	Status  int    // answered instead of the request's own status and body
	Handled bool   // with Status: the request takes effect all the same
	Body    []byte // with Status: the body

	RetryAfter    string // header of the answer
	Header        http.Header
	Rewrite       func(body []byte) []byte
	TruncateAfter int // the body breaks off after so many bytes; 0 for never
}

// Fault adds f; remove takes it away again.
func (s *Sim) Fault(f Fault) (remove func()) {
	entry := &pendingFault{Fault: f}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = append(s.faults.list, entry)
	return func() { s.faults.remove(entry) }
}

// Clear takes all faults away.
func (s *Sim) Clear() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = nil
}

// On matches requests by method (empty for any) and the end of the decoded
// path, such as "/groups" for the list of groups.
func On(method, pathEnd string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		return (method == "" || r.Method == method) && strings.HasSuffix(r.URL.Path, pathEnd)
	}
}

// OnPage matches one page of a list: "groups" or "users".
func OnPage(list string, page string) func(*http.Request) bool {
	reads := On(http.MethodGet, "/"+list)
	return func(r *http.Request) bool {
		return reads(r) && cmp.Or(r.URL.Query().Get("page"), "1") == page
	}
}

type pendingFault struct {
	Fault
	taken int
}

type faultList struct {
	mu   sync.Mutex
	list []*pendingFault
}

// take returns the fault due for r, or one that does nothing.
func (l *faultList) take(r *http.Request) Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, f := range l.list {
		if f.Match != nil && !f.Match(r) {
			continue
		}
		f.taken++
		if f.Times > 0 && f.taken == f.Times {
			l.list = slices.Delete(l.list, i, i+1)
		}
		return f.Fault
	}
	return Fault{}
}

func (l *faultList) remove(entry *pendingFault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = slices.DeleteFunc(l.list, func(f *pendingFault) bool { return f == entry })
}

// apply runs the request under the fault. Handle is called at most once.
func (f Fault) apply(ctx context.Context, handle func() answer) (answer, error) {
	run(f.Before)
	if err := wait(ctx, f.Delay); err != nil {
		return answer{}, err
	}
	if f.DropRequest {
		return answer{}, ErrDropped
	}
	a := f.answer(handle)
	run(f.After)
	if err := wait(ctx, f.DelayAnswer); err != nil {
		return answer{}, err
	}
	if f.DropConnection {
		return answer{}, ErrDropped
	}
	return a, nil
}

func (f Fault) answer(handle func() answer) answer {
	var a answer
	if f.Status == 0 || f.Handled {
		a = handle()
	}
	if f.Status != 0 {
		a = answer{status: f.Status, header: http.Header{}, body: f.Body}
	}
	for key, values := range f.Header {
		a.header[http.CanonicalHeaderKey(key)] = values
	}
	if f.RetryAfter != "" {
		a.header.Set("Retry-After", f.RetryAfter)
	}
	if f.Rewrite != nil {
		a.body = f.Rewrite(a.body)
	}
	a.cut = f.TruncateAfter
	return a
}

func run(hook func()) {
	if hook != nil {
		hook()
	}
}

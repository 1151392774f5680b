package tallyfy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/internal/directory"
)

const (
	testOrg   = "0123456789abcdef0123456789abcdef"
	testToken = "very.secret-token"
)

// An upstream answers in process and remembers what it was asked and when.
type upstream struct {
	answer func(w http.ResponseWriter, r *http.Request)

	mu   sync.Mutex
	seen []*http.Request
	at   []time.Time
}

func (u *upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	u.mu.Lock()
	u.seen, u.at = append(u.seen, r.Clone(context.Background())), append(u.at, time.Now())
	u.mu.Unlock()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	u.answer(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, r.Context().Err()
}

func (u *upstream) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.seen)
}

func (u *upstream) last() *http.Request {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.seen[len(u.seen)-1]
}

// always answers every request with a status and a body.
func always(status int, body string, headers ...string) *upstream {
	return inTurn(answer(status, body, headers...))
}

// inTurn gives one answer after the other and then repeats the last.
func inTurn(answers ...http.HandlerFunc) *upstream {
	var mu sync.Mutex
	return &upstream{answer: func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now := answers[0]
		if len(answers) > 1 {
			answers = answers[1:]
		}
		mu.Unlock()
		now(w, r)
	}}
}

func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const emptyList = `{"data":[],"meta":{"pagination":{"total":0,"count":0,"per_page":100,"current_page":1,"total_pages":1,"links":[]}}}`

func newClient(t *testing.T, transport http.RoundTripper, change ...func(*Options)) *Client {
	t.Helper()
	o := Options{
		BaseURL: "https://tallyfy.test/api", Organization: testOrg, Token: StaticToken(testToken), Transport: transport,
	}
	for _, f := range change {
		f(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantReason(t *testing.T, err error, want directory.Reason) *directory.UpstreamError {
	t.Helper()
	up, ok := errors.AsType[*directory.UpstreamError](err)
	if !ok || up.Reason != want {
		t.Fatalf("error %v, want reason %s", err, want)
	}
	if up.Op == "" {
		t.Errorf("error %v does not say what failed", err)
	}
	if strings.Contains(err.Error(), testToken) {
		t.Errorf("error %v holds the token", err)
	}
	return up
}

// A notebook is a spend log in memory.
type notebook struct {
	mu    sync.Mutex
	notes []directory.Spend
	err   error
}

func (n *notebook) Spent(_ context.Context, since time.Time) ([]directory.Spend, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var found []directory.Spend
	for _, s := range n.notes {
		if !s.At.Before(since) {
			found = append(found, s)
		}
	}
	return found, n.err
}

func (n *notebook) RecordSpend(_ context.Context, s directory.Spend) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err == nil {
		n.notes = append(n.notes, s)
	}
	return n.err
}

func (n *notebook) total() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	sum := 0
	for _, s := range n.notes {
		sum += s.Requests
	}
	return sum
}

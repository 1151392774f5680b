package tallyfy

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"rollcall/internal/directory"
)

// A hangUp is a server that answers requests but one, at which it breaks the
// connection after it has read it.
type hangUp struct {
	at      int // counted from 1
	mu      sync.Mutex
	arrived []*http.Request
}

func (h *hangUp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	h.mu.Lock()
	h.arrived = append(h.arrived, r)
	n := len(h.arrived)
	h.mu.Unlock()
	if n == h.at {
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(w, emptyList)
}

func (h *hangUp) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.arrived)
}

// pass sends a request and reads the answer, so that its connection is kept.
func pass(t *testing.T, c *Client, method, body string) error {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "/organizations/x/groups", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Forward(t.Context(), r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func TestEverythingThatLeavesAgainOnADeadConnectionIsCounted(t *testing.T) {
	for method, body := range map[string]string{
		"GET": "", "HEAD": "", "OPTIONS": "", "TRACE": "", "DELETE": "", "PUT": "{}", "POST": "{}",
		"GET with a body": "{}",
	} {
		t.Run(method, func(t *testing.T) {
			method, _, _ := strings.Cut(method, " ")
			up := &hangUp{at: 2}
			c := serve(t, up.ServeHTTP, func(o *Options) { o.Hourly = 100 })
			if err := pass(t, c, "GET", ""); err != nil {
				t.Fatal(err)
			}
			err := pass(t, c, method, body)
			want := 2
			if isHarmless(&http.Request{Method: method}) && body == "" {
				want = 3
			}
			if (err == nil) != (want == 3) {
				t.Errorf("error %v", err)
			}
			budget := c.Budget()
			if spent := budget.HourLimit - budget.HourRemaining; up.count() != want || spent != want {
				t.Errorf("%d requests arrived and %d were counted, want %d", up.count(), spent, want)
			}
		})
	}
}

// An hour of twenty lets two leave at once.
func TestNothingLeavesAgainBeyondALimit(t *testing.T) {
	up := &hangUp{at: 2}
	c := serve(t, up.ServeHTTP, func(o *Options) { o.Hourly = 20 })
	if err := pass(t, c, "GET", ""); err != nil {
		t.Fatal(err)
	}
	wantReason(t, pass(t, c, "GET", ""), directory.ReasonTransport)
	if up.count() != 2 {
		t.Errorf("%d requests arrived, want 2", up.count())
	}
}

func TestNothingLeavesAgainOnAConnectionOfItsOwn(t *testing.T) {
	up := &hangUp{at: 1}
	c := serve(t, up.ServeHTTP)
	wantReason(t, pass(t, c, "GET", ""), directory.ReasonTransport)
	if up.count() != 1 {
		t.Errorf("%d requests arrived, want 1", up.count())
	}
}

func TestReadsLookOnTheWireAsEver(t *testing.T) {
	up := &hangUp{at: 2}
	c := serve(t, up.ServeHTTP)
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "TRACE"} {
		if err := pass(t, c, method, ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range up.arrived {
		if r.ProtoMajor != 1 || r.ContentLength != 0 || len(r.TransferEncoding) > 0 || r.Header.Get("Content-Length") != "" {
			t.Errorf("%s arrived as %+v", r.Method, r)
		}
	}
}

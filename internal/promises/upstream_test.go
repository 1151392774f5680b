package promises_test

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/internal/tallyfysim"
)

// An upstream is a simulated Tallyfy on loopback. Every change of it goes
// through its chronicle.
type upstream struct {
	sim    *tallyfysim.Sim
	server *httptest.Server
	*chronicle

	gate    gate          // holds the lists back
	listed  chan struct{} // gets a value when groups were listed, if somebody waits
	written chan struct{} // likewise when a write was answered
}

func newUpstream(t *testing.T, o tallyfysim.Options) *upstream {
	t.Helper()
	sim := tallyfysim.New(o)
	u := &upstream{sim: sim, chronicle: newChronicle(sim), listed: make(chan struct{}), written: make(chan struct{})}
	u.gate.open()
	u.server = httptest.NewServer(u)
	t.Cleanup(u.server.Close)
	t.Cleanup(u.gate.open)
	return u
}

// ServeHTTP is the simulator's; changes are chronicled.
func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		if isPage(r) && !u.gate.pass(r) {
			return
		}
		u.sim.ServeHTTP(w, r)
		if strings.HasSuffix(r.URL.Path, "/groups") {
			signal(u.listed)
		}
		return
	}
	u.change(func() { u.sim.ServeHTTP(w, r) })
	signal(u.written)
}

// isPage tells a page of a list.
func isPage(r *http.Request) bool {
	return r.Method == http.MethodGet && (strings.HasSuffix(r.URL.Path, "/users") || strings.HasSuffix(r.URL.Path, "/groups"))
}

func signal(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// environment is that of a serve which mirrors u into a file of its own
// folder, as often as it can.
func (u *upstream) environment(t *testing.T) environment {
	t.Helper()
	return environment{
		"TALLYFY_BASE_URL":         u.server.URL,
		"TALLYFY_ORG_ID":           u.sim.Organization(),
		"TALLYFY_ACCESS_TOKEN":     u.sim.Token(),
		"ROLLCALL_LISTEN":          "127.0.0.1:0",
		"ROLLCALL_DB":              filepath.Join(t.TempDir(), "rollcall.db"),
		"ROLLCALL_POLL_INTERVAL":   "5ms",
		"ROLLCALL_UPSTREAM_RATE":   "0",
		"ROLLCALL_UPSTREAM_HOURLY": "0",
	}
}

// stir edits the organisation with pauses of up to most until stop is called.
func (u *upstream) stir(rng *rand.Rand, most time.Duration) (stop func()) {
	done := make(chan struct{})
	var stirring sync.WaitGroup
	stirring.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(rand.N(most)):
			}
			u.change(func() { u.edit(rng) })
		}
	})
	return sync.OnceFunc(func() {
		close(done)
		stirring.Wait()
	})
}

// mostGroups keeps the list of groups on one page, so that what a sweep sees
// of it is of one state.
const mostGroups = 60

// edit is mostly small, now and then a move of many people.
func (u *upstream) edit(rng *rand.Rand) {
	groups, users := u.sim.Groups(), u.sim.Users()
	g := groups[1+rng.IntN(len(groups)-1)]
	switch {
	case len(groups) > mostGroups:
		u.sim.DeleteGroup(g.ID)
	case rng.IntN(8) > 0:
		u.sim.Stir(rng)
	default:
		u.sim.UpdateGroup(g.ID, func(g *tallyfysim.Group) {
			g.Members = g.Members[min(20, len(g.Members)/2):]
			for range 20 {
				g.Members = append(g.Members, users[rng.IntN(len(users))].ID)
			}
		})
	}
}

// A gate holds requests back while it is shut.
type gate struct {
	mu   sync.Mutex
	shut chan struct{} // closed when it opens; nil while it is open
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut == nil {
		g.shut = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut != nil {
		close(g.shut)
		g.shut = nil
	}
}

// pass waits until the gate is open and reports whether the caller did, too.
func (g *gate) pass(r *http.Request) bool {
	g.mu.Lock()
	shut := g.shut
	g.mu.Unlock()
	if shut == nil {
		return true
	}
	select {
	case <-shut:
		return true
	case <-r.Context().Done():
		return false
	}
}

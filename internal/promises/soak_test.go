package promises_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"rollcall/internal/tallyfysim"
)

// soakVar says how long TestSoak lasts, as in 10m; nothing skips it.
const soakVar = "ROLLCALL_SOAK"

// The real program under load, upstream as bad as it gets: it answers every
// read, and what it holds of memory, goroutines and log stays flat; its file
// grows by what happened and no faster.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv(soakVar))
	if err != nil {
		t.Skipf("%s is no duration such as 10m", soakVar)
	}
	s := newSoak(t)
	var load sync.WaitGroup
	done := make(chan struct{})
	for _, work := range []func(*rand.Rand){s.edit, s.edit, s.fail, s.write, s.write, s.read, s.read, s.read, s.read} {
		rng := rand.New(rand.NewPCG(rand.Uint64(), 0))
		load.Go(func() {
			for !isClosed(done) {
				work(rng)
			}
		})
	}
	s.measure(length)
	close(done)
	s.sim.Clear()
	load.Wait()
	s.wantFlat()
	s.settle()
}

// A soak is a program under load.
type soak struct {
	t       *testing.T
	sim     *tallyfysim.Sim
	path    string
	program *program
	*caller
	series []sample

	mu    sync.Mutex
	tally map[string]int // what was done, and what came of it
	slow  time.Duration  // the slowest read
}

func newSoak(t *testing.T) *soak {
	sim := tallyfysim.New(tallyfysim.Options{Seed: 10, Groups: 300, Members: 2000, Edges: 10_000, Guests: 100})
	upstream := httptest.NewServer(sim)
	t.Cleanup(upstream.Close)
	s := &soak{t: t, sim: sim, path: filepath.Join(t.TempDir(), "rollcall.db"), tally: map[string]int{}}
	s.program = serve(t, environment{
		"TALLYFY_BASE_URL":         upstream.URL,
		"TALLYFY_ORG_ID":           sim.Organization(),
		"TALLYFY_ACCESS_TOKEN":     sim.Token(),
		"ROLLCALL_LISTEN":          "127.0.0.1:0",
		"ROLLCALL_DB":              s.path,
		"ROLLCALL_POLL_INTERVAL":   "1s",
		"ROLLCALL_UPSTREAM_RATE":   "0",
		"ROLLCALL_UPSTREAM_HOURLY": "0",
	})
	s.caller = newCaller(t, s.program, sim)
	s.waitFor(t, s.program, "fresh", "")
	return s
}

func isClosed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

func (s *soak) count(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally[what]++
}

// edit changes the organisation some ten times a second.
func (s *soak) edit(rng *rand.Rand) {
	s.sim.Stir(rng)
	s.sim.ResetRequests()
	time.Sleep(time.Duration(rng.IntN(200)) * time.Millisecond)
}

// fail lets upstream fail every second or so, in one way after the other.
func (s *soak) fail(rng *rand.Rand) {
	lists := func(r *http.Request) bool { return r.Method == http.MethodGet }
	writes := func(r *http.Request) bool { return r.Method != http.MethodGet }
	faults := []tallyfysim.Fault{
		{Status: 429, RetryAfter: "1", Body: []byte(`{"message":"Too Many Attempts."}`)},
		{Status: 500},
		{Status: 502},
		{Status: 503, RetryAfter: "2"},
		{Match: lists, TruncateAfter: 1 + rng.IntN(5000)},
		{Match: lists, Status: 200, Body: []byte("<!DOCTYPE html><html><body>We will be back soon</body></html>")},
		{Match: lists, Status: 200, Body: []byte(`{"data":[],"meta":{"pagination":{"total":0,"count":0,"per_page":100,"current_page":1,"total_pages":1}}}`)},
		{Match: lists, DropConnection: true},
		{Match: writes, DropConnection: true},
		{Match: writes, DropRequest: true},
		{DelayAnswer: time.Duration(rng.IntN(2000)) * time.Millisecond},
	}
	fault := faults[rng.IntN(len(faults))]
	if rng.IntN(40) == 0 {
		fault = tallyfysim.Fault{Match: isPage, Delay: 30 * time.Second}
	}
	fault.Times = 1 + rng.IntN(4)
	remove := s.sim.Fault(fault)
	s.count("faults")
	time.Sleep(time.Duration(rng.IntN(2000)) * time.Millisecond)
	remove()
	time.Sleep(time.Duration(rng.IntN(1000)) * time.Millisecond)
}

// write makes, changes and deletes groups some times a second.
func (s *soak) write(rng *rand.Rand) {
	groups, users := s.sim.Groups(), s.sim.Users()
	members := []int64{}
	for range rng.IntN(20) {
		members = append(members, users[rng.IntN(len(users))].ID)
	}
	n := numberOfWrite.Add(1)
	body := map[string]any{"name": fmt.Sprint("Soak ", n), "description": fmt.Sprint("write ", n), "members": members, "guests": []string{}}
	method, path := "PUT", s.groupsPath()+"/"+groups[1+rng.IntN(len(groups)-1)].ID
	switch {
	case rng.IntN(20) == 0 && len(groups) < 320:
		method, path = "POST", s.groupsPath()
	case rng.IntN(20) == 0 && len(groups) > 280:
		method, body = "DELETE", nil
	}
	if got, err := s.do(method, path, body); err != nil {
		s.t.Errorf("a write is not answered: %v", err)
	} else {
		s.count(fmt.Sprintf("writes answered %d", got.status))
	}
	time.Sleep(time.Duration(rng.IntN(300)) * time.Millisecond)
}

// read asks what callers ask, some hundred times a second. Whatever upstream
// does, there is an answer.
func (s *soak) read(rng *rand.Rand) {
	member := 1001 + rng.IntN(2000)
	org := "/organizations/" + s.sim.Organization()
	paths := []string{
		fmt.Sprintf("/v1/members/%d/groups", member), fmt.Sprintf("/v1/members/%d", member),
		"/v1/groups?limit=50&sort=name", "/v1/members?limit=50", "/v1/status", "/readyz",
		org + "/groups?per_page=100", org + "/users?per_page=100", fmt.Sprintf("%s/users/%d", org, member),
	}
	path := paths[rng.IntN(len(paths))]
	began := time.Now()
	got, err := s.do("GET", path, nil)
	took := time.Since(began)
	if err != nil || got.status != http.StatusOK && got.status != http.StatusNotFound {
		s.t.Errorf("GET %s is answered %d, %v: %.200s", path, got.status, err, got.body)
	}
	s.mu.Lock()
	s.tally["reads"]++
	s.slow = max(s.slow, took)
	s.mu.Unlock()
	time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
}

// settle lets upstream be well: the mirror becomes what it is, and the program
// stops as if nothing had been.
func (s *soak) settle() {
	s.t.Logf("%v, the slowest read took %s", s.tally, s.slow.Round(time.Millisecond))
	for range 3 {
		if got, err := s.do("POST", "/v1/sync?wait=60s", nil); err != nil || got.status != http.StatusOK {
			s.t.Errorf("the sweep in quiet is answered %d, %v: %s", got.status, err, got.body)
		}
	}
	s.waitFor(s.t, s.program, "fresh", "")
	s.program.stop()
	mirror, upstream := checkFile(s.t, s.path).picture(), newChronicle(s.sim).now()
	if !maps.Equal(mirror.groups, upstream.groups) || !maps.Equal(mirror.members, upstream.members) {
		s.t.Errorf("the mirror is not what upstream is:\n%s%s", differences(upstream.groups, mirror.groups), differences(upstream.members, mirror.members))
	}
}

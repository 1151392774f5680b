package promises_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall/internal/access"
	"rollcall/internal/api"
	"rollcall/internal/tallyfysim"
	"rollcall/internal/write"
)

// An assembly is everything in one process and in virtual time: upstream, the
// parts and the API before them, and those who use it.
type assembly struct {
	t      *testing.T
	seed   uint64
	sim    *tallyfysim.Sim
	parts  *parts
	path   string
	caller *caller
	began  time.Time
	ended  chan struct{}
	stop   func()

	shared struct { // written by all
		group string
		user  int64
	}
	owned     []int64 // users, each written by one
	leavers   []int64
	people    []int64 // may be put into groups
	elsewhere []string
	mine      sync.Map // ids of all rows that are each written by one

	marks marks
	reads atomic.Int64
}

// cast says who writes what.
func (a *assembly) cast() {
	var others []int64
	for _, u := range a.sim.Users() {
		if u.Status == tallyfysim.StatusActive && !u.Bot && !u.DefaultAdmin && u.Role == tallyfysim.RoleStandard {
			others = append(others, u.ID)
		}
	}
	a.shared.user, a.owned, a.leavers, a.people = others[0], others[1:1+writersOfEach], others[5:9], others[9:]
	for _, id := range a.owned {
		a.mine.Store(fmt.Sprint(id), true)
	}
	for _, g := range a.sim.Groups() {
		a.elsewhere = append(a.elsewhere, g.ID)
	}
	a.shared.group, a.elsewhere = a.elsewhere[0], a.elsewhere[1:]
}

// slowDown makes every request take some time, on its way there and on its
// way back, lists the longest, and loses some answers of writes.
func (a *assembly) slowDown() {
	doze := func() { time.Sleep(rand.N(10 * time.Millisecond)) }
	sleep := func() { time.Sleep(rand.N(100 * time.Millisecond)) }
	marked := func(every int64) func(*http.Request) bool {
		var writes atomic.Int64
		return func(r *http.Request) bool {
			return r.Method == http.MethodPut && !strings.HasSuffix(r.URL.Path, "/role") && !strings.HasSuffix(r.URL.Path, "able") && writes.Add(1)%every == 0
		}
	}
	a.sim.Fault(tallyfysim.Fault{Match: marked(17), DropConnection: true, Before: doze, After: doze})
	a.sim.Fault(tallyfysim.Fault{Match: marked(19), Status: 503, Handled: true, Before: doze, After: doze})
	a.sim.Fault(tallyfysim.Fault{Match: isPage, Before: sleep, After: sleep})
	a.sim.Fault(tallyfysim.Fault{Before: doze, After: doze})
}

// pause passes between one write and the next.
func (a *assembly) pause() { time.Sleep(rand.N(500 * time.Millisecond)) }

func (a *assembly) rng(n int) *rand.Rand { return rand.New(rand.NewPCG(a.seed, uint64(n))) }

func (a *assembly) somePeople(rng *rand.Rand) []int64 {
	ids := []int64{}
	for range rng.IntN(8) {
		ids = append(ids, a.people[rng.IntN(len(a.people))])
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// caller asks the API in this process.
func (p *parts) caller(t *testing.T) *caller {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	anybody, err := access.New(access.Options{Mode: access.ModeNone})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := api.New(api.Options{
		Access: anybody, Organization: p.sim.Organization(), Mirror: p.db, Poller: p.Poller, Upstream: p.client, Logger: logger,
		Writer:   write.New(write.Options{Upstream: p.client, Mirror: p.Poller, Logger: logger, RequestID: api.RequestID}),
		Registry: prometheus.NewRegistry(), Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	return &caller{"http://localhost", p.sim.Organization(), p.sim.Token(), &http.Client{Transport: direct{whole}}}
}

// direct hands requests to a handler without a network between.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	in := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), r.Body)
	in.Header, in.ContentLength = r.Header, r.ContentLength
	out := httptest.NewRecorder()
	d.ServeHTTP(out, in)
	return out.Result(), nil
}

func (a *assembly) do(method, path string, body any) answer {
	a.t.Helper()
	got, err := a.caller.do(method, path, body)
	if err != nil {
		a.t.Errorf("%s %s: %v", method, path, err)
	}
	return got
}

// mustSync waits for a sweep that begins now.
func (a *assembly) mustSync() {
	a.t.Helper()
	if got := a.do("POST", "/v1/sync?wait=60s", nil); got.status != http.StatusOK {
		a.t.Errorf("sync: %d %s", got.status, got.body)
	}
}

func (a *assembly) usersPath() string { return "/organizations/" + a.sim.Organization() + "/users" }

func (a *assembly) create(name string) string {
	a.t.Helper()
	got := a.do("POST", a.caller.groupsPath(), map[string]any{"name": name, "description": "new", "members": []int64{}, "guests": []string{}})
	var made struct{ Data struct{ ID string } }
	if err := json.Unmarshal(got.body, &made); err != nil || got.status/100 != 2 {
		a.t.Errorf("%d %s: %v", got.status, got.body, err)
	}
	a.mine.Store(made.Data.ID, true)
	return made.Data.ID
}

// isOwned reports whether one writer alone writes a row.
func (a *assembly) isOwned(row string) bool {
	_, is := a.mine.Load(row)
	return is
}

func (a *assembly) description(group string) string {
	var shown struct{ Data struct{ Description string } }
	a.get("/v1/groups/"+group, &shown)
	return shown.Data.Description
}

func (a *assembly) team(user int64) string {
	var shown struct{ Data struct{ Team string } }
	a.get(fmt.Sprintf("%s/%d", a.usersPath(), user), &shown)
	return shown.Data.Team
}

type shownMember struct {
	Status     string
	GroupCount int `json:"group_count"`
}

func (a *assembly) member(id int64) shownMember {
	var shown struct{ Data shownMember }
	a.get(fmt.Sprintf("/v1/members/%d", id), &shown)
	return shown.Data
}

func (a *assembly) get(path string, into any) {
	a.t.Helper()
	if got := a.do("GET", path, nil); got.status != http.StatusOK || json.Unmarshal(got.body, into) != nil {
		a.t.Errorf("%s: %d %s", path, got.status, got.body)
	}
}

func revisionOf(got answer) int64 {
	revision, _ := strconv.ParseInt(got.header.Get("Rollcall-Revision"), 10, 64)
	return revision
}

// A listed row is a group or, with a team, a user.
type listed struct {
	ID                any
	Description, Team string
}

func (r listed) name() string  { return fmt.Sprint(r.ID) }
func (r listed) words() string { return r.Description + r.Team }

func rowsIn(t *testing.T, got answer) []listed {
	t.Helper()
	var list struct{ Data []listed }
	if err := json.Unmarshal(got.body, &list); err != nil {
		t.Errorf("%v: %s", err, got.body)
	}
	return list.Data
}

package poller

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// A model runs random upstream edits, sweeps, writes, refreshes and faults
// against each other and knows every state that each row ever had upstream.
type model struct {
	*world
	life   *life
	r      *rapid.T
	rough  bool // kills, failing disks and held removals, too
	guard  Options
	others sync.WaitGroup
	served []revision

	lied, accepted bool

	mu      sync.Mutex
	rng     *rand.Rand
	edits   int
	groups  lives[string, shownGroup]
	members lives[int64, shownMember]
}

// lives are the states of every row of a kind, in order. States of one row
// are distinct.
type lives[ID comparable, S any] struct {
	states map[ID][]phase[S]
	shown  map[ID]int // index of the state that the mirror showed last
}

type phase[S any] struct {
	from  time.Time
	state S
	gone  bool
}

func TestMirrorFollowsUpstreamThroughAnyInterleaving(t *testing.T) { runModel(t, false) }

func TestMirrorFollowsUpstreamThroughKillsAndHolds(t *testing.T) { runModel(t, true) }

// What is drawn decides what a failure that was kept means: whoever adds to it
// adds a test.
func runModel(t *testing.T, rough bool) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(undated{t}, func(r *rapid.T) {
			m := newModel(t, r, rough)
			defer m.end()
			for range rapid.IntRange(10, 40).Draw(r, "steps") {
				m.step()
				m.check()
			}
			m.settleDown()
			m.checkServed()
			m.checkHistory()
		})
	})
}

// undated hides the deadline of a test, which is of no use in virtual time.
type undated struct{ testing.TB }

func newModel(t *testing.T, r *rapid.T, rough bool) *model {
	m := &model{
		r: r, rough: rough, rng: newRand(rapid.Uint64().Draw(r, "seed")),
		groups:  lives[string, shownGroup]{map[string][]phase[shownGroup]{}, map[string]int{}},
		members: lives[int64, shownMember]{map[int64][]phase[shownMember]{}, map[int64]int{}},
	}
	m.world = &world{
		t: r, path: t.TempDir() + "/rollcall.db", log: &lines{},
		sim: tallyfysim.New(tallyfysim.Options{
			Organization: dbtest.Organization, Seed: m.rng.Uint64(), Groups: 9, Members: 8, Edges: 24, Guests: 3,
			UserCap:           rapid.SampledFrom([]int{3, 100}).Draw(r, "users a page"),
			Generation:        rapid.SampledFrom([]tallyfysim.Generation{tallyfysim.Gen2026, tallyfysim.Gen2025}).Draw(r, "generation"),
			NoMeta:            rapid.Bool().Draw(r, "no meta"),
			AbsentArraysClear: rapid.Bool().Draw(r, "absent arrays clear"),
		}),
	}
	m.open()
	perPage := rapid.SampledFrom([]string{"4", "100"}).Draw(r, "groups a page")
	client, err := tallyfy.New(tallyfy.Options{
		BaseURL: "https://go.tallyfy.com/api", Organization: dbtest.Organization, Token: tallyfy.StaticToken(m.sim.Token()),
		Transport: &slowTransport{m, perPage},
	})
	if err != nil {
		r.Fatal(err)
	}
	m.client = client
	if rough {
		m.guard.HoldRemovals = rapid.Bool().Draw(r, "guard")
		m.guard.HoldRelease = rapid.SampledFrom([]time.Duration{0, 5 * time.Second}).Draw(r, "hold release")
	}
	m.note()
	m.begin()
	m.sweep(directory.SweepPublished)
	return m
}

func (m *model) end() {
	m.sim.Clear()
	m.others.Wait()
	m.life.end()
	m.client.Close()
	m.close() // which does no harm twice
}

// A slowTransport takes its time before and after upstream looks at a
// request, and makes pages small.
type slowTransport struct {
	*model
	perPage string
}

func (s *slowTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if query := r.URL.Query(); query.Get("per_page") != "" {
		query.Set("per_page", s.perPage)
		r.URL.RawQuery = query.Encode()
	}
	time.Sleep(s.delay())
	resp, err := s.sim.Transport().RoundTrip(r)
	s.note()
	time.Sleep(s.delay())
	return resp, err
}

// chance is a random time below so many milliseconds.
func (m *model) chance(ms int) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Duration(m.rng.IntN(ms)) * time.Millisecond
}

// delay is short most times and now and then long.
func (m *model) delay() time.Duration {
	if m.chance(5) == 0 {
		return m.chance(3000)
	}
	return m.chance(200)
}

// version is a text that no other state has.
func (m *model) version() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.edits++
	return fmt.Sprintf("v%d", m.edits)
}

// note remembers the states that upstream has now.
func (m *model) note() {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.upstream()
	m.groups.note(now.Groups)
	m.members.note(now.Members)
}

func (l *lives[ID, S]) note(now map[ID]S) {
	for id, state := range now {
		if known := l.states[id]; len(known) == 0 || !gocmp.Equal(known[len(known)-1].state, state) {
			l.states[id] = append(known, phase[S]{from: time.Now(), state: state})
		}
	}
	for id, known := range l.states {
		if _, lives := now[id]; !lives && !known[len(known)-1].gone {
			l.states[id] = append(known, phase[S]{from: time.Now(), gone: true})
		}
	}
}

// check holds the mirror against what upstream ever was: each row shows a
// state that upstream had, never an older one than before, one that held when
// the row says that it was confirmed; and nothing that exists has vanished. It
// looks while nothing moves, as it takes several reads.
func (m *model) check() {
	m.r.Helper()
	synctest.Wait()
	shown := m.mirror()
	m.remember(shown)
	m.mu.Lock()
	defer m.mu.Unlock()
	checkLives(m, &m.groups, shown.Groups, func(id string) time.Time { return m.confirmed(id) })
	checkLives(m, &m.members, shown.Members, func(id int64) time.Time {
		found, err := m.db.Member(context.Background(), directory.PersonRef{ID: id})
		if err != nil {
			m.r.Fatal(err)
		}
		return found.ConfirmedAt
	})
}

func checkLives[ID comparable, S any](m *model, l *lives[ID, S], shown map[ID]S, confirmed func(ID) time.Time) {
	m.r.Helper()
	for id, state := range shown {
		states := l.states[id]
		i := slices.IndexFunc(states, func(v phase[S]) bool { return !v.gone && gocmp.Equal(v.state, state) })
		if i < 0 {
			m.r.Fatalf("%v is shown as %+v, which it never was: %+v", id, state, states)
		}
		if before, known := l.shown[id]; known && i < before {
			m.r.Fatalf("%v is shown as state %d after state %d of %+v", id, i, before, states)
		}
		if i+1 < len(states) && states[i+1].from.Before(confirmed(id)) {
			m.r.Fatalf("%v is shown as state %d of %+v, but confirmed at %v", id, i, states, confirmed(id))
		}
		l.shown[id] = i
	}
	for id, before := range l.shown {
		if _, present := shown[id]; present {
			continue
		}
		if states := l.states[id]; !states[len(states)-1].gone {
			m.r.Fatalf("%v has vanished, but exists: state %d of %+v was shown", id, before, states)
		}
		l.shown[id] = len(l.states[id]) - 1
	}
}

// step does one random thing and lets some time pass.
func (m *model) step() {
	steps := map[string]func(){
		"edit a group": m.editGroup, "edit a group again": m.editGroup, "create a group": m.createGroup,
		"delete a group": m.deleteGroup, "edit a user": m.editUser, "create a user": m.createUser,
		"remove a user": m.removeUser, "disable a user": m.disableUser,
		"sweep": m.sweepAside, "sweep again": m.sweepAside, "refresh a group": m.refreshGroup, "refresh a user": m.refreshUser,
		"put": m.put, "put again": m.put, "post": m.post, "delete": m.delete,
		"fault": m.fault, "restart": m.restartInPeace, "mark": m.MarkEverything, "reread": func() { m.reread(context.Background()) },
	}
	if m.rough {
		steps["kill"], steps["kill again"], steps["accept"], steps["disk"] = m.kill, m.kill, m.accept, m.failDisk
	}
	names := make([]string, 0, len(steps))
	for name := range steps {
		names = append(names, name)
	}
	slices.Sort(names)
	steps[rapid.SampledFrom(names).Draw(m.r, "step")]()
	m.note()
	time.Sleep(time.Duration(rapid.IntRange(0, 400).Draw(m.r, "pause")) * time.Millisecond)
}

func (m *model) someGroup() string {
	groups := m.sim.Groups()
	if len(groups) == 0 {
		return strings.Repeat("0", 32)
	}
	// Low numbers are drawn more often, so that much happens to few groups.
	return groups[min(rapid.IntRange(0, 20).Draw(m.r, "group")/2, len(groups)-1)].ID
}

func (m *model) someUser() int64 {
	users := m.sim.Users()
	return users[rapid.IntRange(1, len(users)-1).Draw(m.r, "user")].ID
}

func (m *model) someMembers() []int64 {
	ids := []int64{}
	if m.rough && rapid.IntRange(0, 3).Draw(m.r, "everybody") == 3 {
		for _, u := range m.sim.Users() {
			ids = append(ids, u.ID)
		}
		return ids
	}
	for range rapid.IntRange(0, 4).Draw(m.r, "members") {
		ids = append(ids, m.someUser())
	}
	return distinct(ids)
}

func (m *model) editGroup() {
	members, version := m.someMembers(), m.version()
	m.sim.UpdateGroup(m.someGroup(), func(g *tallyfysim.Group) { g.Description, g.Members = version, members })
}

func (m *model) createGroup() {
	version := m.version()
	m.sim.CreateGroup(tallyfysim.Group{Name: version, Description: version, Members: m.someMembers()})
}

func (m *model) deleteGroup() { m.sim.DeleteGroup(m.someGroup()) }

func (m *model) editUser() {
	version := m.version()
	m.sim.UpdateUser(m.someUser(), func(u *tallyfysim.User) { u.LastName = version })
}

func (m *model) createUser() {
	version := m.version()
	m.sim.CreateUser(tallyfysim.User{Email: version + "@x.test", FirstName: "New", LastName: version})
}

func (m *model) removeUser() {
	if len(m.sim.Users()) > 4 {
		m.sim.RemoveUser(m.someUser())
	}
}

func (m *model) disableUser() { m.sim.Disable(m.someUser()) }

// aside runs something at the side. What upstream answers is no failure.
func (m *model) aside(do func(l *life)) {
	l := m.life
	m.others.Go(func() { do(l) })
}

func (m *model) sweepAside() { m.aside(func(l *life) { _, _ = l.Sweep(l.ctx) }) }

func (m *model) refreshGroup() {
	id := m.someGroup()
	m.aside(func(l *life) { _, _ = l.RefreshGroup(l.ctx, id) })
}

func (m *model) refreshUser() {
	id := m.someUser()
	m.aside(func(l *life) { _, _ = l.RefreshMember(l.ctx, id) })
}

func (m *model) put() {
	version := m.version()
	fields := map[string]any{"name": "Put " + version, "description": version}
	if rapid.Bool().Draw(m.r, "with members") {
		fields["members"], fields["guests"] = m.someMembers(), []string{}
	}
	m.write(http.MethodPut, m.someGroup(), version, fields)
}

func (m *model) post() {
	version := m.version()
	m.write(http.MethodPost, "", version, map[string]any{"name": "Post " + version, "description": version, "members": m.someMembers()})
}

func (m *model) delete() { m.write(http.MethodDelete, m.someGroup(), "", nil) }

// write sends a write at the side. When its answer says that reads show it,
// they do.
func (m *model) write(method, id, version string, fields map[string]any) {
	body, err := json.Marshal(fields)
	if err != nil {
		m.r.Fatal(err)
	}
	path := strings.TrimSuffix("https://rollcall.test/organizations/"+dbtest.Organization+"/groups/"+id, "/")
	m.aside(func(l *life) {
		r, err := http.NewRequestWithContext(l.ctx, method, path, bytes.NewReader(body))
		if err != nil {
			panic(err)
		}
		r.Header.Set("Authorization", "Bearer "+m.sim.Token())
		out, err := l.writer.Group(l.ctx, r, body)
		if err != nil || out.Status/100 != 2 || out.Refresh != directory.RefreshApplied {
			return
		}
		_ = l.store.use(func() { m.wantWritten(id, version) })
	})
}

// wantWritten wants the mirror to show a state that is not older than what a
// write made of a group.
func (m *model) wantWritten(id, version string) {
	shown := m.mirror()
	m.mu.Lock()
	defer m.mu.Unlock()
	for group, states := range m.groups.states {
		written := slices.IndexFunc(states, func(v phase[shownGroup]) bool {
			return version != "" && v.state.Description == version || version == "" && group == id && v.gone
		})
		if written < 0 {
			continue
		}
		state, present := shown.Groups[group]
		now := slices.IndexFunc(states, func(v phase[shownGroup]) bool {
			return v.gone != present && (v.gone || gocmp.Equal(v.state, state))
		})
		if now < written {
			m.r.Errorf("the answer to a write is out, but the mirror shows state %d of %+v, not %d", now, states, written)
		}
	}
}

// restartInPeace waits for what runs and starts the process again.
func (m *model) restartInPeace() {
	m.others.Wait()
	m.kill()
}

// fault makes something go wrong with one or some of the next requests.
func (m *model) fault() {
	some := func(r *http.Request) bool { return m.chance(3) == 0 }
	faults := map[string]tallyfysim.Fault{
		"500":         {Match: some, Times: 2, Status: 500, Body: []byte("<html>oops")},
		"500 after":   {Match: tallyfysim.On(http.MethodPut, ""), Times: 1, Status: 502, Handled: true},
		"lost":        {Match: some, Times: 2, DropConnection: true},
		"not sent":    {Match: some, Times: 2, DropRequest: true},
		"throttled":   {Match: some, Times: 2, Status: 429, RetryAfter: "1"},
		"slow":        {Match: some, Times: 3, Delay: 2 * time.Second, DelayAnswer: 3 * time.Second},
		"cut":         {Match: some, Times: 2, TruncateAfter: 60},
		"html":        {Match: some, Times: 2, Status: 200, Body: []byte("<html>")},
		"no path":     {Match: tallyfysim.On(http.MethodGet, ""), Times: 2, Status: 404, Body: []byte(`{"error":true,"code":"ENDPOINT_NOT_FOUND"}`)},
		"forbidden":   {Match: isSingleRead, Times: 4, Status: 403},
		"unusable":    {Match: tallyfysim.On(http.MethodPut, ""), Times: 1, Status: 200, Handled: true, Body: []byte(`{"data":{}}`)},
		"other total": {Match: isList, Times: 1, Rewrite: func(b []byte) []byte { return bytes.Replace(b, []byte(`"total":`), []byte(`"total":1`), 1) }},
	}
	if !m.lied {
		faults["no rights"] = tallyfysim.Fault{Match: isSingleRead, Times: 9, Status: 404, Body: []byte(`{"error":true,"code":"RESOURCE_NOT_FOUND"}`)}
		faults["empty list"] = tallyfysim.Fault{Match: isList, Times: 1, Status: 200, Body: []byte(`{"data":[],"meta":{"pagination":{"total":0,"current_page":1,"total_pages":1}}}`)}
	}
	if m.rough {
		faults["unauthorized"] = tallyfysim.Fault{Match: some, Times: 2, Status: 401, Body: []byte(`{"message":"Unauthorized action."}`)}
	}
	names := make([]string, 0, len(faults))
	for name := range faults {
		names = append(names, name)
	}
	slices.Sort(names)
	name := rapid.SampledFrom(names).Draw(m.r, "fault")
	m.lied = m.lied || name == "empty list" || name == "no rights"
	m.sim.Fault(faults[name])
}

func isList(r *http.Request) bool {
	return r.Method == http.MethodGet && (strings.HasSuffix(r.URL.Path, "/groups") || strings.HasSuffix(r.URL.Path, "/users"))
}

func isSingleRead(r *http.Request) bool { return r.Method == http.MethodGet && !isList(r) }

// settleDown lets everything end and wants the mirror to become what upstream
// is. A row that a sweep misses takes a second one.
func (m *model) settleDown() {
	m.sim.Clear()
	m.others.Wait()
	m.life.store.mend()
	m.check()
	for range 2 {
		if note, err := m.sweepInPeace(); err != nil || !note.Result.Succeeded() {
			m.r.Fatalf("a sweep in peace was %s: %v", note.Result, err)
		}
		m.check()
	}
	if diff := gocmp.Diff(m.upstream(), m.mirror()); diff != "" {
		m.r.Fatalf("the mirror differs from upstream (-upstream +mirror):\n%s", diff)
	}
	m.sweep(directory.SweepUnchanged)
	m.wantNoDoubts()
}

// sweepInPeace accepts what a sweep would remove, as it is gone.
func (m *model) sweepInPeace() (directory.Sweep, error) {
	note, err := m.Sweep(context.Background())
	if note.Result != directory.SweepHeld {
		return note, err
	}
	return m.sweepAccepting(m.life, note.Detail)
}

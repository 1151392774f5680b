package poller

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
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
		found, err := m.db.Member(context.Background(), directory.PersonRef{ID: id}, nil)
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

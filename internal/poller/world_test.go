package poller

import (
	"cmp"
	"context"
	"flag"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// TestMain makes property tests short unless -rapid.checks says otherwise.
func TestMain(m *testing.M) {
	flag.Parse()
	isLong := false
	flag.Visit(func(f *flag.Flag) { isLong = isLong || f.Name == "rapid.checks" })
	if !isLong {
		if err := flag.Set("rapid.checks", "10"); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

// A world is a simulated organisation, the real client, a real file and a
// poller between them, in virtual time.
type world struct {
	*Poller
	t      reporter
	sim    *tallyfysim.Sim
	client *tallyfy.Client
	db     *db.DB
	path   string
	log    *lines
}

// A reporter is a *testing.T or a *rapid.T.
type reporter interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// lines is a log that may be read while it is written.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// count says how often something was logged, and forgets it.
func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := strings.Count(l.text.String(), what)
	l.text.Reset()
	return n
}

// inWorld runs a test in virtual time. It starts with an empty mirror.
func inWorld(t *testing.T, o tallyfysim.Options, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newWorld(t, o)) })
}

func newWorld(t *testing.T, o tallyfysim.Options) *world {
	t.Helper()
	o.Organization = dbtest.Organization
	w := &world{t: t, sim: tallyfysim.New(o), path: t.TempDir() + "/rollcall.db", log: &lines{}}
	w.open()
	t.Cleanup(func() { w.close() })
	var err error
	w.client, err = tallyfy.New(tallyfy.Options{
		BaseURL: "https://go.tallyfy.com/api", Organization: o.Organization,
		Token: tallyfy.StaticToken(w.sim.Token()), Transport: w.sim.Transport(),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.start(Options{})
	return w
}

// start replaces the poller, as a restart of the process would.
func (w *world) start(o Options) {
	w.t.Helper()
	if o.Store == nil {
		o.Store = w.db
	}
	o.Upstream, o.Jitter = w.client, func() float64 { return 0.5 }
	o.Logger = slog.New(slog.NewTextHandler(w.log, nil))
	p, err := New(context.Background(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.Poller = p
}

// restart closes the file and opens it again.
func (w *world) restart() {
	w.t.Helper()
	w.close()
	w.open()
	w.start(Options{})
}

func (w *world) open() {
	w.t.Helper()
	err := dbtest.Place(w.path)
	if err == nil {
		w.db, err = db.Open(context.Background(), db.Options{Path: w.path, Organization: dbtest.Organization})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) close() {
	w.t.Helper()
	if err := w.db.Close(); err != nil {
		w.t.Fatal(err)
	}
}

// sweep sweeps and wants the given result.
func (w *world) sweep(want directory.SweepResult) directory.Sweep {
	w.t.Helper()
	note, err := w.Sweep(context.Background())
	if note.Result != want {
		w.t.Fatalf("the sweep was %s (%s, error %v), want %s", note.Result, note.Detail, err, want)
	}
	if (err != nil) != (want == directory.SweepFailed) {
		w.t.Fatalf("the sweep was %s with error %v", note.Result, err)
	}
	return note
}

// A picture is who is in which group, and who there is.
type picture struct {
	Groups  map[string]shownGroup
	Members map[int64]shownMember
}

type shownGroup struct {
	Name, Description string
	Members           []int64
	Guests            []string
}

type shownMember struct{ Email, Name, Role, Status string }

// upstream is the organisation as it is.
func (w *world) upstream() picture {
	p := picture{map[string]shownGroup{}, map[int64]shownMember{}}
	for _, g := range w.sim.Groups() {
		guests := []string{}
		for _, mail := range g.Guests {
			guests = append(guests, directory.FoldEmail(mail))
		}
		p.Groups[g.ID] = shownGroup{g.Name, g.Description, distinct(g.Members), distinct(guests)}
	}
	for _, u := range w.sim.Users() {
		p.Members[u.ID] = shownMember{u.Email, strings.TrimSpace(u.FirstName + " " + u.LastName), u.Role, u.Status}
	}
	return p
}

func distinct[T cmp.Ordered](s []T) []T {
	s = append([]T{}, s...)
	slices.Sort(s)
	return slices.Compact(s)
}

// mirror is the organisation as it is served.
func (w *world) mirror() picture {
	w.t.Helper()
	return w.mirrorAt(nil)
}

// mirrorAt is the organisation as it was served at a revision.
func (w *world) mirrorAt(pin *directory.Pin) picture {
	w.t.Helper()
	ctx, all := context.Background(), directory.ListQuery{Limit: 100_000, Pin: pin}
	p := picture{map[string]shownGroup{}, map[int64]shownMember{}}
	groups, err := w.db.GroupsWithEdges(ctx, directory.GroupFilter{}, all)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, g := range groups.Rows {
		guests := []string{}
		for _, mail := range g.Guests {
			guests = append(guests, directory.FoldEmail(mail))
		}
		p.Groups[g.ID] = shownGroup{g.Name, text(g.Description), distinct(g.Members), distinct(guests)}
	}
	members, err := w.db.Members(ctx, directory.MemberFilter{}, all)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range members.Rows {
		p.Members[m.ID] = shownMember{m.Email, strings.TrimSpace(text(m.FullName)), text(m.Role), string(m.Status)}
	}
	return p
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// wantEqual wants the mirror to be what upstream is.
func (w *world) wantEqual() {
	w.t.Helper()
	if diff := gocmp.Diff(w.upstream(), w.mirror()); diff != "" {
		w.t.Fatalf("the mirror differs from upstream (-upstream +mirror):\n%s", diff)
	}
}

// wantPicture wants the mirror to be as it was.
func (w *world) wantPicture(want picture) {
	w.t.Helper()
	if diff := gocmp.Diff(want, w.mirror()); diff != "" {
		w.t.Fatalf("the mirror changed (-before +now):\n%s", diff)
	}
}

func (w *world) revision() int64 {
	w.t.Helper()
	f, err := w.db.Freshness(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return f.Revision
}

func (w *world) wantRevision(want int64) {
	w.t.Helper()
	if got := w.revision(); got != want {
		w.t.Fatalf("revision %d, want %d", got, want)
	}
}

// confirmed is how old a group's copy says it is.
func (w *world) confirmed(id string) time.Time {
	w.t.Helper()
	found, err := w.db.Group(context.Background(), directory.GroupRef{ID: id}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return found.ConfirmedAt
}

// group reads a group's row, as a write's answer would show it.
func (w *world) group(id string) directory.GroupRow {
	w.t.Helper()
	row, err := w.client.Group(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return row
}

// wrote is how a write that sent everything comes to be known.
var wrote = directory.Applied{
	Cause: directory.CauseWrite, Actor: "writer",
	Sent:    directory.Sent{Name: true, Description: true, Members: true, Guests: true},
	Carried: directory.Sent{Name: true, Description: true, Members: true, Guests: true},
}

// requests lists what arrived, as "METHOD /path?query" below the organisation.
func (w *world) requests() []string {
	var out []string
	for _, r := range w.sim.Requests() {
		line := r.Method + " " + strings.TrimPrefix(r.Path, "/api/organizations/"+dbtest.Organization)
		if len(r.Query) > 0 {
			line += "?" + r.Query.Encode()
		}
		out = append(out, line)
	}
	return out
}

// populated is an organisation whose groups take more than one page.
func populated(groups int) tallyfysim.Options {
	return tallyfysim.Options{Seed: 7, Groups: groups, Members: 30, Edges: 200, Guests: 10}
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

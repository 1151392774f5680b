package write

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	gocmp "github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
	"rollcall/internal/poller"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A world is a writer before a simulated organisation, a real client, a real
// file and a real poller, in virtual time.
type world struct {
	*Writer
	t      rapid.TB
	sim    *tallyfysim.Sim
	poller *poller.Poller
	db     *db.DB
	path   string
	log    *lockedLog
}

type lockedLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// inWorld runs a test in virtual time, after a first sweep of five groups.
func inWorld(t *testing.T, o tallyfysim.Options, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Groups, o.Members, o.Edges, o.Seed = 5, 12, 30, 5
		w := newWorld(t, o)
		if _, err := w.poller.Sweep(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.sim.ResetRequests()
		test(t, w)
	})
}

func newWorld(t *testing.T, o tallyfysim.Options) *world {
	t.Helper()
	o.Organization = dbtest.Organization
	w := &world{t: t, sim: tallyfysim.New(o), path: t.TempDir() + "/rollcall.db", log: &lockedLog{}}
	w.db = dbtest.Open(t, w.path)
	client, err := tallyfy.New(tallyfy.Options{
		BaseURL: "https://go.tallyfy.com/api", Organization: o.Organization,
		Token: tallyfy.StaticToken(w.sim.Token()), Transport: w.sim.Transport(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if w.poller, err = poller.New(context.Background(), poller.Options{Upstream: client, Store: w.db}); err != nil {
		t.Fatal(err)
	}
	w.Writer = New(Options{
		Upstream: client, Mirror: w.poller, Groups: w.db, Logger: slog.New(slog.NewTextHandler(w.log, nil)),
		RequestID: func(context.Context) string { return "r-1" },
	})
	return w
}

const groups = "/organizations/" + dbtest.Organization + "/groups"

// request is one as the API hands it over.
func (w *world) request(ctx context.Context, method, path, body string) *http.Request {
	w.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, "http://rollcall.test"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.sim.Token())
	r.Header.Set("Content-Type", "application/json")
	return r
}

func (w *world) send(method, path, body string) (*directory.Outcome, error) {
	w.t.Helper()
	return w.Group(context.Background(), w.request(context.Background(), method, path, body), []byte(body))
}

// write sends a write and wants it answered with a status and the copy to be
// as far as said.
func (w *world) write(method, path, body string, status int, refresh directory.Refresh) *directory.Outcome {
	w.t.Helper()
	out, err := w.send(method, path, body)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	if out.Status != status || out.Refresh != refresh {
		w.t.Fatalf("%s %s: status %d, refresh %q; want %d, %q: %s", method, path, out.Status, out.Refresh, status, refresh, out.Body)
	}
	return out
}

// wantRequests wants these requests, by method, to have arrived since the last
// look.
func (w *world) wantRequests(want ...string) {
	w.t.Helper()
	var got []string
	for _, r := range w.sim.Requests() {
		got = append(got, r.Method)
	}
	if !slices.Equal(got, want) {
		w.t.Fatalf("requests %v, want %v", got, want)
	}
	w.sim.ResetRequests()
}

type shown struct {
	Name, Description string
	Members           []int64
	Guests            []string
}

// wantEqual wants the mirror's groups to be upstream's.
func (w *world) wantEqual() {
	w.t.Helper()
	if diff := gocmp.Diff(w.upstream(), w.mirror()); diff != "" {
		w.t.Fatalf("the mirror differs from upstream (-upstream +mirror):\n%s", diff)
	}
}

func (w *world) upstream() map[string]shown {
	all := map[string]shown{}
	for _, g := range w.sim.Groups() {
		members, guests := append([]int64{}, g.Members...), append([]string{}, g.Guests...)
		slices.Sort(members)
		slices.Sort(guests)
		all[g.ID] = shown{g.Name, g.Description, slices.Compact(members), guests}
	}
	return all
}

func (w *world) mirror() map[string]shown {
	w.t.Helper()
	page, err := w.db.GroupsWithEdges(context.Background(), directory.GroupFilter{}, directory.ListQuery{Limit: 1000})
	if err != nil {
		w.t.Fatal(err)
	}
	all := map[string]shown{}
	for _, g := range page.Rows {
		all[g.ID] = shown{g.Name, text(g.Description), append([]int64{}, g.Members...), append([]string{}, g.Guests...)}
	}
	return all
}

// someGroup is one with members.
func (w *world) someGroup() tallyfysim.Group {
	for _, g := range w.sim.Groups() {
		if len(g.Members) > 1 {
			return g
		}
	}
	w.t.Fatal("no group has members")
	return tallyfysim.Group{}
}

func idIn(t *testing.T, body []byte) string {
	t.Helper()
	var envelope struct{ Data struct{ ID string } }
	if err := json.Unmarshal(body, &envelope); err != nil {
		t.Fatal(err)
	}
	return envelope.Data.ID
}

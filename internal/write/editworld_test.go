package write

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
	"rollcall/internal/poller"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// A history is a mirror that remembers what was published.
type history struct {
	*db.DB
	mu   sync.Mutex
	made []directory.Publication
}

func (h *history) Publish(ctx context.Context, p directory.Publication) (directory.Freshness, error) {
	h.mu.Lock()
	h.made = append(h.made, p)
	h.mu.Unlock()
	return h.DB.Publish(ctx, p)
}

// take returns the group updates since the last look.
func (h *history) take() (updates []directory.GroupUpdate) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.made {
		updates = append(updates, p.Groups...)
	}
	h.made = nil
	return updates
}

// inGuarded is inWorld for a poller that holds suspicious removals and a
// writer whose actor is alice.
func inGuarded(t *testing.T, o tallyfysim.Options, test func(t *testing.T, w *world, h *history)) {
	t.Helper()
	inWorld(t, o, func(t *testing.T, w *world) {
		h := &history{DB: w.db}
		w.rebuild(h, tallyfy.Options{}, poller.Options{HoldRemovals: true})
		test(t, w, h)
	})
}

// rebuild gives the world another client, poller and writer.
func (w *world) rebuild(store poller.Store, c tallyfy.Options, p poller.Options) {
	w.t.Helper()
	c.BaseURL, c.Organization, c.Token = "https://go.tallyfy.com/api", dbtest.Organization, tallyfy.StaticToken(w.sim.Token())
	if c.Transport == nil {
		c.Transport = w.sim.Transport()
	}
	client, err := tallyfy.New(c)
	if err != nil {
		w.t.Fatal(err)
	}
	p.Upstream, p.Store = client, store
	if w.poller, err = poller.New(context.Background(), p); err != nil {
		w.t.Fatal(err)
	}
	w.Writer = New(Options{
		Upstream: client, Mirror: w.poller, Groups: w.db, Logger: slog.New(slog.NewTextHandler(w.log, nil)),
		Actor: func(context.Context) string { return "alice" }, RequestID: func(context.Context) string { return "r-1" },
	})
}

// edit makes a safe edit.
func (w *world) edit(e directory.GroupEdit) (*directory.EditedGroup, error) {
	return w.editAs(context.Background(), e)
}

func (w *world) editAs(ctx context.Context, e directory.GroupEdit) (*directory.EditedGroup, error) {
	return w.Edit(ctx, w.request(ctx, "PUT", groups+"/"+e.ID, ""), e)
}

// mustEdit wants an edit to be made with nothing to tell.
func (w *world) mustEdit(e directory.GroupEdit) *directory.EditedGroup {
	w.t.Helper()
	edited, err := w.edit(e)
	if err != nil {
		w.t.Fatalf("%+v: %v", e, err)
	}
	if len(edited.Differences) > 0 {
		w.t.Fatalf("%+v: differences %+v", e, edited.Differences)
	}
	return edited
}

// smallGroup is one with members that lacks several users.
func (w *world) smallGroup() tallyfysim.Group {
	w.t.Helper()
	for _, g := range w.sim.Groups() {
		if len(g.Members) > 1 && len(w.newcomers(g.ID)) > 2 {
			return g
		}
	}
	w.t.Fatal("no group is small")
	return tallyfysim.Group{}
}

// newcomers are active users who are not in a group.
func (w *world) newcomers(id string) (ids []int64) {
	g, _ := w.sim.Group(id)
	for _, u := range w.sim.Users() {
		if u.Status == tallyfysim.StatusActive && !slices.Contains(g.Members, u.ID) {
			ids = append(ids, u.ID)
		}
	}
	return ids
}

func (w *world) isIn(id string, member int64) bool {
	w.t.Helper()
	found, err := w.db.Group(context.Background(), directory.GroupRef{ID: id}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return slices.Contains(found.Row.Members, member)
}

// bodies are those of the PUTs that arrived since the last look.
func (w *world) bodies() (all []groupBody) {
	w.t.Helper()
	for _, r := range w.sim.Requests() {
		if r.Method != http.MethodPut {
			continue
		}
		var body groupBody
		if err := json.Unmarshal(r.Body, &body); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, body)
	}
	w.sim.ResetRequests()
	return all
}

// wantNothingSent wants no write to have arrived and no group to be in doubt.
func (w *world) wantNothingSent() {
	w.t.Helper()
	if n := w.sent(); n != 0 {
		w.t.Errorf("%d writes arrived", n)
	}
	if doubted := w.doubted(); len(doubted) > 0 {
		w.t.Errorf("in doubt are %v", doubted)
	}
}

// doubted are the groups in doubt.
func (w *world) doubted() (ids []string) {
	w.t.Helper()
	index, err := w.db.Index(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	for id, row := range index.Groups {
		if row.Doubted {
			ids = append(ids, id)
		}
	}
	return ids
}

func onGroup(method, id string) func(*http.Request) bool { return tallyfysim.On(method, "/groups/"+id) }

func texts(values []json.RawMessage) string {
	var all []string
	for _, v := range values {
		all = append(all, string(v))
	}
	return strings.Join(all, " ")
}

func wantError[E error](t *testing.T, err error) E {
	t.Helper()
	typed, ok := errors.AsType[E](err)
	if !ok {
		t.Fatalf("error %v, want %T", err, typed)
	}
	return typed
}

// longAgo is a pause after which no limit of requests stands in the way.
const longAgo = time.Minute

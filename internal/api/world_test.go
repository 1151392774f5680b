package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall/internal/access"
	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
	"rollcall/internal/export"
	"rollcall/internal/payload"
)

const org = dbtest.Organization

// A world is an API over a real mirror, behind a real server. Poller, writer
// and upstream are played by the test.
type world struct {
	t        *testing.T
	db       *db.DB
	poller   *playedPoller
	writer   *playedWriter
	upstream *playedUpstream
	exports  *export.Keeper
	log      *logbook
	registry *prometheus.Registry
	api      *API
	server   *httptest.Server
}

// newWorld is a world without data yet.
func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	return newWorldOn(t, dbtest.New(t), change...)
}

func newWorldOn(t *testing.T, mirror *db.DB, change ...func(*Options)) *world {
	t.Helper()
	w := &world{
		t: t, db: mirror, poller: &playedPoller{t: t}, writer: &playedWriter{}, upstream: &playedUpstream{},
		log: &logbook{}, registry: prometheus.NewPedanticRegistry(),
	}
	o := Options{
		Organization: org, Access: anybody(t), Mirror: w.db, Poller: w.poller, Writer: w.writer, Upstream: w.upstream, Queries: &playedQueries{},
		Logger:   slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Registry: w.registry, Version: "test",
	}
	w.exports = newExports(t, mirror)
	o.Exports = w.exports
	for _, f := range change {
		f(&o)
	}
	var err error
	if w.api, err = New(o); err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(w.api)
	t.Cleanup(w.server.Close)
	return w
}

// newExports keeps files of a mirror, and has a key for pseudonyms.
func newExports(t *testing.T, mirror *db.DB) *export.Keeper {
	t.Helper()
	keeper, err := export.New(export.Options{
		Dir: filepath.Join(t.TempDir(), "exports"), Source: mirror, Cursor: FeedCursor, Pseudonym: []byte("sixteen bytes at least"), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := keeper.Close(); err != nil {
			t.Error(err)
		}
	})
	return keeper
}

// anybody lets everybody in, as --auth=none does.
func anybody(t testing.TB) *access.Access {
	t.Helper()
	return newAccess(t, access.Options{Mode: access.ModeNone})
}

// newPeople is a world that holds people and publishes nothing more: its
// mirror is shared by all of them, because a mirror takes long to make.
func newPeople(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	mirror, err := sharedPeople()
	if err != nil {
		t.Fatal(err)
	}
	return newWorldOn(t, mirror, change...)
}

// newOwnPeople is a world that holds people and may change.
func newOwnPeople(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.publish(people())
	return w
}

var sharedDir string

var sharedPeople = sync.OnceValues(func() (*db.DB, error) {
	mirror, err := db.Open(context.Background(), db.Options{Path: filepath.Join(sharedDir, "people.db"), Organization: org})
	if err != nil {
		return nil, err
	}
	p, err := publication(people())
	if err == nil {
		_, err = mirror.Publish(context.Background(), p)
	}
	return mirror, err
})

func TestMain(m *testing.M) {
	var err error
	if sharedDir, err = os.MkdirTemp("", "rollcall-api"); err != nil {
		panic(err)
	}
	code := m.Run()
	if mirror, err := sharedPeople(); err == nil {
		_ = mirror.Close()
	}
	_ = os.RemoveAll(sharedDir)
	os.Exit(code)
}

// publish makes a revision of what a whole sweep saw.
func (w *world) publish(groups, members []string) directory.Freshness {
	w.t.Helper()
	if shared, _ := sharedPeople(); w.db == shared {
		w.t.Fatal("this mirror is shared: publish to one of your own")
	}
	p, err := publication(groups, members)
	if err != nil {
		w.t.Fatal(err)
	}
	f, err := w.db.Publish(w.t.Context(), p)
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

// publication is what a sweep makes that began a minute ago.
func publication(groups, members []string) (directory.Publication, error) {
	began := time.Now().Add(-time.Minute).Truncate(time.Millisecond)
	origin := directory.Origin{Cause: directory.CauseSweep, Bounds: directory.Bounds{NotAfter: began.Add(time.Second)}}
	p := directory.Publication{
		Cause: directory.CauseSweep,
		Sweep: &directory.Sweep{BeganAt: began, EndedAt: began.Add(time.Second), Result: directory.SweepPublished},
	}
	for _, raw := range groups {
		row, err := payload.DecodeGroup([]byte(raw), directory.ListForm)
		if err != nil {
			return p, err
		}
		p.Groups = append(p.Groups, directory.GroupUpdate{Row: &row, ConfirmedAt: began, Attributes: origin, Members: origin, Guests: origin})
	}
	for _, raw := range members {
		row, err := payload.DecodeMember([]byte(raw), directory.ListForm)
		if err != nil {
			return p, err
		}
		p.Members = append(p.Members, directory.MemberUpdate{Row: &row, ConfirmedAt: began, Origin: origin})
	}
	return p, nil
}

const (
	salesID   = "0f000000000000000000000000000001"
	supportID = "0f000000000000000000000000000002"
	shoutedID = "0f000000000000000000000000000003"
	slashedID = "0f000000000000000000000000000004"
)

// people are a small organisation: two groups that differ in case alone, one
// with a slash in its name, a disabled member, an invited one, a guest.
func people() (groups, members []string) {
	group := func(id, name, members, guests string, day int) string {
		return fmt.Sprintf(`{"id":%q,"name":%q,"description":"About","logo":null,"members":[%s],"guests":[%s],"created_at":"2026-01-%02dT00:00:00Z","last_updated":"2026-02-01T00:00:00Z","extra":{"n":12345678901234567890}}`,
			id, name, members, guests, day)
	}
	member := func(id int, email, name, status, role string) string {
		return fmt.Sprintf(`{"id":%d,"email":%q,"first_name":%q,"full_name":%q,"status":%q,"role":%q,"created_at":"2026-01-01T00:00:00Z","last_login_at":null}`,
			id, email, name, name+" Example", status, role)
	}
	groups = []string{
		group(salesID, "Sales", "11,12,13", `"Guest@Outside.test"`, 1),
		group(supportID, "Support", "11", ``, 2),
		group(shoutedID, "SUPPORT", "", ``, 3),
		group(slashedID, "Ops / Night", "13", ``, 4),
	}
	members = []string{
		member(11, "Ada@x.test", "Ada", "active", "Admin"),
		member(12, "bo@x.test", "Bo", "disabled", "standard"),
		member(13, "cy@x.test", "Cy", "invited", "light"),
	}
	return groups, members
}

// An answer is what came back.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   string
}

// do sends a request; header holds names and values in turn.
func (w *world) do(method, target, body string, header ...string) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+target, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if req.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, target, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, target, err)
	}
	return answer{w.t, resp.StatusCode, resp.Header, string(text)}
}

func (w *world) get(target string, header ...string) answer {
	w.t.Helper()
	return w.do(http.MethodGet, target, "", header...)
}

// wants fails unless the status is the wanted one.
func (a answer) wants(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Errorf("status %d, want %d; body %s", a.status, status, a.body)
	}
	return a
}

// wantsProblem fails unless the answer is a problem of /v1.
func (a answer) wantsProblem(status int, kind string) Problem {
	a.t.Helper()
	a.wants(status)
	var p Problem
	a.decode(&p)
	if p.Type != kind || p.Status != status || p.Detail == "" || a.header.Get("Content-Type") != "application/problem+json" {
		a.t.Errorf("%s %s, want a problem of type %s", a.header.Get("Content-Type"), a.body, kind)
	}
	return p
}

// wantsTallyfy fails unless the answer is an error in Tallyfy's general shape.
func (a answer) wantsTallyfy(status int, code string) {
	a.t.Helper()
	a.wants(status)
	body := a.object()
	if body["error"] != true || body["message"] == "" || body["code"] != code {
		a.t.Errorf("body %s, want error, message and code %s", a.body, code)
	}
}

func (a answer) decode(into any) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		a.t.Fatalf("%v in %q", err, a.body)
	}
}

func (a answer) object() map[string]any {
	a.t.Helper()
	var v map[string]any
	a.decode(&v)
	return v
}

// at follows keys into the body.
func (a answer) at(keys ...string) any {
	a.t.Helper()
	var v any = a.object()
	for _, key := range keys {
		object, _ := v.(map[string]any)
		v = object[key]
	}
	return v
}

// column lists one field of every row.
func (a answer) column(field string) []any {
	a.t.Helper()
	rows, _ := a.at("data").([]any)
	out := []any{}
	for _, row := range rows {
		out = append(out, row.(map[string]any)[field])
	}
	return out
}

type playedPoller struct {
	t      *testing.T
	mu     sync.Mutex
	status directory.PollStatus
	waited []time.Duration
	sweep  directory.Sweep
	err    error
	marks  int

	failure  error // of refreshes
	accepted []string
	asked    chan struct{} // if set, Sync closes it and waits for the end of its context
}

func (p *playedPoller) Sync(ctx context.Context, wait time.Duration) (directory.Sweep, error) {
	if p.asked != nil {
		close(p.asked)
		<-ctx.Done()
		return directory.Sweep{Result: directory.SweepRunning}, ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waited = append(p.waited, wait)
	return p.sweep, p.err
}

func (p *playedPoller) AcceptRemovals(ctx context.Context, id string, wait time.Duration) (directory.Sweep, error) {
	p.mu.Lock()
	p.accepted = append(p.accepted, id)
	p.mu.Unlock()
	return p.Sync(ctx, wait)
}

func (p *playedPoller) Status() directory.PollStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

func (p *playedPoller) RefreshGroup(context.Context, string) (directory.Renewal, error) {
	return p.RefreshAll(p.t.Context())
}

func (p *playedPoller) RefreshMember(context.Context, int64) (directory.Renewal, error) {
	return p.RefreshAll(p.t.Context())
}

func (p *playedPoller) RefreshAll(context.Context) (directory.Renewal, error) {
	if p.failure == nil {
		p.t.Error("a refresh was asked for")
	}
	return directory.Renewal{}, p.failure
}

func (p *playedPoller) MarkEverything() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.marks++
}

type playedWriter struct {
	kind    string
	request *http.Request
	body    string
	outcome *directory.Outcome
	err     error

	edit   directory.GroupEdit
	edited *directory.EditedGroup
}

func (p *playedWriter) Group(_ context.Context, r *http.Request, body []byte) (*directory.Outcome, error) {
	p.kind, p.request, p.body = "group", r, string(body)
	return p.outcome, p.err
}

func (p *playedWriter) Person(_ context.Context, r *http.Request, body []byte) (*directory.Outcome, error) {
	p.kind, p.request, p.body = "person", r, string(body)
	return p.outcome, p.err
}

func (p *playedWriter) Edit(_ context.Context, put *http.Request, e directory.GroupEdit) (*directory.EditedGroup, error) {
	p.request, p.edit = put, e
	return p.edited, p.err
}

type playedUpstream struct {
	request *http.Request
	url     url.URL
	body    string
	answer  func() (*http.Response, error)
	token   directory.TokenInfo
}

func (p *playedUpstream) Forward(_ context.Context, r *http.Request) (*http.Response, error) {
	p.request, p.url = r, *r.URL
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, &directory.UpstreamError{Op: "forward " + r.Method, Reason: directory.ReasonTransport, Err: err}
		}
		p.body = string(body)
	}
	return p.answer()
}

func (p *playedUpstream) Authorize(_ context.Context, h http.Header) error {
	h.Set("Authorization", "Bearer of the sweeps")
	return nil
}

func (p *playedUpstream) Budget() directory.Budget { return directory.Budget{MinuteLimit: 90} }

func (p *playedUpstream) TokenInfo(context.Context) directory.TokenInfo { return p.token }

func (p *playedUpstream) Spare() error { return nil }

// says makes the upstream answer so.
func (p *playedUpstream) says(status int, body string, header ...string) {
	p.answer = func() (*http.Response, error) {
		h := http.Header{"Content-Type": {"application/json"}}
		for i := 0; i < len(header); i += 2 {
			h.Add(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}, nil
	}
}

// A logbook collects lines of the log.
type logbook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// lines returns the log's lines with this message.
func (l *logbook) lines(t *testing.T, message string) []map[string]any {
	t.Helper()
	var found []map[string]any
	for line := range strings.Lines(l.String()) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		if v["msg"] == message {
			found = append(found, v)
		}
	}
	return found
}

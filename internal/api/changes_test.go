package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall/internal/access"
	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

// renamed is people with another name for Sales, and nobody but Bo in it.
func renamed(name string) (groups, members []string) {
	groups, members = people()
	groups[0] = strings.Replace(groups[0], `"name":"Sales"`, fmt.Sprintf(`"name":%q`, name), 1)
	groups[0] = strings.Replace(groups[0], `[11,12,13]`, `[12]`, 1)
	return groups, members
}

func TestTheFeedTellsWhatChangedInItsOrder(t *testing.T) {
	w := newOwnPeople(t)
	first := w.get("/v1/changes?limit=1000").wants(200)
	if n := len(first.column("type")); n != 4+3+5+1 || first.at("next_cursor") != nil {
		t.Fatalf("%d changes: %s", n, first.body)
	}
	before := w.get("/v1/groups").wants(200).header.Get("Rollcall-Cursor")
	if before != first.header.Get("Rollcall-Cursor") {
		t.Error("a list and the end of the feed are not at one place")
	}
	w.publish(renamed("Vertrieb"))
	got := w.get("/v1/changes?after=" + before).wants(200)
	want := []any{"membership.removed", "membership.removed", "group.updated"}
	if fmt.Sprint(got.column("type")) != fmt.Sprint(want) || fmt.Sprint(got.column("member_id")) != "[11 13 <nil>]" {
		t.Error(got.body)
	}
	if names := fmt.Sprint(got.column("group_name")); names != "[Sales Sales Vertrieb]" {
		t.Error(names)
	}
	changed, _ := json.Marshal(got.column("changed")[2])
	if string(changed) != `{"name":{"new":"Vertrieb","old":"Sales"}}` {
		t.Error(string(changed))
	}
}

// A place inside a revision, at its end and in any answer leads on without gap
// or repeat.
func TestEveryCursorLeadsOn(t *testing.T) {
	w := newOwnPeople(t)
	w.publish(renamed("Vertrieb"))
	all := w.get("/v1/changes?limit=1000").wants(200).column("cursor")
	for i, cursor := range all {
		rest := w.get("/v1/changes?limit=1000&after=" + cursor.(string)).wants(200).column("cursor")
		if fmt.Sprint(rest) != fmt.Sprint(all[i+1:]) {
			t.Fatalf("after %d come %d", i, len(rest))
		}
	}
	var walked []any
	for path := "/v1/changes?limit=4"; path != ""; {
		page := w.get(path).wants(200)
		walked = append(walked, page.column("cursor")...)
		path = ""
		if next, _ := page.at("next_cursor").(string); next != "" {
			path = "/v1/changes?limit=4&after=" + next
		}
	}
	if fmt.Sprint(walked) != fmt.Sprint(all) {
		t.Errorf("walked %d of %d", len(walked), len(all))
	}
}

func TestBadPlacesInTheFeedAreToldApart(t *testing.T) {
	w, other := newOwnPeople(t), newOwnPeople(t)
	foreign := other.get("/v1/groups").header.Get("Rollcall-Cursor")
	page := w.get("/v1/groups?limit=1").at("next_cursor").(string)
	for _, path := range []string{"/v1/changes?after=", "/v1/changes/stream?after="} {
		w.get(path+foreign).wantsProblem(410, "cursor-gone")
		w.get(path+page).wantsProblem(422, "invalid-parameter")
		w.get(path+"x").wantsProblem(422, "invalid-parameter")
		w.get(path).wantsProblem(422, "invalid-parameter")
		w.get(path+foreign+"&after="+foreign).wantsProblem(422, "invalid-parameter")
		w.get(path+"now&frm=1").wantsProblem(422, "invalid-parameter")
	}
	for _, query := range []string{"wait=61s", "wait=-1s", "wait=x", "limit=0", "limit=1001", "as_of=rev:1"} {
		w.get("/v1/changes?"+query).wantsProblem(422, "invalid-parameter")
	}
	empty := newWorld(t)
	for _, path := range []string{"/v1/changes", "/v1/changes?after=now", "/v1/changes/stream"} {
		empty.get(path).wantsProblem(503, "no-data-yet")
	}
}

func TestACursorOfALostLifeIsGone(t *testing.T) {
	dir := t.TempDir()
	if err := dbtest.Place(dir + "/a.db"); err != nil {
		t.Fatal(err)
	}
	open := func() *world {
		mirror, err := db.Open(t.Context(), db.Options{Path: dir + "/a.db", Organization: org})
		if err != nil {
			t.Fatal(err)
		}
		return newWorldOn(t, mirror)
	}
	w := open()
	w.publish(people())
	kept := w.get("/v1/changes?after=now").header.Get("Rollcall-Cursor")
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(dir + "/a.db")
	if err != nil {
		t.Fatal(err)
	}
	w = open()
	w.publish(renamed("Vertrieb"))
	lost := w.get("/v1/changes?after=now").header.Get("Rollcall-Cursor")
	if n := len(w.get("/v1/changes?after=" + kept).wants(200).column("type")); n != 3 {
		t.Errorf("%d changes after a restart", n)
	}
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/a.db", before, 0o600); err != nil {
		t.Fatal(err)
	}
	w = open()
	defer w.db.Close()
	w.publish(renamed("Ventes"))
	w.get("/v1/changes?after="+lost).wantsProblem(410, "cursor-gone")
	if names := w.get("/v1/changes?after=" + kept).wants(200).column("group_name"); names[2] != "Ventes" {
		t.Error(names)
	}
}

func TestAPrunedFeedBeginsWithWhatIsKeptAndSaysSo(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		place := func() string { return l.get("/v1/changes?after=now").wants(200).header.Get("Rollcall-Cursor") }
		first := place()
		group, _, _ := l.thinned()
		kept, from := place(), time.Now()
		left := l.get("/v1/changes?after=" + first).wants(200).column("cursor")
		l.sim.UpdateGroup(group, func(g *tallyfysim.Group) { g.Name = "Renamed" })
		for range 2 { // past states are refused, then removed
			time.Sleep(2 * time.Hour)
			if err := l.db.Keep(t.Context(), time.Since(from)); err != nil {
				t.Fatal(err)
			}
		}
		for _, place := range []string{first, left[0].(string)} {
			l.get("/v1/changes?after="+place).wantsProblem(410, pruned)
			l.get("/v1/changes/stream?after="+place).wantsProblem(410, pruned)
		}
		l.get("/v1/diff?from=rev:1").wantsProblem(410, pruned)
		for path, isTruncated := range map[string]any{"/v1/changes": true, "/v1/changes?after=" + kept: nil} {
			if got := l.get(path).wants(200); fmt.Sprint(got.column("type")) != "[group.updated]" || got.at("truncated") != isTruncated {
				t.Errorf("%s: %s", path, got.body)
			}
		}
		ctx, leave := context.WithCancel(t.Context())
		p, ended := &pane{http.Header{}, make(chan string, 100)}, make(chan struct{})
		go func() {
			defer close(ended)
			stream(ctx, l.api, p, "", http.Header{})
		}()
		if told := <-p.lines; !strings.Contains(told, "\n\nevent: truncated\n") || !strings.Contains(told, "\nevent: group.updated\n") {
			t.Errorf("%q", told)
		}
		leave()
		<-ended
	})
}

func TestAHeldAnswerComesWithTheChange(t *testing.T) {
	w := newOwnPeople(t)
	place := w.get("/v1/changes?after=now").wants(200).header.Get("Rollcall-Cursor")
	got := make(chan answer)
	go func() { got <- w.get("/v1/changes?wait=60s&after=" + place) }()
	w.publish(renamed("Vertrieb"))
	if a := (<-got).wants(200); len(a.column("type")) != 3 {
		t.Error(a.body)
	}
	late := w.get("/v1/changes?wait=10ms&after=now").wants(200)
	if len(late.column("type")) != 0 || late.at("next_cursor") != nil || late.header.Get("Rollcall-Cursor") == "" {
		t.Error(late.body)
	}
	go func() { got <- w.get("/v1/changes?wait=60s&after=now") }()
	w.api.Stopping()
	(<-got).wants(200)
}

// A listener reads a stream.
type listener struct {
	t    *testing.T
	body io.ReadCloser
	in   *bufio.Reader
}

type event struct{ id, kind, data string }

func (w *world) listen(path string, header ...string) *listener {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.server.URL+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	response, err := w.server.Client().Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	if response.StatusCode != 200 || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		w.t.Fatal(response.Status, response.Header)
	}
	l := &listener{w.t, response.Body, bufio.NewReader(response.Body)}
	w.t.Cleanup(func() { l.body.Close() })
	return l
}

// next returns the next event that says something.
func (l *listener) next() (e event, err error) {
	for {
		line, err := l.in.ReadString('\n')
		if err != nil {
			return e, err
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "id":
			e.id = value
		case "event":
			e.kind = value
		case "data":
			e.data = value
		case "":
			if e.data != "" {
				return e, nil
			}
		}
	}
}

func (l *listener) must() event {
	l.t.Helper()
	e, err := l.next()
	if err != nil {
		l.t.Fatal(err)
	}
	return e
}

func TestAStreamGoesOnFromItsLastEvent(t *testing.T) {
	w := newOwnPeople(t)
	all := w.get("/v1/changes?limit=1000").column("cursor")
	l := w.listen("/v1/changes/stream")
	for i := range 5 {
		if e := l.must(); e.id != all[i] || e.data == "" {
			t.Fatalf("event %d is %+v", i, e)
		}
	}
	l.body.Close()
	l = w.listen("/v1/changes/stream?after=now", "Last-Event-ID", all[4].(string))
	for i := 5; i < len(all); i++ {
		if e := l.must(); e.id != all[i] {
			t.Fatalf("event %d is %+v", i, e)
		}
	}
	w.publish(renamed("Vertrieb"))
	var change map[string]any
	e := l.must()
	if err := json.Unmarshal([]byte(e.data), &change); err != nil || e.kind != "membership.removed" || change["cursor"] != e.id || change["type"] != e.kind {
		t.Errorf("%+v, %v", e, err)
	}
}

// Nobody who does not read holds up the others or the mirror.
func TestHundredsOfStreamsHearAChangeThoughSomeDoNotRead(t *testing.T) {
	w := newOwnPeople(t)
	var all []*listener
	for range 300 {
		all = append(all, w.listen("/v1/changes/stream?after=now"))
	}
	w.publish(renamed("Vertrieb"))
	for i, l := range all {
		if i%10 == 0 {
			continue // this one never reads
		}
		if e := l.must(); e.kind != "membership.removed" {
			t.Fatalf("stream %d hears %+v", i, e)
		}
	}
	w.api.Stopping()
	for _, l := range all[1:10] {
		for err := error(nil); err == nil; {
			_, err = l.next()
		}
	}
}

func TestThereIsALimitOnStreams(t *testing.T) {
	w := newPeople(t)
	w.api.server.streams.Store(mostStreams)
	p := w.get("/v1/changes/stream")
	p.wantsProblem(429, "too-many-requests")
	if p.header.Get("Retry-After") == "" {
		t.Error("nobody says when to come back")
	}
	if w.api.server.streams.Load() != mostStreams {
		t.Error("a refusal counts as a stream")
	}
}

// A pane is an answer that is written to memory.
type pane struct {
	header http.Header
	lines  chan string
}

func (p *pane) Header() http.Header { return p.header }
func (p *pane) WriteHeader(int)     {}
func (p *pane) Flush()              {}
func (p *pane) Write(b []byte) (int, error) {
	p.lines <- string(b)
	return len(b), nil
}

// stream is a request for a stream, in process; after is empty for the
// beginning.
func stream(ctx context.Context, api *API, p *pane, after string, header http.Header) {
	u := &url.URL{Path: "/v1/changes/stream"}
	if after != "" {
		u.RawQuery = "after=" + after
	}
	api.ServeHTTP(p, (&http.Request{Method: http.MethodGet, Host: "localhost", URL: u, Header: header}).WithContext(ctx))
}

func TestASilentStreamSaysThatItLives(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		ctx, leave := context.WithCancel(t.Context())
		p := &pane{http.Header{}, make(chan string, 100)}
		began, ended := time.Now(), make(chan struct{})
		go func() {
			defer close(ended)
			stream(ctx, l.api, p, "now", http.Header{})
		}()
		<-p.lines // when to come back
		beat := <-p.lines
		if took := time.Since(began); took != heartbeat || !strings.HasPrefix(beat, ": alive\nid: ") {
			t.Errorf("after %s: %q", took, beat)
		}
		leave()
		<-ended
	})
}

func TestAStreamEndsWithinAMinuteOfLosingAccess(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		path := filepath.Join(t.TempDir(), "keys")
		secret, line, _ := access.NewKey("app", access.ScopeRead)
		_, other, _ := access.NewKey("other", access.ScopeRead)
		write := func(content string) {
			if err := os.WriteFile(path, []byte(content+"\n"), 0o600); err != nil {
				t.Error(err)
			}
		}
		write(line)
		keys, err := access.OpenKeys(path, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		api, err := New(Options{
			Organization: org, Access: newAccess(t, access.Options{Mode: access.ModeKeys, Keys: keys}), Mirror: l.db, Poller: l.poller,
			Upstream: l.client, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(), Version: "test",
		})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		const lost = 100 * time.Second
		time.AfterFunc(lost, func() {
			write(other)
			_ = keys.Reload()
		})
		stream(t.Context(), api, &pane{http.Header{}, make(chan string, 1000)}, "now", http.Header{"Authorization": {"Bearer " + secret}})
		if lived := time.Since(began); lived <= lost || lived > lost+time.Minute {
			t.Errorf("the stream lived %s", lived)
		}
	})
}

func TestTheFeedIsSilentWhileRemovalsAreHeld(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		before := l.get("/v1/changes?after=now").header.Get("Rollcall-Cursor")
		l.sim.Fault(tallyfysim.Fault{
			Match:  func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/groups") },
			Status: 200, Body: []byte(`{"data":[],"meta":{"pagination":{"total":0,"count":0,"per_page":100,"current_page":1,"total_pages":1}}}`),
		})
		time.Sleep(5 * time.Minute)
		if got := l.get("/v1/changes?after=" + before).wants(200); len(got.column("type")) != 0 || l.poller.Status().State != directory.StateHeld {
			t.Error(l.poller.Status().State, got.body)
		}
	})
}

func TestADiffTellsWhatDiffersNet(t *testing.T) {
	w := newOwnPeople(t)
	w.publish(renamed("Vertrieb"))
	got := w.get("/v1/diff?from=rev:1").wants(200)
	for key, want := range map[string]int{"added": 0, "removed": 2, "updated": 1} {
		if rows, _ := got.at("data", key).([]any); len(rows) != want {
			t.Errorf("%s: %v", key, got.body)
		}
	}
	removed := got.at("data", "removed").([]any)[0].(map[string]any)
	if removed["group_name"] != "Sales" || removed["status"] != "active" || removed["until_not_after"] == nil || removed["since_not_after"] == nil {
		t.Error(removed)
	}
	if got.at("as_of") != nil {
		t.Error(got.body)
	}
	first := w.get("/v1/diff?from=rev:1&limit=2&by=group").wants(200)
	next := w.get("/v1/diff?from=rev:1&limit=2&by=group&cursor=" + first.at("next_cursor").(string)).wants(200)
	if first.column("group_name")[0] != "Sales" || next.column("group_name")[0] != "Vertrieb" || next.at("next_cursor") != nil {
		t.Error(first.body, next.body)
	}
	if people := w.get("/v1/diff?from=rev:1&by=person").wants(200).column("member_id"); fmt.Sprint(people) != "[11 13 <nil>]" {
		t.Error(people)
	}
	w.publish(people())
	if n := len(w.get("/v1/diff?from=rev:1").wants(200).at("data", "removed").([]any)); n != 0 {
		t.Errorf("%d removed who came back", n)
	}
	w.get("/v1/diff?from=rev:2&to=rev:1").wantsProblem(422, "invalid-parameter")
	w.get("/v1/diff?from=rev:9").wantsProblem(422, "invalid-parameter")
	w.get("/v1/diff?from=2999-01-01").wantsProblem(422, "invalid-parameter")
	w.get("/v1/diff").wantsProblem(422, "invalid-parameter")
	w.get("/v1/diff?from=rev:1&by=day").wantsProblem(422, "invalid-parameter")
	w.get("/v1/diff?from=2001-01-01").wantsProblem(404, "unknown-instant")
	all := w.get("/v1/diff?from=2001-01-01&include_initial=true").wants(200)
	if n := len(all.at("data", "added").([]any)); n != 6 {
		t.Errorf("%d edges since ever", n)
	}
}

func TestTimelinesGoOnAfterTheEnd(t *testing.T) {
	w := newOwnPeople(t)
	w.publish(renamed("Vertrieb"))
	all := w.get("/v1/groups/Vertrieb/timeline").wants(200)
	if n := len(all.column("type")); n != 1+4+3 {
		t.Errorf("%d changes: %s", n, all.body)
	}
	page := w.get("/v1/groups/" + salesID + "/timeline?limit=3").wants(200)
	rest := w.get("/v1/groups/" + salesID + "/timeline?limit=100&cursor=" + page.at("next_cursor").(string)).wants(200)
	if got := append(page.column("cursor"), rest.column("cursor")...); fmt.Sprint(got) != fmt.Sprint(all.column("cursor")) {
		t.Error(page.body, rest.body)
	}
	if n := len(w.get("/v1/groups/" + salesID + "/timeline?as_of=rev:1").wants(200).column("type")); n != 5 {
		t.Errorf("%d changes up to revision 1", n)
	}
	ada := w.get("/v1/members/ada@x.test/timeline").wants(200).column("type")
	if fmt.Sprint(ada) != "[member.created membership.added membership.added membership.removed]" {
		t.Error(ada)
	}
	guest := w.get("/v1/members/guest@outside.test/timeline").wants(200).column("type")
	if fmt.Sprint(guest) != "[guest_membership.added]" {
		t.Error(guest)
	}
	gone, err := publication(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	gone.GoneGroups = []directory.Gone[string]{{ID: salesID, Origin: directory.Origin{Cause: directory.CauseSweep}}}
	gone.GoneMembers = []directory.Gone[int64]{{ID: 11, Origin: directory.Origin{Cause: directory.CauseSweep}}}
	if _, err := w.db.Publish(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/v1/groups/vertrieb/timeline", "/v1/groups/" + salesID + "/timeline", "/v1/members/11/timeline", "/v1/members/Ada@x.test/timeline"} {
		types := w.get(path).wants(200).column("type")
		if !strings.Contains(fmt.Sprint(types), ".deleted") {
			t.Error(path, types)
		}
	}
	w.get("/v1/groups/Nobody/timeline").wantsProblem(404, "unknown-group")
	w.get("/v1/members/99/timeline").wantsProblem(404, "unknown-person")
	w.get("/v1/members/no@x.test/timeline").wantsProblem(404, "unknown-person")
}

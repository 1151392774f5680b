package write

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
	"rollcall/internal/poller"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

func TestNextReadShowsAWrite(t *testing.T) {
	for name, o := range map[string]tallyfysim.Options{
		"2026": {}, "2025": {Generation: tallyfysim.Gen2025, DeleteBody: true}, "absent arrays clear": {AbsentArraysClear: true},
	} {
		t.Run(name, func(t *testing.T) {
			status := map[bool]int{true: 200, false: 201}[o.Generation == tallyfysim.Gen2025]
			gone := map[bool]int{true: 200, false: 204}[o.DeleteBody]
			inWorld(t, o, func(t *testing.T, w *world) {
				member := w.sim.Users()[2].ID
				out := w.write("POST", groups, fmt.Sprintf(`{"name":"New","description":"d","members":["%d"],"guests":["G@x.test"]}`, member), 201, "applied")
				w.wantEqual()
				if out.Revision != 2 {
					t.Errorf("revision %d, want 2", out.Revision)
				}
				path := groups + "/" + idIn(t, out.Body)
				w.write("PUT", path, `{"name":"Renamed","description":"d"}`, status, "applied")
				w.wantEqual()
				w.write("PUT", path, `{"name":"Renamed","description":"d","members":[],"guests":[]}`, status, "applied")
				w.wantEqual()
				w.write("DELETE", path, "", gone, "applied")
				w.wantEqual()
				w.wantRequests("POST", "PUT", "PUT", "DELETE")
				if note, err := w.poller.Sweep(context.Background()); err != nil || note.Result != directory.SweepUnchanged {
					t.Errorf("the next sweep was %s: %v", note.Result, err)
				}
			})
		})
	}
}

func TestWriteIsForwardedAsItCame(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		body := `{ "name": "As it came", "description":"d", "unknown": 1.0 }`
		r := w.request(context.Background(), "POST", groups+"?with=assets&x=%2F", body)
		r.Header.Set("X-Tallyfy-Client", "n8n")
		out, err := w.Group(context.Background(), r, []byte(body))
		if err != nil || out.Status != 201 {
			t.Fatalf("%+v, %v", out, err)
		}
		got := w.sim.Requests()[0]
		if string(got.Body) != body || got.Path != "/api"+groups || got.Query.Encode() != "with=assets&x=%2F" ||
			got.Header.Get("X-Tallyfy-Client") != "n8n" || got.Header.Get("Authorization") != r.Header.Get("Authorization") ||
			got.Header.Get("Content-Type") != "application/json" {
			t.Errorf("upstream got %+v", got)
		}
		w.wantEqual()
	})
}

func TestAnswerThatDoesNotShowWhatWasSentIsFollowedByARead(t *testing.T) {
	for name, rewrite := range map[string]func([]byte) []byte{
		"other name":        replaced(`"Renamed"`, `"Renamed by upstream"`),
		"other description": replaced(`"described"`, `"described otherwise"`),
		"members left out":  replaced(`"members"`, `"people"`),
		"guests left out":   replaced(`"guests"`, `"visitors"`),
		"another group":     replaced(`"id":"`, `"id":"f`),
		"no id":             replaced(`"id"`, `"ident"`),
		"no data":           func([]byte) []byte { return []byte(`{}`) },
		"a list":            func([]byte) []byte { return []byte(`{"data":[]}`) },
		"html":              func([]byte) []byte { return []byte(`<html>`) },
		"nothing":           func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
				w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("PUT", ""), Rewrite: rewrite, Times: 1})
				path := groups + "/" + w.someGroup().ID
				w.write("PUT", path, `{"name":"Renamed","description":"described","members":[1003],"guests":["g@x.test"]}`, 201, "applied")
				w.wantEqual()
				w.wantRequests("PUT", "GET")
			})
		})
	}
}

func replaced(from, to string) func([]byte) []byte {
	return func(b []byte) []byte { return bytes.Replace(b, []byte(from), []byte(to), 1) }
}

// Nobody can compare a body that is no object, and what upstream makes of a
// name may differ from what was sent.
func TestWhatCannotBeComparedIsRead(t *testing.T) {
	inWorld(t, tallyfysim.Options{NamesTrim: true}, func(t *testing.T, w *world) {
		path := groups + "/" + w.someGroup().ID
		w.write("PUT", path, `{"name":" Spaced ","description":"d"}`, 201, "applied")
		w.wantEqual()
		w.wantRequests("PUT", "GET")
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("PUT", ""), Times: 1, Status: 200, Body: []byte(`{"data":{}}`)})
		w.write("PUT", path, `name=form`, 200, "applied")
		w.wantRequests("PUT", "GET")
	})
}

func TestCreationWithoutAUsableAnswerAsksForASweep(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		stop := w.run()
		defer stop()
		for _, fault := range []tallyfysim.Fault{
			{Rewrite: func([]byte) []byte { return []byte(`<html>`) }},
			{Status: 502, Handled: true},
		} {
			fault.Match, fault.Times = tallyfysim.On("POST", ""), 1
			w.sim.Fault(fault)
			out, err := w.send("POST", groups, fmt.Sprintf(`{"name":"New %d","description":"d"}`, fault.Status))
			if err != nil || out.Refresh != directory.RefreshPending {
				t.Errorf("%+v, %v", out, err)
			}
			synctest.Wait()
			w.wantEqual()
		}
	})
}

// run runs the poller until stopped.
func (w *world) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = w.poller.Run(ctx) })
	synctest.Wait()
	return func() {
		cancel()
		running.Wait()
	}
}

func TestRefusedWriteLeavesEverythingAsItIs(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		before := w.mirror()
		path := groups + "/" + w.someGroup().ID
		out := w.write("PUT", path, `{"name":"","description":""}`, 422, "")
		if !strings.Contains(string(out.Body), "errors") {
			t.Errorf("the body is %s", out.Body)
		}
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("DELETE", ""), Status: 403, Times: 1})
		w.write("DELETE", path, "", 403, "")
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("PUT", ""), Status: 429, RetryAfter: "11", Times: 1})
		out = w.write("PUT", path, `{"name":"n","description":"d"}`, 429, "")
		if out.Header.Get("Retry-After") != "11" {
			t.Errorf("headers %v", out.Header)
		}
		w.wantRequests("PUT", "DELETE", "PUT")
		if diff := len(before) - len(w.mirror()); diff != 0 {
			t.Errorf("%d groups went", diff)
		}
		w.wantEqual()
	})
}

func TestDeletionAnsweredWith404CausesAReadNotARemoval(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		group := w.someGroup()
		path := groups + "/" + group.ID
		w.sim.Fault(tallyfysim.Fault{
			Match: tallyfysim.On("DELETE", ""), Times: 1, Status: 404,
			Body: []byte(`{"error":true,"message":"Resource not found","code":"RESOURCE_NOT_FOUND"}`),
		})
		w.write("DELETE", path, "", 404, "applied")
		w.wantRequests("DELETE", "GET")
		w.wantEqual()

		w.sim.DeleteGroup(group.ID)
		w.write("DELETE", path, "", 404, "applied")
		w.wantEqual()
		w.sim.ResetRequests()
		w.write("DELETE", path, "", 404, "applied")
		w.wantRequests("DELETE", "GET", "GET", "GET") // its own word twice, and a present row's between
	})
}

// A success that is not upstream's own may come from something in between.
func TestDeletionThatOnlySeemsToSucceedIsRead(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		for _, body := range []string{"<html>welcome</html>", "", "true"} {
			w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("DELETE", ""), Times: 1, Status: 200, Body: []byte(body)})
			w.write("DELETE", groups+"/"+w.someGroup().ID, "", 200, "applied")
			w.wantRequests("DELETE", "GET")
			w.wantEqual()
		}
	})
}

// Whether or not the write took effect, the group is read until it is known.
func TestUnknownOutcomeIsSettledLater(t *testing.T) {
	for name, fault := range map[string]tallyfysim.Fault{
		"lost before": {DropRequest: true}, "lost after": {DropConnection: true}, "cut": {TruncateAfter: 9},
		"never answered": {Delay: time.Hour}, "5xx before": {Status: 500}, "5xx after": {Status: 503, Handled: true},
		"redirect": {Status: 302, Header: http.Header{"Location": {"https://elsewhere.test/"}}},
	} {
		for _, method := range []string{"PUT", "DELETE"} {
			t.Run(name+" "+method, func(t *testing.T) {
				if fault.TruncateAfter > 0 && method == "DELETE" {
					t.Skip("there is nothing to cut")
				}
				inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) { testUnknownOutcome(t, w, fault, method) })
			})
		}
	}
}

func testUnknownOutcome(t *testing.T, w *world, fault tallyfysim.Fault, method string) {
	stop := w.run()
	defer stop()
	time.Sleep(10 * time.Second)
	group := w.someGroup()
	fault.Match, fault.Times = tallyfysim.On(method, ""), 1
	w.sim.Fault(fault)
	broken := w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("GET", ""), Status: 503})
	w.sim.ResetRequests()
	out, err := w.send(method, groups+"/"+group.ID, `{"name":"Renamed","description":"d"}`)
	switch {
	case fault.Status == 0 && err == nil:
		t.Errorf("no error, but %+v", out)
	case fault.Status == 0:
		if reason := directory.ReasonOf(err); reason != directory.ReasonTransport && reason != directory.ReasonTimeout {
			t.Errorf("reason %s", reason)
		}
	case err != nil || out.Status != fault.Status || out.Refresh != directory.RefreshPending:
		t.Errorf("%+v, %v", out, err)
	}
	found, err := w.db.Group(context.Background(), directory.GroupRef{ID: group.ID}, nil)
	if err != nil || !found.ConfirmedAt.Before(time.Now()) {
		t.Errorf("the group in doubt is confirmed at %v (%v)", found.ConfirmedAt, err)
	}
	if sent := w.sent(); sent != 1 {
		t.Errorf("the write was sent %d times", sent)
	}
	time.Sleep(time.Second)
	broken()
	time.Sleep(30 * time.Second) // less than a sweep's interval
	synctest.Wait()
	w.wantEqual()
}

// sent counts the writes that arrived.
func (w *world) sent() (n int) {
	for _, r := range w.sim.Requests() {
		if r.Method != "GET" {
			n++
		}
	}
	return n
}

func TestWriteThatCouldNotBeSentChangesNothing(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		w.breakUpstream(&directory.UpstreamError{Op: "forward", Reason: directory.ReasonBudget, RetryAfter: time.Minute})
		group := w.someGroup().ID
		time.Sleep(time.Minute)
		if _, err := w.send("PUT", groups+"/"+group, `{}`); directory.ReasonOf(err) != directory.ReasonBudget {
			t.Errorf("error %v", err)
		}
		index, err := w.db.Index(context.Background())
		if err != nil || index.Groups[group].Doubted {
			t.Errorf("the group is in doubt: %+v, %v", index.Groups[group], err)
		}
	})
}

// breakUpstream makes every forward fail.
func (w *world) breakUpstream(err error) { w.Writer.upstream = failing{err} }

type failing struct{ err error }

func (f failing) Awaited(ctx context.Context) context.Context { return ctx }

func (f failing) Forward(context.Context, *http.Request) (*http.Response, error) { return nil, f.err }

func TestSweepBetweenAWriteAndItsAnswerMakesTheGroupBeReadAgain(t *testing.T) {
	for _, method := range []string{"PUT", "DELETE"} {
		t.Run(method, func(t *testing.T) {
			inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
				group := w.someGroup()
				w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On(method, ""), Times: 1, After: func() {
					if method == "PUT" {
						w.sim.UpdateGroup(group.ID, func(g *tallyfysim.Group) { g.Name = "Renamed by another since" })
					}
					if _, err := w.poller.Sweep(context.Background()); err != nil {
						t.Error(err)
					}
				}})
				status := map[string]int{"PUT": 201, "DELETE": 204}[method]
				w.write(method, groups+"/"+group.ID, `{"name":"Renamed","description":"d"}`, status, "applied")
				w.wantEqual()
			})
		})
	}
}

func TestWriteBeforeTheFirstSweepIsPendingAndAsksForOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tallyfysim.Options{Groups: 3, Members: 3})
		w.write("PUT", groups+"/"+w.sim.Groups()[0].ID, `{"name":"Renamed","description":"d"}`, 201, "pending")
		stop := w.run()
		defer stop()
		w.wantEqual()
	})
}

func TestClientThatGoesAwayDoesNotStopTheRefresh(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		group := w.someGroup()
		ctx, cancel := context.WithCancel(context.Background())
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("PUT", ""), Before: cancel, DelayAnswer: time.Second})
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("GET", ""), DelayAnswer: time.Second})
		body := `{"name":" Renamed","description":"d","members":["x"]}`
		if out, err := w.Group(ctx, w.request(ctx, "PUT", groups+"/"+group.ID, body), []byte(body)); err != nil {
			t.Errorf("%+v, %v", out, err)
		}
		w.wantEqual()
	})
}

func TestWritesOnOneGroupGoOneAtATimeInOrder(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("PUT", ""), DelayAnswer: time.Second})
		all, began := sync.WaitGroup{}, time.Now()
		put := func(id, name string) {
			all.Go(func() {
				w.write("PUT", groups+"/"+id, fmt.Sprintf(`{"name":%q,"description":"d"}`, name), 201, "applied")
			})
			synctest.Wait()
		}
		one, other := w.sim.Groups()[0].ID, w.sim.Groups()[1].ID
		for i := range 10 {
			put(one, fmt.Sprint("One ", i))
		}
		put(other, "Other")
		all.Wait()
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("eleven writes took %v, want 10 s for the ten on one group and none for the other", took)
		}
		for i, r := range w.sim.Requests() {
			if i > 1 && !strings.Contains(string(r.Body), fmt.Sprint("One ", i-1)) {
				t.Errorf("write %d was %s", i, r.Body)
			}
		}
		w.wantEqual()
		if len(w.lines.rows) != 0 {
			t.Error("lines are left behind")
		}
	})
}

func TestLineOfWritesIsBoundedAndMayBeLeft(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		leave, err := w.lines.enter(context.Background(), "g")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		var all sync.WaitGroup
		for range mostWaiting {
			all.Go(func() {
				if _, err := w.lines.enter(ctx, "g"); err == nil {
					t.Error("a cancelled wait had its turn")
				}
			})
		}
		synctest.Wait()
		if _, err := w.lines.enter(context.Background(), "g"); directory.ReasonOf(err) != directory.ReasonBudget {
			t.Errorf("the line is endless: %v", err)
		}
		cancel()
		all.Wait()
		leave()
		again, err := w.lines.enter(context.Background(), "g")
		if err != nil {
			t.Fatal(err)
		}
		again()
		if len(w.lines.rows) != 0 {
			t.Error("the line is left behind")
		}
	})
}

func TestTurnThatDoesNotComeIsGivenUp(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		leave, err := w.lines.enter(context.Background(), "g")
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := w.lines.enter(context.Background(), "g"); directory.ReasonOf(err) != directory.ReasonBudget || time.Since(began) != longestTurn {
			t.Errorf("gave up after %v: %v", time.Since(began), err)
		}
		leave()
		if len(w.lines.rows) != 0 {
			t.Error("the line waits for one who has left")
		}
	})
}

func TestOneLineAWrite(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		id := w.someGroup().ID
		w.write("PUT", groups+"/"+id, `{"name":"Secretive","description":"d"}`, 201, "applied")
		w.write("PUT", groups+"/"+id, `{"name":""}`, 422, "")
		w.breakUpstream(&directory.UpstreamError{Op: "forward PUT", Reason: directory.ReasonTransport})
		if _, err := w.send("DELETE", groups+"/"+id, ""); err == nil {
			t.Error("no error")
		}
		got := strings.Split(strings.TrimSpace(w.log.String()), "\n")
		if len(got) != 3 {
			t.Fatalf("log %q", got)
		}
		for i, want := range []string{"outcome=applied status=201", "outcome=refused status=422", "outcome=unknown"} {
			if !strings.Contains(got[i], want) || !strings.Contains(got[i], "group="+id) || !strings.Contains(got[i], "request_id=r-1") ||
				strings.Contains(got[i], "Secretive") || strings.Contains(got[i], w.sim.Token()) {
				t.Errorf("line %q, want %q, the group and the request, and no name or token", got[i], want)
			}
		}
	})
}

func TestGroupID(t *testing.T) {
	for path, want := range map[string]string{
		groups: "", groups + "/": "", groups + "/0f": "0f", groups + "/0f/": "0f", groups + "/a%2Fb": "a/b", "/groups/x": "x", "/x": "",
	} {
		u, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := groupID(u); got != want {
			t.Errorf("groupID(%q) = %q, want %q", path, got, want)
		}
	}
}

// Upstream empties the lists that an update leaves out, and the answer does
// not say so.
func TestListsThatTheAnswerDoesNotShowAreRead(t *testing.T) {
	inWorld(t, tallyfysim.Options{AbsentArraysClear: true}, func(t *testing.T, w *world) {
		for _, hidden := range []string{`"members"`, `"guests"`} {
			w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("PUT", ""), Rewrite: replaced(hidden, `"hidden"`), Times: 1})
			w.write("PUT", groups+"/"+w.someGroup().ID, `{"name":"Renamed `+hidden[1:4]+`","description":"d"}`, 201, "applied")
			w.wantEqual()
			w.wantRequests("PUT", "GET")
		}
	})
}

func TestTurnThatComesToOneWhoHasLeftIsPassedOn(t *testing.T) {
	inWorld(t, tallyfysim.Options{}, func(t *testing.T, w *world) {
		for range 50 {
			leave, err := w.lines.enter(context.Background(), "g")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			var waiting sync.WaitGroup
			waiting.Go(func() {
				if leave, err := w.lines.enter(ctx, "g"); err == nil {
					leave()
				}
			})
			synctest.Wait()
			cancel()
			leave()
			waiting.Wait()
			if len(w.lines.rows) != 0 {
				t.Fatal("the line waits for one who has left")
			}
		}
	})
}

// crowded is a world whose mirror holds suspicious removals, and a group of
// more members than a read alone may drop.
func crowded(t *testing.T, o tallyfysim.Options, test func(w *world, path string)) {
	t.Helper()
	inWorld(t, o, func(t *testing.T, w *world) {
		crowd := tallyfysim.Group{Name: "Crowd", Description: "d"}
		for _, u := range w.sim.Users() {
			crowd.Members = append(crowd.Members, u.ID)
		}
		id := w.sim.CreateGroup(crowd)
		client, err := tallyfy.New(tallyfy.Options{
			BaseURL: "https://go.tallyfy.com/api", Organization: dbtest.Organization,
			Token: tallyfy.StaticToken(w.sim.Token()), Transport: w.sim.Transport(),
		})
		if err != nil {
			t.Fatal(err)
		}
		if w.poller, err = poller.New(context.Background(), poller.Options{Upstream: client, Store: w.db, HoldRemovals: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.poller.Sweep(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.Writer = New(Options{Upstream: client, Mirror: w.poller})
		test(w, groups+"/"+id)
	})
}

// Nobody is surprised that a write which sends the members changes them, be it
// that upstream makes something else of what was sent.
func TestMembersThatAWriteCarriesMayGoAllAtOnce(t *testing.T) {
	crowded(t, tallyfysim.Options{}, func(w *world, path string) {
		w.write("PUT", path, `{"name":"Crowd","description":"d","members":[]}`, 201, "applied")
		w.wantEqual()
	})
	crowded(t, tallyfysim.Options{}, func(w *world, path string) {
		w.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("PUT", ""), Times: 1, After: func() {
			w.sim.UpdateGroup(strings.TrimPrefix(path, groups+"/"), func(g *tallyfysim.Group) {
				g.Name, g.Description, g.Members = "Otherwise", "otherwise", g.Members[1:]
			})
		}, Status: 200, Handled: true, Body: []byte(`{"data":{}}`)})
		w.write("PUT", path, `{"name":"Few","description":"few","members":[1003,1007]}`, 200, "applied")
		w.wantEqual()
	})
}

func TestMembersThatAWriteDoesNotCarryWaitForASweep(t *testing.T) {
	crowded(t, tallyfysim.Options{AbsentArraysClear: true}, func(w *world, path string) {
		before := w.mirror()
		w.write("PUT", path, `{"name":"Renamed","description":"d"}`, 201, "pending")
		if diff := gocmp.Diff(before, w.mirror()); diff != "" {
			w.t.Errorf("the mirror changed (-before +now):\n%s", diff)
		}
	})
}

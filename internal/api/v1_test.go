package api

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/directory"
)

func TestGroupHasTheDesignsShape(t *testing.T) {
	w := newPeople(t)
	got := w.get("/v1/groups/" + salesID).wants(200)
	version, _ := got.at("data", "version").(string)
	want := map[string]any{
		"id": salesID, "name": "Sales", "description": "About", "logo": nil, "member_count": 3.0, "guest_count": 1.0,
		"version": version, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-02-01T00:00:00Z",
	}
	if diff := cmp.Diff(want, got.at("data")); diff != "" || version == "" {
		t.Error(version, diff)
	}
	want["members"], want["guests"] = []any{11.0, 12.0, 13.0}, []any{"Guest@Outside.test"}
	for _, path := range []string{"/v1/groups/" + salesID, "/v1/groups/Sales", "/v1/groups/name:Sales", "/v1/groups/id:" + salesID, "/v1/groups/%20sALES"} {
		if diff := cmp.Diff(any(want), w.get(path+"?with=members").wants(200).at("data")); diff != "" {
			t.Error(path, diff)
		}
	}
}

func TestListsOfGroupsHoldEdgesOnDemand(t *testing.T) {
	w := newPeople(t)
	if got := w.get("/v1/groups").wants(200); strings.Contains(got.body, `"members"`) {
		t.Error(got.body)
	}
	got := w.get("/v1/groups?with=members").wants(200)
	want := []any{[]any{11.0, 12.0, 13.0}, []any{11.0}, []any{}, []any{13.0}}
	if diff := cmp.Diff(want, got.column("members")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]any{[]any{"Guest@Outside.test"}, []any{}, []any{}, []any{}}, got.column("guests")); diff != "" {
		t.Error(diff)
	}
}

func TestAnEnvelopeNamesTheStateItShows(t *testing.T) {
	w := newPeople(t)
	f, err := w.db.Freshness(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/v1/groups", "/v1/groups/Sales", "/v1/members/11", "/v1/check?member=11&group=Sales", "/v1/status"} {
		got := w.get(path).wants(200).object()
		want := map[string]any{"revision": float64(f.Revision), "epoch": f.Epoch, "published_at": f.PublishedAt.UTC().Format(time.RFC3339Nano)}
		delete(got, "data")
		delete(got, "next_cursor")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(path, diff)
		}
	}
}

func TestMemberHasTheDesignsShape(t *testing.T) {
	w := newPeople(t)
	want := map[string]any{
		"id": 11.0, "email": "Ada@x.test", "first_name": "Ada", "last_name": nil, "full_name": "Ada Example", "role": "admin",
		"status": "active", "job_title": nil, "team": nil, "timezone": nil, "last_login_at": nil,
		"created_at": "2026-01-01T00:00:00Z", "updated_at": nil, "group_count": 2.0,
	}
	for _, who := range []string{"11", "id:11", "ada@X.test", "name:Ada@x.test"} {
		if diff := cmp.Diff(any(want), w.get("/v1/members/"+who).wants(200).at("data")); diff != "" {
			t.Error(who, diff)
		}
	}
	w.get("/v1/members/guest@outside.test").wantsProblem(404, unknownPerson)
}

func TestMembershipsHaveTheDesignsShape(t *testing.T) {
	w := newPeople(t)
	got := w.get("/v1/groups/Sales/members").wants(200)
	rows := got.at("data").([]any)
	if len(rows) != 4 {
		t.Fatal(got.body)
	}
	bo, guest := rows[1].(map[string]any), rows[3].(map[string]any)
	want := map[string]any{
		"group_id": salesID, "group_name": "Sales", "kind": "member", "member_id": 12.0, "email": "bo@x.test",
		"full_name": "Bo Example", "role": "standard", "status": "disabled", "since_not_before": nil, "since_not_after": bo["since_not_after"],
	}
	if diff := cmp.Diff(want, bo); diff != "" || bo["since_not_after"] == nil {
		t.Error(diff)
	}
	want = map[string]any{
		"group_id": salesID, "group_name": "Sales", "kind": "guest", "member_id": nil, "email": "Guest@Outside.test",
		"full_name": nil, "role": nil, "status": nil, "since_not_before": nil, "since_not_after": guest["since_not_after"],
	}
	if diff := cmp.Diff(want, guest); diff != "" {
		t.Error(diff)
	}
	if got := w.get("/v1/groups/Sales/members?kind=guest").column("kind"); !cmp.Equal(got, []any{"guest"}) {
		t.Error(got)
	}
	if got := w.get("/v1/groups/Sales/members?kind=member").column("member_id"); !cmp.Equal(got, []any{11.0, 12.0, 13.0}) {
		t.Error(got)
	}
}

func TestGroupsOfSomebody(t *testing.T) {
	w := newPeople(t)
	for path, want := range map[string][]any{
		"/v1/members/13/groups":                   {"Sales", "Ops / Night"},
		"/v1/members/cy@x.test/groups":            {"Sales", "Ops / Night"},
		"/v1/members/13/groups?sort=name":         {"Ops / Night", "Sales"},
		"/v1/members/13/groups?sort=-name":        {"Sales", "Ops / Night"},
		"/v1/members/guest@outside.test/groups":   {"Sales"},
		"/v1/guests/GUEST@outside.test/groups":    {"Sales"},
		"/v1/guests/guest%40outside.test/groups":  {"Sales"},
		"/v1/members/13/groups?limit=1&sort=name": {"Ops / Night"},
	} {
		got := w.get(path).wants(200)
		if diff := cmp.Diff(want, got.column("name")); diff != "" {
			t.Error(path, diff)
		}
		row := got.at("data").([]any)[0].(map[string]any)
		if _, hasBound := row["since_not_before"]; !hasBound || row["since_not_after"] == nil || row["version"] == "" {
			t.Error(path, row)
		}
	}
	w.get("/v1/members/99/groups").wantsProblem(404, unknownPerson)
	w.get("/v1/guests/ada@x.test/groups").wantsProblem(404, unknownPerson)
}

func TestCheckAnswersYesNoAndWhyNot(t *testing.T) {
	w := newPeople(t)
	for query, want := range map[string]map[string]any{
		"member=11&group=Sales":                                {"member": true, "kind": "member", "status": "active", "member_id": 11.0, "reason": nil},
		"member=ada@x.test&group=" + salesID:                   {"member": true, "kind": "member", "status": "active", "member_id": 11.0, "reason": nil},
		"member=12&group=Sales":                                {"member": false, "kind": "member", "status": "disabled", "member_id": 12.0, "reason": "disabled"},
		"member=12&group=Sales&include_disabled=true":          {"member": true, "kind": "member", "status": "disabled", "member_id": 12.0, "reason": nil},
		"member=guest@outside.test&group=Sales":                {"member": true, "kind": "guest", "status": nil, "member_id": nil, "reason": nil},
		"member=11&group=Ops+/+Night":                          {"member": false, "kind": nil, "status": "active", "member_id": 11.0, "reason": nil},
		"member=id:11&group=name:Sales&include_disabled=false": {"member": true, "kind": "member", "status": "active", "member_id": 11.0, "reason": nil},
	} {
		got := w.get("/v1/check?" + query).wants(200)
		data, _ := got.at("data").(map[string]any)
		delete(data, "group_id")
		if diff := cmp.Diff(want, data); diff != "" {
			t.Error(query, diff)
		}
	}
	w.get("/v1/check?member=99&group=Sales").wantsProblem(404, unknownPerson)
	w.get("/v1/check?member=11&group=None").wantsProblem(404, unknownGroup)
	w.get("/v1/check?member=11&group=supporT").wantsProblem(409, ambiguousName)
}

func TestNamesInPathsMayHoldAnything(t *testing.T) {
	w := newWorld(t)
	w.publish([]string{
		`{"id":"a","name":"Ops / Night","members":[]}`, `{"id":"b","name":"..","members":[]}`, `{"id":"c","name":"50% ?&#","members":[]}`,
		`{"id":"d","name":"Дежурные 夜","members":[]}`, `{"id":"e","name":"a//b","members":[]}`,
	}, nil)
	for id, name := range map[string]string{"a": "Ops / Night", "b": "..", "c": "50% ?&#", "d": "Дежурные 夜", "e": "a//b"} {
		escaped := strings.ReplaceAll(url.PathEscape(name), ".", "%2e")
		if got := w.get("/v1/groups/"+escaped).wants(200).at("data", "id"); got != id {
			t.Errorf("%q is %v, want %s", name, got, id)
		}
	}
}

func TestAnAmbiguousNameIsAConflictThatNamesTheIDs(t *testing.T) {
	w := newPeople(t)
	for _, path := range []string{"/v1/groups/support", "/v1/groups/suPPort/members"} {
		p := w.get(path).wantsProblem(409, ambiguousName)
		if diff := cmp.Diff([]string{supportID, shoutedID}, p.IDs); diff != "" {
			t.Error(path, diff)
		}
	}
	w.get("/v1/groups/Support").wants(200)
}

func TestABadParameterIsA422ThatNamesIt(t *testing.T) {
	w := newPeople(t)
	for path, parameter := range map[string]string{
		"/v1/groups?frob=1":                                  "frob",
		"/v1/groups?Limit=1":                                 "Limit",
		"/v1/groups?limit=0":                                 "limit",
		"/v1/groups?limit=1001":                              "limit",
		"/v1/groups?limit=x":                                 "limit",
		"/v1/groups?limit=":                                  "limit",
		"/v1/groups?limit":                                   "limit",
		"/v1/groups?limit=1&limit=1":                         "limit",
		"/v1/groups?cursor&limit=1":                          "cursor",
		"/v1/groups?sort=id":                                 "sort",
		"/v1/groups?with=everything":                         "with",
		"/v1/groups/Sales?limit=3":                           "limit",
		"/v1/groups/Sales/members?kind=robot":                "kind",
		"/v1/groups/Sales/members?kind=guest&kind=member":    "kind",
		"/v1/members?with=groups":                            "with",
		"/v1/check?member=11":                                "group",
		"/v1/check?group=Sales":                              "member",
		"/v1/check?member=&group=Sales":                      "member",
		"/v1/check?member=11&group=Sales&include_disabled=2": "include_disabled",
		"/v1/status?verbose=true":                            "verbose",
	} {
		p := w.get(path).wantsProblem(422, invalidParameter)
		if len(p.Errors) == 0 || p.Errors[0].Location != "query."+parameter || !strings.Contains(p.Detail, parameter) {
			t.Errorf("%s: %+v does not name %s", path, p, parameter)
		}
	}
	w.get("/v1/groups?limit=%zz").wantsProblem(422, invalidParameter)
	w.get("/v1/groups?a;b").wantsProblem(422, invalidParameter)
}

func TestWhatIsNotOnV1IsAProblemToo(t *testing.T) {
	w := newPeople(t)
	for _, path := range []string{"/v1", "/v1/", "/v1/nothing", "/v1/groups/", "/v1/groups/a/b/c", "/v1/../v1/groups", "/v1//groups", "/v1/./groups"} {
		w.get(path).wantsProblem(404, noSuchPath)
	}
	for _, c := range [][3]string{{"POST", "/v1/groups", "GET, HEAD"}, {"DELETE", "/v1/members/11", "GET, HEAD"}, {"GET", "/v1/sync", "POST"}, {"BREW", "/v1/check", "GET, HEAD, POST"}} {
		got := w.do(c[0], c[1], "")
		got.wantsProblem(405, blank)
		if got.header.Get("Allow") != c[2] {
			t.Errorf("%s %s allows %s, want %s", c[0], c[1], got.header.Get("Allow"), c[2])
		}
	}
}

func TestAWalkShowsEveryRowOnceAtOneRevision(t *testing.T) {
	w := newPeople(t)
	for _, c := range []struct {
		path, field string
		want        []any
	}{
		{"/v1/groups?limit=1", "id", []any{salesID, supportID, shoutedID, slashedID}},
		{"/v1/groups?limit=3&sort=name", "name", []any{"Ops / Night", "Sales", "Support", "SUPPORT"}},
		{"/v1/groups?limit=3&sort=-name", "name", []any{"SUPPORT", "Support", "Sales", "Ops / Night"}},
		{"/v1/members?limit=2", "id", []any{11.0, 12.0, 13.0}},
		{"/v1/members?limit=1&sort=-name", "id", []any{13.0, 12.0, 11.0}},
		{"/v1/groups/Sales/members?limit=1", "email", []any{"Ada@x.test", "bo@x.test", "cy@x.test", "Guest@Outside.test"}},
		{"/v1/members/13/groups?limit=1", "name", []any{"Sales", "Ops / Night"}},
	} {
		if diff := cmp.Diff(c.want, w.walk(c.path, c.field)); diff != "" {
			t.Error(c.path, diff)
		}
	}
}

// walk follows cursors to the end, and sees that Link says the same.
func (w *world) walk(target, field string) []any {
	w.t.Helper()
	rows := []any{}
	for range 20 {
		got := w.get(target).wants(200)
		rows = append(rows, got.column(field)...)
		next, more := got.at("next_cursor").(string)
		if !more {
			if got.header.Get("Link") != "" {
				w.t.Error("a Link at the end", got.header.Get("Link"))
			}
			return rows
		}
		link, _, _ := strings.Cut(strings.TrimPrefix(got.header.Get("Link"), "<"+w.server.URL), ">")
		if u, err := url.Parse(link); err != nil || u.Query().Get("cursor") != next {
			w.t.Errorf("Link %q does not lead to %s", got.header.Get("Link"), next)
		}
		target = link
	}
	w.t.Error("the walk does not end")
	return rows
}

func TestAWalkKeepsItsRevisionWhileOthersArePublished(t *testing.T) {
	w := newOwnPeople(t)
	first := w.get("/v1/groups?limit=1").wants(200)
	w.publish([]string{`{"id":"` + supportID + `","name":"Renamed","members":[]}`, `{"id":"ffff","name":"New","members":[]}`}, nil)
	second := w.get("/v1/groups?limit=9&cursor=" + first.at("next_cursor").(string)).wants(200)
	if diff := cmp.Diff([]any{"Support", "SUPPORT", "Ops / Night"}, second.column("name")); diff != "" {
		t.Error(diff)
	}
	if second.at("revision") != first.at("revision") || second.header.Get("Rollcall-Revision") != first.header.Get("Rollcall-Revision") {
		t.Error("the walk moved to another revision:", second.body)
	}
	if now := w.get("/v1/groups").wants(200); len(now.column("id")) != 5 || now.at("revision") == first.at("revision") {
		t.Error(now.body)
	}
}

func TestAForeignCursorIsGoneAndGarbageIsRefused(t *testing.T) {
	w, other := newPeople(t), newOwnPeople(t)
	foreign := other.get("/v1/groups?limit=1").at("next_cursor").(string)
	own := w.get("/v1/groups?limit=1").at("next_cursor").(string)
	w.get("/v1/groups?limit=1&cursor="+foreign).wantsProblem(410, cursorGone)

	c, err := parseCursor(own)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*cursor){
		"a later revision":       func(c *cursor) { c.Revision += 7 },
		"another published time": func(c *cursor) { c.Published++ },
	} {
		forged := c
		change(&forged)
		t.Log(name)
		w.get("/v1/groups?limit=1&cursor="+forged.String()).wantsProblem(410, cursorGone)
	}
	feed := w.get("/v1/groups").header.Get("Rollcall-Cursor")
	for _, bad := range []string{"x", own + "A", own[1:], strings.Repeat("A", 9000), feed, "bnVsbA", "e30", base64.RawURLEncoding.EncodeToString([]byte(`{"r":1,"e":"x","p":0}`))} {
		p := w.get("/v1/groups?limit=1&cursor="+bad).wantsProblem(422, invalidParameter)
		if p.Errors[0].Location != "query.cursor" {
			t.Error(p)
		}
	}
	for _, query := range []string{"/v1/groups?sort=name&cursor=", "/v1/members?cursor=", "/v1/groups?with=members&cursor=", "/v1/groups/Sales/members?cursor="} {
		w.get(query+own).wantsProblem(422, invalidParameter)
	}
	w.get("/v1/groups?limit=2&cursor=" + own).wants(200)
}

func TestStatusTellsTheKindAndEndOfTheToken(t *testing.T) {
	w := newWorld(t)
	w.upstream.token = directory.TokenInfo{Kind: directory.TokenActAs, ExpiresAt: time.Date(2026, 5, 30, 9, 0, 0, 0, time.UTC)}
	want := map[string]any{"kind": "act_as", "expires_at": "2026-05-30T09:00:00Z"}
	if diff := cmp.Diff(any(want), w.get("/v1/status").wants(200).at("data", "token")); diff != "" {
		t.Error(diff)
	}
	w.upstream.token = directory.TokenInfo{Kind: directory.TokenPersonal}
	want = map[string]any{"kind": "personal", "expires_at": nil}
	if diff := cmp.Diff(any(want), w.get("/v1/status").wants(200).at("data", "token")); diff != "" {
		t.Error(diff)
	}
}

func TestStatusAnswersBeforeAndAfterTheFirstSweep(t *testing.T) {
	w := newWorld(t)
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	w.poller.status = directory.PollStatus{
		State: directory.StateStarting, StateSince: at, LastAttemptAt: at, EffectiveInterval: time.Minute, IntervalReason: "The poll interval of 1m0s.",
		LastError: &directory.LastError{At: at, Reason: directory.ReasonTimeout, Message: "list members, page 1: timeout"},
		Progress:  &directory.Progress{BeganAt: at, Listing: "members", PagesDone: 1, PagesExpected: 2, RowsDone: 3},
		Drift:     map[string]int{"user.id": 2},
	}
	got := w.get("/v1/status").wants(200)
	want := map[string]any{
		"organization": org, "revision": 0.0, "epoch": got.at("epoch"), "state": "starting", "state_since": "2026-03-01T09:00:00Z",
		"confirmed_at": nil, "last_attempt_at": "2026-03-01T09:00:00Z", "next_sweep_at": nil, "effective_interval": "1m0s", "effective_interval_reason": "The poll interval of 1m0s.",
		"last_error": map[string]any{"at": "2026-03-01T09:00:00Z", "reason": "timeout", "message": "list members, page 1: timeout"},
		"rows":       map[string]any{"groups": 0.0, "members": 0.0, "memberships": 0.0, "guest_memberships": 0.0},
		"budget":     map[string]any{"minute_limit": 90.0, "minute_remaining": 0.0, "hour_limit": 0.0, "hour_remaining": 0.0, "paused_until": nil},
		"drift":      map[string]any{"user.id": 2.0},
		"held":       nil, "history_since": nil,
		"token":    nil,
		"progress": map[string]any{"began_at": "2026-03-01T09:00:00Z", "listing": "members", "pages_done": 1.0, "pages_expected": 2.0, "rows_done": 3.0},
	}
	if diff := cmp.Diff(any(want), got.at("data")); diff != "" {
		t.Error(diff)
	}
	if got.header.Get("ETag") != "" {
		t.Error("status carries an ETag")
	}

	w.publish(people())
	w.poller.status = directory.PollStatus{State: directory.StateFresh}
	got = w.get("/v1/status").wants(200)
	rows := map[string]any{"groups": 4.0, "members": 3.0, "memberships": 5.0, "guest_memberships": 1.0}
	if diff := cmp.Diff(any(rows), got.at("data", "rows")); diff != "" {
		t.Error(diff)
	}
	if got.at("data", "revision") != 1.0 || got.at("data", "confirmed_at") == nil || got.at("data", "last_error") != nil || got.at("data", "progress") != nil {
		t.Error(got.body)
	}
}

func TestSyncSaysHowTheSweepEnded(t *testing.T) {
	w := newPeople(t)
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	ended := directory.Sweep{Result: directory.SweepPublished, BeganAt: at, EndedAt: at.Add(time.Second), Requests: 3, Groups: 4, Members: 3}
	for _, c := range []struct {
		query  string
		sweep  directory.Sweep
		err    error
		status int
		kind   string
		wait   time.Duration
	}{
		{"", directory.Sweep{Result: directory.SweepRunning}, nil, 202, "", 0},
		{"?wait=30s", ended, nil, 200, "", 30 * time.Second},
		{"?wait=60s", directory.Sweep{Result: directory.SweepHeld}, nil, 200, "", time.Minute},
		{"?wait=1ms", directory.Sweep{Result: directory.SweepRunning, BeganAt: at}, nil, 202, "", time.Millisecond},
		{"?wait=1s", directory.Sweep{Result: directory.SweepFailed, Reason: directory.ReasonUnauthorized}, nil, 502, upstreamUnauth, time.Second},
		{"?wait=1s", directory.Sweep{Result: directory.SweepFailed, Reason: directory.ReasonForbidden}, nil, 502, upstreamRefused, time.Second},
		{"?wait=1s", directory.Sweep{}, &directory.UpstreamError{Op: "list groups, page 3", Reason: directory.ReasonServer, Status: 503}, 502, upstreamRefused, time.Second},
		{"?wait=1s", directory.Sweep{}, &directory.UpstreamError{Op: "sweep", Reason: directory.ReasonBudget, RetryAfter: 90 * time.Second}, 429, tooManyRequests, time.Second},
	} {
		w.poller.sweep, w.poller.err, w.poller.waited = c.sweep, c.err, nil
		got := w.do(http.MethodPost, "/v1/sync"+c.query, "").wants(c.status)
		if c.kind != "" {
			got.wantsProblem(c.status, c.kind)
		} else if got.at("data", "result") != string(c.sweep.Result) || got.at("revision") != 1.0 || got.header.Get("ETag") != "" {
			t.Error(c.query, got.header, got.body)
		}
		if !cmp.Equal(w.poller.waited, []time.Duration{c.wait}) {
			t.Error(c.query, w.poller.waited)
		}
		if c.status == 429 && got.header.Get("Retry-After") != "90" {
			t.Error(got.header)
		}
	}
	for _, wait := range []string{"61s", "-1s", "30", "soon", ""} {
		w.do(http.MethodPost, "/v1/sync?wait="+wait, "").wantsProblem(422, invalidParameter)
	}
}

func TestThoseWhoWaitForASweepAreLetGoWhenTheServerStops(t *testing.T) {
	w := newPeople(t)
	w.poller.asked = make(chan struct{})
	ended := make(chan answer)
	go func() { ended <- w.do(http.MethodPost, "/v1/sync?wait=60s", "") }()
	<-w.poller.asked
	w.api.Stopping()
	w.api.Stopping()
	if got := <-ended; got.status != 202 || got.at("data", "result") != "running" {
		t.Error(got.status, got.body)
	}
	if got := w.get("/readyz?verbose").wants(503); !strings.Contains(got.body, "[-] not stopping") {
		t.Error(got.body)
	}
	w.get("/v1/groups").wants(200)
}

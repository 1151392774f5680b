package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

// An organisation is a replica of few people whom the tests name.
type organisation struct {
	*replica
	group           string
	in, out, asleep tallyfysim.User
}

func newOrganisation(t *testing.T) *organisation {
	t.Helper()
	sim := tallyfysim.New(tallyfysim.Options{Organization: org})
	o := &organisation{
		in:     tallyfysim.User{Email: "In@x.test"},
		out:    tallyfysim.User{Email: "Out@x.test"},
		asleep: tallyfysim.User{Email: "asleep@x.test", Status: tallyfysim.StatusDisabled},
	}
	for _, u := range []*tallyfysim.User{&o.in, &o.out, &o.asleep} {
		u.ID = sim.CreateUser(*u)
	}
	o.group = sim.CreateGroup(tallyfysim.Group{Name: "Night shift", Description: "Plant B", Members: []int64{o.in.ID}, Guests: []string{"Guest@x.test"}})
	sim.CreateGroup(tallyfysim.Group{Name: "Twin", Description: "d"})
	sim.CreateGroup(tallyfysim.Group{Name: "TWIN", Description: "d"})
	o.replica = newReplica(t, sim)
	sim.ResetRequests()
	return o
}

func (o *organisation) edit(method, target, body string, header ...string) answer {
	o.t.Helper()
	return o.do(method, target, body, append([]string{"Authorization", simToken, "Content-Type", "application/json"}, header...)...)
}

// sent counts the writes that arrived at upstream since the last look.
func (o *organisation) sent() (n int) {
	for _, r := range o.sim.Requests() {
		if r.Method != http.MethodGet {
			n++
		}
	}
	o.sim.ResetRequests()
	return n
}

func TestSafeEdits(t *testing.T) {
	o := newOrganisation(t)
	var d openAPI
	o.get("/openapi.json").decode(&d)
	for _, c := range []struct {
		method, path, operation, body string
		changed                       bool
		members                       []any
		guests                        []any
	}{
		{"PUT", fmt.Sprintf("/v1/groups/%s/members/%d", o.group, o.out.ID), "/v1/groups/{g}/members/{m}", "", true, ids(o.in, o.out), []any{"Guest@x.test"}},
		{"PUT", "/v1/groups/night%20SHIFT/members/out@X.test", "/v1/groups/{g}/members/{m}", "", false, ids(o.in, o.out), []any{"Guest@x.test"}},
		{"DELETE", "/v1/groups/Night%20shift/members/in%40x.test", "/v1/groups/{g}/members/{m}", "", true, ids(o.out), []any{"Guest@x.test"}},
		{"DELETE", fmt.Sprintf("/v1/groups/name:Night%%20shift/members/id:%d", o.in.ID), "/v1/groups/{g}/members/{m}", "", false, ids(o.out), []any{"Guest@x.test"}},
		{"PUT", "/v1/groups/Night%20shift/guests/New+one@y.test", "/v1/groups/{g}/guests/{email}", "", true, ids(o.out), []any{"Guest@x.test", "New+one@y.test"}},
		{"DELETE", "/v1/groups/Night%20shift/guests/GUEST@x.test", "/v1/groups/{g}/guests/{email}", "", true, ids(o.out), []any{"New+one@y.test"}},
		{"DELETE", "/v1/groups/Night%20shift/guests/GUEST@x.test", "/v1/groups/{g}/guests/{email}", "", false, ids(o.out), []any{"New+one@y.test"}},
		{
			"PATCH", "/v1/groups/Night%20shift", "/v1/groups/{g}",
			fmt.Sprintf(`{"name":"Day shift","description":"Plant <C>","add_members":[%d,"IN@x.test"],"remove_members":["%d"],"add_guests":[" a@y.test "],"remove_guests":["NEW+ONE@y.test"]}`, o.in.ID, o.out.ID),
			true, ids(o.in),
			[]any{"a@y.test"},
		},
		{"PATCH", "/v1/groups/Day%20shift", "/v1/groups/{g}", `{"add_members":[]}`, false, ids(o.in), []any{"a@y.test"}},
	} {
		got := o.edit(c.method, c.path+"?with=members", c.body).wants(200)
		if err := d.check(c.method, c.operation, got); err != nil {
			t.Errorf("%s %s: %v\n%s", c.method, c.path, err, got.body)
		}
		if want := map[bool]int{true: 1}[c.changed]; o.sent() != want {
			t.Errorf("%s %s sent another number of writes than %d", c.method, c.path, want)
		}
		if got.at("changed") != c.changed || !cmp.Equal(got.at("data", "members"), any(c.members)) || !cmp.Equal(got.at("data", "guests"), any(c.guests)) ||
			!cmp.Equal(got.at("differences"), any([]any{})) || got.at("would_send") != nil {
			t.Errorf("%s %s: %s", c.method, c.path, got.body)
		}
		read := o.get("/v1/groups/" + o.group + "?with=members").wants(200)
		if !cmp.Equal(read.at("data"), got.at("data")) || read.at("revision") != got.at("revision") {
			t.Errorf("the next read shows %s, the edit answered %s", read.body, got.body)
		}
		for _, name := range []string{"Age", "Rollcall-Confirmed-At", "Rollcall-Revision", "Rollcall-Epoch", "Rollcall-Cursor", "Cache-Control", "Vary"} {
			if name != "Age" && name != "Rollcall-Confirmed-At" && got.header.Get(name) != read.header.Get(name) || got.header.Get(name) == "" {
				t.Errorf("%s: %q, the next read says %q", name, got.header.Get(name), read.header.Get(name))
			}
		}
		if got.header.Get("ETag") != "" || got.header.Get("Cache-Status") != "rollcall; fwd=method" {
			t.Error(got.header)
		}
	}
	if strings.Contains(o.log.String(), tallyfysim.DefaultToken) {
		t.Error("the token is in the log")
	}
}

func ids(users ...tallyfysim.User) []any {
	out := []any{}
	for _, u := range users {
		out = append(out, float64(u.ID))
	}
	slices.SortFunc(out, func(a, b any) int { return int(a.(float64) - b.(float64)) })
	return out
}

func TestDryRunOfASafeEditShowsWhatWouldBeSent(t *testing.T) {
	o := newOrganisation(t)
	var d openAPI
	o.get("/openapi.json").decode(&d)
	body := fmt.Sprintf(`{"name":"Day shift","add_members":[%d],"remove_members":[],"add_guests":["a@y.test"]}`, o.out.ID)
	got := o.edit("PATCH", "/v1/groups/Night%20shift?dry_run=true", body).wants(200)
	if err := d.check("PATCH", "/v1/groups/{g}", got); err != nil {
		t.Error(err)
	}
	if o.sent() != 0 {
		t.Error("a dry run was sent")
	}
	o.get("/v1/groups/Day%20shift").wantsProblem(404, unknownGroup)
	would := map[string]any{"name": "Day shift", "description": "Plant B", "members": ids(o.in, o.out), "guests": []any{"Guest@x.test", "a@y.test"}}
	if diff := cmp.Diff(any(would), got.at("would_send")); diff != "" {
		t.Error(diff)
	}
	made := o.edit("PATCH", "/v1/groups/Night%20shift?with=members", body).wants(200)
	for _, field := range []string{"id", "name", "description", "member_count", "guest_count", "version", "members", "guests"} {
		if !cmp.Equal(got.at("data", field), made.at("data", field)) {
			t.Errorf("%s would be %v and is %v", field, got.at("data", field), made.at("data", field))
		}
	}
	again := o.edit("PATCH", "/v1/groups/Day%20shift?dry_run=true", `{"name":"Day shift"}`).wants(200)
	if again.at("changed") != false || again.at("would_send") != nil {
		t.Error(again.body)
	}
}

func TestSafeEditUnderIfMatch(t *testing.T) {
	o := newOrganisation(t)
	path := "/v1/groups/" + o.group
	read := o.get(path)
	version := fmt.Sprint(read.at("data", "version"))
	for _, match := range []string{`"another"`, `W/"` + version + `"`, `W/"a", "b"`, read.header.Get("ETag"), ""} {
		for _, dry := range []string{"", "?dry_run=true"} {
			p := o.edit("PATCH", path+dry, `{"name":"Never"}`, "If-Match", match).wantsProblem(412, preconditionFailed)
			if p.Version != version {
				t.Errorf("If-Match: %s is told version %q", match, p.Version)
			}
		}
	}
	for _, match := range []string{version, "a b", `"a" "b"`, `"open`, `*, "a"`, `"a", *`} {
		o.edit("PATCH", path, `{"name":"Never"}`, "If-Match", match).wantsProblem(422, invalidParameter)
	}
	if o.sent() != 0 {
		t.Error("something was sent")
	}
	o.edit("PATCH", path, `{"name":"First"}`, "If-Match", `W/"x", "a,b" ,, "`+version+`"`).wants(200)
	o.edit("PATCH", path, `{"name":"Second"}`, "If-Match", `"`+version+`"`).wantsProblem(412, preconditionFailed)
	o.edit("PATCH", path, `{"name":"Second"}`, "If-Match", `*`).wants(200)
	o.edit("PATCH", "/v1/groups/none", `{"name":"Second"}`, "If-Match", `*`).wantsProblem(404, unknownGroup)
}

func TestVersionsOfSeveralHeaderLines(t *testing.T) {
	got, err := versionsOf(http.Header{"If-Match": {`"a"`, ` W/"b" , "c"`, `"d"`}})
	if err != nil || !slices.Equal(got, []string{"a", "c", "d"}) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := versionsOf(http.Header{"If-Match": {`"a"`, `*`}}); err == nil {
		t.Error("no error")
	}
	if got, err := versionsOf(http.Header{}); err != nil || got != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func FuzzVersionsOf(f *testing.F) {
	for _, seed := range []string{`"a"`, `W/"a", "b"`, `*`, ``, `"`, `,,`, `W/`, `"a"x`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		versions, err := versionsOf(http.Header{"If-Match": {line}})
		if err != nil {
			return
		}
		if versions == nil != (strings.TrimSpace(line) == "*") {
			t.Errorf("%q allows any version", line)
		}
		for _, v := range versions {
			if !strings.Contains(line, `"`+v+`"`) {
				t.Errorf("%q does not hold %q", line, v)
			}
		}
	})
}

func TestSafeEditOfWhatIsNotThere(t *testing.T) {
	o := newOrganisation(t)
	for _, c := range []struct {
		method, path, body string
		status             int
		kind               string
	}{
		{"PUT", "/v1/groups/none/members/" + fmt.Sprint(o.in.ID), "", 404, unknownGroup},
		{"PUT", "/v1/groups/id:none/guests/a@x.test", "", 404, unknownGroup},
		{"PATCH", "/v1/groups/none", `{"name":"x"}`, 404, unknownGroup},
		{"DELETE", "/v1/groups/twin/members/" + fmt.Sprint(o.in.ID), "", 409, ambiguousName},
		{"PUT", "/v1/groups/Night%20shift/members/999999", "", 404, unknownPerson},
		{"DELETE", "/v1/groups/Night%20shift/members/nobody@x.test", "", 404, unknownPerson},
		{"PUT", "/v1/groups/Night%20shift/members/guest@x.test", "", 404, unknownPerson}, // no member
		{"PATCH", "/v1/groups/Night%20shift", `{"add_members":["in@x.test","nobody@x.test"]}`, 404, unknownPerson},
		{"PATCH", "/v1/groups/Night%20shift", `{"remove_members":[999999]}`, 404, unknownPerson},
		{"POST", "/v1/groups/Night%20shift/members/1", "", 405, blank},
		{"PUT", "/v1/groups/Night%20shift", "{}", 405, blank},
	} {
		o.edit(c.method, c.path, c.body).wantsProblem(c.status, c.kind)
	}
	o.sim.DeleteGroup(o.group)
	o.edit("PUT", "/v1/groups/Night%20shift/guests/a@x.test", "").wantsProblem(404, unknownGroup)
	if o.sent() != 0 {
		t.Error("something was sent")
	}
}

// Somebody whom a group names and the member list lacks can be taken out.
func TestAStrangerMayBeTakenOut(t *testing.T) {
	o := newOrganisation(t)
	o.sim.UpdateGroup(o.group, func(g *tallyfysim.Group) { g.Members = append(g.Members, 4711) })
	o.edit("DELETE", "/v1/groups/Night%20shift/members/4711", "").wantsProblem(404, unknownPerson)
	o.sweep()
	got := o.edit("DELETE", "/v1/groups/Night%20shift/members/4711?with=members", "").wants(200)
	if !cmp.Equal(got.at("data", "members"), any(ids(o.in))) {
		t.Error(got.body)
	}
}

func TestPatchThatMakesNoSense(t *testing.T) {
	o := newOrganisation(t)
	in := o.in.ID
	for body, location := range map[string]string{
		``:                       "",
		`{}`:                     "body",
		`[]`:                     "body",
		`null`:                   "body",
		`{"name":`:               "",
		`{"nam":"x"}`:            "body.nam",
		`{"members":[1]}`:        "body.members",
		`{"name":null}`:          "body.name",
		`{"name":5}`:             "body.name",
		`{"add_members":null}`:   "body.add_members",
		`{"add_members":5}`:      "body.add_members",
		`{"add_members":[""]}`:   "body.add_members[0]",
		`{"add_members":[0]}`:    "body.add_members[0]",
		`{"add_members":[1.5]}`:  "body.add_members[0]",
		`{"add_members":[null]}`: "body.add_members[0]",
		`{"add_members":[1e1]}`:  "",
		`{"add_guests":[7]}`:     "body.add_guests[0]",
		`{"add_guests":[" "]}`:   "body.add_guests[0]",
		fmt.Sprintf(`{"add_members":[%d],"remove_members":["IN@x.test"]}`, in):          "body.add_members",
		`{"add_guests":["a@x.test"],"remove_guests":[" A@X.test"]}`:                     "body.add_guests",
		`{"add_members":[` + strings.TrimSuffix(strings.Repeat(`1,`, 1001), ",") + `]}`: "body.add_members",
	} {
		p := o.edit("PATCH", "/v1/groups/Night%20shift", body).wantsProblem(422, invalidParameter)
		if location != "" && (len(p.Errors) == 0 || p.Errors[0].Location != location) {
			t.Errorf("%.60s: %+v, want %s", body, p.Errors, location)
		}
	}
	o.edit("PATCH", "/v1/groups/Night%20shift?dryrun=true", `{"name":"x"}`).wantsProblem(422, invalidParameter)
	o.edit("PATCH", "/v1/groups/Night%20shift?dry_run=maybe", `{"name":"x"}`).wantsProblem(422, invalidParameter)
	o.edit("PUT", "/v1/groups/Night%20shift/guests/%20", "").wantsProblem(422, invalidParameter)
	if len(o.sim.Requests()) != 0 {
		t.Error("upstream was asked")
	}
}

func TestSafeEditTakesACallersToken(t *testing.T) {
	o := newOrganisation(t)
	o.do("PUT", "/v1/groups/Night%20shift/guests/a@x.test", "").wantsProblem(401, unauthenticatedType)
	o.do("PUT", "/v1/groups/Night%20shift/guests/a@x.test?dry_run=true", "").wantsProblem(401, unauthenticatedType)
	if len(o.sim.Requests()) != 0 {
		t.Error("upstream was asked")
	}
	p := o.do("PUT", "/v1/groups/Night%20shift/guests/a@x.test", "", "Authorization", "Bearer of-another").wantsProblem(401, upstreamRefused)
	if !strings.Contains(p.Detail, "Unauthenticated") {
		t.Error(p.Detail)
	}
	requests := o.sim.Requests()
	if put := requests[len(requests)-1]; put.Method != "PUT" || put.Header.Get("Authorization") != "Bearer of-another" {
		t.Errorf("%s with %v", put.Method, put.Header)
	}
	if get := requests[0]; get.Header.Get("Authorization") != simToken {
		t.Error("the group is read with another token than that of the sweeps")
	}
}

func TestWhatUpstreamFindsWrongWithASafeEditIsPassedOn(t *testing.T) {
	o := newOrganisation(t)
	p := o.edit("PATCH", "/v1/groups/Night%20shift", `{"name":"Twin","add_guests":["no mail"]}`).wantsProblem(422, upstreamRefused)
	if len(p.Errors) != 2 || p.Errors[1].Location != "tallyfy.name" || !strings.Contains(p.Detail, "already been taken") {
		t.Errorf("%+v", p)
	}
	for body, want := range map[string]string{
		`{"error":true,"message":"Not for you.","code":"X"}`:              "Not for you.",
		`{"error":{"code":"SEAT_POOL_EXHAUSTED","message":"No seats."}}`:  "No seats.",
		`{"error":true,"errors":{"name":["Bad name."]}}`:                  "Bad name.",
		`{"message":"Invalid.","errors":{"a":"One.","b":{"c":["Two."]}}}`: "One. Two.",
		`Unauthorized.`:       "Bad Request",
		`<html>secret</html>`: "Bad Request",
		``:                    "Bad Request",
		`{"message":["odd"]}`: "Bad Request",
		`{"message":"` + strings.Repeat("x", 1000) + `"}`:                                 strings.Repeat("x", 300) + "…",
		`{"errors":{"a":[` + strings.TrimSuffix(strings.Repeat(`"no",`, 50), ",") + `]}}`: strings.TrimSuffix(strings.Repeat("no ", 20), " "),
	} {
		o.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("PUT", ""), Times: 1, Status: 400, Body: []byte(body)})
		p := o.edit("PATCH", "/v1/groups/Night%20shift", `{"name":"Never"}`).wantsProblem(400, upstreamRefused)
		if !strings.HasSuffix(p.Detail, ": "+want) {
			t.Errorf("%.40s is told as %s", body, p.Detail)
		}
	}
	o.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("PUT", ""), Times: 1, Status: 429, RetryAfter: "7"})
	got := o.edit("PATCH", "/v1/groups/Night%20shift", `{"name":"Never"}`)
	if got.wantsProblem(429, tooManyRequests); got.header.Get("Retry-After") != "7" {
		t.Error(got.header)
	}
}

func TestASafeEditThatIsNotHeldIsAConflict(t *testing.T) {
	o := newOrganisation(t)
	var d openAPI
	o.get("/openapi.json").decode(&d)
	got := o.edit("PUT", "/v1/groups/Night%20shift/members/asleep@x.test", "")
	p := got.wantsProblem(409, editConflict)
	if err := d.check("PUT", "/v1/groups/{g}/members/{m}", got); err != nil {
		t.Error(err)
	}
	var raw struct {
		Differences []struct {
			Field      string
			Sent, Came []int64
		}
	}
	got.decode(&raw)
	if len(raw.Differences) != 1 || raw.Differences[0].Field != "members" || !slices.Contains(raw.Differences[0].Sent, o.asleep.ID) || len(raw.Differences[0].Came) != 0 {
		t.Errorf("%+v: %s", p, got.body)
	}
	if got.header.Get("Rollcall-Revision") == "" || got.header.Get("Age") == "" {
		t.Error(got.header)
	}
}

func TestAFailedSafeEditSaysWhetherItMayHaveHappened(t *testing.T) {
	w := newPeople(t)
	for _, c := range []struct {
		err    error
		status int
		kind   string
		isOpen bool
	}{
		{&directory.UnknownOutcomeError{Err: &directory.UpstreamError{Reason: directory.ReasonTransport}}, 504, outcomeUnknown, true},
		{&directory.UnknownOutcomeError{Err: directory.ErrHeld}, 504, outcomeUnknown, true},
		{&directory.UnknownOutcomeError{Status: 503}, 502, upstreamRefused, true},
		{&directory.UpstreamError{Reason: directory.ReasonBudget, RetryAfter: time.Second}, 429, tooManyRequests, false},
		{&directory.UpstreamError{Reason: directory.ReasonTransport}, 502, upstreamRefused, false},
		{&directory.UpstreamError{Reason: directory.ReasonUnauthorized, Status: 401}, 502, upstreamUnauth, false},
		{directory.ErrHeld, 502, upstreamRefused, false},
		{directory.ErrUnknownGroup, 404, unknownGroup, false},
		{errors.New("secret"), 500, blank, false},
	} {
		w.writer.err = c.err
		got := w.do("PUT", "/v1/groups/Sales/members/12", "", "Authorization", "Bearer own")
		got.wantsProblem(c.status, c.kind)
		if (got.header.Get("Rollcall-Refresh") == "pending") != c.isOpen || strings.Contains(got.body, "secret") {
			t.Error(c.err, got.header, got.body)
		}
	}
}

func TestASafeEditIsHandedToTheWriter(t *testing.T) {
	w := newPeople(t)
	w.writer.edited = &directory.EditedGroup{Found: directory.Found[directory.Group]{Row: directory.Group{ID: salesID}}, Changed: true, Differences: []directory.Difference{
		{Field: "description", Sent: "d", Came: (*string)(nil)}, {Field: "members", Sent: []json.RawMessage{[]byte("12")}, Came: []json.RawMessage{}},
	}}
	got := w.do("PATCH", "/v1/groups/Sales?dry_run=true", `{"name":"n","add_members":["id:12"],"remove_guests":["a@x.test"]}`,
		"Authorization", "Bearer own", "If-Match", `"v"`, "Idempotency-Key", "k", "Cookie", "c=d").wants(200)
	if want := any([]any{
		map[string]any{"field": "description", "sent": "d", "came": nil}, map[string]any{"field": "members", "sent": []any{12.0}, "came": []any{}},
	}); !cmp.Equal(got.at("differences"), want) {
		t.Error(got.body)
	}
	want := directory.GroupEdit{
		ID: salesID, Name: new("n"), AddMembers: []int64{12}, RemoveMembers: []int64{}, AddGuests: []string{}, RemoveGuests: []string{"a@x.test"},
		Versions: []string{"v"}, DryRun: true,
	}
	if diff := cmp.Diff(want, w.writer.edit); diff != "" {
		t.Error(diff)
	}
	r := w.writer.request
	if r.Method != "PUT" || r.URL.RequestURI() != groupsPath+"/"+salesID ||
		!cmp.Equal(r.Header, http.Header{"Authorization": {"Bearer own"}, "Content-Type": {"application/json"}}) {
		t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
	}
	if put := w.api.server.put(r, "a/b?c"); put.URL.RequestURI() != groupsPath+"/a%2Fb%3Fc" || put.Clone(context.Background()) == nil {
		t.Error(put.URL)
	}
}

// Twenty safe edits and twenty raw ones of one group at once: what each safe
// one adds is there, and the name is one that a raw one gave.
func TestFortyWritesOfOneGroupAtOnceLoseNothing(t *testing.T) {
	o := newOrganisation(t)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() { o.edit("PUT", fmt.Sprintf("/v1/groups/%s/guests/g%02d@y.test", o.group, i), "").wants(200) })
		all.Go(func() {
			o.edit("PUT", groupsPath+"/"+o.group, fmt.Sprintf(`{"name":"Raw %d","description":"d"}`, i)).wants(201)
		})
	}
	all.Wait()
	now, _ := o.sim.Group(o.group)
	if len(now.Guests) != 21 || len(now.Members) != 1 || !strings.HasPrefix(now.Name, "Raw ") {
		t.Errorf("upstream has %+v", now)
	}
	read := o.get("/v1/groups/" + o.group).wants(200)
	if read.at("data", "name") != now.Name || read.at("data", "guest_count") != 21.0 {
		t.Error(read.body)
	}
}

func TestTheDocumentTellsWhatASafeEditCanLose(t *testing.T) {
	w := newPeople(t)
	var d openAPI
	w.get("/openapi.json").decode(&d)
	n := 0
	for path, item := range d.Paths {
		for method, op := range item {
			if slices.Contains([]string{"put", "delete", "patch"}, method) {
				if n++; !strings.Contains(op.Description, "within that one round trip it cannot be seen and may be overwritten") {
					t.Errorf("%s %s: %s", method, path, op.Description)
				}
			}
		}
	}
	if n != 5 {
		t.Errorf("%d edits", n)
	}
}

package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

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

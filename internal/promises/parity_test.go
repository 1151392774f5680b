package promises_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/tallyfysim"
)

// Readings are the generations and forms of answers in which Tallyfy is
// documented.
var readings = map[string]tallyfysim.Options{
	"2026": {},
	"2026 otherwise": {
		StringIDs: true, NoStatus: true, MembershipKeepsTime: true, AbsentArraysClear: true, PutNameRequired: true, NamesTrim: true, DeleteBody: true,
		DeleteMissing: http.StatusNoContent, DisabledKeepGroups: true, RemovalKeepsRow: true, BareValidation: true,
	},
	"2026 without meta": {NoMeta: true},
	"2025":              {Generation: tallyfysim.Gen2025},
	"2025 without meta": {Generation: tallyfysim.Gen2025, NoMeta: true},
}

// What Rollcall answers is what Tallyfy answers, but for the differences that
// docs/differences.md lists, each of which occurs.
func TestRollcallAnswersAsTallyfyDoes(t *testing.T) {
	seen := map[string]bool{}
	for name, reading := range readings {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pair(t, reading, seen)
				defer p.close()
				p.beforeTheFirstSweep()
				p.settle()
				p.reads()
				p.otherRequests()
				p.refusals()
				p.outsideEdits()
				p.groupWrites()
				p.otherWrites()
				p.faults()
			})
		})
	}
	if diff := cmp.Diff(declared(t), slices.Sorted(maps.Keys(seen))); diff != "" && !t.Failed() {
		t.Errorf("differences (-declared +seen):\n%s", diff)
	}
}

func (p *pairing) beforeTheFirstSweep() {
	want := said{status: http.StatusServiceUnavailable, body: p.rollcall(get(p.organized + "/groups")).body}
	for _, path := range []string{"/groups", "/users", "/groups/x", "/users/1001"} {
		p.differs("no-data-yet", get(p.organized+path), want)
	}
}

// Values of parameters that a client may send, from the usual to the odd.
var (
	searches = []string{
		"n", "NIGHT", "100%", "%", "_", `\`, `"`, "'", "ü", "Ü", "Über", "u", "i", "I", "İ", "ı", "σ", "ς", "ß", "ẞ", "ss", "🦉", " ", " padded ", "zoë", "ZOË ", "@works.test", "nobody",
	}
	pageSizes = []string{"", "1", "7", "100", "101", "9999", "10000", "0", "-1", "x", "1.5", "+3", "007", "99999999999999999999"}
	pages     = []string{"", "1", "2", "3", "99999", "0", "-1", "abc", "2.0", "99999999999999999999"}
	userSorts = []string{"created_at", "updated_at", "id", "email", "first_name", "last_name"}
)

// mirrored are the queries of both lists that the mirror answers.
func mirrored() (groups, users []string) {
	query := func(pairs ...string) string {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return "?" + v.Encode()
	}
	both := []string{"", "?", "?q=", "?page=&per_page=", "?q=%C3%BC&page=2&per_page=1"}
	for _, size := range pageSizes {
		both = append(both, query("per_page", size), query("per_page", size, "page", "2"))
	}
	for _, page := range pages {
		both = append(both, query("page", page), query("page", page, "per_page", "7"))
	}
	for _, q := range searches {
		both = append(both, query("q", q), query("q", q, "per_page", "2", "page", "2"))
	}
	groups, users = slices.Clone(both), both
	for _, sort := range []string{"name", "created_at", "updated_at"} {
		groups = append(groups, query("sort_by", sort), query("sort_by", sort, "page", "3"), query("sort_by", sort, "q", "ü"),
			query("sort_by", sort, "per_page", "100"))
	}
	for _, sort := range userSorts {
		for _, sort := range []string{sort, "-" + sort} {
			users = append(users, query("sort", sort), query("sort", sort, "page", "3", "per_page", "7"), query("sort", sort, "q", "o"),
				query("sort", sort, "with", "groups", "per_page", "5", "page", "2"))
		}
	}
	users = append(users, query("with", "groups"), query("with", "groups", "q", "zoë"), query("with", "groups", "page", "9"))
	return groups, users
}

// reads are those that the mirror answers, of lists and single rows, under
// both of Tallyfy's hosts.
func (p *pairing) reads() {
	groups, users := mirrored()
	var paths []string
	for _, query := range groups {
		paths = append(paths, "/groups"+query)
	}
	for _, query := range users {
		paths = append(paths, "/users"+query)
	}
	for _, g := range p.alone.Groups()[:5] {
		paths = append(paths, "/groups/"+g.ID)
	}
	for _, u := range p.alone.Users()[:5] {
		paths = append(paths, fmt.Sprintf("/users/%d", u.ID), fmt.Sprintf("/users/%d?with=groups", u.ID))
	}
	for _, id := range []string{"0", "x", "-1", "99999999999999999999", strings.Repeat("0", 32), "%20", "%25", "%C3%BC"} {
		paths = append(paths, "/groups/"+id, "/users/"+id, "/users/"+id+"?with=groups")
	}
	for i, path := range paths {
		p.mirrors(get([]string{"", "/api"}[i%2] + p.organized + path))
	}
	p.mirrors(ask{method: http.MethodHead, path: p.organized + "/groups"})
	p.mirrors(ask{method: http.MethodHead, path: p.organized + "/users/nobody"})
}

// mirrors holds that the mirror answers, and as Tallyfy does.
func (p *pairing) mirrors(a ask) {
	p.t.Helper()
	if got := p.same(a); got.header.Get("Cache-Status") != "rollcall; hit" {
		p.t.Errorf("%s is not answered by the mirror: %s", a, got.header)
	}
}

// forwards holds that Tallyfy answers through Rollcall, and returns what.
func (p *pairing) forwards(a ask) said {
	p.t.Helper()
	got := p.same(a)
	if !strings.HasPrefix(got.header.Get("Cache-Status"), "rollcall; fwd=") {
		p.t.Errorf("%s is not forwarded: %s", a, got.header)
	}
	return got
}

// otherRequests are those that Rollcall has no answer to of its own.
func (p *pairing) otherRequests() {
	group, user := "/groups/"+p.alone.Groups()[0].ID, fmt.Sprintf("/users/%d", p.alone.Users()[0].ID)
	for _, path := range []string{
		"/groups?with=assets", "/groups?with=users&page=2", "/groups?with=guests", "/groups?with=groups", "/groups?with=", "/groups?sort=name",
		"/groups?sort_by=-name", "/groups?sort_by=logo", "/groups?sort_by=", "/groups?limit=3", "/groups?page[]=2", "/groups?q[]=a",
		"/groups?page=2&page=3", "/groups?q=a&q=b", "/groups?page=2;q=b", "/groups?q=%ff", "/groups?q=%zz", "/groups?unknown", group + "?with=assets",
		"/users?with=stats", "/users?with=groups,stats", "/users?sort=last_login_at", "/users?sort=-last_login_at", "/users?sort=unknown",
		"/users?sort_by=email", "/users?sort=id&sort=email", user + "?page=1", user + "?with=stats",
		"", "/me", "/guests", "/guests?q=works&per_page=2", "/guests/nobody@x.test", "/nothing", "/nothing/at/all", group + "/members", "/users/invite/x",
	} {
		p.forwards(get(p.organized + path))
		p.forwards(get("/api" + p.organized + path))
	}
	for _, path := range []string{"/me", "/me/organizations", "/me/organizations?per_page=1", "/me/nothing", "/applications/" + p.sim.Organization() + "/nothing"} {
		p.forwards(get(path))
		p.forwards(get("/api" + path))
	}
	for _, method := range []string{http.MethodPatch, http.MethodOptions, http.MethodPost, http.MethodPut, http.MethodDelete} {
		p.forwards(ask{method: method, path: p.organized + "/nothing", body: "{}"})
		p.forwards(ask{method: method, path: "/me/nothing"})
	}
	for _, path := range []string{"/", "/nothing", "/api", "/api/", "/api/nothing", "/organizations", "/api/api" + p.organized + "/groups", p.organized + "//groups"} {
		p.same(get(path))
	}
	for _, path := range []string{"", "/groups", group, "/users", user, "/users?with=stats", "/me"} {
		p.same(get("/organizations/other" + path))
		p.same(get("/api/organizations/other" + path))
	}
}

// refusals are what Rollcall says before it looks at the mirror or asks
// Tallyfy, and what it does not refuse though Tallyfy does.
func (p *pairing) refusals() {
	groups, user := p.organized+"/groups", p.organized+"/users/1003"
	p.edit(func(sim *tallyfysim.Sim) { sim.AddToken("standard-members-token", 1003) })
	for _, authorization := range []string{"", "Bearer dead", "Bearer standard-members-token"} {
		as := func(path string) ask {
			return ask{method: http.MethodGet, path: path, header: []string{"Authorization", authorization}}
		}
		p.differs("who-may", as(user), p.rollcall(get(user)))
		if authorization != "" {
			p.forwards(as("/me"))
			p.forwards(ask{method: http.MethodDelete, path: groups + "/x", header: []string{"Authorization", authorization}})
		}
	}
	unknown := ask{method: http.MethodGet, path: "/me", header: []string{"Authorization", ""}}
	message := p.rollcall(unknown).at("message")
	p.differs("refusals", unknown, said{status: http.StatusUnauthorized, body: map[string]any{"message": message}})
	for _, path := range []string{groups + "/../users", groups + "/%2e%2e/users", groups + "/a%2Fb", "/me/./x"} {
		p.refuses(get(path), http.StatusBadRequest)
	}
	p.refuses(ask{method: http.MethodPost, path: groups, body: `{"name":"` + strings.Repeat("x", 1<<20) + `"}`}, http.StatusRequestEntityTooLarge)
	p.refuses(ask{method: http.MethodPost, path: groups, body: "{}", header: []string{"Origin", "https://elsewhere.test"}}, http.StatusForbidden)

	for _, path := range []string{groups, "/me", groups + "?with=assets"} {
		p.differs("client-headers", ask{method: http.MethodGet, path: path, header: []string{"X-Tallyfy-Client", ""}}, p.rollcall(get(path)))
		p.differs("client-headers", ask{method: http.MethodGet, path: path, header: []string{"Accept", ""}}, p.rollcall(get(path)))
	}
	p.differs("other-organisation", get("/organizations/other/nothing"), p.rollcall(get("/organizations/other/groups")))
	p.differs("own-paths", get("/livez"), said{status: http.StatusOK, body: p.rollcall(get("/livez")).body})
	known := p.rollcall(get(groups)).header.Get("ETag")
	p.differs("not-modified", ask{method: http.MethodGet, path: groups, header: []string{"If-None-Match", known}}, said{status: http.StatusNotModified, body: ""})
}

// refuses holds that Rollcall refuses what Tallyfy does not, or otherwise, in
// Tallyfy's general shape.
func (p *pairing) refuses(a ask, status int) {
	p.t.Helper()
	got := p.rollcall(a)
	p.differs("refusals", a, said{status: status, body: map[string]any{"error": true, "message": got.at("message"), "code": got.at("code")}})
}

// outsideEdits show with the next sweep.
func (p *pairing) outsideEdits() {
	groups, users := get(p.organized+"/groups?per_page=100"), get(p.organized+"/users?with=groups")
	groupsBefore, usersBefore := p.rollcall(groups), p.rollcall(users)
	p.edit(func(sim *tallyfysim.Sim) {
		sim.UpdateGroup(sim.Groups()[2].ID, func(g *tallyfysim.Group) { g.Name, g.Members = "Renamed", g.Members[1:] })
		sim.UpdateUser(1004, func(u *tallyfysim.User) { u.JobTitle = "Elsewhere" })
	})
	p.differs("age", groups, groupsBefore)
	p.differs("age", users, usersBefore)
	p.settle()
	p.lists()
}

// lists holds that both show the same rows.
func (p *pairing) lists() {
	p.t.Helper()
	for _, path := range []string{"/groups", "/groups?per_page=100&sort_by=name", "/groups?q=shift&per_page=1", "/users?with=groups&sort=-created_at"} {
		p.mirrors(get(p.organized + path))
	}
}

// listsAfter is lists, but short after a write that was refused.
func (p *pairing) listsAfter(got said) {
	p.t.Helper()
	if got.status < 400 {
		p.lists()
		return
	}
	p.mirrors(get(p.organized + "/groups"))
}

// groupWrites show at once.
func (p *pairing) groupWrites() {
	groups := p.organized + "/groups"
	first := p.alone.Groups()[0]
	write := func(method, path, body string) {
		p.t.Helper()
		got := p.same(ask{method: method, path: groups + path, body: body})
		if row, ok := got.at("data").(map[string]any); ok && (method == http.MethodPost || p.created[idOf(row)] != nil) {
			p.created[idOf(row)] = row
		}
		if path != "" {
			p.same(get(groups + path))
		}
		p.listsAfter(got)
	}
	write(http.MethodPost, "", `{"name":"Night shift","description":"Made","members":[1004,"1005"],"guests":["New@Guests.test"]}`)
	made := "/" + p.alone.Groups()[len(p.alone.Groups())-1].ID
	for _, body := range []string{
		`{"name":"Night shift","description":"Again"}`, `{"name":"No description"}`, `{"description":"No name"}`, `{"name":"","description":" "}`, `{}`, `[]`, `{`, ``,
		`{"name":"Stranger","description":"d","members":[999999]}`, `{"name":"Mail","description":"d","guests":["no mail"]}`, `{"name":7,"description":null}`,
		`{"name":"` + strings.Repeat("ü", 201) + `","description":"d"}`,
	} {
		write(http.MethodPost, "", body)
	}
	write(http.MethodPut, made, `{"name":"Late shift","description":"Renamed"}`)
	write(http.MethodPut, made, `{"name":"Late shift","description":"Emptied","members":[],"guests":[]}`)
	write(http.MethodPut, "/"+first.ID, `{"description":"Said anew","members":[1004]}`)
	write(http.MethodPut, "/"+first.ID, `{"name":"Late shift","description":"Taken"}`)
	write(http.MethodPut, "/"+first.ID, `{"description":""}`)
	write(http.MethodPut, "/nobody", `{"name":"Nobody","description":"d"}`)
	write(http.MethodPost, made, `{"name":"Wrong method","description":"d"}`)
	write(http.MethodPatch, made, `{"name":"No such method","description":"d"}`)
	p.settle()
	p.lists()
	write(http.MethodDelete, made, "")
	write(http.MethodDelete, made, "")
	write(http.MethodDelete, "/nobody", "")
	p.settle()
	p.lists()
}

// otherWrites show after a sweep, which they cause.
func (p *pairing) otherWrites() {
	write := func(method, path, body string) {
		p.t.Helper()
		got := p.forwards(ask{method: method, path: p.organized + path, body: body})
		p.settle()
		p.listsAfter(got)
	}
	write(http.MethodPost, "/users/invite", `{"email":"new@works.test","first_name":"Nëw","last_name":"One","role":"light","message":"Come"}`)
	write(http.MethodPost, "/users/invite", `{"email":"NEW@works.test","first_name":"Nëw","last_name":"One","role":"light","message":"Come"}`)
	write(http.MethodPost, "/users/invite", `{"email":"no mail","role":"king"}`)
	write(http.MethodPut, "/users/1004", `{"first_name":"Ann","last_name":"Other","timezone":"UTC","job_title":"Lead"}`)
	write(http.MethodPut, "/users/1004", `{"first_name":""}`)
	write(http.MethodPut, "/users/1004/role", `{"role":"light"}`)
	write(http.MethodPut, "/users/1004/role", `{"role":"king"}`)
	write(http.MethodPut, "/users/999999/role", `{"role":"light"}`)
	write(http.MethodDelete, "/users/1005/disable", "")
	write(http.MethodPut, "/users/1005/enable", "")
	write(http.MethodDelete, "/users/1006?with_reassignment=true&to=1004", "")
	write(http.MethodDelete, "/users/1007?with_reassignment=true&to=999999", "")
	write(http.MethodDelete, "/users/1007/delete", "")
	write(http.MethodDelete, "/users/1001", "")
	write(http.MethodDelete, "/users/1002", "")
	write(http.MethodPut, "/users/1008/to/guest", "")
	write(http.MethodPut, "/me", `{"first_name":"My","last_name":"Self","timezone":"UTC"}`)
	write(http.MethodPost, "/guests", `{"email":"guest@outside.test","first_name":"Gü"}`)
	write(http.MethodPost, "/guests", `{"email":"nobody"}`)
	write(http.MethodDelete, "/guests/ann@guests.test", "")
	write(http.MethodDelete, "/guests/nobody@outside.test", "")
	write(http.MethodPost, "/guests/guest@outside.test/to/member", "")
}

// faults of Tallyfy come back as they are, in each of its shapes, but for
// what its servers say of themselves.
func (p *pairing) faults() {
	fail := func(f tallyfysim.Fault) {
		p.alone.Fault(f)
		p.sim.Fault(f)
	}
	for status, form := range map[int]tallyfysim.ErrorForm{
		400: tallyfysim.FormFlagged, 401: tallyfysim.FormEdge, 402: tallyfysim.FormMessage, 403: tallyfysim.FormText,
		404: tallyfysim.FormHTML, 409: tallyfysim.FormSeats, 422: tallyfysim.FormFields, 423: tallyfysim.FormInvalid,
	} {
		fail(tallyfysim.Refuse(status, form))
		p.forwards(get("/me"))
	}
	for _, status := range []int{500, 502, 503} {
		fail(tallyfysim.Refuse(status, tallyfysim.FormHTML))
		message := fmt.Sprintf("Tallyfy answered %d", status)
		code := strings.ToUpper(strings.ReplaceAll(message, " ", "_"))
		p.differs("server-errors", get("/me"), said{status: status, body: map[string]any{"error": true, "message": message, "code": code}})
	}
	defer p.sim.Fault(tallyfysim.Fault{DropRequest: true})()
	p.lists()
}

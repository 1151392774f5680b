package poller

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"rollcall/internal/tallyfysim"
)

// step does one random thing and lets some time pass.
func (m *model) step() {
	steps := map[string]func(){
		"edit a group": m.editGroup, "edit a group again": m.editGroup, "create a group": m.createGroup,
		"delete a group": m.deleteGroup, "edit a user": m.editUser, "create a user": m.createUser,
		"remove a user": m.removeUser, "disable a user": m.disableUser,
		"sweep": m.sweepAside, "sweep again": m.sweepAside, "refresh a group": m.refreshGroup, "refresh a user": m.refreshUser,
		"put": m.put, "put again": m.put, "post": m.post, "delete": m.delete,
		"fault": m.fault, "restart": m.restartInPeace, "mark": m.MarkEverything, "reread": func() { m.reread(context.Background()) },
	}
	if m.rough {
		steps["kill"], steps["kill again"], steps["accept"], steps["disk"] = m.kill, m.kill, m.accept, m.failDisk
		steps["put a user"], steps["disable by a write"] = m.putUser, m.disableByWrite
	}
	names := make([]string, 0, len(steps))
	for name := range steps {
		names = append(names, name)
	}
	slices.Sort(names)
	steps[rapid.SampledFrom(names).Draw(m.r, "step")]()
	m.note()
	time.Sleep(time.Duration(rapid.IntRange(0, 400).Draw(m.r, "pause")) * time.Millisecond)
}

func (m *model) someGroup() string {
	groups := m.sim.Groups()
	if len(groups) == 0 {
		return strings.Repeat("0", 32)
	}
	// Low numbers are drawn more often, so that much happens to few groups.
	return groups[min(rapid.IntRange(0, 20).Draw(m.r, "group")/2, len(groups)-1)].ID
}

func (m *model) someUser() int64 {
	users := m.sim.Users()
	return users[rapid.IntRange(1, len(users)-1).Draw(m.r, "user")].ID
}

func (m *model) someMembers() []int64 {
	ids := []int64{}
	if m.rough && rapid.IntRange(0, 3).Draw(m.r, "everybody") == 3 {
		for _, u := range m.sim.Users() {
			ids = append(ids, u.ID)
		}
		return ids
	}
	for range rapid.IntRange(0, 4).Draw(m.r, "members") {
		ids = append(ids, m.someUser())
	}
	return distinct(ids)
}

func (m *model) editGroup() {
	members, version := m.someMembers(), m.version()
	m.sim.UpdateGroup(m.someGroup(), func(g *tallyfysim.Group) { g.Description, g.Members = version, members })
}

func (m *model) createGroup() {
	version := m.version()
	m.sim.CreateGroup(tallyfysim.Group{Name: version, Description: version, Members: m.someMembers()})
}

func (m *model) deleteGroup() { m.sim.DeleteGroup(m.someGroup()) }

func (m *model) editUser() {
	version := m.version()
	m.sim.UpdateUser(m.someUser(), func(u *tallyfysim.User) { u.LastName = version })
}

func (m *model) createUser() {
	version := m.version()
	m.sim.CreateUser(tallyfysim.User{Email: version + "@x.test", FirstName: "New", LastName: version})
}

func (m *model) removeUser() {
	if len(m.sim.Users()) > 4 {
		m.sim.RemoveUser(m.someUser())
	}
}

func (m *model) disableUser() { m.sim.Disable(m.someUser()) }

// aside runs something at the side. What upstream answers is no failure.
func (m *model) aside(do func(l *life)) {
	l := m.life
	m.others.Go(func() { do(l) })
}

func (m *model) sweepAside() { m.aside(func(l *life) { _, _ = l.Sweep(l.ctx) }) }

func (m *model) refreshGroup() {
	id := m.someGroup()
	m.aside(func(l *life) { _, _ = l.RefreshGroup(l.ctx, id) })
}

func (m *model) refreshUser() {
	id := m.someUser()
	m.aside(func(l *life) { _, _ = l.RefreshMember(l.ctx, id) })
}

// restartInPeace waits for what runs and starts the process again.
func (m *model) restartInPeace() {
	m.others.Wait()
	m.kill()
}

// fault makes something go wrong with one or some of the next requests.
func (m *model) fault() {
	some := func(r *http.Request) bool { return m.chance(3) == 0 }
	faults := map[string]tallyfysim.Fault{
		"500":         {Match: some, Times: 2, Status: 500, Body: []byte("<html>oops")},
		"500 after":   {Match: tallyfysim.On(http.MethodPut, ""), Times: 1, Status: 502, Handled: true},
		"lost":        {Match: some, Times: 2, DropConnection: true},
		"not sent":    {Match: some, Times: 2, DropRequest: true},
		"throttled":   {Match: some, Times: 2, Status: 429, RetryAfter: "1"},
		"slow":        {Match: some, Times: 3, Delay: 2 * time.Second, DelayAnswer: 3 * time.Second},
		"cut":         {Match: some, Times: 2, TruncateAfter: 60},
		"html":        {Match: some, Times: 2, Status: 200, Body: []byte("<html>")},
		"no path":     {Match: tallyfysim.On(http.MethodGet, ""), Times: 2, Status: 404, Body: []byte(`{"error":true,"code":"ENDPOINT_NOT_FOUND"}`)},
		"forbidden":   {Match: isSingleRead, Times: 4, Status: 403},
		"unusable":    {Match: tallyfysim.On(http.MethodPut, ""), Times: 1, Status: 200, Handled: true, Body: []byte(`{"data":{}}`)},
		"other total": {Match: isList, Times: 1, Rewrite: func(b []byte) []byte { return bytes.Replace(b, []byte(`"total":`), []byte(`"total":1`), 1) }},
	}
	if !m.lied {
		faults["no rights"] = tallyfysim.Fault{Match: isSingleRead, Times: 9, Status: 404, Body: []byte(`{"error":true,"code":"RESOURCE_NOT_FOUND"}`)}
		faults["empty list"] = tallyfysim.Fault{Match: isList, Times: 1, Status: 200, Body: []byte(`{"data":[],"meta":{"pagination":{"total":0,"current_page":1,"total_pages":1}}}`)}
	}
	if m.rough {
		faults["unauthorized"] = tallyfysim.Fault{Match: some, Times: 2, Status: 401, Body: []byte(`{"message":"Unauthorized action."}`)}
	}
	names := make([]string, 0, len(faults))
	for name := range faults {
		names = append(names, name)
	}
	slices.Sort(names)
	name := rapid.SampledFrom(names).Draw(m.r, "fault")
	m.lied = m.lied || name == "empty list" || name == "no rights"
	m.sim.Fault(faults[name])
}

func isList(r *http.Request) bool {
	return r.Method == http.MethodGet && (strings.HasSuffix(r.URL.Path, "/groups") || strings.HasSuffix(r.URL.Path, "/users"))
}

func isSingleRead(r *http.Request) bool { return r.Method == http.MethodGet && !isList(r) }

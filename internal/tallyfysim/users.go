package tallyfysim

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// usersPerPage is the page size of the user list when none is asked for.
const usersPerPage = 9999

func (s *Sim) listUsers(c *call) answer {
	if s.opts.UsersNeedAdmin && !c.caller.admin() {
		return forbidden()
	}
	rows, p := cut(s, c.query, s.askedUsers(c), min(usersPerPage, s.opts.UserCap), s.opts.UserCap)
	includes := s.userIncludes(c, rows)
	return listing(s, c, rows, p, 760*len(rows), func(o *writer, u *User) { s.user(o, u, listed, includes(u)) })
}

// askedUsers filters and orders the users as the query says. The slice may be
// the organisation's own and must not be changed.
func (s *Sim) askedUsers(c *call) []*User {
	rows := s.users.order
	if s.opts.UsersPartial && !c.caller.admin() {
		rows = filter(rows, func(u *User) bool { return u.Status == StatusActive })
	}
	if q := c.query.get("q"); q != "" {
		rows = filter(rows, func(u *User) bool { return containsFold(q, u.FirstName, u.LastName, u.Email) })
	}
	field, down := strings.CutPrefix(c.query.get("sort"), "-")
	compare := userOrders[field]
	if compare == nil {
		return defaultOrder(s, rows)
	}
	rows = sorted(rows, func(a, b *User) int { return cmp.Or(compare(a, b), cmp.Compare(a.ID, b.ID)) })
	if down {
		slices.Reverse(rows)
	}
	return rows
}

var userOrders = map[string]func(a, b *User) int{
	"id":            func(a, b *User) int { return cmp.Compare(a.ID, b.ID) },
	"email":         byText(func(u *User) string { return u.Email }),
	"first_name":    byText(func(u *User) string { return u.FirstName }),
	"last_name":     byText(func(u *User) string { return u.LastName }),
	"created_at":    byInstant(func(u *User) time.Time { return u.CreatedAt }),
	"updated_at":    byInstant(func(u *User) time.Time { return u.UpdatedAt }),
	"last_login_at": byInstant(func(u *User) time.Time { return u.LastLoginAt }),
}

func byText(of func(*User) string) func(a, b *User) int {
	return func(a, b *User) int { return compareFold(of(a), of(b)) }
}

func byInstant(of func(*User) time.Time) func(a, b *User) int {
	return func(a, b *User) int { return of(a).Compare(of(b)) }
}

// userIncludes returns what with= adds to a user among rows.
func (s *Sim) userIncludes(c *call, rows []*User) func(*User) func(*writer) {
	if c.query.get("with") == "" {
		return func(*User) func(*writer) { return nil }
	}
	var groups map[int64][]*Group
	if c.query.with("groups") {
		groups = s.groupsOf(rows)
	}
	return func(u *User) func(*writer) {
		return func(o *writer) {
			if c.query.with("groups") {
				o.raw("groups", s.groupsInclude(groups[u.ID]))
			}
			if c.query.with("stats") {
				o.raw("stats", `{"data":{"steps_created":0,"tasks_completed":0,"processes_launched":0,"checklists_created":0,"last_step_created_at":null}}`)
			}
		}
	}
}

func (s *Sim) groupsOf(rows []*User) map[int64][]*Group {
	groups := make(map[int64][]*Group, len(rows))
	for _, u := range rows {
		groups[u.ID] = nil
	}
	for _, g := range s.groups.order {
		for _, id := range g.Members {
			if _, asked := groups[id]; asked {
				groups[id] = append(groups[id], g)
			}
		}
	}
	return groups
}

// groupsInclude is wrapped and full in 2026, bare and short in 2025.
func (s *Sim) groupsInclude(groups []*Group) string {
	o := &writer{buf: []byte("[")}
	for _, g := range groups {
		o.separate()
		o.begin(nil)
		o.text("id", g.ID)
		o.text("name", g.Name)
		if s.opts.Generation != Gen2025 {
			o.textOrNull("logo", g.Logo)
			o.ids("members", g.Members, s.opts.StringIDs)
			o.texts("guests", g.Guests)
		}
		o.end()
	}
	bare := string(append(o.buf, ']'))
	if s.opts.Generation == Gen2025 {
		return bare
	}
	return `{"data":` + bare + `}`
}

func (s *Sim) getUser(c *call) answer {
	if !c.caller.admin() {
		return forbidden()
	}
	u := s.userAt(c.params[1])
	if u == nil {
		return notFound()
	}
	include := s.userIncludes(c, []*User{u})(u)
	return item(http.StatusOK, func(o *writer) { s.user(o, u, single, include) })
}

func (s *Sim) writtenUser(u *User) answer {
	return item(http.StatusOK, func(o *writer) { s.user(o, u, written, nil) })
}

// userAt returns the user that a path names, nil if there is none.
func (s *Sim) userAt(segment string) *User {
	id, err := strconv.ParseInt(segment, 10, 64)
	if err != nil {
		return nil
	}
	return s.users.byID[id]
}

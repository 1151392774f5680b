package tallyfysim

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// The page sizes of the group list.
const (
	groupsPerPage = 10
	groupsAtMost  = 100
)

func (s *Sim) listGroups(c *call) answer {
	if s.opts.GroupCapRefuse && c.query.positive("per_page", groupsPerPage) > groupsAtMost {
		return s.invalid(map[string][]string{"per_page": {"The per page may not be greater than 100."}})
	}
	rows, p := cut(s, c.query, s.askedGroups(c), groupsPerPage, groupsAtMost)
	size := 0
	for _, g := range rows {
		size += 400 + 12*len(g.Members) + 40*len(g.Guests)
	}
	include := s.groupIncludes(c)
	return listing(s, c, rows, p, size, func(o *writer, g *Group) { s.group(o, g, listed, include(g)) })
}

// askedGroups filters and orders the groups as the query says. The slice may
// be the organisation's own and must not be changed.
func (s *Sim) askedGroups(c *call) []*Group {
	rows := s.groups.order
	if q := c.query.get("q"); q != "" {
		rows = filter(rows, func(g *Group) bool { return containsFold(q, g.Name, g.Description) })
	}
	switch c.query.get("sort_by") {
	case "name":
		return sorted(rows, func(a, b *Group) int {
			return cmp.Or(compareFold(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
		})
	case "updated_at":
		return sorted(rows, func(a, b *Group) int {
			return cmp.Or(a.UpdatedAt.Compare(b.UpdatedAt), cmp.Compare(a.ID, b.ID))
		})
	}
	return defaultOrder(s, rows)
}

// groupIncludes writes what with= asks for. The shape of the guests include,
// which takes the name of the plain list, is not known; it is ignored.
func (s *Sim) groupIncludes(c *call) func(*Group) func(*writer) {
	if c.query.get("with") == "" {
		return func(*Group) func(*writer) { return nil }
	}
	return func(g *Group) func(*writer) {
		return func(o *writer) {
			if c.query.with("assets") {
				o.raw("assets", `{"data":[]}`)
			}
			if c.query.with("users") {
				o.raw("users", s.wrappedUsers(g))
			}
		}
	}
}

func (s *Sim) wrappedUsers(g *Group) string {
	o := &writer{buf: []byte(`{"data":[`)}
	for _, id := range g.Members {
		if u := s.users.byID[id]; u != nil {
			o.separate()
			s.user(o, u, listed, nil)
		}
	}
	return string(append(o.buf, "]}"...))
}

func (s *Sim) getGroup(c *call) answer {
	id := c.params[1]
	if s.opts.MalformedID == http.StatusUnprocessableEntity && !isGroupID(id) {
		return s.invalid(map[string][]string{"group_id": {"The selected group id is invalid."}})
	}
	g := s.groups.byID[id]
	if g == nil {
		return notFound()
	}
	return item(http.StatusOK, func(o *writer) { s.group(o, g, single, s.singleGroupIncludes(c)) })
}

func (s *Sim) singleGroupIncludes(c *call) func(*writer) {
	if !c.query.with("assets") {
		return nil
	}
	return func(o *writer) { o.raw("assets", `{"data":[]}`) }
}

func (s *Sim) writtenGroup(status int, g *Group) answer {
	return item(status, func(o *writer) { s.group(o, g, written, nil) })
}

func isGroupID(id string) bool {
	return len(id) == 32 && strings.Trim(id, "0123456789abcdef") == ""
}

func filter[R any](rows []R, keep func(R) bool) []R {
	var out []R
	for _, r := range rows {
		if keep(r) {
			out = append(out, r)
		}
	}
	return out
}

func sorted[R any](rows []R, compare func(a, b R) int) []R {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, compare)
	return rows
}

// defaultOrder is by creation, ties by id, or the reverse.
func defaultOrder[R any](s *Sim, rows []R) []R {
	if s.opts.Descending {
		rows = slices.Clone(rows)
		slices.Reverse(rows)
	}
	return rows
}

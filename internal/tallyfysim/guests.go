package tallyfysim

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// guestsPerPage is the page size of the guest list when none is asked for.
const guestsPerPage = 999

var guestOrders = map[string]func(a, b Guest) int{
	"email":      func(a, b Guest) int { return strings.Compare(foldEmail(a.Email), foldEmail(b.Email)) },
	"first_name": func(a, b Guest) int { return strings.Compare(a.FirstName, b.FirstName) },
	"last_name":  func(a, b Guest) int { return strings.Compare(a.LastName, b.LastName) },
	"created_at": func(a, b Guest) int { return a.CreatedAt.Compare(b.CreatedAt) },
}

func guestOrder(field string) func(a, b Guest) int {
	if order := guestOrders[field]; order != nil {
		return order
	}
	return guestOrders["created_at"]
}

func (s *Sim) sortedGuests() []Guest {
	out := make([]Guest, 0, len(s.guests))
	for _, key := range slices.Sorted(maps.Keys(s.guests)) {
		out = append(out, *s.guests[key])
	}
	return out
}

func (s *Sim) guestAnswer(status int, g *Guest) answer {
	return item(status, func(o *writer) { writeGuest(o, g, false) })
}

// writeGuest writes a guest. Its link lets anybody act as the guest.
func writeGuest(o *writer, g *Guest, stats bool) {
	o.begin(nil)
	o.number("id", g.ID)
	o.text("email", g.Email)
	o.textOrNull("first_name", g.FirstName)
	o.textOrNull("last_name", g.LastName)
	if o.field("created_at") {
		stamp := strings.Replace(string(appendSeconds(nil, g.CreatedAt)), "T", " ", 1)
		o.buf = appendText(o.buf, stamp)
	}
	o.raw("deleted_at", "null")
	o.text("link", "https://go.tallyfy.com/guest/simulated-"+strconv.FormatInt(g.ID, 10))
	if o.field("details") {
		o.begin(nil)
		o.raw("status", "null")
		if g.AssociatedMembers == nil {
			o.raw("associated_members", "null")
		} else {
			o.ids("associated_members", g.AssociatedMembers, false)
		}
		o.instant("disabled_at", g.DisabledAt, zulu)
		o.end()
	}
	if stats {
		o.raw("stats", `{"assigned_tasks":0,"tasks_completed":0,"last_task_completed_at":null,"one_off_tasks_completed":0,"last_one_off_task_completed_at":null}`)
	}
	o.end()
}

func (s *Sim) listGuests(c *call) answer {
	rows := s.sortedGuests()
	order, down := strings.CutPrefix(cmp.Or(c.query.get("sort"), c.query.get("sort_by")), "-")
	slices.SortStableFunc(rows, guestOrder(order))
	if down {
		slices.Reverse(rows)
	}
	if q := c.query.get("q"); q != "" {
		rows = filter(rows, func(g Guest) bool { return containsFold(q, g.Email) })
	}
	size := guestsPerPage
	if whole := c.query.get("without_pagination"); whole == "true" || whole == "1" {
		size = max(1, len(rows))
	}
	rows, p := cut(s, c.query, rows, size, size)
	stats := c.query.with("stats")
	return listing(s, c, rows, p, 300*len(rows), func(o *writer, g Guest) { writeGuest(o, &g, stats) })
}

func (s *Sim) getGuest(c *call) answer {
	g := s.guests[foldEmail(c.params[1])]
	if g == nil {
		return notFound()
	}
	return item(s.opts.GuestStatus, func(o *writer) { writeGuest(o, g, c.query.with("stats")) })
}

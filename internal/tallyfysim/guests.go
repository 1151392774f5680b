package tallyfysim

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func (s *Sim) sortedGuests() []Guest {
	out := make([]Guest, 0, len(s.guests))
	for _, key := range slices.Sorted(maps.Keys(s.guests)) {
		out = append(out, *s.guests[key])
	}
	return out
}

func (s *Sim) guestAnswer(status int, g *Guest) answer {
	return item(status, func(o *writer) { writeGuest(o, g) })
}

// writeGuest writes a guest. Its link lets anybody act as the guest.
func writeGuest(o *writer, g *Guest) {
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
		o.instant("disabled_at", g.DisabledAt, zulu)
		o.end()
	}
	o.end()
}

func (s *Sim) listGuests(c *call) answer {
	rows := s.sortedGuests()
	slices.SortStableFunc(rows, func(a, b Guest) int { return a.CreatedAt.Compare(b.CreatedAt) })
	if q := c.query.get("q"); q != "" {
		rows = filter(rows, func(g Guest) bool { return containsFold(q, g.Email) })
	}
	rows, p := cut(s, c.query, rows, 999, 999)
	return listing(s, c, rows, p, 300*len(rows), func(o *writer, g Guest) { writeGuest(o, &g) })
}

func (s *Sim) getGuest(c *call) answer {
	g := s.guests[foldEmail(c.params[1])]
	if g == nil {
		return notFound()
	}
	return s.guestAnswer(http.StatusOK, g)
}

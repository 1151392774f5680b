package tallyfysim

import (
	"net/http"
	"strings"
	"time"
)

// founded is when the organisation came to be, before any seeded row.
var founded = time.Date(1999, time.May, 3, 8, 0, 0, 0, time.UTC)

// getMe answers for the token's user, whoever that is.
func (s *Sim) getMe(c *call) answer {
	return item(http.StatusOK, func(o *writer) { s.user(o, c.caller.user, single, nil) })
}

func (s *Sim) getOrganization(*call) answer {
	return item(http.StatusOK, func(o *writer) { s.organization(o, nil) })
}

func (s *Sim) listOrganizations(c *call) answer {
	rows, p := cut(s, c.query, []*User{c.caller.user}, 10, 100)
	return listing(s, c, rows, p, 512, s.organization)
}

// organization writes the organisation, with the standing in it of a user who
// lists their own.
func (s *Sim) organization(o *writer, of *User) {
	o.begin(nil)
	o.text("id", s.opts.Organization)
	o.text("name", s.opts.OrganizationName)
	o.text("slug", strings.ReplaceAll(strings.ToLower(s.opts.OrganizationName), " ", "-"))
	o.number("users_count", s.countActive())
	o.instant("created_at", founded, zulu)
	o.instant("last_updated", founded, zulu)
	if of != nil {
		o.text("user_status", of.Status)
		o.text("user_role", of.Role)
		o.instant("joined_on", of.CreatedAt, zulu)
		o.instant("disabled_on", of.DisabledAt, zulu)
	}
	o.end()
}

// countActive leaves out invited and disabled users and bots, so that it is
// smaller than the total of the user list.
func (s *Sim) countActive() int64 {
	var n int64
	for _, u := range s.users.order {
		if u.Status == StatusActive && !u.Bot {
			n++
		}
	}
	return n
}

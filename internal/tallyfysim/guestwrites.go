package tallyfysim

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

// createGuest adds a guest who is no member. One that exists already is
// linked, not made twice.
func (s *Sim) createGuest(c *call) answer {
	in, ok := s.readInput(c)
	if !ok {
		return malformed()
	}
	email := in.email("email")
	if email != "" && s.userByEmail(email) != nil {
		in.fail("email", memberAlready)
	}
	first, last := in.text("first_name", false, 200), in.text("last_name", false, 200)
	if !in.ok() {
		return s.invalid(in.errors)
	}
	if over, ok := s.guestsAdmitted([]string{email}); !ok {
		return over
	}
	s.inviteGuests([]string{email})
	g := s.meetGuest(email)
	g.FirstName, g.LastName = cmp.Or(first, g.FirstName), cmp.Or(last, g.LastName)
	return s.guestAnswer(http.StatusCreated, g)
}

// updateGuest replaces the members a guest goes with. Everything else in the
// body is dropped and nothing tells.
func (s *Sim) updateGuest(c *call) answer {
	return s.changeGuest(c, func(g *Guest) answer {
		in, ok := s.readInput(c)
		if !ok {
			return malformed()
		}
		if email := in.text("email", s.opts.GuestEmailInBody, longFieldLimit); email != "" && s.guests[foldEmail(email)] == nil {
			in.fail("email", "The selected email is invalid.")
		}
		members := s.memberIDs(in, "associated_members")
		if !in.ok() {
			return s.invalid(in.errors)
		}
		if in.has("associated_members") {
			g.AssociatedMembers = append([]int64{}, members...)
		}
		return s.guestAnswer(http.StatusCreated, g)
	})
}

// deleteGuest drops a guest and its place in every group. An unknown one is
// refused by validation.
func (s *Sim) deleteGuest(c *call) answer {
	return s.changeGuest(c, func(g *Guest) answer {
		delete(s.guests, foldEmail(g.Email))
		s.leaveGuest(g.Email)
		return s.guestAnswer(http.StatusOK, g)
	})
}

func (s *Sim) disableGuest(c *call) answer {
	return s.changeGuest(c, func(g *Guest) answer {
		g.DisabledAt = s.now()
		return s.guestAnswer(http.StatusOK, g)
	})
}

func (s *Sim) enableGuest(c *call) answer {
	return s.changeGuest(c, func(g *Guest) answer {
		g.DisabledAt = time.Time{}
		return s.guestAnswer(http.StatusOK, g)
	})
}

// convertToMember makes a standard member of a guest, who takes a seat. What
// becomes of the guest's place in groups is not documented; it goes.
func (s *Sim) convertToMember(c *call) answer {
	return s.changeGuest(c, func(g *Guest) answer {
		row := &User{Email: g.Email, FirstName: g.FirstName, LastName: g.LastName}
		row.Role, row.Status = RoleStandard, StatusActive
		if s.outOfSeats(row) {
			return seatPoolExhausted()
		}
		delete(s.guests, foldEmail(g.Email))
		s.leaveGuest(g.Email)
		s.addUser(row)
		return s.writtenUser(row)
	})
}

func (s *Sim) changeGuest(c *call, change func(*Guest) answer) answer {
	if !c.caller.admin() {
		return forbidden()
	}
	g := s.guests[foldEmail(c.params[1])]
	if g == nil {
		return s.invalid(map[string][]string{"email": {"The selected email is invalid."}})
	}
	return change(g)
}

// guestsAdmitted holds the new guests among emails against the hourly cap.
func (s *Sim) guestsAdmitted(emails []string) (answer, bool) {
	if s.opts.GuestsPerHour == 0 {
		return answer{}, true
	}
	now := s.now()
	s.invited = slices.DeleteFunc(s.invited, func(at time.Time) bool { return now.Sub(at) >= time.Hour })
	fresh := len(s.strangers(emails))
	if fresh == 0 || len(s.invited)+fresh <= s.opts.GuestsPerHour {
		return answer{}, true
	}
	after := time.Hour
	if len(s.invited) > 0 {
		after -= now.Sub(s.invited[0])
	}
	return hourlyCap("guest invites", s.opts.GuestsPerHour, after), false
}

// inviteGuests makes guests of the strangers among emails and counts them.
func (s *Sim) inviteGuests(emails []string) {
	for range s.strangers(emails) {
		s.invited = append(s.invited, s.now())
	}
	s.meetGuests(emails)
}

func (s *Sim) strangers(emails []string) []string {
	return filter(emails, func(e string) bool { return s.guests[foldEmail(e)] == nil })
}

package tallyfysim

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

func (s *Sim) disableUser(c *call) answer {
	return s.changeUser(c, botDisabling, func(u *User) answer {
		if u.DefaultAdmin {
			return badRequest(defaultAdmin)
		}
		s.disable(u)
		return s.writtenUser(s.users.byID[u.ID])
	})
}

func (s *Sim) enableUser(c *call) answer {
	return s.changeUser(c, botEditing, func(u *User) answer {
		row := u.clone()
		row.Status, row.DisabledAt = StatusActive, time.Time{}
		if u.Status == StatusDisabled && s.outOfSeats(row) {
			return seatPoolExhausted()
		}
		s.enable(u)
		return s.writtenUser(s.users.byID[u.ID])
	})
}

// removeUser is the removal in one step. Its answer says disabled, whether or
// not the row stays listed.
func (s *Sim) removeUser(c *call) answer {
	return s.changeUser(c, botRemoval, func(u *User) answer {
		if u.DefaultAdmin {
			return badRequest(defaultAdmin)
		}
		if c.query.get("with_reassignment") == "true" {
			if to := s.userAt(c.query.get("to")); to == nil || to == u || to.Status != StatusActive {
				return s.invalid(map[string][]string{"to": {"The selected to is invalid."}})
			}
		}
		s.disable(u)
		row := s.users.byID[u.ID]
		if !s.opts.RemovalKeepsRow {
			s.drop(u.ID)
		}
		return s.writtenUser(row)
	})
}

// deleteUser is the permanent deletion, which rewrites the row it answers
// with and leaves nothing in the list.
func (s *Sim) deleteUser(c *call) answer {
	return s.changeUser(c, botRemoval, func(u *User) answer {
		switch {
		case u.DefaultAdmin:
			return badRequest(defaultAdmin)
		case u.Status != StatusDisabled:
			return badRequest(disableFirst)
		}
		row := u.clone()
		row.Email = deletedEmail(u)
		row.LastName = strings.TrimSpace(u.LastName + " (Deleted)")
		s.drop(u.ID)
		return s.writtenUser(row)
	})
}

// convertToGuest makes a guest of a member, disabling it first if need be.
func (s *Sim) convertToGuest(c *call) answer {
	return s.changeUser(c, botEditing, func(u *User) answer {
		if u.DefaultAdmin {
			return badRequest(defaultAdmin)
		}
		s.drop(u.ID)
		guest := s.meetGuest(u.Email)
		guest.FirstName, guest.LastName = u.FirstName, u.LastName
		return s.guestAnswer(http.StatusOK, guest)
	})
}

func deletedEmail(u *User) string { return u.Email + ".deleted." + strconv.FormatInt(u.ID, 10) }

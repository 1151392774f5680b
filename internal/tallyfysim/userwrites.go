package tallyfysim

import (
	"encoding/json"
	"slices"
	"strings"
)

// The documented texts of refusals by a rule of the business.
const (
	botRemoval     = "You can't remove a bot user from this organization!"
	botDisabling   = "Bot users cannot be disabled."
	botEditing     = "Bot users cannot be edited."
	defaultAdmin   = "Cannot modify the default administrator. Please choose another default administrator first."
	disableFirst   = "Please disable the user before deletion."
	memberAlready  = "The email already belongs to a member of this organization."
	nameLimit      = 32
	messageLimit   = 5000
	longFieldLimit = 255
)

func (s *Sim) inviteUser(c *call) answer {
	if !c.caller.admin() {
		return forbidden()
	}
	in, ok := s.readInput(c)
	if !ok {
		return malformed()
	}
	row := &User{
		Email: in.email("email"), FirstName: in.text("first_name", true, nameLimit), LastName: in.text("last_name", true, nameLimit),
		Role: readRole(in, true), Status: StatusInvited, InvitedBy: c.caller.user.ID,
	}
	in.text("message", true, messageLimit)
	if strings.Contains(row.FirstName+row.LastName, "://") {
		in.fail("first_name", "The name may not be a URL.")
	}
	if row.Email != "" && s.userByEmail(row.Email) != nil {
		in.fail("email", memberAlready)
	}
	if !in.ok() {
		return s.invalid(in.errors)
	}
	if s.outOfSeats(row) {
		return seatPoolExhausted()
	}
	s.addUser(row)
	if s.opts.InvitationsJoin {
		s.enterGroups(row.ID, in.list("groups"))
	}
	return s.writtenUser(row)
}

// enterGroups puts a user into the groups that exist among ids.
func (s *Sim) enterGroups(user int64, ids []json.RawMessage) {
	for _, raw := range ids {
		var id string
		if json.Unmarshal(raw, &id) != nil || s.groups.byID[id] == nil {
			continue
		}
		row := s.groups.byID[id].clone()
		row.Members = append(row.Members, user)
		s.replaceGroup(s.groups.byID[id], row)
	}
}

// outOfSeats says whether row would take a full seat that is not there.
func (s *Sim) outOfSeats(row *User) bool {
	if s.opts.Seats == 0 || !row.seated() {
		return false
	}
	taken := 0
	for _, u := range s.users.order {
		if u.ID != row.ID && u.seated() {
			taken++
		}
	}
	return taken >= s.opts.Seats
}

func readRole(in *input, required bool) string {
	role := in.text("role", required, longFieldLimit)
	if role != "" && !slices.Contains([]string{RoleAdmin, RoleStandard, RoleLight}, role) {
		in.fail("role", "The selected role is invalid.")
	}
	return role
}

// changeUser is what the writes on one user share: the caller is an
// administrator, the user exists, and neither the bot nor the default
// administrator is touched.
func (s *Sim) changeUser(c *call, bot string, change func(u *User) answer) answer {
	if !c.caller.admin() {
		return forbidden()
	}
	u := s.userAt(c.params[1])
	switch {
	case u == nil:
		return notFound()
	case u.Bot:
		return badRequest(bot)
	}
	return change(u)
}

func (s *Sim) updateUser(c *call) answer {
	return s.changeUser(c, botEditing, func(u *User) answer {
		if u.Elsewhere && u != c.caller.user {
			return forbidden()
		}
		return s.writeProfile(c, u)
	})
}

func (s *Sim) updateMe(c *call) answer {
	if s.users.byID[c.caller.user.ID] == nil {
		return notFound()
	}
	return s.writeProfile(c, c.caller.user)
}

func (s *Sim) writeProfile(c *call, old *User) answer {
	in, ok := s.readInput(c)
	if !ok {
		return malformed()
	}
	row := old.clone()
	row.FirstName, row.LastName = in.text("first_name", true, nameLimit), in.text("last_name", true, nameLimit)
	row.Timezone = in.text("timezone", true, longFieldLimit)
	for field, value := range map[string]*string{
		"phone": &row.Phone, "job_title": &row.JobTitle, "job_description": &row.JobDescription, "team": &row.Team,
	} {
		if in.has(field) {
			*value = in.text(field, false, longFieldLimit)
		}
	}
	if !in.ok() {
		return s.invalid(in.errors)
	}
	if offset, known := offsets[row.Timezone]; known {
		row.UTCOffset = offset
	}
	s.replaceUser(old, row)
	return s.writtenUser(row)
}

func (s *Sim) changeRole(c *call) answer {
	return s.changeUser(c, botEditing, func(u *User) answer {
		in, ok := s.readInput(c)
		if !ok {
			return malformed()
		}
		row := u.clone()
		row.Role = readRole(in, true)
		switch {
		case !in.ok():
			return s.invalid(in.errors)
		case u.DefaultAdmin && row.Role != RoleAdmin:
			return badRequest(defaultAdmin)
		case !u.seated() && s.outOfSeats(row):
			return seatPoolExhausted()
		}
		s.replaceUser(u, row)
		return s.writtenUser(row)
	})
}

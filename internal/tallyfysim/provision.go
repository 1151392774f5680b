package tallyfysim

import "cmp"

// provisionUser makes an active user at an application's wish.
func (s *Sim) provisionUser(c *call) answer {
	if !c.caller.application {
		return forbidden()
	}
	in, ok := s.readInput(c)
	if !ok {
		return malformed()
	}
	row := &User{
		Email: in.email("email"), FirstName: in.text("first_name", true, nameLimit), LastName: in.text("last_name", true, nameLimit),
		Timezone: in.text("timezone", false, longFieldLimit), Role: readRole(in, false),
	}
	if row.Email != "" && s.userByEmail(row.Email) != nil {
		in.fail("email", memberAlready)
	}
	if !in.ok() {
		return s.invalid(in.errors)
	}
	row.Role, row.Status = cmp.Or(row.Role, RoleStandard), StatusActive
	if s.outOfSeats(row) {
		return seatPoolExhausted()
	}
	s.addUser(row)
	return s.writtenUser(row)
}

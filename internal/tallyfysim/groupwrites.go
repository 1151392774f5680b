package tallyfysim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (s *Sim) mayManageGroups(c *call) bool {
	return c.caller.admin() || s.opts.StandardManagesGroups && c.caller.user.Role == RoleStandard
}

func (s *Sim) createGroup(c *call) answer {
	if !s.mayManageGroups(c) {
		return forbidden()
	}
	in, ok := s.readInput(c)
	if !ok {
		return malformed()
	}
	row := &Group{
		Name: s.groupName(in, true, ""), Description: in.text("description", !s.opts.DescriptionOptional, 65535),
		Members: s.memberIDs(in, "members"), Guests: s.guestEmails(in),
	}
	if !in.ok() {
		return s.invalid(in.errors)
	}
	if over, ok := s.guestsAdmitted(row.Guests); !ok {
		return over
	}
	row.ID = s.newGroupID()
	row.CreatedAt, row.UpdatedAt = s.bornAt(time.Time{}, time.Time{})
	s.groups.put(row)
	s.inviteGuests(row.Guests)
	return s.writtenGroup(http.StatusCreated, row)
}

// updateGroup replaces the arrays that are present; what happens to absent
// ones is not documented and is Options.AbsentArraysClear.
func (s *Sim) updateGroup(c *call) answer {
	if !s.mayManageGroups(c) {
		return forbidden()
	}
	old := s.groups.byID[c.params[1]]
	if old == nil {
		return notFound()
	}
	in, ok := s.readInput(c)
	if !ok {
		return malformed()
	}
	row := old.clone()
	s.readUpdate(in, row)
	if !in.ok() {
		return s.invalid(in.errors)
	}
	if over, ok := s.guestsAdmitted(row.Guests); !ok {
		return over
	}
	s.inviteGuests(row.Guests)
	s.replaceGroup(old, row)
	return s.writtenGroup(s.opts.UpdateStatus, row)
}

func (s *Sim) readUpdate(in *input, row *Group) {
	if s.opts.PutNameRequired || in.has("name") {
		row.Name = s.groupName(in, true, row.ID)
	}
	if !s.opts.DescriptionOptional || in.has("description") {
		row.Description = in.text("description", !s.opts.DescriptionOptional, 65535)
	}
	if in.has("members") || s.opts.AbsentArraysClear {
		row.Members = s.memberIDs(in, "members")
	}
	if in.has("guests") || s.opts.AbsentArraysClear {
		row.Guests = s.guestEmails(in)
	}
}

func (s *Sim) deleteGroup(c *call) answer {
	if !s.mayManageGroups(c) {
		return forbidden()
	}
	gone := s.groups.remove(c.params[1])
	switch {
	case gone == nil && s.opts.DeleteMissing == http.StatusNotFound:
		return notFound()
	case gone == nil:
		return answer{status: s.opts.DeleteMissing, header: http.Header{}}
	case s.opts.DeleteBody:
		return s.writtenGroup(http.StatusOK, gone)
	}
	return noContent()
}

// groupName reads a name that no other group has.
func (s *Sim) groupName(in *input, required bool, self string) string {
	name := in.text("name", required, 200)
	for _, g := range s.groups.order {
		if g.ID != self && name != "" && s.sameName(g.Name, name) {
			in.fail("name", "The name has already been taken.")
			break
		}
	}
	return name
}

func (s *Sim) sameName(a, b string) bool {
	if s.opts.NamesFoldCase {
		return strings.EqualFold(a, b)
	}
	return a == b
}

// memberIDs reads from a field ids of users of the organisation, numbers or numeric
// strings, and keeps each once. Ids of disabled users, who are in no group,
// are accepted and left out.
func (s *Sim) memberIDs(in *input, field string) []int64 {
	var ids []int64
	seen := map[int64]bool{}
	for i, raw := range in.list(field) {
		n, ok := id(raw)
		u := s.users.byID[n]
		if !ok || u == nil {
			in.fail(field+"."+strconv.Itoa(i), fmt.Sprintf("The selected %s.%d is invalid.", field, i))
			continue
		}
		if seen[n] || u.Status == StatusDisabled && !s.opts.DisabledKeepGroups {
			continue
		}
		seen[n] = true
		ids = append(ids, n)
	}
	return ids
}

// guestEmails reads addresses that are not a member's and keeps each once,
// whatever its case.
func (s *Sim) guestEmails(in *input) []string {
	var emails []string
	for i, raw := range in.list("guests") {
		var email string
		field := "guests." + strconv.Itoa(i)
		switch {
		case json.Unmarshal(raw, &email) != nil || !isEmail(email):
			in.fail(field, "The "+field+" must be a valid email address.")
		case s.userByEmail(email) != nil:
			in.fail(field, "The "+field+" belongs to a member of this organization.")
		case s.opts.KnownGuestsOnly && s.guests[foldEmail(email)] == nil:
			in.fail(field, "The selected "+field+" is invalid.")
		case !slices.ContainsFunc(emails, func(e string) bool { return foldEmail(e) == foldEmail(email) }):
			emails = append(emails, email)
		}
	}
	return emails
}

func (s *Sim) userByEmail(email string) *User {
	for _, u := range s.users.order {
		if strings.EqualFold(u.Email, email) {
			return u
		}
	}
	return nil
}

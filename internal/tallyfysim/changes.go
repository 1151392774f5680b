package tallyfysim

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"reflect"
	"slices"
	"strings"
	"time"
)

// The methods of this file need the lock for writing.

func (s *Sim) newGroupID() string {
	for {
		var raw [16]byte
		binary.BigEndian.PutUint64(raw[:8], s.rng.Uint64())
		binary.BigEndian.PutUint64(raw[8:], s.rng.Uint64())
		if id := hex.EncodeToString(raw[:]); s.groups.byID[id] == nil {
			return id
		}
	}
}

func (s *Sim) addUser(u *User) int64 {
	if u.ID == 0 {
		u.ID = s.nextUser
	}
	s.nextUser = max(s.nextUser, u.ID+1)
	u.Role = cmp.Or(u.Role, RoleStandard)
	u.Status = cmp.Or(u.Status, StatusActive)
	u.Timezone = cmp.Or(u.Timezone, "UTC")
	u.UTCOffset = cmp.Or(u.UTCOffset, offsets[u.Timezone], "+00:00")
	u.CreatedAt, u.UpdatedAt = s.bornAt(u.CreatedAt, u.UpdatedAt)
	s.users.put(u)
	return u.ID
}

// replaceGroup stores row for old, which has the same id unless an edit gave
// another.
func (s *Sim) replaceGroup(old, row *Group) {
	if row.UpdatedAt.Equal(old.UpdatedAt) && s.movesTime(old, row) {
		row.UpdatedAt = s.now()
	}
	if row.ID != old.ID {
		s.groups.remove(old.ID)
	}
	s.groups.put(row)
	s.meetGuests(row.Guests)
}

// movesTime says whether the difference between two states of a group moves
// the time of its last update. Writing what is there already never does.
func (s *Sim) movesTime(old, row *Group) bool {
	if old.Name != row.Name || old.Description != row.Description || old.Logo != row.Logo {
		return true
	}
	same := slices.Equal(old.Members, row.Members) && slices.Equal(old.Guests, row.Guests)
	return !same && !s.opts.MembershipKeepsTime
}

func (s *Sim) replaceUser(old, row *User) {
	quiet, before := *row, *old
	quiet.LastLoginAt, quiet.UTCOffset, quiet.ProfilePic, quiet.Extra = old.LastLoginAt, old.UTCOffset, old.ProfilePic, nil
	before.Extra = nil
	if !reflect.DeepEqual(quiet, before) && row.UpdatedAt.Equal(old.UpdatedAt) {
		row.UpdatedAt = s.now()
	}
	if row.ID != old.ID {
		s.users.remove(old.ID)
	}
	s.users.put(row)
}

func (s *Sim) disable(user *User) {
	if user.Status == StatusDisabled {
		return
	}
	row := user.clone()
	row.Status, row.DisabledAt = StatusDisabled, s.now()
	s.replaceUser(user, row)
	if !s.opts.DisabledKeepGroups {
		s.lost[user.ID] = s.leaveGroups(user.ID)
	}
}

func (s *Sim) enable(user *User) {
	if user.Status != StatusDisabled {
		return
	}
	row := user.clone()
	row.Status, row.DisabledAt = StatusActive, time.Time{}
	s.replaceUser(user, row)
	if s.opts.EnableRestores {
		for _, id := range s.lost[user.ID] {
			if g := s.groups.byID[id]; g != nil {
				back := g.clone()
				back.Members = append(back.Members, user.ID)
				s.groups.put(back)
			}
		}
	}
	delete(s.lost, user.ID)
}

// leaveGroups drops a user from every group and returns the ids of those it
// was in. Their times do not move.
func (s *Sim) leaveGroups(id int64) []string {
	var left []string
	for _, g := range s.groups.order {
		if !slices.Contains(g.Members, id) {
			continue
		}
		left = append(left, g.ID)
		row := g.clone()
		row.Members = slices.DeleteFunc(row.Members, func(m int64) bool { return m == id })
		s.groups.put(row)
	}
	return left
}

// drop takes a user out of the organisation: its row and its memberships.
func (s *Sim) drop(id int64) {
	s.users.remove(id)
	s.leaveGroups(id)
	delete(s.lost, id)
}

// meetGuests makes guests of the addresses that are not yet.
func (s *Sim) meetGuests(emails []string) {
	for _, email := range emails {
		s.meetGuest(email)
	}
}

func (s *Sim) meetGuest(email string) *Guest {
	key := foldEmail(email)
	if g := s.guests[key]; g != nil {
		return g
	}
	g := &Guest{ID: s.nextGuest, Email: email, CreatedAt: s.now()}
	s.nextGuest++
	s.guests[key] = g
	return g
}

func (s *Sim) leaveGuest(email string) {
	for _, g := range s.groups.order {
		same := func(e string) bool { return foldEmail(e) == foldEmail(email) }
		if slices.ContainsFunc(g.Guests, same) {
			row := g.clone()
			row.Guests = slices.DeleteFunc(row.Guests, same)
			s.groups.put(row)
		}
	}
}

// bornAt fills in missing instants of a new row and cuts both to seconds.
func (s *Sim) bornAt(created, updated time.Time) (time.Time, time.Time) {
	if created.IsZero() {
		created = s.now()
	}
	if updated.IsZero() {
		updated = created
	}
	return created.UTC().Truncate(time.Second), updated.UTC().Truncate(time.Second)
}

// now is the clock in whole seconds, as upstream stores instants.
func (s *Sim) now() time.Time { return time.Now().UTC().Truncate(time.Second) }

func foldEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

package db

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"rollcall/internal/directory"
)

// GroupMembers returns the memberships of one group. An empty kind is both.
func (db *DB) GroupMembers(ctx context.Context, ref directory.GroupRef, kind directory.Kind, q directory.ListQuery) (directory.Page[directory.Membership], error) {
	return db.Memberships(ctx, directory.MembershipFilter{Group: &ref, Kind: kind}, q)
}

// A listed membership is a row, its place in the list, and the changeset
// since which it is.
type listed struct {
	gid      int64
	groupKey string // its group's name, folded, where several are listed by name
	place    personPlace
	since    int64
	row      directory.Membership
}

// A personPlace sorts members and guests together. key is empty where names
// do not count.
type personPlace struct {
	key   string
	guest bool
	id    int64  // of a member
	email string // of a guest, folded
}

func (p personPlace) compare(other personPlace) int {
	rank := func(guest bool) int {
		if guest {
			return 1
		}
		return 0
	}
	return cmp.Or(
		strings.Compare(p.key, other.key),
		cmp.Compare(rank(p.guest), rank(other.guest)),
		cmp.Compare(p.id, other.id),
		strings.Compare(p.email, other.email),
	)
}

func (p personPlace) edgeID(gid int64) edgeID { return edgeID{gid: gid, id: p.id, guest: p.email} }

const (
	memberMark = "member:"
	guestMark  = "guest:"
)

func (p personPlace) position() directory.Position {
	if p.guest {
		return directory.Position{Key: p.key, ID: guestMark + p.email}
	}
	return directory.Position{Key: p.key, ID: memberMark + strconv.FormatInt(p.id, 10)}
}

func personStart(q directory.ListQuery) (personPlace, error) {
	switch {
	case q.After != nil:
		return parsePersonPlace(*q.After)
	case q.Descending && q.ByName:
		return personPlace{key: afterAllKeys, id: afterAllIDs}, nil
	}
	return personPlace{id: beforeAllIDs}, nil
}

func parsePersonPlace(p directory.Position) (personPlace, error) {
	if email, ok := strings.CutPrefix(p.ID, guestMark); ok {
		return personPlace{key: p.Key, guest: true, email: email}, nil
	}
	id, err := strconv.ParseInt(strings.TrimPrefix(p.ID, memberMark), 10, 64)
	if err != nil {
		return personPlace{}, directory.ErrCursorGone
	}
	return personPlace{key: p.Key, id: id}, nil
}

// people returns at least the first limit+1 of those in a group after a place.
func (s *state) people(ctx context.Context, group GroupVersion, kind directory.Kind, q directory.ListQuery, after personPlace) ([]listed, error) {
	var all []listed
	var err error
	if kind != directory.KindGuest {
		if all, err = s.listMembers(ctx, group, q, after); err != nil {
			return nil, err
		}
	}
	if kind != directory.KindMember && (q.ByName || len(all) <= q.Limit) {
		guests, err := s.listGuests(ctx, group, q)
		if err != nil {
			return nil, err
		}
		all = append(all, guests...)
	}
	return inOrder(all, q, after), nil
}

// inOrder sorts what comes after a place.
func inOrder(all []listed, q directory.ListQuery, after personPlace) []listed {
	direction := 1
	if q.ByName && q.Descending {
		direction = -1
	}
	all = slices.DeleteFunc(all, func(l listed) bool { return direction*l.place.compare(after) <= 0 })
	slices.SortFunc(all, func(a, b listed) int { return direction * a.place.compare(b.place) })
	return all
}

// freshMemberships is confirmed when the group or the least lately confirmed
// member was.
func (s *state) freshMemberships(ctx context.Context, group GroupVersion) (directory.Freshness, error) {
	fresh, err := s.freshList(ctx, ofMembers)
	own := fromMS(effective(s.mirror.ConfirmedMs, group.ConfirmedMs, group.Doubted))
	if !s.isThen() && own.Before(fresh.ConfirmedAt) {
		fresh.ConfirmedAt = own
	}
	return fresh, err
}

// listMembers returns at least the first limit+1 members after a place.
func (s *state) listMembers(ctx context.Context, group GroupVersion, q directory.ListQuery, after personPlace) ([]listed, error) {
	edges, err := s.memberEdges(ctx, group, q, after)
	if err != nil {
		return nil, err
	}
	known, err := s.membersOf(ctx, edges)
	if err != nil {
		return nil, err
	}
	return convert(edges, func(e MemberEdgesRow) listed {
		member, isKnown := known[e.MemberID]
		l := listed{gid: group.Gid, place: personPlace{id: e.MemberID}, since: e.Since, row: membershipOf(group, e.MemberID, member, isKnown)}
		if q.ByName {
			l.place.key = member.NameKey
		}
		return l
	}), nil
}

func membershipOf(group GroupVersion, id int64, member MembersOfRow, isKnown bool) directory.Membership {
	row := directory.Membership{GroupID: group.ID, GroupName: group.Name, Kind: directory.KindMember, MemberID: id}
	if isKnown {
		row.Email, row.FullName, row.Role = emailOf(member.Email), fromText(member.FullName), fromText(member.Role)
		row.Status = new(directory.Status(member.Status))
	}
	return row
}

func guestMembershipOf(group GroupVersion, email string) directory.Membership {
	return directory.Membership{GroupID: group.ID, GroupName: group.Name, Kind: directory.KindGuest, Email: &email}
}

func (s *state) membersOf(ctx context.Context, edges []MemberEdgesRow) (map[int64]MembersOfRow, error) {
	ids := idList(convert(edges, func(e MemberEdgesRow) int64 { return e.MemberID }))
	var rows []MembersOfRow
	var err error
	if s.past {
		var then []MembersOfAtRow
		then, err = s.q.MembersOfAt(ctx, ids, s.revision.Horizon)
		rows = convert(then, func(row MembersOfAtRow) MembersOfRow { return MembersOfRow(row) })
	} else {
		rows, err = s.q.MembersOf(ctx, ids)
	}
	known := make(map[int64]MembersOfRow, len(rows))
	for _, row := range rows {
		known[row.ID] = row
	}
	return known, err
}

// listGuests returns all guests of a group.
func (s *state) listGuests(ctx context.Context, group GroupVersion, q directory.ListQuery) ([]listed, error) {
	edges, err := s.guestEdges(ctx, group.Gid)
	return convert(edges, func(e GuestEdgesRow) listed {
		l := listed{gid: group.Gid, place: personPlace{guest: true, email: e.EmailKey}, since: e.Since}
		l.row = guestMembershipOf(group, e.Email)
		if q.ByName {
			l.place.key = e.EmailKey
		}
		return l
	}), err
}

// guestEdges returns the guests of a group by e-mail.
func (s *state) guestEdges(ctx context.Context, gid int64) ([]GuestEdgesRow, error) {
	var edges []GuestEdgesRow
	var err error
	if s.past {
		var rows []GuestEdgesAtRow
		rows, err = s.q.GuestEdgesAt(ctx, gid, s.revision.Horizon)
		edges = convert(rows, func(row GuestEdgesAtRow) GuestEdgesRow { return GuestEdgesRow(row) })
	} else {
		edges, err = s.q.GuestEdges(ctx, gid)
	}
	slices.SortFunc(edges, func(a, b GuestEdgesRow) int { return strings.Compare(a.EmailKey, b.EmailKey) })
	return edges, err
}

// withBounds completes memberships by when they began and whether
// they are certain.
func (s *state) withBounds(ctx context.Context, all []listed) ([]directory.Membership, error) {
	bounds, err := s.boundsOf(ctx, convert(all, func(l listed) int64 { return l.since }))
	if err != nil {
		return nil, err
	}
	came := make(map[edgeID]directory.Bounds, len(all))
	for _, l := range all {
		came[l.place.edgeID(l.gid)] = bounds[l.since]
	}
	uncertain, err := s.uncertain(ctx, came)
	return convert(all, func(l listed) directory.Membership {
		l.row.Since, l.row.Uncertain = bounds[l.since], uncertain[l.place.edgeID(l.gid)]
		return l.row
	}), err
}

func (s *state) boundsOf(ctx context.Context, changesets []int64) (map[int64]directory.Bounds, error) {
	slices.Sort(changesets)
	rows, err := s.q.BoundsOf(ctx, idList(slices.Compact(changesets)))
	bounds := make(map[int64]directory.Bounds, len(rows))
	for _, row := range rows {
		bounds[row.ID] = toBounds(row.NotBeforeMs, row.NotAfterMs)
	}
	return bounds, err
}

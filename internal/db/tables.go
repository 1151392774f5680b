package db

import (
	"context"
	"iter"
	"strconv"
	"strings"

	"rollcall/internal/directory"
)

// tableChunk is about how many edges are read in one transaction: as many as
// keep their memory small and the log free.
const tableChunk = 5000

// most of what a walk remembers at a time, so that its memory does not grow
// with the organisation.
const (
	mostPeople = 1 << 17
	mostBounds = 1 << 16
)

// State returns the state that a pin or an instant names, or the present one,
// without its rows.
func (db *DB) State(ctx context.Context, pin *directory.Pin, at *directory.AsOf) (fresh directory.Freshness, err error) {
	err = db.read(ctx, pin, at, func(s *state) error {
		fresh, err = s.freshList(ctx, ofGroups, ofMembers)
		return err
	})
	return fresh, wrap("read the mirror", err)
}

// AllMemberships walks every edge at a revision, by group, members by id, then
// guests by e-mail, in chunks: nothing is held open between two.
func (db *DB) AllMemberships(ctx context.Context, pin directory.Pin, at *directory.AsOf) iter.Seq2[[]directory.Membership, error] {
	return func(yield func([]directory.Membership, error) bool) {
		w := newTableWalk()
		for !w.isAtEnd() {
			var chunk []directory.Membership
			err := db.read(ctx, &pin, at, func(s *state) (err error) {
				chunk, err = w.memberships(ctx, s)
				return err
			})
			if err != nil {
				yield(nil, wrap("read memberships", err))
				return
			}
			if !yield(chunk, nil) {
				return
			}
		}
	}
}

// A tableWalk is a place in a walk over edges, and what it remembers. What it
// remembers is true at the walk's one revision.
type tableWalk struct {
	groups []GroupVersion // to come, the first perhaps begun
	last   string         // id of the last group that was fetched
	ended  bool           // there are no more to fetch
	member int64          // of the first group, all members up to this one were read
	since  int64          // and of this one the stays up to this changeset

	people map[int64]*identity // nil for who is not listed
	bounds map[int64]directory.Bounds
}

// An identity is what an edge tells of a member.
type identity struct {
	email, fullName, role *string
	status                *directory.Status
}

func newTableWalk() *tableWalk {
	return &tableWalk{member: beforeAllIDs, people: map[int64]*identity{}, bounds: map[int64]directory.Bounds{}}
}

func (w *tableWalk) isAtEnd() bool { return w.ended && len(w.groups) == 0 }

// groupsAPiece is how many groups are fetched together.
const groupsAPiece = 500

// fetch makes sure that there is a group to go on with, unless all were read.
func (w *tableWalk) fetch(ctx context.Context, list func(after string) ([]GroupVersion, error)) error {
	if len(w.groups) > 0 || w.ended {
		return nil
	}
	var err error
	if w.groups, err = list(w.last); err != nil {
		return err
	}
	if w.ended = len(w.groups) < groupsAPiece; len(w.groups) > 0 {
		w.last = w.groups[len(w.groups)-1].ID
	}
	return ctx.Err()
}

// leave ends the first group.
func (w *tableWalk) leave() {
	w.groups, w.member, w.since = w.groups[1:], beforeAllIDs, 0
}

// An edgeRow is a row of memberships or of its history.
type edgeRow struct{ member, since, until int64 }

func (w *tableWalk) memberships(ctx context.Context, s *state) ([]directory.Membership, error) {
	rows := make([]directory.Membership, 0, tableChunk)
	list := func(after string) ([]GroupVersion, error) {
		rows, err := s.groupRows(ctx, directory.ListQuery{Limit: groupsAPiece - 1, After: &directory.Position{ID: after}})
		return rows, err
	}
	for len(rows) < tableChunk {
		if err := w.fetch(ctx, list); err != nil || len(w.groups) == 0 {
			return rows, err
		}
		group, size := &w.groups[0], tableChunk-len(rows)
		edges, err := s.packedEdges(ctx, group, w.member, size)
		if err == nil {
			rows, err = w.addMembers(ctx, s, rows, edges, s.membersNow)
		}
		if err != nil {
			return nil, err
		}
		if len(edges) == size {
			w.member = edges[size-1].member
			continue
		}
		if rows, err = w.addGuests(ctx, s, rows); err != nil {
			return nil, err
		}
		w.leave()
	}
	return rows, nil
}

// packedEdges reads the next members of a group, the present ones packed into
// two texts, which is many times faster than a row each.
func (s *state) packedEdges(ctx context.Context, group *GroupVersion, after int64, size int) ([]edgeRow, error) {
	if group.MemberCount == 0 {
		return nil, nil
	}
	if s.past {
		rows, err := s.memberEdgesByID(ctx, group.Gid, after, int64(size))
		return convert(rows, func(row MemberEdgesRow) edgeRow { return edgeRow{member: row.MemberID, since: row.Since} }), err
	}
	packed, err := s.q.PackedMemberEdges(ctx, PackedMemberEdgesParams{Gid: group.Gid, After: after, PageSize: int64(size)})
	return unpack(packed.Ids, packed.Sinces, ""), err
}

// unpack makes edges of lists of numbers. Those without untils end at 0.
func unpack(members, sinces, untils string) []edgeRow {
	if members == "" {
		return nil
	}
	edges := make([]edgeRow, 0, strings.Count(members, ",")+1)
	for members != "" {
		var e edgeRow
		e.member, members = cutInt(members)
		e.since, sinces = cutInt(sinces)
		if untils != "" {
			e.until, untils = cutInt(untils)
		}
		edges = append(edges, e)
	}
	return edges
}

// cutInt takes a number off a list of them.
func cutInt(list string) (n int64, rest string) {
	text, rest, _ := strings.Cut(list, ",")
	n, _ = strconv.ParseInt(text, 10, 64) // SQLite wrote it
	return n, rest
}

// A lookup finds members of some ids as a table is to show them.
type lookup func(ctx context.Context, ids []int64) (map[int64]MembersOfRow, error)

func (s *state) membersNow(ctx context.Context, ids []int64) (map[int64]MembersOfRow, error) {
	return s.membersOf(ctx, convert(ids, func(id int64) MemberEdgesRow { return MemberEdgesRow{MemberID: id} }))
}

func (w *tableWalk) addMembers(ctx context.Context, s *state, rows []directory.Membership, edges []edgeRow, find lookup) ([]directory.Membership, error) {
	if err := w.meet(ctx, edges, find); err != nil {
		return nil, err
	}
	if err := w.date(ctx, s, edges); err != nil {
		return nil, err
	}
	group := &w.groups[0]
	for _, e := range edges {
		row := directory.Membership{GroupID: group.ID, GroupName: group.Name, Kind: directory.KindMember, MemberID: e.member, Since: w.bounds[e.since]}
		if who := w.people[e.member]; who != nil {
			row.Email, row.FullName, row.Role, row.Status = who.email, who.fullName, who.role, who.status
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (w *tableWalk) addGuests(ctx context.Context, s *state, rows []directory.Membership) ([]directory.Membership, error) {
	group := &w.groups[0]
	if group.GuestCount == 0 {
		return rows, nil
	}
	guests, err := s.guestEdges(ctx, group.Gid)
	if err == nil {
		err = w.date(ctx, s, convert(guests, func(e GuestEdgesRow) edgeRow { return edgeRow{since: e.Since} }))
	}
	for _, e := range guests {
		rows = append(rows, directory.Membership{
			GroupID: group.ID, GroupName: group.Name, Kind: directory.KindGuest, Email: &e.Email, Since: w.bounds[e.Since],
		})
	}
	return rows, err
}

// meet looks up those whom the walk does not know yet.
func (w *tableWalk) meet(ctx context.Context, edges []edgeRow, find lookup) error {
	if len(w.people) > mostPeople {
		clear(w.people)
	}
	var ids []int64
	for _, e := range edges {
		if _, isKnown := w.people[e.member]; !isKnown {
			w.people[e.member] = nil
			ids = append(ids, e.member)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := find(ctx, ids)
	for id, row := range found {
		w.people[id] = &identity{&row.Email, fromText(row.FullName), fromText(row.Role), new(directory.Status(row.Status))}
	}
	return err
}

// date looks up the bounds of the changesets that edges begin and end with.
func (w *tableWalk) date(ctx context.Context, s *state, edges []edgeRow) error {
	if len(w.bounds) > mostBounds {
		clear(w.bounds)
	}
	var missing []int64
	for _, e := range edges {
		for _, changeset := range [2]int64{e.since, e.until} {
			if _, isKnown := w.bounds[changeset]; !isKnown {
				w.bounds[changeset] = directory.Bounds{}
				missing = append(missing, changeset)
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	found, err := s.boundsOf(ctx, missing)
	for changeset, bounds := range found {
		w.bounds[changeset] = bounds
	}
	return err
}

package db

import (
	"context"
	"errors"
	"strconv"

	"rollcall/internal/directory"
)

// Members returns the members that a filter lets through. As each carries the count of its groups, a list is
// confirmed when the least lately confirmed member or group was.
func (db *DB) Members(ctx context.Context, f directory.MemberFilter, q directory.ListQuery) (page directory.Page[directory.Member], err error) {
	err = db.read(ctx, q.Pin, q.AsOf, func(s *state) error {
		page, err = s.members(ctx, f, q)
		return err
	})
	return page, wrap("list members", err)
}

// Member returns one member, confirmed as GroupsOfPerson is. A guest is none:
// ErrUnknownPerson.
func (db *DB) Member(ctx context.Context, ref directory.PersonRef, at *directory.AsOf) (found directory.Found[directory.Member], err error) {
	err = db.glance(ctx, nil, at, func(ctx context.Context, s *state) error {
		row, err := s.findMember(ctx, ref)
		if err != nil {
			return err
		}
		found.Row = toMember(row, s.churn())
		found.Freshness, err = s.freshPerson(ctx, person{id: row.ID, member: &row})
		return err
	})
	return found, wrap("read a member", err)
}

func (s *state) members(ctx context.Context, f directory.MemberFilter, q directory.ListQuery) (page directory.Page[directory.Member], err error) {
	after, err := memberStart(q)
	if err != nil {
		return page, err
	}
	t, err := s.memberTerms(ctx, f)
	if err != nil {
		return page, err
	}
	rows, err := s.matchingRows(ctx, t, q, after)
	if err != nil {
		return page, err
	}
	rows, page.Next = cut(rows, q.Limit, func(row MemberVersion) directory.Position {
		return memberPosition(row, q)
	})
	if err := s.countGroups(ctx, rows); err != nil {
		return page, err
	}
	if q.Count {
		if page.Total, err = s.countMembers(ctx, t); err != nil {
			return page, err
		}
	}
	page.Rows = convert(rows, func(row MemberVersion) directory.Member { return toMember(row, s.churn()) })
	page.Freshness, err = s.freshList(ctx, ofMembers, ofGroups)
	return page, err
}

func memberPosition(row MemberVersion, q directory.ListQuery) directory.Position {
	position := directory.Position{ID: strconv.FormatInt(row.ID, 10)}
	if q.ByName {
		position.Key = row.NameKey
	}
	return position
}

type memberPlace struct {
	key string
	id  int64
}

func memberStart(q directory.ListQuery) (memberPlace, error) {
	switch {
	case q.After != nil:
		id, err := strconv.ParseInt(q.After.ID, 10, 64)
		if err != nil {
			return memberPlace{}, directory.ErrCursorGone
		}
		return memberPlace{q.After.Key, id}, nil
	case q.ByName && q.Descending:
		return memberPlace{afterAllKeys, afterAllIDs}, nil
	}
	return memberPlace{"", beforeAllIDs}, nil
}

// memberRows fetches one row more than the page holds.
func (s *state) memberRows(ctx context.Context, q directory.ListQuery, after memberPlace) ([]MemberVersion, error) {
	if s.past {
		return s.pastMemberRows(ctx, q, after)
	}
	size := int64(q.Limit) + 1
	var rows []PresentMember
	var err error
	switch {
	case !q.ByName:
		rows, err = s.q.MembersByID(ctx, after.id, size)
	case q.Descending:
		rows, err = s.q.MembersByNameDown(ctx, MembersByNameDownParams{AfterKey: after.key, AfterID: after.id, PageSize: size})
	default:
		rows, err = s.q.MembersByName(ctx, MembersByNameParams{AfterKey: after.key, AfterID: after.id, PageSize: size})
	}
	return convert(rows, presentMember), err
}

func (s *state) pastMemberRows(ctx context.Context, q directory.ListQuery, after memberPlace) ([]MemberVersion, error) {
	size, at := int64(q.Limit)+1, s.revision.Horizon
	switch {
	case !q.ByName:
		return s.q.MembersByIDAt(ctx, MembersByIDAtParams{Horizon: at, After: after.id, PageSize: size})
	case q.Descending:
		return s.q.MembersByNameDownAt(ctx, MembersByNameDownAtParams{Horizon: at, AfterKey: after.key, AfterID: after.id, PageSize: size})
	}
	return s.q.MembersByNameAt(ctx, MembersByNameAtParams{Horizon: at, AfterKey: after.key, AfterID: after.id, PageSize: size})
}

// countGroups sets how many groups each member was in at a past revision.
// The present counts are kept in the rows.
func (s *state) countGroups(ctx context.Context, rows []MemberVersion) error {
	if !s.past || len(rows) == 0 {
		return nil
	}
	ids := convert(rows, func(row MemberVersion) int64 { return row.ID })
	counted, err := s.q.GroupCountsAt(ctx, idList(ids), s.revision.Horizon)
	if err != nil {
		return err
	}
	counts := make(map[int64]int64, len(rows))
	for _, row := range counted {
		counts[row.MemberID] += row.GroupCount
	}
	for i := range rows {
		rows[i].GroupCount = counts[rows[i].ID]
	}
	return nil
}

// findMember finds by id or e-mail, with the count of groups.
func (s *state) findMember(ctx context.Context, ref directory.PersonRef) (MemberVersion, error) {
	if ref.ID != 0 {
		return s.memberByID(ctx, ref.ID)
	}
	rows, err := s.membersByEmail(ctx, ref.Email)
	if err != nil {
		return MemberVersion{}, err
	}
	if len(rows) == 0 {
		return MemberVersion{}, directory.ErrUnknownPerson
	}
	rows = []MemberVersion{mostAlive(rows)}
	err = s.countGroups(ctx, rows)
	return rows[0], err
}

// mostAlive chooses among members of one e-mail, whom upstream should not
// have: the first who is not disabled, else the first.
func mostAlive(rows []MemberVersion) MemberVersion {
	for _, row := range rows {
		if directory.Status(row.Status) != directory.Disabled {
			return row
		}
	}
	return rows[0]
}

func (s *state) memberByID(ctx context.Context, id int64) (MemberVersion, error) {
	if s.past {
		row, err := s.q.MemberByIDAt(ctx, id, s.revision.Horizon)
		return shownMember(MemberByIDRow(row)), notFound(err, directory.ErrUnknownPerson)
	}
	row, err := s.q.MemberByID(ctx, id)
	return shownMember(row), notFound(err, directory.ErrUnknownPerson)
}

// shownMember lacks the keys and the interval.
func shownMember(row MemberByIDRow) MemberVersion {
	return MemberVersion{
		ID: row.ID, Email: row.Email, FirstName: row.FirstName, LastName: row.LastName, FullName: row.FullName, Role: row.Role, Status: row.Status,
		JobTitle: row.JobTitle, Team: row.Team, Timezone: row.Timezone, LastLoginMs: row.LastLoginMs, CreatedMs: row.CreatedMs, UpdatedMs: row.UpdatedMs,
		GroupCount: row.GroupCount, Churned: row.Churned, ConfirmedMs: row.ConfirmedMs, Doubted: row.Doubted,
	}
}

func (s *state) membersByEmail(ctx context.Context, email string) ([]MemberVersion, error) {
	if s.past {
		return s.q.MembersByEmailAt(ctx, directory.FoldEmail(email), s.revision.Horizon)
	}
	rows, err := s.q.MembersByEmail(ctx, directory.FoldEmail(email))
	return convert(rows, presentMember), err
}

// isAnswer reports whether an error is an answer that callers expect.
func isAnswer(err error) bool {
	for _, answer := range []error{
		directory.ErrNoData, directory.ErrCursorGone, directory.ErrUnknownGroup, directory.ErrUnknownPerson,
		directory.ErrFuture, directory.ErrPruned, directory.ErrReversed,
	} {
		if errors.Is(err, answer) {
			return true
		}
	}
	_, ambiguous := errors.AsType[*directory.AmbiguousNameError](err)
	_, tooEarly := errors.AsType[*directory.TooEarlyError](err)
	return ambiguous || tooEarly
}

package db

import (
	"cmp"
	"context"
	"strconv"

	"rollcall/internal/directory"
)

// CoMembers returns the members who share groups with a person, each with how
// many: those of most shared groups first, ties by id; or by name. The person
// is not among them, nor are strangers. It is confirmed as Members is.
func (db *DB) CoMembers(ctx context.Context, ref directory.PersonRef, q directory.ListQuery) (page directory.Page[directory.CoMember], err error) {
	err = db.read(ctx, q.Pin, q.AsOf, func(s *state) error {
		who, err := s.findPerson(ctx, ref)
		if err != nil {
			return err
		}
		page, err = s.coMembers(ctx, who, q)
		return err
	})
	return page, wrap("list who shares groups with a person", err)
}

func (s *state) coMembers(ctx context.Context, who person, q directory.ListQuery) (page directory.Page[directory.CoMember], err error) {
	c, err := s.companyOf(ctx, who)
	if err != nil {
		return page, err
	}
	rows, err := c.rows(ctx, q)
	if err != nil {
		return page, err
	}
	rows, page.Next = cut(rows, q.Limit, func(m coMember) directory.Position { return m.position(q) })
	page.Rows = convert(rows, func(m coMember) directory.CoMember {
		return directory.CoMember{Member: toMember(m.member, s.revision.Revision), Shared: int(m.shared)}
	})
	if q.Count {
		if page.Total, err = c.count(ctx); err != nil {
			return page, err
		}
	}
	page.Freshness, err = s.freshList(ctx, ofMembers, ofGroups)
	return page, err
}

type coMember struct {
	member MemberVersion
	shared int64
}

func (m coMember) position(q directory.ListQuery) directory.Position {
	if q.ByName {
		return memberPosition(m.member, q)
	}
	return companion{m.member.ID, m.shared}.position()
}

// A companion is an id and how many groups it shares.
type companion struct{ id, shared int64 }

// compare puts who shares most first.
func (c companion) compare(other companion) int {
	return cmp.Or(cmp.Compare(other.shared, c.shared), cmp.Compare(c.id, other.id))
}

func (c companion) position() directory.Position {
	return directory.Position{Key: strconv.FormatInt(c.shared, 10), ID: strconv.FormatInt(c.id, 10)}
}

func companionAfter(q directory.ListQuery) (c companion, err error) {
	if q.After == nil {
		return companion{id: beforeAllIDs, shared: noLimit}, nil
	}
	c.id, err = strconv.ParseInt(q.After.ID, 10, 64)
	if err == nil {
		c.shared, err = strconv.ParseInt(q.After.Key, 10, 64)
	}
	if err != nil {
		return c, directory.ErrCursorGone
	}
	return c, nil
}

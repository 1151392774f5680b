package db

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"rollcall/internal/directory"
)

// byName walks all members in order where many share groups, else it sorts
// the few who do.
func (c *company) byName(ctx context.Context, q directory.ListQuery) ([]coMember, error) {
	if c.crowd == nil && int64(len(c.near)) <= c.reach.company {
		return c.fewByName(ctx, q)
	}
	after, err := memberStart(q)
	if err != nil {
		return nil, err
	}
	want := q.Limit + 1
	q.Limit = rowsAtOnce
	var rows []coMember
	for {
		all, err := c.memberRows(ctx, q, after)
		if err != nil {
			return nil, err
		}
		chunk := all[:min(len(all), q.Limit)]
		kept, err := c.keep(ctx, chunk)
		if err != nil {
			return nil, err
		}
		rows = append(rows, kept...)
		if len(all) == len(chunk) || len(rows) >= want {
			rows = rows[:min(len(rows), want)]
			return rows, c.countGroupsOf(ctx, rows)
		}
		last := chunk[len(chunk)-1]
		after = memberPlace{last.NameKey, last.ID}
	}
}

// countGroupsOf sets the counts of groups, which memberRows leaves out in the
// past.
func (c *company) countGroupsOf(ctx context.Context, rows []coMember) error {
	members := convert(rows, func(m coMember) MemberVersion { return m.member })
	err := c.countGroups(ctx, members)
	for i := range rows {
		rows[i].member = members[i]
	}
	return err
}

// keep returns those of some members who share groups.
func (c *company) keep(ctx context.Context, members []MemberVersion) ([]coMember, error) {
	inCrowd := map[int64]bool{}
	if c.crowd != nil {
		var err error
		if inCrowd, err = c.within(ctx, *c.crowd, convert(members, func(m MemberVersion) int64 { return m.ID })); err != nil {
			return nil, err
		}
	}
	var rows []coMember
	for _, member := range members {
		shared := c.near[member.ID]
		if shared == 0 && inCrowd[member.ID] && member.ID != c.self {
			shared = 1
		}
		if shared > 0 {
			rows = append(rows, coMember{member, shared})
		}
	}
	return rows, nil
}

func (p memberPlace) compare(other memberPlace) int {
	return cmp.Or(strings.Compare(p.key, other.key), cmp.Compare(p.id, other.id))
}

func (c *company) fewByName(ctx context.Context, q directory.ListQuery) ([]coMember, error) {
	named, err := c.membersNear(ctx)
	if err != nil {
		return nil, err
	}
	compare := memberPlace.compare
	if q.Descending {
		compare = func(a, b memberPlace) int { return b.compare(a) }
	}
	if q.After != nil {
		after, err := memberStart(q)
		if err != nil {
			return nil, err
		}
		named = slices.DeleteFunc(named, func(p memberPlace) bool { return compare(p, after) <= 0 })
	}
	slices.SortFunc(named, compare)
	named = named[:min(len(named), q.Limit+1)]
	return c.members(ctx, convert(named, func(p memberPlace) companion { return companion{p.id, c.near[p.id]} }))
}

// membersNear names the members near, without strangers.
func (c *company) membersNear(ctx context.Context) ([]memberPlace, error) {
	if c.past {
		rows, err := c.q.MembersOfAt(ctx, idList(keysOf(c.near)), c.revision.Horizon)
		return convert(rows, func(row MembersOfAtRow) memberPlace { return memberPlace{row.NameKey, row.ID} }), err
	}
	rows, err := c.q.MembersOf(ctx, idList(keysOf(c.near)))
	return convert(rows, func(row MembersOfRow) memberPlace { return memberPlace{row.NameKey, row.ID} }), err
}

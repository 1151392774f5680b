package export

import (
	"context"
	"iter"

	"rollcall/internal/directory"
)

// The tables. Their columns have the names and the order of the objects of
// /v1; a new one goes to the end of a table's own.

var groups = &tableOf[directory.Group]{
	label: "groups",
	own: []columnOf[directory.Group]{
		{Column{"id", Text, false, plain}, func(g *directory.Group) value { return text(g.ID) }},
		{Column{"name", Text, false, names}, func(g *directory.Group) value { return text(g.Name) }},
		{Column{"description", Text, true, freeText}, func(g *directory.Group) value { return maybe(g.Description) }},
		{Column{"logo", Text, true, freeText}, func(g *directory.Group) value { return maybe(g.Logo) }},
		{Column{"member_count", Integer, false, plain}, func(g *directory.Group) value { return number(int64(g.MemberCount)) }},
		{Column{"guest_count", Integer, false, plain}, func(g *directory.Group) value { return number(int64(g.GuestCount)) }},
		{Column{"version", Text, false, hashes}, func(g *directory.Group) value { return text(g.Version) }},
		{Column{"created_at", Instant, true, plain}, func(g *directory.Group) value { return instant(g.CreatedAt) }},
		{Column{"updated_at", Instant, true, plain}, func(g *directory.Group) value { return instant(g.UpdatedAt) }},
	},
	rows: func(ctx context.Context, src Source, q directory.ExportQuery) iter.Seq2[[]directory.Group, error] {
		return pages(q, func(part directory.ListQuery) (directory.Page[directory.Group], error) {
			return src.Groups(ctx, q.Groups, part)
		})
	},
}

var members = &tableOf[directory.Member]{
	label: "members",
	own: []columnOf[directory.Member]{
		{Column{"id", Integer, false, people}, func(m *directory.Member) value { return number(m.ID) }},
		{Column{"email", Text, false, emails}, func(m *directory.Member) value { return text(m.Email) }},
		{Column{"first_name", Text, true, names}, func(m *directory.Member) value { return maybe(m.FirstName) }},
		{Column{"last_name", Text, true, names}, func(m *directory.Member) value { return maybe(m.LastName) }},
		{Column{"full_name", Text, true, names}, func(m *directory.Member) value { return maybe(m.FullName) }},
		{Column{"role", Text, true, plain}, func(m *directory.Member) value { return maybe(m.Role) }},
		{Column{"status", Text, false, plain}, func(m *directory.Member) value { return text(string(m.Status)) }},
		{Column{"job_title", Text, true, freeText}, func(m *directory.Member) value { return maybe(m.JobTitle) }},
		{Column{"team", Text, true, freeText}, func(m *directory.Member) value { return maybe(m.Team) }},
		{Column{"timezone", Text, true, plain}, func(m *directory.Member) value { return maybe(m.Timezone) }},
		{Column{"last_login_at", Instant, true, plain}, func(m *directory.Member) value { return instant(m.LastLoginAt) }},
		{Column{"created_at", Instant, true, plain}, func(m *directory.Member) value { return instant(m.CreatedAt) }},
		{Column{"updated_at", Instant, true, plain}, func(m *directory.Member) value { return instant(m.UpdatedAt) }},
		{Column{"group_count", Integer, false, plain}, func(m *directory.Member) value { return number(int64(m.GroupCount)) }},
	},
	rows: func(ctx context.Context, src Source, q directory.ExportQuery) iter.Seq2[[]directory.Member, error] {
		return pages(q, func(part directory.ListQuery) (directory.Page[directory.Member], error) {
			return src.Members(ctx, q.Members, part)
		})
	},
}

var memberships = &tableOf[directory.Membership]{
	label: "memberships",
	own:   edgeColumns(func(m *directory.Membership) *directory.Membership { return m }),
	rows: func(ctx context.Context, src Source, q directory.ExportQuery) iter.Seq2[[]directory.Membership, error] {
		if q.Memberships == (directory.MembershipFilter{}) {
			return src.AllMemberships(ctx, q.Pin, q.AsOf)
		}
		return pages(q, func(part directory.ListQuery) (directory.Page[directory.Membership], error) {
			return src.Memberships(ctx, q.Memberships, part)
		})
	},
}

var history = &tableOf[directory.Stay]{
	label: "membership_history",
	own: append(
		edgeColumns(func(s *directory.Stay) *directory.Membership { return &s.Membership }),
		columnOf[directory.Stay]{Column{"until_not_before", Instant, true, plain}, func(s *directory.Stay) value { return instant(s.Until.NotBefore) }},
		columnOf[directory.Stay]{Column{"until_not_after", Instant, true, plain}, func(s *directory.Stay) value { return instant(s.Until.NotAfter) }},
	),
	rows: func(ctx context.Context, src Source, q directory.ExportQuery) iter.Seq2[[]directory.Stay, error] {
		return src.AllStays(ctx, q.Pin, q.AsOf)
	},
}

// edgeColumns are the columns of an edge, which rows of another type hold.
func edgeColumns[T any](edge func(*T) *directory.Membership) []columnOf[T] {
	return []columnOf[T]{
		{Column{"group_id", Text, false, plain}, func(row *T) value { return text(edge(row).GroupID) }},
		{Column{"group_name", Text, false, names}, func(row *T) value { return text(edge(row).GroupName) }},
		{Column{"kind", Text, false, plain}, func(row *T) value { return text(string(edge(row).Kind)) }},
		{Column{"member_id", Integer, true, people}, func(row *T) value { return memberID(edge(row).MemberID) }},
		{Column{"email", Text, true, emails}, func(row *T) value { return maybe(edge(row).Email) }},
		{Column{"full_name", Text, true, names}, func(row *T) value { return maybe(edge(row).FullName) }},
		{Column{"role", Text, true, plain}, func(row *T) value { return maybe(edge(row).Role) }},
		{Column{"status", Text, true, plain}, func(row *T) value { return maybe(edge(row).Status) }},
		{Column{"since_not_before", Instant, true, plain}, func(row *T) value { return instant(edge(row).Since.NotBefore) }},
		{Column{"since_not_after", Instant, true, plain}, func(row *T) value { return instant(edge(row).Since.NotAfter) }},
	}
}

// memberID is null for guests.
func memberID(id int64) value {
	if id == 0 {
		return value{isNull: true}
	}
	return number(id)
}

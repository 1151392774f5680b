package api

import (
	"context"

	"rollcall/internal/directory"
)

// EdgeFilters narrow a list of memberships.
type EdgeFilters struct {
	Kind   string `query:"kind" enum:"member,guest" doc:"One kind alone."`
	Status string `query:"status" enum:"active,invited,disabled" doc:"Members of this status alone; guests have none."`
	Role   string `query:"role" maxLength:"100" example:"standard" doc:"Members of this role alone, in any case; guests have none."`
	Domain string `query:"domain" maxLength:"253" example:"example.com" doc:"Those alone whose e-mail has this domain, all that follows its last @, in any case."`
}

func (in *EdgeFilters) filter() directory.MembershipFilter {
	return directory.MembershipFilter{
		Kind: directory.Kind(in.Kind), Status: directory.Status(in.Status), Role: in.Role, Domain: in.Domain,
	}
}

// A MembershipsInput asks for memberships of any group.
type MembershipsInput struct {
	ListInput
	MembershipFilters
}

// MembershipFilters narrow a list of memberships of any group.
type MembershipFilters struct {
	Group  string `query:"group" doc:"The edges of one group: 32 hex digits are an id, anything else is a name; id: or name: in front forces it. Unknown is 404, several of the name are 409 with their ids."`
	Member string `query:"member" doc:"The edges of one person: digits are a member's id, anything else is an e-mail, of a member, a guest or both; id: or name: in front forces it. Unknown is 404."`
	EdgeFilters
}

func (in *MembershipFilters) filter() directory.MembershipFilter {
	f := in.EdgeFilters.filter()
	if in.Group != "" {
		f.Group = new(directory.ParseGroupRef(in.Group))
	}
	if in.Member != "" {
		f.Person = new(directory.ParsePersonRef(in.Member))
	}
	return f
}

var listMembershipsDoc = doc{
	"list-memberships", "List memberships",
	"One row an edge: by group id, in each group members by id, then guests by e-mail; or by the group's name, in each group by full name. " +
		"Every edge that Tallyfy shows is listed, whatever the person's status: narrow them with status.", "memberships",
}

func (s *server) listMemberships(ctx context.Context, in *MembershipsInput) (*ListOutput[Membership], error) {
	return s.memberships(ctx, &in.ListInput, in.filter())
}

// A GroupMembersInput asks who is in a group.
type GroupMembersInput struct {
	ListInput
	Group string `path:"g" doc:"The group, by id or name."`
	EdgeFilters
}

var listGroupMembersDoc = doc{
	"list-group-members", "Who is in a group",
	"Members and guests, one row each: members by id, then guests by e-mail; or by full name. Every edge that Tallyfy shows is listed, whatever the person's status: narrow them with status.", "groups",
}

func (s *server) listGroupMembers(ctx context.Context, in *GroupMembersInput) (*ListOutput[Membership], error) {
	f := in.filter()
	f.Group = new(directory.ParseGroupRef(in.Group))
	return s.memberships(ctx, &in.ListInput, f)
}

func (s *server) memberships(ctx context.Context, in *ListInput, f directory.MembershipFilter) (*ListOutput[Membership], error) {
	q, err := in.query(requestOf(ctx))
	if err != nil {
		return nil, err
	}
	return listed(ctx, s, newMembership, func() (directory.Page[directory.Membership], error) { return s.Mirror.Memberships(ctx, f, q) })
}

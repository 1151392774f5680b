package api

import (
	"cmp"
	"context"

	"rollcall/internal/directory"
)

// withMembers is the value of with that adds who is in a group.
const withMembers = "members"

// A GroupsInput asks for groups.
type GroupsInput struct {
	ListInput
	With string `query:"with" enum:"members" doc:"members adds ids and e-mails of those in each group."`
}

var listGroupsDoc = doc{"list-groups", "List groups", "All groups, by id or name.", "groups"}

func (s *server) listGroups(ctx context.Context, in *GroupsInput) (*ListOutput[Group], error) {
	q, err := in.query(requestOf(ctx))
	if err != nil {
		return nil, err
	}
	list, shape := s.Mirror.Groups, newGroup
	if in.With == withMembers {
		list, shape = s.Mirror.GroupsWithEdges, newGroupWithMembers
	}
	return listed(ctx, s, shape, func() (directory.Page[directory.Group], error) { return list(ctx, directory.GroupFilter{}, q) })
}

// A GroupInput names one group.
type GroupInput struct {
	ReadInput
	Group string `path:"g" doc:"The group: 32 hex digits are an id, anything else is a name; id: or name: in front forces it. A name matches exactly, else in any case if one group alone has it."`
	With  string `query:"with" enum:"members" doc:"members adds ids and e-mails of those in the group."`
}

var getGroupDoc = doc{"get-group", "Get a group", "One group, by id or name. Several of the name are 409 with their ids.", "groups"}

func (s *server) getGroup(ctx context.Context, in *GroupInput) (*OneOutput[Group], error) {
	read, shape := s.Mirror.GroupSummary, newGroup
	if in.With == withMembers {
		read, shape = s.Mirror.Group, newGroupWithMembers
	}
	ref := directory.ParseGroupRef(in.Group)
	at, err := in.asOf()
	if err != nil {
		return nil, err
	}
	group, err := fresh(s, requestOf(ctx), func() (directory.Found[directory.Group], error) {
		return read(ctx, ref, at)
	}, func(found directory.Found[directory.Group]) rows {
		return rows{group: cmp.Or(found.Row.ID, ref.ID)}
	})
	if err != nil {
		return nil, err
	}
	return one(ctx, s, group, shape), nil
}

// A GroupMembersInput asks who is in a group.
type GroupMembersInput struct {
	ListInput
	Group string `path:"g" doc:"The group, by id or name."`
	Kind  string `query:"kind" enum:"member,guest" doc:"One kind alone."`
}

var listGroupMembersDoc = doc{
	"list-group-members", "Who is in a group",
	"Members and guests, one row each: members by id, then guests by e-mail; or by full name. Every edge that Tallyfy shows is listed, whatever the person's status.", "groups",
}

func (s *server) listGroupMembers(ctx context.Context, in *GroupMembersInput) (*ListOutput[Membership], error) {
	q, err := in.query(requestOf(ctx))
	if err != nil {
		return nil, err
	}
	return listed(ctx, s, newMembership, func() (directory.Page[directory.Membership], error) {
		return s.Mirror.GroupMembers(ctx, directory.ParseGroupRef(in.Group), directory.Kind(in.Kind), q)
	})
}

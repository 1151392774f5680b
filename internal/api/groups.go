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
	GroupFilters
	With string `query:"with" enum:"members" doc:"members adds ids and e-mails of those in each group."`
}

// GroupFilters narrow a list of groups.
type GroupFilters struct {
	Name       string       `query:"name" doc:"This group alone, named as in the path of one: 32 hex digits are an id, anything else is a name; id: or name: in front forces it. Unknown is 404, several of the name are 409 with their ids."`
	Contains   string       `query:"q" maxLength:"200" doc:"Groups alone that have this in name or description, as it stands but for case."`
	MinMembers int          `query:"min_members" minimum:"0" doc:"Groups alone of as many members at least; guests do not count."`
	Empty      optionalBool `query:"empty" doc:"true: groups alone that hold nobody, neither members nor guests; false: the others."`
	HasGuests  optionalBool `query:"has_guests" doc:"true: groups alone that hold guests; false: the others."`
}

func (in *GroupFilters) filter() directory.GroupFilter {
	f := directory.GroupFilter{
		Contains: in.Contains, MinMembers: in.MinMembers, Empty: in.Empty.pointer(), HasGuests: in.HasGuests.pointer(),
	}
	if in.Name != "" {
		f.Group = new(directory.ParseGroupRef(in.Name))
	}
	return f
}

var listGroupsDoc = doc{"list-groups", "List groups", "All groups, or those that meet every filter, by id or name.", "groups"}

func (s *server) listGroups(ctx context.Context, in *GroupsInput) (*ListOutput[Group], error) {
	q, err := in.query(requestOf(ctx))
	if err != nil {
		return nil, err
	}
	list, shape := s.Mirror.Groups, newGroup
	if in.With == withMembers {
		list, shape = s.Mirror.GroupsWithEdges, newGroupWithMembers
	}
	return listed(ctx, s, shape, func() (directory.Page[directory.Group], error) { return list(ctx, in.filter(), q) })
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

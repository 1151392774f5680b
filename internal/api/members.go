package api

import (
	"context"

	"rollcall/internal/directory"
)

// A MembersInput asks for members.
type MembersInput struct {
	ListInput
	MemberFilters
}

// MemberFilters narrow a list of members.
type MemberFilters struct {
	In       []string     `query:"in,explode" maxItems:"32" doc:"Members of this group alone, named by id or name as in its path; of all of these, if it is repeated. Unknown is 404, several of the name are 409 with their ids."`
	InAny    []string     `query:"in_any,explode" maxItems:"32" doc:"Members alone of one at least of these groups."`
	NotIn    []string     `query:"not_in,explode" maxItems:"32" doc:"Members alone of none of these groups."`
	NoGroup  optionalBool `query:"no_group" doc:"true: members alone who are in no group; false: the others."`
	Status   string       `query:"status" enum:"active,invited,disabled" doc:"Members of this status alone."`
	Role     string       `query:"role" maxLength:"100" example:"standard" doc:"Members of this role alone, in any case."`
	Domain   string       `query:"domain" maxLength:"253" example:"example.com" doc:"Members alone whose e-mail has this domain, all that follows its last @, in any case."`
	Email    string       `query:"email" doc:"This member alone, named as in the path of one: an e-mail in any case, or an id. Unknown is 404."`
	Contains string       `query:"q" maxLength:"200" doc:"Members alone who have this in first, last or full name or e-mail, as it stands but for case."`
}

func (in *MemberFilters) filter() directory.MemberFilter {
	f := directory.MemberFilter{
		In: groupRefs(in.In), InAny: groupRefs(in.InAny), NotIn: groupRefs(in.NotIn), NoGroup: in.NoGroup.pointer(),
		Status: directory.Status(in.Status), Role: in.Role, Domain: in.Domain, Contains: in.Contains,
	}
	if in.Email != "" {
		f.Person = new(directory.ParsePersonRef(in.Email))
	}
	return f
}

func groupRefs(names []string) []directory.GroupRef {
	refs := make([]directory.GroupRef, len(names))
	for i, name := range names {
		refs[i] = directory.ParseGroupRef(name)
	}
	return refs
}

var listMembersDoc = doc{
	"list-members", "List members",
	"All members of the organisation, or those who meet every filter, by id or full name. Guests are not among them, nor are ids that only a group names. " +
		"in, in_any and not_in count every edge that Tallyfy shows, whatever the person's status: narrow them with status.", "members",
}

func (s *server) listMembers(ctx context.Context, in *MembersInput) (*ListOutput[Member], error) {
	q, err := in.query(requestOf(ctx))
	if err != nil {
		return nil, err
	}
	return listed(ctx, s, newMember, func() (directory.Page[directory.Member], error) {
		return s.Mirror.Members(ctx, in.filter(), q)
	})
}

// A MemberInput names one member.
type MemberInput struct {
	ReadInput
	Member string `path:"m" doc:"The member: digits are an id, anything else is an e-mail, in any case; id: or name: in front forces it."`
}

var getMemberDoc = doc{"get-member", "Get a member", "One member, by id or e-mail.", "members"}

func (s *server) getMember(ctx context.Context, in *MemberInput) (*OneOutput[Member], error) {
	at, err := in.asOf()
	if err != nil {
		return nil, err
	}
	member, err := fresh(s, requestOf(ctx), func() (directory.Found[directory.Member], error) {
		return s.Mirror.Member(ctx, directory.ParsePersonRef(in.Member), at)
	}, everything) // as any group may have come to count
	if err != nil {
		return nil, err
	}
	return one(ctx, s, member, newMember), nil
}

// A GroupsOfMemberInput asks which groups somebody is in.
type GroupsOfMemberInput struct {
	ListInput
	Member string `path:"m" doc:"The person: digits are a member's id, anything else is an e-mail, looked up among members, then guests; id: or name: in front forces it."`
}

var listGroupsOfMemberDoc = doc{
	"list-groups-of-member", "Which groups is somebody in",
	"The groups of a member, or of a guest named by e-mail, each with the bounds of when it began.", "members",
}

func (s *server) listGroupsOfMember(ctx context.Context, in *GroupsOfMemberInput) (*ListOutput[GroupOfPerson], error) {
	q, err := in.query(requestOf(ctx))
	if err != nil {
		return nil, err
	}
	return listed(ctx, s, newGroupOfPerson, func() (directory.Page[directory.GroupOfPerson], error) {
		return s.Mirror.GroupsOfPerson(ctx, directory.ParsePersonRef(in.Member), q)
	})
}

// A GroupsOfGuestInput asks which groups a guest is in.
type GroupsOfGuestInput struct {
	ListInput
	Email string `path:"email" doc:"The guest's e-mail, in any case."`
}

var listGroupsOfGuestDoc = doc{
	"list-groups-of-guest", "Which groups is a guest in",
	"As for members, but the e-mail is looked up among guests alone.", "guests",
}

func (s *server) listGroupsOfGuest(ctx context.Context, in *GroupsOfGuestInput) (*ListOutput[GroupOfPerson], error) {
	q, err := in.query(requestOf(ctx))
	if err != nil {
		return nil, err
	}
	return listed(ctx, s, newGroupOfPerson, func() (directory.Page[directory.GroupOfPerson], error) {
		return s.Mirror.GroupsOfGuest(ctx, in.Email, q)
	})
}

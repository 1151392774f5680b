package api

import (
	"context"

	"rollcall/internal/directory"
)

// A MembersInput asks for members.
type MembersInput struct{ ListInput }

var listMembersDoc = doc{"list-members", "List members", "All members of the organisation, in whatever status, by id or full name. Guests are not among them.", "members"}

func (s *server) listMembers(ctx context.Context, in *MembersInput) (*ListOutput[Member], error) {
	q, err := in.query(requestOf(ctx))
	if err != nil {
		return nil, err
	}
	return listed(ctx, s, newMember, func() (directory.Page[directory.Member], error) {
		return s.Mirror.Members(ctx, directory.MemberFilter{}, q)
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

package api

import (
	"context"

	"rollcall/internal/directory"
)

// A CoMember is a member who shares groups with somebody.
type CoMember struct {
	Member
	Shared int `json:"shared" doc:"Groups that both are in, at least 1."`
}

func newCoMember(m directory.CoMember) CoMember { return CoMember{newMember(m.Member), m.Shared} }

// A CoMembersInput asks who shares groups with somebody.
type CoMembersInput struct {
	ListInput
	Member string `path:"m" doc:"The person: digits are a member's id, anything else is an e-mail, looked up among members, then guests; id: or name: in front forces it."`
}

var listCoMembersDoc = doc{
	"list-co-members", "Who shares groups with somebody",
	"The members who are in a group with a member or guest, each with the number of groups that both are in: those of most first, ties by id; or by full name. " +
		"Every edge that Tallyfy shows counts, whatever the status. Guests are not listed, nor are ids that the member list lacks.", "members",
}

func (s *server) listCoMembers(ctx context.Context, in *CoMembersInput) (*ListOutput[CoMember], error) {
	q, err := in.query(requestOf(ctx))
	if err != nil {
		return nil, err
	}
	return listed(ctx, s, newCoMember, func() (directory.Page[directory.CoMember], error) {
		return s.Mirror.CoMembers(ctx, directory.ParsePersonRef(in.Member), q)
	})
}

// A SharedGroupsInput asks which groups two persons are both in.
type SharedGroupsInput struct {
	ListInput
	Member string `path:"m" doc:"The one person: digits are a member's id, anything else is an e-mail, looked up among members, then guests; id: or name: in front forces it."`
	With   string `query:"with" required:"true" doc:"The other person, named likewise. Unknown is 404, as for the one."`
}

var listSharedGroupsDoc = doc{
	"list-shared-groups", "Which groups do two share",
	"The groups that two persons are both in, be they members or guests.", "members",
}

func (s *server) listSharedGroups(ctx context.Context, in *SharedGroupsInput) (*ListOutput[Group], error) {
	q, err := in.query(requestOf(ctx))
	if err != nil {
		return nil, err
	}
	return listed(ctx, s, newGroup, func() (directory.Page[directory.Group], error) {
		return s.Mirror.SharedGroups(ctx, directory.ParsePersonRef(in.Member), directory.ParsePersonRef(in.With), q)
	})
}

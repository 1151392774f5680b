package api

import (
	"context"

	"rollcall/internal/directory"
)

// A CheckInput asks whether somebody is in a group.
type CheckInput struct {
	ReadInput
	Member          string `query:"member" required:"true" doc:"The person: digits are a member's id, anything else is an e-mail, looked up among members, then guests; id: or name: in front forces it."`
	Group           string `query:"group" required:"true" doc:"The group: 32 hex digits are an id, anything else is a name; id: or name: in front forces it."`
	IncludeDisabled bool   `query:"include_disabled" doc:"Count a disabled person as a member where Tallyfy still lists the edge."`
}

var checkDoc = doc{
	"check", "Is somebody in a group",
	"A disabled person is no member, with the reason disabled, unless include_disabled=true. Somebody or a group that is not known is 404.", "check",
}

func (s *server) check(ctx context.Context, in *CheckInput) (*OneOutput[Check], error) {
	at, err := in.asOf()
	if err != nil {
		return nil, err
	}
	verdict, err := fresh(s, requestOf(ctx), func() (directory.Found[directory.Check], error) {
		return s.Mirror.Check(ctx, directory.ParsePersonRef(in.Member), directory.ParseGroupRef(in.Group), in.IncludeDisabled, at)
	}, rowsOfCheck)
	if err != nil {
		return nil, err
	}
	if err := s.tooOld(verdict.Freshness); err != nil {
		return nil, err
	}
	return one(ctx, s, verdict, newCheck), nil
}

// rowsOfCheck are the group and, unless it is a guest, the member.
func rowsOfCheck(verdict directory.Found[directory.Check]) rows {
	return rows{verdict.Row.GroupID, verdict.Row.MemberID}
}

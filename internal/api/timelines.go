package api

import (
	"context"
	"net/http"

	"rollcall/internal/directory"
)

// Timelines tell the changes of one group or person, oldest first; those that
// are gone have one, too. Without initial, what the first sweep found is left
// out.
type Timelines interface {
	GroupTimeline(ctx context.Context, ref directory.GroupRef, initial bool, q directory.ListQuery) (directory.Page[directory.Change], error)
	PersonTimeline(ctx context.Context, ref directory.PersonRef, initial bool, q directory.ListQuery) (directory.Page[directory.Change], error)
}

// A TimelineInput asks for part of a timeline.
type TimelineInput struct {
	ReadInput
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Changes on a page; there may be fewer, even none, before the end."`
	Cursor  string `query:"cursor" doc:"next_cursor of the page before. It belongs to the same path and parameters, limit apart."`
	Initial bool   `query:"include_initial" doc:"With what the first sweep found."`
}

func (in *TimelineInput) query(r *http.Request) (directory.ListQuery, error) {
	list := ListInput{ReadInput: in.ReadInput, Limit: in.Limit, Cursor: in.Cursor}
	return list.query(r)
}

// A GroupTimelineInput asks for the timeline of a group.
type GroupTimelineInput struct {
	TimelineInput
	Group string `path:"g" doc:"The group, by id or name; a name that no group has now is looked for among those that are gone."`
}

var groupTimelineDoc = doc{
	"group-timeline", "What happened to a group",
	"The changes of a group and of who is in it, oldest first, in the order of the feed; with as_of, up to then. What the first sweep found is left out unless include_initial=true.", "changes",
}

func (s *server) groupTimeline(ctx context.Context, in *GroupTimelineInput) (*ListOutput[Change], error) {
	q, err := in.query(requestOf(ctx))
	if err != nil {
		return nil, err
	}
	return listed(ctx, s, newChange, func() (directory.Page[directory.Change], error) {
		return s.Mirror.GroupTimeline(ctx, directory.ParseGroupRef(in.Group), in.Initial, q)
	})
}

// A MemberTimelineInput asks for the timeline of a person.
type MemberTimelineInput struct {
	TimelineInput
	Member string `path:"m" doc:"The person: digits are a member's id, anything else is an e-mail, looked up among members, then guests, then members of the past."`
}

var memberTimelineDoc = doc{
	"member-timeline", "What happened to somebody",
	"The changes of a member, or of a guest named by e-mail, and of the groups they are in, oldest first, in the order of the feed; with as_of, up to then. What the first sweep found is left out unless include_initial=true.", "changes",
}

func (s *server) memberTimeline(ctx context.Context, in *MemberTimelineInput) (*ListOutput[Change], error) {
	q, err := in.query(requestOf(ctx))
	if err != nil {
		return nil, err
	}
	return listed(ctx, s, newChange, func() (directory.Page[directory.Change], error) {
		return s.Mirror.PersonTimeline(ctx, directory.ParsePersonRef(in.Member), in.Initial, q)
	})
}

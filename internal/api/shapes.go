package api

import (
	"time"

	"rollcall/internal/directory"
)

// The types of this file are the contract of /v1. Instants are RFC 3339 in
// UTC, ids are as upstream has them, what is unknown is null.

// A List is part of a list, at one revision.
type List[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor" doc:"Where the next page begins, for the parameter cursor; null at the end. It is opaque, and good for at least an hour."`
	Total      *int    `json:"total,omitempty" doc:"The rows of the whole list; with count=true only."`
	Shown
}

// A One is one object, at one revision.
type One[T any] struct {
	Data T `json:"data"`
	Shown
}

// Shown is the state of the mirror that an answer shows.
type Shown struct {
	Revision    int64      `json:"revision" doc:"Grows by one when anything served changes; all pages of a walk show the one it began with."`
	Epoch       string     `json:"epoch" doc:"The life of the database that the revision belongs to."`
	PublishedAt *time.Time `json:"published_at" doc:"When the revision was published; null before the first."`
	AsOf        *Then      `json:"as_of,omitempty" doc:"Which past state the answer shows; with as_of only."`
}

func shown(f directory.Freshness) Shown {
	return Shown{f.Revision, f.Epoch, instant(f.PublishedAt), then(f.Then)}
}

// A Group is a set of members and guests.
type Group struct {
	ID          string     `json:"id" example:"0f3b0c1d2e4f5a6b7c8d9e0f1a2b3c4d" doc:"As upstream has it."`
	Name        string     `json:"name"`
	Description *string    `json:"description"`
	Logo        *string    `json:"logo" doc:"URL of a picture."`
	MemberCount int        `json:"member_count"`
	GuestCount  int        `json:"guest_count"`
	Version     string     `json:"version" doc:"Hash of name, description, members and guests."`
	CreatedAt   *time.Time `json:"created_at"`
	UpdatedAt   *time.Time `json:"updated_at" doc:"What Tallyfy says; it does not move with every change of the members."`
	Members     []int64    `json:"members,omitzero" doc:"Ids, ascending; with=members only."`
	Guests      []string   `json:"guests,omitzero" doc:"E-mails; with=members only."`
}

func newGroup(g directory.Group) Group {
	return Group{
		ID: g.ID, Name: g.Name, Description: g.Description, Logo: g.Logo,
		MemberCount: g.MemberCount, GuestCount: g.GuestCount, Version: g.Version,
		CreatedAt: instant(g.CreatedAt), UpdatedAt: instant(g.UpdatedAt),
	}
}

func newGroupWithMembers(g directory.Group) Group {
	out := newGroup(g)
	out.Members, out.Guests = append([]int64{}, g.Members...), append([]string{}, g.Guests...)
	return out
}

// A GroupOfPerson is a group and since when somebody is in it.
type GroupOfPerson struct {
	Group
	Since
	Certainty
}

func newGroupOfPerson(g directory.GroupOfPerson) GroupOfPerson {
	return GroupOfPerson{newGroup(g.Group), since(g.Since), Certainty{g.Uncertain}}
}

// Since encloses the instant at which somebody came into a group.
type Since struct {
	NotBefore *time.Time `json:"since_not_before" doc:"When the last observation without it began; null when there was none."`
	NotAfter  *time.Time `json:"since_not_after" doc:"When the first observation with it ended."`
}

// A Certainty says whether a membership of a past state was there at the very
// instant that was asked about.
type Certainty struct {
	Uncertain bool `json:"uncertain,omitempty" doc:"True, with as_of only, where the bounds within which the membership began or ended enclose the instant: it may have come or gone by then."`
}

func since(b directory.Bounds) Since { return Since{instant(b.NotBefore), instant(b.NotAfter)} }

// A Member is a user of the organisation.
type Member struct {
	ID          int64      `json:"id" example:"11"`
	Email       *string    `json:"email" doc:"Null, in a past state, of somebody who was erased since; so are names, title, team and time zone."`
	FirstName   *string    `json:"first_name"`
	LastName    *string    `json:"last_name"`
	FullName    *string    `json:"full_name"`
	Role        *string    `json:"role" doc:"admin, standard or light."`
	Status      string     `json:"status" enum:"active,invited,disabled"`
	JobTitle    *string    `json:"job_title"`
	Team        *string    `json:"team"`
	Timezone    *string    `json:"timezone"`
	LastLoginAt *time.Time `json:"last_login_at" doc:"Moves by itself: published with the next revision, or after an hour."`
	CreatedAt   *time.Time `json:"created_at"`
	UpdatedAt   *time.Time `json:"updated_at"`
	GroupCount  int        `json:"group_count"`
}

func newMember(m directory.Member) Member {
	return Member{
		ID: m.ID, Email: emailOf(m.Email), FirstName: m.FirstName, LastName: m.LastName, FullName: m.FullName,
		Role: m.Role, Status: string(m.Status), JobTitle: m.JobTitle, Team: m.Team, Timezone: m.Timezone,
		LastLoginAt: instant(m.LastLoginAt), CreatedAt: instant(m.CreatedAt), UpdatedAt: instant(m.UpdatedAt),
		GroupCount: m.GroupCount,
	}
}

// emailOf is null for an e-mail that was erased.
func emailOf(email string) *string {
	if email == "" {
		return nil
	}
	return &email
}

// A Membership is one edge: somebody in a group.
type Membership struct {
	GroupID   string  `json:"group_id"`
	GroupName string  `json:"group_name"`
	Kind      string  `json:"kind" enum:"member,guest"`
	MemberID  *int64  `json:"member_id" doc:"Null for guests."`
	Email     *string `json:"email"`
	FullName  *string `json:"full_name" doc:"Null for guests, who are known only as e-mails; so are role and status."`
	Role      *string `json:"role"`
	Status    *string `json:"status" doc:"active, invited or disabled. A disabled member is listed as long as Tallyfy shows it."`
	Since
	Certainty
}

func newMembership(m directory.Membership) Membership {
	return Membership{
		GroupID: m.GroupID, GroupName: m.GroupName, Kind: string(m.Kind), MemberID: memberID(m.MemberID),
		Email: m.Email, FullName: m.FullName, Role: m.Role, Status: (*string)(m.Status), Since: since(m.Since), Certainty: Certainty{m.Uncertain},
	}
}

// A Check says whether somebody is in a group.
type Check struct {
	Member   bool    `json:"member"`
	Kind     *string `json:"kind" doc:"member or guest; null without an edge."`
	Status   *string `json:"status" doc:"active, invited or disabled; null for guests."`
	GroupID  *string `json:"group_id" doc:"Null where it cannot be told."`
	MemberID *int64  `json:"member_id" doc:"Null for guests, and where it cannot be told."`
	Reason   *string `json:"reason" doc:"Why not, where there is more to say. One pair that cannot be told is 404 or 409; of many, the reason says so: unknown group, unknown member, or ambiguous where several groups have the name."`
}

func newCheck(c directory.Check) Check {
	out := Check{Member: c.Member, Status: (*string)(c.Status), MemberID: memberID(c.MemberID)}
	if c.GroupID != "" {
		out.GroupID = new(c.GroupID)
	}
	if c.Kind != "" {
		out.Kind = new(string(c.Kind))
	}
	if c.Reason != "" {
		out.Reason = new(c.Reason)
	}
	return out
}

func memberID(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC().Truncate(time.Millisecond))
}

package directory

import (
	"cmp"
	"strings"
)

// A ChangeType says what became of what.
type ChangeType string

// The types of a change.
const (
	GroupCreated           ChangeType = "group.created"
	GroupUpdated           ChangeType = "group.updated"
	GroupDeleted           ChangeType = "group.deleted"
	MemberCreated          ChangeType = "member.created"
	MemberUpdated          ChangeType = "member.updated"
	MemberDeleted          ChangeType = "member.deleted"
	MemberErased           ChangeType = "member.erased"
	MembershipAdded        ChangeType = "membership.added"
	MembershipRemoved      ChangeType = "membership.removed"
	GuestMembershipAdded   ChangeType = "guest_membership.added"
	GuestMembershipRemoved ChangeType = "guest_membership.removed"
)

// ChangeTypes lists every type.
var ChangeTypes = []ChangeType{
	GroupCreated, GroupUpdated, GroupDeleted, MemberCreated, MemberUpdated, MemberDeleted, MemberErased,
	MembershipAdded, MembershipRemoved, GuestMembershipAdded, GuestMembershipRemoved,
}

// A Change is one entry of the feed. Names and e-mails are those of the state
// that it is about: of what ended, the last; of anything else, the new.
type Change struct {
	Place    FeedPlace // behind it
	Revision int64
	Type     ChangeType

	GroupID   string  // empty where it is about no group
	GroupName *string // nil where it is about no group
	MemberID  int64   // 0 where it is about no member
	Email     *string // nil where it is about nobody, or of one who is not listed or was erased

	Bounds
	Cause   Cause
	Actor   string        // key name or Tallyfy user id; empty for sweeps
	Changed []FieldChange // of what was created or updated, in a fixed order, else nil
}

// A FieldChange is one attribute before and after. Its values are nil, a
// string or a time.Time; of what was created the old ones are nil, and
// attributes that it lacks are left out. A logo stands without the query part
// of its URL.
type FieldChange struct {
	Field string // as /v1 names it
	Old   any
	New   any
}

// A FeedPlace is a place in the feed: behind a change of a revision or, where
// Key is zero, at the revision's end.
type FeedPlace struct {
	Pin
	Key ChangeKey
}

// FeedPlace is the place in the feed of what f shows: the end of its revision.
func (f Freshness) FeedPlace() FeedPlace { return FeedPlace{Pin: f.Pin()} }

// A ChangeKey orders the changes of one revision: by step, then by group,
// members before guests, and id. Guests go in the order in which they were
// first seen, which outlasts the erasure of an e-mail.
type ChangeKey struct {
	Step  Step   `json:"s,omitempty"`
	Group string `json:"g,omitempty"`
	Guest bool   `json:"t,omitempty"`
	ID    int64  `json:"m,omitempty"`
}

// A Step is a part of a revision, in the order in which the feed tells them:
// edges end before what they join does, and begin after it.
type Step int

// The steps.
const (
	StepEdgesRemoved Step = iota + 1
	StepGroupsDeleted
	StepMembersDeleted
	StepGroupsSet
	StepMembersSet
	StepEdgesAdded
	StepErased
)

// IsKnown reports whether there is such a step.
func (s Step) IsKnown() bool { return s >= StepEdgesRemoved && s <= StepErased }

// Compare orders keys.
func (k ChangeKey) Compare(other ChangeKey) int {
	rank := func(guest bool) int {
		if guest {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(k.Step, other.Step),
		strings.Compare(k.Group, other.Group),
		cmp.Compare(rank(k.Guest), rank(other.Guest)),
		cmp.Compare(k.ID, other.ID),
	)
}

// A FeedQuery asks for part of the feed.
type FeedQuery struct {
	After *FeedPlace // nil for the beginning
	Limit int        // changes wanted, at least 1
	UpTo  *Pin       // the last revision wanted; nil for the present one
}

// A FeedPage is part of the feed. It may hold fewer changes than wanted, or
// none, and there may be more: then More is set and Next leads on.
type FeedPage struct {
	Changes []Change
	Next    FeedPlace // behind all that the page tells of
	More    bool      // there are more changes behind Next, or may be
	Pruned  bool      // the beginning was asked for, and older changes are no longer kept
	Freshness
}

package tallyfysim

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// The roles and statuses of a user.
const (
	RoleAdmin    = "admin"
	RoleStandard = "standard"
	RoleLight    = "light"

	StatusActive   = "active"
	StatusInvited  = "invited"
	StatusDisabled = "disabled"
)

// A Group is one group of the organisation. Instants have whole seconds.
type Group struct {
	ID          string // given when empty
	Name        string
	Description string   // empty is sent as null
	Logo        string   // empty is sent as null
	Members     []int64  // user ids in no order; may name users that do not exist
	Guests      []string // e-mails
	CreatedAt   time.Time
	UpdatedAt   time.Time

	// Extra replaces or adds fields in every form of the row, as raw JSON; nil
	// leaves the field out.
	Extra map[string]json.RawMessage
}

// A User is one member of the organisation. Zero instants and empty strings
// are sent as null. Instants have whole seconds.
type User struct {
	ID             int64 // given when 0
	Email          string
	Username       string
	FirstName      string
	LastName       string
	Role           string // default [RoleStandard]
	Status         string // default [StatusActive]
	Phone          string
	JobTitle       string
	JobDescription string
	Team           string
	Timezone       string // default UTC
	UTCOffset      string // default that of Timezone in winter
	ProfilePic     string
	CountryID      int64
	InvitedBy      int64
	CreatedAt      time.Time
	UpdatedAt      time.Time
	ActivatedAt    time.Time
	LastLoginAt    time.Time
	DisabledAt     time.Time
	DefaultAdmin   bool // cannot be changed, disabled or removed
	Bot            bool // likewise, and not counted
	Elsewhere      bool // in another organisation too: edited by itself alone

	// Extra replaces or adds fields in every form of the row, as raw JSON; nil
	// leaves the field out.
	Extra map[string]json.RawMessage
}

// A Guest is an outside person, known by e-mail. Zero instants are sent as
// null.
type Guest struct {
	ID         int64
	Email      string
	FirstName  string
	LastName   string
	CreatedAt  time.Time
	DisabledAt time.Time

	AssociatedMembers []int64 // user ids; nil is sent as null
}

func (g *Group) clone() *Group {
	c := *g
	c.Members = slices.Clone(g.Members)
	c.Guests = slices.Clone(g.Guests)
	c.Extra = maps.Clone(g.Extra)
	return &c
}

func (u *User) clone() *User {
	c := *u
	c.Extra = maps.Clone(u.Extra)
	return &c
}

func (u *User) fullName() string {
	return strings.TrimSpace(u.FirstName + " " + u.LastName)
}

// seated says whether the user takes one of the full seats.
func (u *User) seated() bool {
	return !u.Bot && u.Status != StatusDisabled && u.Role != RoleLight
}

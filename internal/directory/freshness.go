package directory

import (
	"math"
	"time"
)

// Freshness says which state of the mirror an answer shows, and how old the
// knowledge is. Epoch, Revision and PublishedAt together name the state: a
// cursor or validator that carries another three is not honoured. It carries
// the Nonce, too, for the one case in which three are not enough.
type Freshness struct {
	Epoch       string    // random, made with the database
	Revision    int64     // grows by one when anything served changes; 0 before the first
	PublishedAt time.Time // when the revision was committed

	// Nonce is drawn at random with each revision. After a restore, a clock
	// that was set back may publish other rows under the number and at the
	// instant of a revision of the lost life: the nonce differs.
	Nonce int64

	// Erased is the last revision that erased somebody, if it is later than
	// the state, which then looks otherwise than it did; else 0.
	Erased int64

	// ConfirmedAt is the oldest instant at which upstream was seen to agree
	// with the rows of the answer: when the first request of that sweep or
	// read left.
	ConfirmedAt time.Time

	// Then is nil unless a past state was asked for by an instant.
	Then *Then
}

// Fresh returns f: whatever embeds it says so how fresh it is.
func (f Freshness) Fresh() Freshness { return f }

// A Present is the present state where no row was last confirmed before the
// last sweep. ConfirmedAt is when that began, so it holds of every list; if
// Uniform, it holds of every row alone, too, else those may be younger.
type Present struct {
	Freshness
	Uniform bool
}

// A Renewal is how a demand for fresh rows was met: by asking upstream for
// them, which began no earlier than the demand.
type Renewal struct {
	BeganAt time.Time // the rows are confirmed no earlier
	Shared  bool      // somebody else had demanded it already
}

// slack is how far ahead a confirmation may lie because clocks are never quite
// right.
const slack = 5 * time.Second

// Age is how long ago the rows were confirmed. Where that lies ahead, the clock
// was set back since and nobody knows: it counts as longest ago.
func (f Freshness) Age(now time.Time) time.Duration {
	age := now.Sub(f.ConfirmedAt)
	if age < -slack {
		return math.MaxInt64
	}
	return max(age, 0)
}

// Pin names the revision that a walk over several pages began with.
type Pin struct {
	Epoch       string
	Revision    int64
	PublishedAt time.Time
	Nonce       int64
}

// Pin returns the state that f shows, for a cursor to carry.
func (f Freshness) Pin() Pin { return Pin{f.Epoch, f.Revision, f.PublishedAt, f.Nonce} }

// A Position is the place after a row in a sorted list: its sort key, empty
// where the order is by id alone, and its id.
type Position struct {
	Key string
	ID  string
}

// A ListQuery asks for part of a list.
type ListQuery struct {
	Limit      int       // rows wanted, at least 1
	ByName     bool      // order by folded name, ties by id; else by id
	Descending bool      // only with ByName
	After      *Position // nil for the beginning
	Pin        *Pin      // nil for the present; else the revision to read at
	AsOf       *AsOf     // nil for the present; with Pin, the instant that led to it
	Count      bool      // count all rows of the list, too
}

// AsOf names a past state: the last revision published at or before an
// instant, or, where Revision is not 0, that one, at its publication.
type AsOf struct {
	Instant  time.Time
	Revision int64
}

// Then tells which past state an answer shows, and the confirmations around
// the instant that was asked for.
type Then struct {
	Revision        int64
	ConfirmedBefore time.Time // the last at or before it; zero if there is none
	ConfirmedAfter  time.Time // the first after it; zero until there is one
}

// A Page is part of a list. Next is nil at the end. Total is how many rows the
// whole list has, nil unless the query counts.
type Page[T any] struct {
	Rows  []T
	Next  *Position
	Total *int
	Freshness
}

// A Found is one row and the state it was read from.
type Found[T any] struct {
	Row T
	Freshness
}

// Counts are the rows of the present revision.
type Counts struct {
	Groups           int `json:"groups"`
	Members          int `json:"members"`
	Memberships      int `json:"memberships"`
	GuestMemberships int `json:"guest_memberships"`
}

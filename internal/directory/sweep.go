package directory

import "time"

// A Sweep is the note of one pass over the upstream lists.
type Sweep struct {
	BeganAt  time.Time // when its first request left
	EndedAt  time.Time // zero while it runs
	Result   SweepResult
	Reason   Reason // of a failure
	Detail   string // of a failure, for a person, no secret, no upstream text; of a held sweep, the id of what is held
	Revision int64  // the revision it published, or found unchanged
	Requests int
	Groups   int // rows listed
	Members  int
}

// SweepResult tells how a sweep ended.
type SweepResult string

// The results of a sweep.
const (
	SweepRunning   SweepResult = "running"
	SweepPublished SweepResult = "published"
	SweepUnchanged SweepResult = "unchanged"
	SweepHeld      SweepResult = "held"
	SweepDropped   SweepResult = "dropped" // a write of unknown reach came between
	SweepFailed    SweepResult = "failed"
)

// Succeeded reports whether the sweep confirmed the whole mirror.
func (r SweepResult) Succeeded() bool { return r == SweepPublished || r == SweepUnchanged }

// ReadAll reports whether the sweep read the lists whole, whether or not it
// was believed.
func (r SweepResult) ReadAll() bool { return r.Succeeded() || r == SweepHeld }

// State is the health of the mirror, the first that applies.
type State string

// The states, in order of precedence.
const (
	StateUnauthorized State = "unauthorized" // upstream refuses the token
	StateHeld         State = "held"         // a sweep would remove a suspicious share
	StateFailing      State = "failing"      // the last attempt failed
	StateStarting     State = "starting"     // no data yet
	StateStale        State = "stale"        // older than three effective intervals
	StateFresh        State = "fresh"
)

// States lists every state, for gauges that show one of each.
var States = []State{StateUnauthorized, StateHeld, StateFailing, StateStarting, StateStale, StateFresh}

// PollStatus is what the poller knows of itself.
type PollStatus struct {
	State             State
	StateSince        time.Time
	LastAttemptAt     time.Time
	LastError         *LastError // nil after a success
	NextSweepAt       time.Time  // zero while one runs
	EffectiveInterval time.Duration
	IntervalReason    string    // why it is what it is, for a person
	Progress          *Progress // nil unless a sweep runs
	Drift             map[string]int
	Held              *Held // nil unless the last whole sweep is held
}

// Held is what a sweep would remove, so much of it that it looks like a fault
// of upstream and is not published unless accepted.
type Held struct {
	ID          string // names the set of removals
	Since       time.Time
	ReleaseAt   time.Time // when it will be believed, zero for only by hand or by the next sweep
	Groups      int
	Members     int
	Memberships int // of members and guests

	// Some of it by name, so much as a status can show. After a restart there
	// is nothing but ID and Since until the first sweep has ended.
	GoneGroups    []HeldGroup
	GoneMembers   []HeldMember
	ThinnedGroups []HeldGroup // that stay and lose memberships, most first
	Truncated     bool        // there is more than is named
}

// A HeldGroup is a group that would go or lose memberships.
type HeldGroup struct {
	ID          string
	Name        string
	Memberships int // that it would lose
}

// A HeldMember is a member that would go.
type HeldMember struct {
	ID    int64
	Email string
}

// LastError is the failure of the last attempt.
type LastError struct {
	At      time.Time `json:"at"`
	Reason  Reason    `json:"reason"`
	Message string    `json:"message"`
}

// Progress tells how far a running sweep has come. Expected pages are a
// guess from the first page, 0 until it arrived.
type Progress struct {
	BeganAt       time.Time `json:"began_at"`
	Listing       string    `json:"listing"` // members or groups
	PagesDone     int       `json:"pages_done"`
	PagesExpected int       `json:"pages_expected"`
	RowsDone      int       `json:"rows_done"`
}

// A Budget is what is left of the upstream request limits. A limit of 0
// means none.
type Budget struct {
	MinuteLimit     int       `json:"minute_limit"`
	MinuteRemaining int       `json:"minute_remaining"`
	HourLimit       int       `json:"hour_limit"`
	HourRemaining   int       `json:"hour_remaining"`
	PausedUntil     time.Time `json:"paused_until,omitzero"` // after a 429
}

// A Spend notes upstream requests, so that a restart remembers them.
type Spend struct {
	At       time.Time
	Requests int
	BySweep  bool
}

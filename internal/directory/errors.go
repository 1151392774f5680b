package directory

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrUnknownGroup says that no group has this id or name.
	ErrUnknownGroup = errors.New("no such group")
	// ErrUnknownPerson says that no member or guest has this id or e-mail.
	ErrUnknownPerson = errors.New("no such person")
	// ErrNoData says that the first sweep has not succeeded yet.
	ErrNoData = errors.New("no data yet")
	// ErrCursorGone says that a cursor's state is not in this database.
	ErrCursorGone = errors.New("cursor of another life of this database")
	// ErrFuture says that a state was asked for that has not come yet.
	ErrFuture = errors.New("an instant or a revision that has not come yet")
	// ErrReversed says that a range ends before it begins.
	ErrReversed = errors.New("a range that ends before it begins")
	// ErrPruned says that a past state is no longer kept.
	ErrPruned = errors.New("a past state that is no longer kept")
	// ErrNotKept says that a file could not be made where files are kept.
	ErrNotKept = errors.New("the file could not be made")
	// ErrTooLarge says that an answer would be larger than its asker can take.
	ErrTooLarge = errors.New("the answer would be too large")
	// ErrSuperseded says that an observation began before a later one was
	// applied to the same row, so it must not be applied: read the row again.
	ErrSuperseded = errors.New("a later observation of the row was applied")
	// ErrHeld says that upstream was read and so much would be removed by it
	// that it is not believed yet: of a single read, so many edges of a group
	// that a sweep must show the same.
	ErrHeld = errors.New("what was read would remove suspiciously much; a sweep has to confirm it")
)

// An AmbiguousNameError says that several groups bear a name.
type AmbiguousNameError struct {
	Name string
	IDs  []string // ascending
}

func (e *AmbiguousNameError) Error() string {
	return fmt.Sprintf("%d groups are named %q", len(e.IDs), e.Name)
}

// An UnknownGroupError is ErrUnknownGroup where several groups were named.
type UnknownGroupError struct{ Name string }

func (e *UnknownGroupError) Error() string { return fmt.Sprintf("no group is %q", e.Name) }

func (*UnknownGroupError) Unwrap() error { return ErrUnknownGroup }

// A TooEarlyError says that an instant lies before the first revision.
type TooEarlyError struct {
	First time.Time // when that was published
}

func (e *TooEarlyError) Error() string {
	return "nothing is known of the time before " + e.First.Format(time.RFC3339Nano)
}

// A HeldChangedError says that removals which were to be accepted are not
// those that the sweep would make now.
type HeldChangedError struct {
	ID string // of the set that is held now
}

func (e *HeldChangedError) Error() string {
	return "the sweep would remove other rows than those accepted; they are held as " + e.ID
}

// Reason classes a failure of upstream in a short fixed list, for metrics
// and for callers that branch.
type Reason string

// The reasons.
const (
	ReasonThrottled    Reason = "throttled"    // 429, or Retry-After beyond the cap
	ReasonUnauthorized Reason = "unauthorized" // 401
	ReasonForbidden    Reason = "forbidden"    // 403
	ReasonNotFound     Reason = "not-found"    // 404
	ReasonRefused      Reason = "refused"      // any other 4xx
	ReasonServer       Reason = "server"       // 5xx
	ReasonTransport    Reason = "transport"    // no or a broken answer
	ReasonTimeout      Reason = "timeout"      // no answer in time
	ReasonNotJSON      Reason = "not-json"     // a 2xx that is not JSON
	ReasonShape        Reason = "shape"        // JSON of the wrong kind
	ReasonKeyField     Reason = "key-field"    // a row without its id, name or e-mail
	ReasonTooLarge     Reason = "too-large"    // a body over the limit
	ReasonUnsteady     Reason = "unsteady"     // the list moved while it was read
	ReasonBudget       Reason = "budget"       // our own limits forbid the request for now
	ReasonStorage      Reason = "storage"      // the mirror could not be written
	ReasonInternal     Reason = "internal"     // a fault of Rollcall itself
)

// An UpstreamError says which request to Tallyfy failed and how. Its text
// holds no token and nothing of a 5xx body.
type UpstreamError struct {
	Op         string // "list groups, page 3", "read group 0f…"
	Reason     Reason
	Status     int           // 0 when there was no answer
	Code       string        // upstream's `code`, from the known list, else empty
	RetryAfter time.Duration // 0 when upstream named none
	Err        error         // cause, may be nil
}

func (e *UpstreamError) Error() string {
	text := e.Op + ": "
	if e.Status != 0 {
		text += fmt.Sprintf("Tallyfy answered %d", e.Status)
		if e.Code != "" {
			text += " " + e.Code
		}
	} else {
		text += string(e.Reason)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *UpstreamError) Unwrap() error { return e.Err }

// ReasonOf classes any error.
func ReasonOf(err error) Reason {
	if up, ok := errors.AsType[*UpstreamError](err); ok {
		return up.Reason
	}
	return ReasonInternal
}

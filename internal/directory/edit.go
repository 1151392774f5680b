package directory

import "fmt"

// A GroupEdit asks for a small change of one group. Whatever it does not name
// stays as upstream has it.
type GroupEdit struct {
	ID            string
	Name          *string // nil leaves it
	Description   *string // likewise
	AddMembers    []int64
	RemoveMembers []int64
	AddGuests     []string // e-mails, compared under FoldEmail
	RemoveGuests  []string

	// Versions that the group may have for the edit to be made: nil is any, an
	// empty list is none.
	Versions []string

	DryRun bool // send nothing, say what would be sent
}

// An EditedGroup says what became of an edit. Of a dry run, Row is the group
// as it would be.
type EditedGroup struct {
	Found[Group]
	Changed     bool         // false when there was nothing to do, so that nothing was sent
	Differences []Difference // between what was sent and what came back
	Body        []byte       // JSON that a dry run would have sent, nil when nothing
}

// A Difference is a field of a group that came back otherwise than it was
// sent. Of a text these are the texts, nil for none; of a list they are the
// elements that were only sent, and those that only came.
type Difference struct {
	Field string
	Sent  any
	Came  any
}

// A VersionError says that a group has another version than an edit allows.
// Nothing was sent.
type VersionError struct{ Version string }

func (e *VersionError) Error() string {
	return "the group has version " + e.Version + ", which the edit does not allow"
}

// An EditConflictError says that upstream took an edit and that the group does
// not hold what it asked. The mirror shows the group as it is.
type EditConflictError struct {
	Differences []Difference
	Freshness
}

func (e *EditConflictError) Error() string {
	return fmt.Sprintf("the group does not hold what was asked: %d fields came back otherwise", len(e.Differences))
}

// A RefusedError says that upstream refused a write, with a 4xx.
type RefusedError struct{ Outcome }

func (e *RefusedError) Error() string { return fmt.Sprintf("Tallyfy answered %d to a write", e.Status) }

// An UnknownOutcomeError says that a write was sent and nobody knows whether
// upstream acted on it. What it was about is in doubt and will be read.
type UnknownOutcomeError struct {
	Status int // that upstream answered, 0 when the answer was lost
	Err    error
}

func (e *UnknownOutcomeError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("Tallyfy answered %d to a write, which may have been made", e.Status)
	}
	return "it is not known whether a write was made: " + e.Err.Error()
}

func (e *UnknownOutcomeError) Unwrap() error { return e.Err }

package access

import (
	"errors"
	"fmt"
	"time"
)

// ErrUnauthenticated says that nobody is known by what the request carried.
var ErrUnauthenticated = errors.New("not authenticated")

// A ForbiddenError says that a known caller may not do something.
type ForbiddenError struct {
	Action Action
	Why    string // a sentence for the caller, without its end: what is missing
}

func (e *ForbiddenError) Error() string { return fmt.Sprintf("%s is forbidden: %s", e.Action, e.Why) }

// A RetryLaterError says that it cannot be known now what a token may see.
type RetryLaterError struct {
	After time.Duration // at least a second
	Err   error         // why Tallyfy could not be asked; nil when too many tokens were probed
}

func (e *RetryLaterError) Error() string {
	why := "no more tokens are probed in this minute"
	if e.Err != nil {
		why = e.Err.Error()
	}
	return fmt.Sprintf("what this token may see cannot be asked of Tallyfy now, try again in %s: %s", e.After, why)
}

func (e *RetryLaterError) Unwrap() error { return e.Err }

// retryLater rounds up to the whole seconds of a Retry-After header.
func retryLater(after time.Duration, err error) error {
	seconds := (after + time.Second - 1).Truncate(time.Second)
	return &RetryLaterError{After: max(seconds, time.Second), Err: err}
}

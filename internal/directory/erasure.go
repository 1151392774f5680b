package directory

import "errors"

// ErrStillExists says that somebody who is to be forgotten is still a member,
// a guest of a group or named by one.
var ErrStillExists = errors.New("the person still exists upstream")

// An Erasure is what was erased of a person who is gone. Ids and edges stay.
type Erasure struct {
	Members  []int64 // ids that the person had, ascending
	Guests   int     // e-mails that were guests'
	Versions int     // past rows that held names, e-mails and the like
	Copies   int     // of the database, made before its schema changed, that were removed

	// Clean tells that no trace is left in the files. If it is false, one was
	// being read or could not be written, and the cleaning is tried again.
	Clean bool
	Freshness
}

package directory

import "net/http"

// An Outcome is upstream's answer to a write, as it came, and what became of
// the mirror's copy before the answer was let go.
type Outcome struct {
	Status  int
	Header  http.Header
	Body    []byte
	Refresh Refresh
	Freshness
}

// Refresh tells whether reads already show what a write did.
type Refresh string

// The states of the mirror's copy after a write.
const (
	RefreshApplied Refresh = "applied" // later reads show it
	RefreshPending Refresh = "pending" // a later sweep or read settles it
)

package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"rollcall/internal/access"
	"rollcall/internal/directory"
)

// A SyncInput says how long to wait, and what may be removed.
type SyncInput struct {
	Wait   string `query:"wait" example:"30s" doc:"How long to wait for the sweep to end, at most 60s. Left out, 202 comes at once."`
	Accept string `query:"accept_removals" example:"5f0c2a9d41e7b836" maxLength:"64" doc:"The id of removals that are held, from /v1/status: the sweep is published if it removes only those and what needs no hold."`
}

// A Sweep is the note of one pass over Tallyfy's lists.
type Sweep struct {
	Result   string     `json:"result" enum:"running,published,unchanged,held,dropped" doc:"published made a revision, unchanged found nothing to publish, held would have removed a suspicious share and published nothing; /v1/status says what."`
	BeganAt  *time.Time `json:"began_at" doc:"Null while it has not begun."`
	EndedAt  *time.Time `json:"ended_at" doc:"Null while it runs."`
	Requests int        `json:"requests" doc:"What it cost upstream."`
	Groups   *int       `json:"groups" doc:"Rows listed; null for a caller who may not read the status."`
	Members  *int       `json:"members" doc:"Likewise."`
}

// longestWait bounds how long a caller may hold a request open.
const longestWait = time.Minute

var syncDoc = doc{
	"sync", "Sweep now",
	"Asks for a sweep that begins after the call; all who wait share it. 200 says how it ended, 202 that it still runs, 502 that it failed and why, 429 that the budget of requests forbids it for now. With accept_removals, 409 says that the sweep would remove other rows than those accepted, and under which id they are held now.", "itself",
}

func (s *server) sync(ctx context.Context, in *SyncInput) (*OwnOutput[Sweep], error) {
	wait, err := parseWait(in.Wait)
	if err != nil {
		return nil, err
	}
	note, err := s.waitForSweep(ctx, in.Accept, wait)
	if _, changed := errors.AsType[*directory.HeldChangedError](err); changed {
		return nil, err
	}
	if err != nil {
		return nil, failedSweep(err)
	}
	if note.Result == directory.SweepFailed {
		return nil, failedSweep(&directory.UpstreamError{Op: note.Detail, Reason: note.Reason})
	}
	f, err := s.Mirror.Freshness(ctx)
	if err != nil {
		return nil, err
	}
	status := http.StatusOK
	if note.Result == directory.SweepRunning {
		status = http.StatusAccepted
	}
	return own(f, status, newSweep(note, s.may(ctx, access.ReadStatus))), nil
}

// waitForSweep waits no longer than the server goes on: then the sweep still
// runs, as far as anybody knows.
func (s *server) waitForSweep(ctx context.Context, accept string, wait time.Duration) (directory.Sweep, error) {
	waiting, cancel := s.untilStopping(ctx)
	defer cancel()
	note, err := s.askForSweep(waiting, accept, wait)
	if errors.Is(err, context.Canceled) && ctx.Err() == nil {
		return directory.Sweep{Result: directory.SweepRunning}, nil
	}
	return note, err
}

func (s *server) askForSweep(ctx context.Context, accept string, wait time.Duration) (directory.Sweep, error) {
	if accept != "" {
		return s.Poller.AcceptRemovals(ctx, accept, wait)
	}
	return s.Poller.Sync(ctx, wait)
}

func parseWait(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	wait, err := time.ParseDuration(text)
	if err != nil || wait < 0 || wait > longestWait {
		return 0, invalid("wait", "is not a duration from 0s to 60s, such as 30s")
	}
	return wait, nil
}

// failedSweep is 502 whatever upstream's own status was: it was not the
// caller's request that upstream refused.
func failedSweep(err error) error {
	p := newProblem(http.StatusBadGateway, upstreamRefused, "The sweep failed: %s. Nothing was published; /v1/status tells more.", err)
	switch directory.ReasonOf(err) {
	case directory.ReasonUnauthorized:
		p.Type = upstreamUnauth
	case directory.ReasonBudget, directory.ReasonInternal, directory.ReasonStorage:
		return err
	}
	p.cause = err
	return p
}

// newSweep leaves the counts out for those who may not see how much there is.
func newSweep(note directory.Sweep, counted bool) Sweep {
	s := Sweep{Result: string(note.Result), BeganAt: instant(note.BeganAt), EndedAt: instant(note.EndedAt), Requests: note.Requests}
	if counted {
		s.Groups, s.Members = &note.Groups, &note.Members
	}
	return s
}

package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall/internal/access"
	"rollcall/internal/api"
	"rollcall/internal/db"
	"rollcall/internal/directory"
)

// readSettings say whom a reading command asks: a running server, or a file.
type readSettings struct {
	serverSettings
	DB string `name:"db" placeholder:"FILE" help:"Read this database file instead of asking, also beside a running server."`
}

// open returns a client of what is to be asked, and what to call when done.
func (s *readSettings) open(ctx context.Context, con *console) (*client, func(), error) {
	if s.DB != "" {
		return openFile(ctx, s.DB)
	}
	client, err := s.client(con.env)
	return client, func() {}, err
}

// openFile returns a client whose answers are what a server would say that
// had this file and no upstream. It never writes to the file.
func openFile(ctx context.Context, path string, change ...func(*api.Options)) (*client, func(), error) {
	mirror, err := db.OpenReadOnly(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	done := func() { mirror.Close() }
	last, _, err := mirror.LastSweeps(ctx)
	if err != nil {
		done()
		return nil, nil, err
	}
	heldID, heldSince, err := mirror.LastHold(ctx)
	if err != nil {
		done()
		return nil, nil, err
	}
	present, err := mirror.Freshness(ctx)
	if err != nil {
		done()
		return nil, nil, err
	}
	anybody, err := access.New(access.Options{Mode: access.ModeNone})
	if err != nil {
		done()
		return nil, nil, err
	}
	options := api.Options{
		Organization: mirror.Organization(),
		Access:       anybody,
		Mirror:       mirror,
		Poller:       resting{last, present, heldID, heldSince},
		Writer:       nowhere{},
		Upstream:     nowhere{},
		Logger:       slog.New(slog.DiscardHandler),
		Registry:     prometheus.NewRegistry(),
		Version:      version(),
	}
	for _, f := range change {
		f(&options)
	}
	handler, err := api.New(options)
	if err != nil {
		done()
		return nil, nil, err
	}
	return &client{base: "http://localhost", name: path, http: &http.Client{Transport: inProcess{handler}}}, done, nil
}

// A resting poller tells of a file that nobody need be keeping up to date.
type resting struct {
	last    directory.Sweep
	present directory.Freshness

	heldID    string // of the hold of the last whole sweep, if it was held
	heldSince time.Time
}

// errFileOnly is what every request for upstream's help gets.
var errFileOnly = errors.New("a file is being read, there is no upstream")

// restingStale is the age beyond which a file is called stale.
const restingStale = 3 * time.Minute

func (r resting) Status() directory.PollStatus {
	status := directory.PollStatus{State: directory.StateFresh, StateSince: r.last.EndedAt, LastAttemptAt: r.last.BeganAt}
	if r.last.Result == directory.SweepFailed {
		status.LastError = &directory.LastError{At: r.last.EndedAt, Reason: r.last.Reason, Message: r.last.Detail}
	}
	switch {
	case r.heldID != "":
		status.State, status.StateSince = directory.StateHeld, r.heldSince
		status.Held = &directory.Held{ID: r.heldID, Since: r.heldSince}
	case r.last.Result == directory.SweepFailed:
		status.State = directory.StateFailing
	case r.present.Revision == 0:
		status.State = directory.StateStarting
	case r.present.Age(time.Now()) > restingStale:
		status.State = directory.StateStale
	}
	return status
}

func (resting) Sync(context.Context, time.Duration) (directory.Sweep, error) {
	return directory.Sweep{}, errFileOnly
}

func (resting) AcceptRemovals(context.Context, string, time.Duration) (directory.Sweep, error) {
	return directory.Sweep{}, errFileOnly
}

func (resting) RefreshGroup(context.Context, string) (directory.Renewal, error) {
	return directory.Renewal{}, errFileOnly
}

func (resting) RefreshMember(context.Context, int64) (directory.Renewal, error) {
	return directory.Renewal{}, errFileOnly
}

func (resting) RefreshAll(context.Context) (directory.Renewal, error) {
	return directory.Renewal{}, errFileOnly
}

func (resting) MarkEverything() {}

// nowhere takes the place of everything that goes upstream.
type nowhere struct{}

func (nowhere) Edit(context.Context, *http.Request, directory.GroupEdit) (*directory.EditedGroup, error) {
	return nil, errFileOnly
}

func (nowhere) Group(context.Context, *http.Request, []byte) (*directory.Outcome, error) {
	return nil, errFileOnly
}

func (nowhere) Person(context.Context, *http.Request, []byte) (*directory.Outcome, error) {
	return nil, errFileOnly
}

func (nowhere) Forward(context.Context, *http.Request) (*http.Response, error) {
	return nil, errFileOnly
}

func (nowhere) Authorize(context.Context, http.Header) error { return errFileOnly }

func (nowhere) Budget() directory.Budget { return directory.Budget{} }

func (nowhere) TokenInfo(context.Context) directory.TokenInfo { return directory.TokenInfo{} }

func (nowhere) Spare() error { return nil }

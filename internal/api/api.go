// Package api is Rollcall over HTTP: Tallyfy's own surface, so that a client
// changes nothing but its base URL; Rollcall's, under /v1; and the probes,
// metrics and documents beside them.
//
// Reads are answered from the mirror and say how old they are. Writes and
// everything the mirror cannot answer exactly go upstream, under the caller's
// own token or, where package access says so, under that of the sweeps. The package keeps no state of its own: what it needs of the
// mirror, the poller, the writer and the upstream client is declared here.
package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall/internal/access"
	"rollcall/internal/directory"
)

// A Mirror is the local copy of the organisation. Each read shows one state,
// the one its Freshness names, and, State apart, fails with
// directory.ErrNoData before the first sweep has succeeded.
type Mirror interface {
	Payloads
	Directory
	Comparisons
	Hygiene
	State
	Historian
	Eraser
	States
	Feed
	Timelines
	Diffs
}

// Payloads are the rows as upstream shapes them. Groups are searched by name
// and description, members by first name, last name and e-mail.
type Payloads interface {
	GroupPayload(ctx context.Context, id string) (directory.Found[[]byte], error)
	MemberPayload(ctx context.Context, id int64) (directory.Found[[]byte], error)
	GroupPayloads(context.Context, directory.PayloadQuery) (directory.PayloadPage, error)
	MemberPayloads(context.Context, directory.PayloadQuery) (directory.PayloadPage, error)
	// These two read nothing and fail with directory.ErrTooLarge where the
	// answer is estimated at more than most bytes.
	MembersWithGroups(ctx context.Context, q directory.PayloadQuery, most int) (directory.MemberGroups, error)
	MemberWithGroups(ctx context.Context, id int64, most int) (directory.MemberGroups, error)
}

// Directory answers who is in which group. Groups and GroupSummary leave the
// members and guests of a group out; GroupsWithEdges and Group hold them.
type Directory interface {
	Groups(context.Context, directory.GroupFilter, directory.ListQuery) (directory.Page[directory.Group], error)
	GroupsWithEdges(context.Context, directory.GroupFilter, directory.ListQuery) (directory.Page[directory.Group], error)
	Group(context.Context, directory.GroupRef, *directory.AsOf) (directory.Found[directory.Group], error)
	GroupSummary(context.Context, directory.GroupRef, *directory.AsOf) (directory.Found[directory.Group], error)
	Memberships(context.Context, directory.MembershipFilter, directory.ListQuery) (directory.Page[directory.Membership], error)
	Members(context.Context, directory.MemberFilter, directory.ListQuery) (directory.Page[directory.Member], error)
	Member(context.Context, directory.PersonRef, *directory.AsOf) (directory.Found[directory.Member], error)
	GroupsOfPerson(context.Context, directory.PersonRef, directory.ListQuery) (directory.Page[directory.GroupOfPerson], error)
	GroupsOfGuest(ctx context.Context, email string, q directory.ListQuery) (directory.Page[directory.GroupOfPerson], error)
	Check(ctx context.Context, who directory.PersonRef, in directory.GroupRef, includeDisabled bool, at *directory.AsOf) (directory.Found[directory.Check], error)
	Checks(ctx context.Context, pairs []directory.Pair, includeDisabled bool, at *directory.AsOf) (directory.Found[[]directory.Check], error)
}

// State is what the mirror knows of itself, at revision 0 before there is
// data.
type State interface {
	Freshness(context.Context) (directory.Freshness, error)
	// Present returns the state without reading it, where it is known and no
	// row was confirmed before the last sweep.
	Present() (directory.Present, bool)
	Counts(context.Context) (directory.Counts, error)
	Size(context.Context) (int64, error)
}

// A Poller keeps the mirror up to date.
type Poller interface {
	// Sync waits up to wait for a sweep that began after the call; with no
	// wait it asks for one and returns at once.
	Sync(ctx context.Context, wait time.Duration) (directory.Sweep, error)
	// AcceptRemovals is Sync for a sweep that may remove what is held under
	// an id; the error of one that would remove more than that and what needs
	// no hold is a *directory.HeldChangedError.
	AcceptRemovals(ctx context.Context, id string, wait time.Duration) (directory.Sweep, error)
	Status() directory.PollStatus
	// MarkEverything says that a write of unknown reach went upstream.
	MarkEverything()
	Refresher
}

// A Refresher asks upstream for rows, and waits until the mirror holds what it
// said, by a read or sweep that begins after the call. Callers who want the
// same share one. It returns ctx's error when ctx ends, directory.ErrHeld for
// what is not believed yet, and a *directory.UpstreamError for a failure or
// where the budget forbids it.
type Refresher interface {
	RefreshGroup(ctx context.Context, id string) (directory.Renewal, error)
	RefreshMember(ctx context.Context, id int64) (directory.Renewal, error)
	RefreshAll(ctx context.Context) (directory.Renewal, error)
}

// A Writer sends a write on groups, or on users and guests, upstream and sees
// to the mirror's copy before it returns. The request's path begins with
// /organizations/.
type Writer interface {
	Group(ctx context.Context, r *http.Request, body []byte) (*directory.Outcome, error)
	Person(ctx context.Context, r *http.Request, body []byte) (*directory.Outcome, error)
	// Edit makes a small change of one group; put is the request that goes
	// upstream, but for its body.
	Edit(ctx context.Context, put *http.Request, e directory.GroupEdit) (*directory.EditedGroup, error)
}

// An Upstream passes requests on as they are. The caller closes the answer's
// body.
type Upstream interface {
	Forward(context.Context, *http.Request) (*http.Response, error)
	// Authorize puts the token of the sweeps on a request that is to be
	// forwarded under it.
	Authorize(context.Context, http.Header) error
	Budget() directory.Budget
	TokenInfo(context.Context) directory.TokenInfo
	// Spare fails with ReasonBudget while what is left of the budget is kept
	// for more than a reader's wish for fresher rows.
	Spare() error
}

// Options are what an API is made of. All above PublicURL are needed.
type Options struct {
	Organization string
	Access       *access.Access
	Mirror       Mirror
	Poller       Poller
	Writer       Writer
	Upstream     Upstream
	Logger       *slog.Logger
	Registry     *prometheus.Registry // metrics are registered on it and served from it
	Version      string               // of the program

	PublicURL *url.URL      // origin and base path under which clients reach the server
	Origins   []string      // whose pages may call from a browser, as browsers write them
	Exports   Exports       // nil where no files can be kept
	Queries   Querier       // nil where SQL is off
	MaxStale  time.Duration // beyond it the server is not ready and does not check; 0 is never

	// GuestDomains are those that guests of groups may be from; without any,
	// all are.
	GuestDomains []string

	// RefreshWait is how long a reader who wants fresher rows waits for them;
	// 0 is ten seconds.
	RefreshWait time.Duration
}

// An API serves both surfaces. It is safe for concurrent use.
type API struct {
	server *server
	front  http.HandlerFunc
}

type server struct {
	Options
	mux     *http.ServeMux
	actions map[string]access.Action // what each pattern of the mux asks for
	borders *borders
	metrics *httpMetrics
	refused *bounded
	shelf   *shelf

	compress func(http.Handler) http.HandlerFunc
	streams  atomic.Int64  // that are open
	stopping chan struct{} // closed when the server is about to stop
	stop     func()
}

// New builds the API and registers its metrics.
func New(o Options) (*API, error) {
	s := &server{
		Options: o, mux: http.NewServeMux(), actions: map[string]access.Action{}, metrics: newHTTPMetrics(), refused: newBounded(),
		stopping: make(chan struct{}),
	}
	if s.RefreshWait == 0 {
		s.RefreshWait = 10 * time.Second
	}
	s.stop = sync.OnceFunc(func() { close(s.stopping) })
	var err error
	if s.borders, err = newBorders(o.Access.Mode(), o.PublicURL, o.Origins); err != nil {
		return nil, err
	}
	if s.compress, err = newCompressor(); err != nil {
		return nil, err
	}
	if s.shelf, err = newShelf(); err != nil {
		return nil, err
	}
	for _, c := range append(s.metrics.collectors(), newMirrorCollector(o.Mirror, o.Poller), newHygieneCollector(o)) {
		if err := o.Registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	s.routes()
	front := s.front
	if len(o.Origins) > 0 {
		front = newCORS(o.Origins).Handler(http.HandlerFunc(front)).ServeHTTP
	}
	return &API{s, front}, nil
}

// ServeHTTP serves everything.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.server.observe(w, r, a.front)
}

// Stopping makes the server unready, so that no more is sent to it, and ends
// the waits of those who wait for a sweep, so that it can drain.
func (a *API) Stopping() { a.server.stop() }

// Ops serves the probes and the metrics alone, to anybody.
func (a *API) Ops() http.Handler { return a.server.opsRoutes() }

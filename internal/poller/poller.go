// Package poller makes new revisions of what upstream shows: by sweeps over
// its lists, by single reads, and by the answers to writes that passed
// through Rollcall.
//
// # The rule for observations
//
// A sweep, a single read and the answer to a write are observations. Each
// takes a number when it begins and another when it is applied. A row, or the
// grave of a deleted row, keeps the number of what was applied to it last,
// whether that changed the row or only confirmed it. An observation that began
// before that number knows less than what is stored, so it is not applied to
// that row: a sweep leaves the row alone, a single read or a write's answer is
// read again. Therefore nothing that began earlier undoes, resurrects or drops
// what a later observation made. A row that is neither stored nor buried
// counts as last seen, absent, by the last sweep.
//
// # The rule for removals
//
// Upstream leaves no trace of a deletion but absence, and absence from a
// paged list proves little: the list is read in pieces while others change
// it. A row is removed only when one of these shows that it is gone: it is
// marked as deleted; a list that came in one page, with a total that agrees,
// lacks it, and not suspiciously many others; its own read says so while that
// of a present row succeeds; or two whole sweeps running lack it, be they of
// two processes. Until then it stays, and keeps the confirmation it had.
//
// Removals that are proven may still be a fault of upstream. Where it is asked
// to, a Poller holds a sweep that would remove a suspicious share of groups,
// members or edges: few removals until the next whole sweep agrees, more until
// somebody accepts them or they have been shown for long enough.
//
// No request is made while the mirror is written, and nothing is published of
// a sweep that was not whole.
package poller

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"rollcall/internal/directory"
)

// An Upstream answers what a sweep and a refresh ask. Its errors are
// *directory.UpstreamError.
type Upstream interface {
	MemberPage(ctx context.Context, page int) (directory.ListingPage[directory.MemberRow], error)
	GroupPage(ctx context.Context, page int) (directory.ListingPage[directory.GroupRow], error)
	Group(ctx context.Context, id string) (directory.GroupRow, error)
	Member(ctx context.Context, id int64) (directory.MemberRow, error)
	// Me fails while the token is refused.
	Me(ctx context.Context) error
	// Reserve notes what a sweep will spend, before it begins.
	// It fails with ReasonBudget when the share of sweeps does not hold it.
	Reserve(ctx context.Context, requests int) error
	// Sweeping marks what is asked under the returned context as a sweep's.
	Sweeping(ctx context.Context) context.Context
}

// A Store is the mirror on disk.
type Store interface {
	Index(ctx context.Context) (directory.Index, error)
	GroupPayload(ctx context.Context, id string) (directory.Found[[]byte], error)
	MemberPayload(ctx context.Context, id int64) (directory.Found[[]byte], error)
	Publish(ctx context.Context, p directory.Publication) (directory.Freshness, error)
	RecordSweep(ctx context.Context, s directory.Sweep) error
	LastSweeps(ctx context.Context) (attempt, success directory.Sweep, err error)
	LastSuccessButOne(ctx context.Context) (directory.Sweep, error)
	// Missed reports whether the last whole sweep lacked a group, or a member,
	// that stayed.
	Missed(ctx context.Context) (groups, members bool, err error)
	// LastHold returns the id that the last whole sweep was held under and
	// when it was first, running; an empty id if it was not held.
	LastHold(ctx context.Context) (id string, since time.Time, err error)
}

// Options are what a Poller is made of. Upstream and Store are needed.
type Options struct {
	Upstream Upstream
	Store    Store
	Logger   *slog.Logger // nil discards

	Interval      time.Duration  // pause between sweeps, 0 is a minute
	ChurnInterval time.Duration  // how long churn alone waits for a revision, 0 is an hour
	RemovalShare  float64        // of a kind whose absence is suspicious, 0 is a quarter
	SweepHourly   int            // requests that sweeps may make in an hour, 0 for any number
	Jitter        func() float64 // in [0,1), nil is random

	// HoldRemovals holds sweeps that would remove more than RemovalShare of a
	// kind, see package comment; HoldRelease is how long every sweep must show
	// the same before it is believed, 0 for only by hand.
	HoldRemovals bool
	HoldRelease  time.Duration
}

// A Poller keeps one mirror up to date. It is safe for concurrent use.
type Poller struct {
	core
	upstream Upstream
	logger   *slog.Logger
	share    float64
	churn    time.Duration
	churning time.Time // when churn was first left unpublished, zero if none is; guarded by applying
	guard    guard
	held     *hold // by the last whole sweep, nil if it was not; guarded by applying
	metrics  *metrics

	sweeping chan struct{} // held by the sweep that runs
	early    *rate.Limiter // requests of sweeps out of turn
	rereads  rereads

	// mu guards what is looked at often and changed briefly. It may be taken
	// under applying, never the other way round.
	mu     sync.Mutex
	health health
	agenda agenda
}

// New reads how the sweeps before went. The rows that the mirror holds are read
// before their first use, as that takes longer than anything else at a start.
// It makes no request.
func New(ctx context.Context, o Options) (*Poller, error) {
	p := &Poller{
		core: core{store: o.Store, suspect: true}, upstream: o.Upstream, logger: o.Logger,
		share: o.RemovalShare, churn: o.ChurnInterval,
		sweeping: make(chan struct{}, 1),
		early:    newEarly(o.SweepHourly),
		agenda:   newAgenda(newSchedule(o.Interval, o.SweepHourly, o.Jitter)),
		rereads:  newRereads(),
	}
	p.groups, p.members = groupShelf(&p.core, o.Upstream), memberShelf(&p.core, o.Upstream)
	if p.logger == nil {
		p.logger = slog.New(slog.DiscardHandler)
	}
	if p.share == 0 {
		p.share = 0.25
	}
	if p.churn == 0 {
		p.churn = time.Hour
	}
	p.guard = guard{isOn: o.HoldRemovals, share: p.share, release: o.HoldRelease}
	if o.HoldRemovals {
		p.groups.doubtful = func(before, now *directory.GroupRow, how directory.Applied) bool {
			return dropsTooMuch(before, now, how, p.share)
		}
	}
	p.metrics = newMetrics()
	attempt, success, err := o.Store.LastSweeps(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the notes of sweeps: %w", err)
	}
	if err := p.restoreHold(ctx); err != nil {
		return nil, err
	}
	if err := p.restoreSwept(ctx, success); err != nil {
		return nil, err
	}
	p.health = restoredHealth(time.Now(), attempt, success)
	if p.held != nil {
		p.health.held = p.outline(p.held)
	}
	p.agenda.refused = !p.health.refusedAt.IsZero()
	if !attempt.BeganAt.IsZero() {
		p.metrics.began(attempt.BeganAt)
	}
	return p, nil
}

// restoreSwept makes the ledgers know what sweeps of an earlier life showed to
// be absent: success is the last that succeeded. What it cost tells whether it
// read both lists in one piece.
func (p *Poller) restoreSwept(ctx context.Context, success directory.Sweep) error {
	before, err := p.store.LastSuccessButOne(ctx)
	if err != nil {
		return fmt.Errorf("read the notes of sweeps: %w", err)
	}
	missedGroups, missedMembers, err := p.store.Missed(ctx)
	if err != nil {
		return fmt.Errorf("read what the last sweep missed: %w", err)
	}
	inOnePage := success.Requests == 2
	p.groups.remember(before.BeganAt, false)
	p.groups.remember(success.BeganAt, inOnePage && !missedGroups)
	p.members.remember(before.BeganAt, false)
	p.members.remember(success.BeganAt, inOnePage && !missedMembers)
	return nil
}

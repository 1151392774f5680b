package poller

import (
	"context"
	"errors"
	"time"

	"rollcall/internal/directory"
)

// errDropped ends a sweep that a write of unknown reach has made worthless.
var errDropped = errors.New("a write of unknown reach came between")

// A sweep is one pass over the lists while it runs.
type sweep struct {
	obs      directory.Observation
	note     directory.Sweep
	cause    directory.Cause
	share    float64 // see suspicious
	proofs   int     // reads of single rows that are left to it
	track    *tracker
	demands  []*demand
	previous time.Time // when the attempt before began
	members  *listing[int64, directory.MemberRow]
	groups   *listing[string, directory.GroupRow]
	held     *directory.Held // set where the removals are not believed
	unheld   string          // why the sweep was published, if the one before was held
}

// Sweep reads the lists once and publishes what they show, all of it or
// nothing. It waits for a sweep that runs already. The note says how it
// ended; the error, nil but for a failure, says why it failed. A sweep that
// ctx ends leaves no note.
func (p *Poller) Sweep(ctx context.Context) (directory.Sweep, error) {
	select {
	case p.sweeping <- struct{}{}:
		defer func() { <-p.sweeping }()
	case <-ctx.Done():
		return directory.Sweep{}, ctx.Err()
	}
	reading, drop := context.WithCancelCause(ctx)
	defer drop(nil)
	sw := p.start(drop)
	defer p.reportProgress(sw.track)()
	err := p.observe(ctx, reading, sw)
	if errors.Is(context.Cause(reading), errDropped) && ctx.Err() == nil && err != nil {
		err = errDropped
	}
	return p.finish(ctx, sw, err)
}

// observe reserves, reads and publishes. reading ends with ctx and when the
// sweep is dropped, which must not end a publication halfway.
func (p *Poller) observe(ctx, reading context.Context, sw *sweep) error {
	requests, err := p.expected(ctx)
	if err != nil {
		return err
	}
	if err := p.upstream.Reserve(reading, requests); err != nil {
		return err
	}
	sw.obs = p.observations.begin()
	sw.note.BeganAt = sw.obs.BeganAt
	if err := p.read(p.upstream.Sweeping(reading), sw); err != nil {
		return err
	}
	sw.note.EndedAt = time.Now()
	return p.publishSweep(ctx, sw)
}

// expected is how many pages the lists take, as far as known.
func (p *Poller) expected(ctx context.Context) (int, error) {
	p.applying.Lock()
	defer p.applying.Unlock()
	if err := p.trust(ctx); err != nil {
		return 0, err
	}
	return p.members.pages() + p.groups.pages(), nil
}

// read lists everything, and reads singly what may prove removals.
func (p *Poller) read(ctx context.Context, sw *sweep) (err error) {
	if sw.members, err = p.members.list(ctx, sw.track); err != nil {
		return err
	}
	if sw.groups, err = p.groups.list(ctx, sw.track); err != nil {
		return err
	}
	if sw.groups.rows > 0 && sw.groups.shown == 0 {
		return &directory.UpstreamError{
			Op: "list groups, all pages", Reason: directory.ReasonKeyField,
			Err: errors.New("no group carries its members"),
		}
	}
	if err := p.members.prove(ctx, sw.members, sw); err != nil {
		return err
	}
	return p.groups.prove(ctx, sw.groups, sw)
}

// plans are what a sweep changes in both kinds of row.
type plans struct {
	members *plan[int64, directory.MemberRow]
	groups  *plan[string, directory.GroupRow]
}

// publishSweep publishes users and groups together, in one transaction. When
// nothing changed, that holds nothing but the note of the sweep and the rows
// that its success does not confirm.
func (p *Poller) publishSweep(ctx context.Context, sw *sweep) error {
	p.applying.Lock()
	defer p.applying.Unlock()
	if err := p.trust(ctx); err != nil {
		return err
	}
	if p.observations.voided(sw.obs) {
		return errDropped
	}
	sw.cause = directory.CauseSweep
	if p.present.Revision == 0 {
		sw.cause = directory.CauseInitial
	}
	todo, err := p.plan(ctx, sw)
	if err != nil {
		return err
	}
	v, err := p.guarded(ctx, sw, todo)
	if err != nil {
		return err
	}
	if len(v.believed.groups)+len(v.believed.members) > 0 {
		p.members.believe(v.believed.members)
		p.groups.believe(v.believed.groups)
		if todo, err = p.plan(ctx, sw); err != nil {
			return err
		}
	}
	changed := sw.cause == directory.CauseInitial || todo.members.changes()+todo.groups.changes() > 0
	withQuiet := p.churnIsDue(sw.obs.BeganAt, len(todo.members.quiet)+len(todo.groups.quiet), changed)
	sw.note.Result, sw.note.Revision = directory.SweepUnchanged, p.present.Revision
	if changed || withQuiet {
		sw.note.Result, sw.note.Revision = directory.SweepPublished, p.present.Revision+1
	}
	if err := p.commit(ctx, sw, todo, withQuiet); err != nil {
		return err
	}
	p.held, sw.unheld = nil, v.why
	return nil
}

func (p *Poller) plan(ctx context.Context, sw *sweep) (todo plans, err error) {
	if todo.members, err = p.members.plan(ctx, sw.members, sw); err != nil {
		return todo, err
	}
	todo.groups, err = p.groups.plan(ctx, sw.groups, sw)
	return todo, err
}

func (p *Poller) commit(ctx context.Context, sw *sweep, todo plans, withQuiet bool) error {
	sw.count()
	pub := directory.Publication{Cause: sw.cause, Sweep: &sw.note}
	todo.members.enter(p.members.target(&pub), sw.obs.BeganAt, withQuiet)
	todo.groups.enter(p.groups.target(&pub), sw.obs.BeganAt, withQuiet)
	number, before := p.observations.next(), p.present.Revision
	if err := p.publish(ctx, pub); err != nil {
		return err
	}
	if sw.note.Revision = p.present.Revision; sw.note.Revision == before {
		sw.note.Result = directory.SweepUnchanged
	}
	p.members.commit(todo.members, sw.members, sw.obs, number, withQuiet)
	p.groups.commit(todo.groups, sw.groups, sw.obs, number, withQuiet)
	return nil
}

// count completes the note with what was asked and listed.
func (sw *sweep) count() {
	sw.note.Requests = sw.track.sent()
	if sw.members != nil {
		sw.note.Members = sw.members.rows
	}
	if sw.groups != nil {
		sw.note.Groups = sw.groups.rows
	}
}

// churnIsDue decides whether quiet updates go into the revision of this
// sweep: when there is one anyway, or when they have waited long enough. The
// caller holds applying.
func (p *Poller) churnIsDue(now time.Time, quiet int, changed bool) bool {
	switch {
	case quiet == 0 || changed:
		p.churning = time.Time{}
		return quiet > 0
	case p.churning.IsZero():
		p.churning = now
		return false
	case now.Sub(p.churning) < p.churn:
		return false
	}
	p.churning = time.Time{}
	return true
}

package poller

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"rollcall/internal/directory"
)

// Run sweeps at once and then whenever a sweep is due, until ctx ends, and
// waits for what it started. Failures are logged, met with longer pauses and
// never end it.
func (p *Poller) Run(ctx context.Context) error {
	var others sync.WaitGroup
	defer others.Wait()
	others.Go(func() { p.runRereads(ctx) })
	for p.rest(ctx) {
		if p.stillRefused(ctx) {
			continue
		}
		// A failure was logged and is in the status; what it means for the
		// next sweep is on the agenda.
		_, _ = p.Sweep(ctx)
	}
	return nil
}

// rest waits until a sweep is due and reports whether ctx still holds.
func (p *Poller) rest(ctx context.Context) bool {
	for {
		p.mu.Lock()
		now := time.Now()
		pause := p.agenda.due(now).Sub(now)
		p.mu.Unlock()
		if pause <= 0 || ctx.Err() != nil {
			return ctx.Err() == nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-p.agenda.wake:
		}
		timer.Stop()
	}
}

// start makes a sweep meet the demands that wait and lets a write of unknown
// reach drop it.
func (p *Poller) start(drop context.CancelCauseFunc) *sweep {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	sw := &sweep{
		note:    directory.Sweep{BeganAt: now},
		share:   p.share,
		proofs:  proofReads,
		track:   &tracker{progress: directory.Progress{BeganAt: now}},
		demands: p.agenda.demands,
	}
	p.agenda.demands, p.agenda.marks = nil, marks{}
	p.agenda.drop, p.agenda.track = drop, sw.track
	sw.previous, p.health.attemptAt = p.health.attemptAt, now
	p.metrics.began(now)
	return sw
}

// finish notes how a sweep ended, answers who waited and sets the time of the
// next.
func (p *Poller) finish(ctx context.Context, sw *sweep, err error) (directory.Sweep, error) {
	if err != nil && ctx.Err() != nil {
		sw.note = directory.Sweep{}
		p.retire(sw, ctx.Err())
		return directory.Sweep{}, ctx.Err()
	}
	if reasonOf(err) == directory.ReasonBudget && err != nil {
		return p.postpone(sw, err)
	}
	if err != nil {
		p.describe(ctx, sw, err)
	}
	if errors.Is(err, errDropped) || errors.Is(err, errHeld) {
		err = nil
	}
	p.metrics.observe(sw.note, sw.held)
	before := p.Status().Held
	p.logSweep(ctx, sw.note, p.retire(sw, err))
	p.logHold(ctx, before, p.Status().Held, sw.unheld)
	return sw.note, err
}

// postpone takes a sweep off the agenda for which there are no requests. It
// was no attempt and says nothing of upstream; who waits for it waits in vain.
func (p *Poller) postpone(sw *sweep, err error) (directory.Sweep, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.agenda.drop, p.agenda.track = nil, nil
	p.health.attemptAt = sw.previous
	p.metrics.began(sw.previous)
	p.agenda.nextAt = now.Add(p.pauseAfter(0, err))
	note := directory.Sweep{
		BeganAt: now, EndedAt: now,
		Result: directory.SweepFailed, Reason: reasonOf(err), Detail: err.Error(),
	}
	p.logger.Debug("sweep postponed", "until", p.agenda.nextAt, "error", err)
	for _, d := range sw.demands {
		d.note, d.err = note, err
		close(d.done)
	}
	return note, err
}

// describe completes and stores the note of a sweep that published nothing.
// That of a held sweep is stored.
func (p *Poller) describe(ctx context.Context, sw *sweep, err error) {
	if errors.Is(err, errHeld) {
		return
	}
	sw.count()
	sw.note.EndedAt = time.Now()
	sw.note.Revision = 0
	if errors.Is(err, errDropped) {
		sw.note.Result = directory.SweepDropped
	} else {
		sw.note.Result, sw.note.Reason, sw.note.Detail = directory.SweepFailed, reasonOf(err), err.Error()
	}
	if err := p.store.RecordSweep(ctx, sw.note); err != nil {
		p.logger.Error("the note of a sweep could not be stored", "error", err)
	}
}

// retire takes a sweep off the agenda. A demand that it did not meet waits for
// the next. It reports whether the state of the mirror changed.
func (p *Poller) retire(sw *sweep, err error) (turned bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	before, _ := p.health.trouble()
	p.agenda.drop, p.agenda.track = nil, nil
	switch {
	case sw.note.Result.Succeeded():
		p.health.succeeded(sw.note, now)
		p.health.drift = p.drift(sw)
	case sw.note.Result == directory.SweepHeld:
		p.health.isHeld(*sw.held)
	case sw.note.Result == directory.SweepFailed:
		p.health.failed(sw.note, now)
	default:
		p.agenda.demands = append(sw.demands, p.agenda.demands...)
		return false
	}
	p.settle(sw, err, now)
	for _, d := range sw.demands {
		d.note, d.err = sw.note, err
		if err == nil && sw.held != nil && d.accept != "" {
			d.err = &directory.HeldChangedError{ID: sw.held.ID}
		}
		close(d.done)
	}
	after, _ := p.health.trouble()
	return before != after
}

// logSweep writes one line a sweep, at a level by what there is to read.
func (p *Poller) logSweep(ctx context.Context, note directory.Sweep, turned bool) {
	attrs := []slog.Attr{
		slog.String("result", string(note.Result)), slog.Int64("revision", note.Revision),
		slog.Int("requests", note.Requests), slog.Int("groups", note.Groups), slog.Int("members", note.Members),
		slog.Duration("took", note.EndedAt.Sub(note.BeganAt)),
	}
	switch {
	case note.Result == directory.SweepFailed:
		attrs = append(attrs, slog.String("reason", string(note.Reason)), slog.String("error", note.Detail))
		p.logger.LogAttrs(ctx, slog.LevelWarn, "sweep failed", attrs...)
	case note.Result == directory.SweepPublished || turned:
		p.logger.LogAttrs(ctx, slog.LevelInfo, "sweep", attrs...)
	default:
		p.logger.LogAttrs(ctx, slog.LevelDebug, "sweep", attrs...)
	}
}

package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rollcall/internal/directory"
)

// note writes what a publication says beside its rows. A sweep that
// succeeded ends all doubts before those of the publication begin.
func (w *writing) note(ctx context.Context, p directory.Publication) error {
	if p.Sweep != nil {
		if err := w.noteSweep(ctx, *p.Sweep); err != nil {
			return err
		}
	}
	for _, c := range p.ConfirmedGroups {
		if err := w.q.ConfirmGroup(ctx, toMS(c.At), c.ID); err != nil {
			return err
		}
	}
	for _, c := range p.ConfirmedMembers {
		if err := w.q.ConfirmMember(ctx, toMS(c.At), c.ID); err != nil {
			return err
		}
	}
	for _, c := range p.DoubtedGroups {
		if err := w.q.DoubtGroup(ctx, toMS(c.At), c.ID); err != nil {
			return err
		}
	}
	for _, c := range p.DoubtedMembers {
		if err := w.q.DoubtMember(ctx, toMS(c.At), c.ID); err != nil {
			return err
		}
	}
	if p.Sweep == nil || !p.Sweep.Result.ReadAll() {
		return nil
	}
	return w.noteMissed(ctx, p)
}

// noteMissed writes those rows alone of which it was not known.
func (w *writing) noteMissed(ctx context.Context, p directory.Publication) error {
	groups, err := w.q.MissedGroups(ctx)
	if err != nil {
		return err
	}
	if err := changeSet(ctx, w, groups, p.MissedGroups, w.q.MissGroup); err != nil {
		return err
	}
	members, err := w.q.MissedMembers(ctx)
	if err != nil {
		return err
	}
	return changeSet(ctx, w, members, p.MissedMembers, w.q.MissMember)
}

// changeSet calls set for each row that is in one of two sets, the first
// ascending, with whether it is in the second.
func changeSet[ID interface{ ~int64 | ~string }](ctx context.Context, w *writing, before, after []ID, set func(context.Context, bool, ID) error) error {
	added, removed := diff(before, slices.Sorted(slices.Values(after)))
	if err := each(ctx, w, removed, func(ctx context.Context, id ID) error { return set(ctx, false, id) }); err != nil {
		return err
	}
	return each(ctx, w, added, func(ctx context.Context, id ID) error { return set(ctx, true, id) })
}

func (w *writing) noteSweep(ctx context.Context, sweep directory.Sweep) error {
	sweep.Revision = w.mirror.Revision
	if err := w.q.InsertSweep(ctx, fromSweep(sweep)); err != nil {
		return err
	}
	if !sweep.Result.Succeeded() {
		return nil
	}
	if err := w.q.SetConfirmed(ctx, toMS(sweep.BeganAt)); err != nil {
		return err
	}
	if err := w.q.EndGroupDoubts(ctx); err != nil {
		return err
	}
	return w.q.EndMemberDoubts(ctx)
}

// RecordSweep notes a sweep that published nothing: one that failed, was
// held or dropped. It confirms nothing.
func (db *DB) RecordSweep(ctx context.Context, sweep directory.Sweep) error {
	if db.writer == nil {
		return errReadOnly
	}
	err := db.write(ctx, func(ctx context.Context, w *writing) error { return w.q.InsertSweep(ctx, fromSweep(sweep)) })
	return wrap("note a sweep", err)
}

// LastSweeps returns the last sweep noted and the last that succeeded; zero
// where there is none.
func (db *DB) LastSweeps(ctx context.Context) (attempt, success directory.Sweep, err error) {
	last, err := db.reads.LastSweep(ctx)
	if err := orNone(err); err != nil {
		return attempt, success, fmt.Errorf("read the notes of sweeps: %w", err)
	}
	good, err := db.reads.LastGoodSweep(ctx)
	if err := orNone(err); err != nil {
		return attempt, success, fmt.Errorf("read the notes of sweeps: %w", err)
	}
	return toSweep(last), toSweep(good), nil
}

// LastSuccessButOne returns the last sweep but one that succeeded, zero where
// there is none: of a paged list only the second shows what was absent, as of
// the first.
func (db *DB) LastSuccessButOne(ctx context.Context) (directory.Sweep, error) {
	row, err := db.reads.LastGoodSweepButOne(ctx)
	return toSweep(row), wrap("read the notes of sweeps", orNone(err))
}

// Missed reports whether the last whole sweep lacked a group, or a member, that
// stayed.
func (db *DB) Missed(ctx context.Context) (groups, members bool, err error) {
	missedGroups, err := db.reads.MissedGroups(ctx)
	if err != nil {
		return false, false, wrap("read which groups were missed", err)
	}
	missedMembers, err := db.reads.MissedMembers(ctx)
	return len(missedGroups) > 0, len(missedMembers) > 0, wrap("read which members were missed", err)
}

// LastHold returns the id that the last whole sweep was held under and when
// the first of the held sweeps running that bear it began; an empty id if that
// sweep was not held. Sweeps that failed or were dropped say nothing of it.
func (db *DB) LastHold(ctx context.Context) (id string, since time.Time, err error) {
	if id, err = db.reads.LastHold(ctx); err != nil {
		return "", since, wrap("read the notes of held sweeps", orNone(err))
	}
	began, err := db.reads.HeldSince(ctx, id)
	if err != nil {
		return "", since, wrap("read the notes of held sweeps", err)
	}
	return id, fromMS(began), nil
}

// keepSpend is how long notes of requests are of use, and some.
const keepSpend = 24 * time.Hour

// RecordSpend notes upstream requests. Notes of more than a day before it
// are forgotten.
func (db *DB) RecordSpend(ctx context.Context, spend directory.Spend) error {
	if db.writer == nil {
		return errReadOnly
	}
	err := db.write(ctx, func(ctx context.Context, w *writing) error {
		if err := w.q.InsertSpend(ctx, InsertSpendParams{toMS(spend.At), int64(spend.Requests), spend.BySweep}); err != nil {
			return err
		}
		return w.q.ForgetSpend(ctx, toMS(spend.At.Add(-keepSpend)))
	})
	return wrap("note requests", err)
}

// Spent returns the notes of requests from an instant on, oldest first, also
// those that a clock set back has put into the future.
func (db *DB) Spent(ctx context.Context, since time.Time) ([]directory.Spend, error) {
	rows, err := db.reads.SpendSince(ctx, toMS(since))
	if err != nil {
		return nil, fmt.Errorf("read the notes of requests: %w", err)
	}
	return convert(rows, func(row SpendSinceRow) directory.Spend {
		return directory.Spend{At: fromMS(row.AtMs), Requests: int(row.Requests), BySweep: row.BySweep}
	}), nil
}

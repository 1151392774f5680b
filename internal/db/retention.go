package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall/internal/directory"
)

// Retention goes in two moves. First the mark kept goes on to the revision
// that was shown at an instant, and as_of and the feed refuse what is older.
// When the walks that had begun have had their hour, the mark pinned follows,
// their cursors are refused, too, and what ended before it is removed, in
// steps that hold nobody up. What living rows refer to stays: the changesets
// that tell since when they are.

const (
	walksLast     = time.Hour          // how long a walk may go on
	failuresLast  = 7 * 24 * time.Hour // how long notes of sweeps are kept that confirmed nothing
	rowsAStep     = 500                // removed in one transaction of each table
	stepsAreApart = 5 * time.Millisecond
)

// Keep removes what ended so long ago that it is not to be kept; 0 keeps all
// states for ever, and removes old notes of sweeps that confirmed nothing. Files
// that an erasure left unclean are cleaned.
// States go at the next call but one, at least an hour after they were first
// refused. A call may be ended at any instant, and the next goes on.
func (db *DB) Keep(ctx context.Context, history time.Duration) error {
	if db.writer == nil {
		return errReadOnly
	}
	now := db.clock.wall()
	err := db.pruneStep(ctx, func(ctx context.Context, q *Queries) (int64, error) {
		return q.PruneFailures(ctx, now.Add(-failuresLast).UnixMilli(), rowsAStep)
	})
	if err == nil && history > 0 {
		err = db.keepFrom(ctx, now.Add(-history), now)
	}
	if err == nil {
		err = db.cleanLeft(ctx)
	}
	return wrap("remove what is no longer kept", err)
}

func (db *DB) keepFrom(ctx context.Context, from, now time.Time) error {
	mirror, err := db.reads.Mirror(ctx)
	if err != nil || mirror.Revision == 0 {
		return err
	}
	if mirror, err = db.moveMarks(ctx, mirror, from, now); err != nil {
		return err
	}
	if err := db.pruneSweeps(ctx, mirror, from); err != nil || mirror.Pinned <= 1 {
		return err
	}
	pinned, err := db.reads.RevisionNumbered(ctx, mirror.Pinned)
	if err != nil {
		return fmt.Errorf("find the first revision that is kept: %w", err)
	}
	return db.pruneUpTo(ctx, pinned)
}

// moveMarks writes nothing if they stay.
func (db *DB) moveMarks(ctx context.Context, mirror Mirror, from, now time.Time) (Mirror, error) {
	before := mirror
	since := now.Sub(fromMS(mirror.KeptMs))
	switch {
	case mirror.Pinned < mirror.Kept && since < 0: // the clock was set back
		mirror.KeptMs = now.UnixMilli()
	case mirror.Pinned < mirror.Kept && since >= walksLast:
		mirror.Pinned = mirror.Kept
	case mirror.Pinned == mirror.Kept:
		shown, err := db.reads.RevisionAsOf(ctx, from.UnixMilli())
		if err = orNone(err); err != nil {
			return mirror, err
		}
		if shown.Revision > mirror.Kept {
			mirror.Kept, mirror.KeptMs = shown.Revision, now.UnixMilli()
		}
	}
	if mirror == before {
		return mirror, nil
	}
	_, err := db.change(ctx, directory.Publication{}, func(ctx context.Context, w *writing) error {
		return w.q.SetKept(ctx, SetKeptParams{Kept: mirror.Kept, KeptMs: mirror.KeptMs, Pinned: mirror.Pinned})
	})
	return mirror, err
}

func (db *DB) pruneSweeps(ctx context.Context, mirror Mirror, from time.Time) error {
	return db.pruneStep(ctx, func(ctx context.Context, q *Queries) (int64, error) {
		return q.PruneSweeps(ctx, PruneSweepsParams{Kept: mirror.Kept, Pinned: mirror.Pinned, BeforeMs: from.UnixMilli(), Step: rowsAStep})
	})
}

// pruneUpTo removes what ended before a revision, then what nothing refers to
// any more.
func (db *DB) pruneUpTo(ctx context.Context, first Revision) error {
	for _, prune := range []func(*Queries, context.Context, int64, int64) (int64, error){
		(*Queries).PruneMemberships, (*Queries).PruneGuestMemberships, (*Queries).PruneGroups, (*Queries).PruneMembers, (*Queries).PruneErasures,
	} {
		err := db.pruneStep(ctx, func(ctx context.Context, q *Queries) (int64, error) { return prune(q, ctx, first.Horizon, rowsAStep) })
		if err != nil {
			return err
		}
	}
	guests := func(ctx context.Context, q *Queries, after int64) (int64, error) {
		return q.GuestsAfter(ctx, after, rowsAStep)
	}
	if err := db.pruneWindows(ctx, guests, (*Queries).PruneGuests); err != nil {
		return err
	}
	changesets := func(ctx context.Context, q *Queries, after int64) (int64, error) {
		return q.ChangesetsAfter(ctx, ChangesetsAfterParams{After: after, Horizon: first.Horizon, Step: rowsAStep})
	}
	if err := db.pruneWindows(ctx, changesets, (*Queries).PruneChangesets); err != nil {
		return err
	}
	revisions := func(ctx context.Context, q *Queries, after int64) (int64, error) {
		return q.RevisionsAfter(ctx, RevisionsAfterParams{After: after, Pinned: first.Revision, Step: rowsAStep})
	}
	return db.pruneWindows(ctx, revisions, (*Queries).PruneRevisions)
}

// pruneStep repeats a step in a transaction each until it removes fewer rows
// than it might.
func (db *DB) pruneStep(ctx context.Context, step func(context.Context, *Queries) (int64, error)) error {
	for {
		var removed int64
		err := db.write(ctx, func(ctx context.Context, w *writing) (err error) {
			removed, err = step(ctx, w.q)
			return err
		})
		if err != nil || removed < rowsAStep {
			return err
		}
		if err := rest(ctx); err != nil {
			return err
		}
	}
}

// pruneWindows goes through a table, some rows in a transaction each: end
// finds the last of those after an id, 0 if there is none.
func (db *DB) pruneWindows(ctx context.Context, end func(context.Context, *Queries, int64) (int64, error), prune func(*Queries, context.Context, int64, int64) error) error {
	for after := int64(0); ; {
		upto, err := end(ctx, db.reads, after)
		if err != nil || upto == 0 {
			return err
		}
		err = db.write(ctx, func(ctx context.Context, w *writing) error { return prune(w.q, ctx, after, upto) })
		if err != nil {
			return err
		}
		after = upto
		if err := rest(ctx); err != nil {
			return err
		}
	}
}

// rest lets others write between two steps.
func rest(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(stepsAreApart):
		return nil
	}
}

// firstKept is the first revision that as_of and the feed show.
func (s *state) firstKept() int64 { return s.mirror.Kept }

// KeptSince returns when the first revision that as_of and the feed show was
// published; zero before the first of all.
func (db *DB) KeptSince(ctx context.Context) (time.Time, error) {
	var since time.Time
	err := db.read(ctx, nil, nil, func(s *state) error {
		first, err := s.q.FirstRevision(ctx)
		since = fromMS(first.PublishedMs)
		return err
	})
	return since, wrap("read since when history is kept", notYet(err))
}

func notYet(err error) error {
	if errors.Is(err, directory.ErrNoData) {
		return nil
	}
	return err
}

// isKept refuses a revision that is no longer shown.
func (s *state) isKept(r Revision) error {
	if r.Revision < s.firstKept() {
		return directory.ErrPruned
	}
	return nil
}

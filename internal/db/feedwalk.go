package db

import (
	"context"
	"slices"

	"rollcall/internal/directory"
)

// feedRounds bounds the work for one page: looks, each at some revisions or at
// a part of a large one.
const feedRounds = 16

// A feedWalk reads the changes of a scope from a point on, up to the revision
// of the state.
type feedWalk struct {
	s     *state
	scope feedScope
	met   *peopleMet // in edges before
	at    point
	done  bool // nothing is left behind the point
	net   bool // edges along the keys are compared, not told
}

func (w *feedWalk) page(ctx context.Context, limit int) ([]directory.Change, error) {
	last, err := w.s.q.RevisionNumbered(ctx, w.s.revision.Revision)
	if err != nil {
		return nil, err
	}
	changes := make([]directory.Change, 0, min(limit, w.s.reach.touched))
	for range feedRounds {
		if w.done || len(changes) >= limit {
			break
		}
		found, err := w.look(ctx, last, limit-len(changes))
		if err != nil {
			return nil, err
		}
		changes = append(changes, found...)
		w.done = w.done || w.at == point{revision: last.Revision}
	}
	return changes, nil
}

// look reads on, and moves the point behind what it saw.
func (w *feedWalk) look(ctx context.Context, last Revision, most int) ([]directory.Change, error) {
	low, err := w.low(ctx)
	if err != nil {
		return nil, err
	}
	if low == 0 && last.Horizon > 0 && !w.scope.seesFirst {
		return w.walkFirst(ctx, last, most)
	}
	largest := w.s.reach.touched
	for _, size := range []int{min(2*most, largest), largest} {
		touches, complete, err := w.scope.touched(ctx, window{low, last.Horizon, size})
		if err != nil {
			return nil, err
		}
		f, err := w.s.framed(ctx, touches)
		if err != nil {
			return nil, err
		}
		whole := f.upTo(complete)
		switch {
		case len(whole.spans) > 0 || complete == last.Horizon:
			return w.sparse(ctx, whole.first(most), last, complete, most)
		case size == largest:
			return w.walkSpan(ctx, f.spans[0], most)
		}
	}
	return nil, nil
}

// walkFirst walks the revision that holds changeset 1, of whose rows the
// indexes know nothing: the first, unless that found nobody.
func (w *feedWalk) walkFirst(ctx context.Context, last Revision, most int) ([]directory.Change, error) {
	rows, err := w.s.q.ChangesetsOf(ctx, idList([]int64{1}))
	if err != nil || len(rows) == 0 || rows[0].Revision.Revision > last.Revision {
		w.at = point{revision: last.Revision}
		return nil, err
	}
	return w.walkSpan(ctx, span{Revision: rows[0].Revision}, most)
}

// low is the changeset that the next one follows.
func (w *feedWalk) low(ctx context.Context) (int64, error) {
	if w.at.revision == 0 {
		return 0, nil
	}
	if w.at.key.Step == 0 {
		row, err := w.s.q.RevisionNumbered(ctx, w.at.revision)
		return row.Horizon, err
	}
	row, err := w.s.q.RevisionBefore(ctx, w.at.revision)
	return row.Horizon, orNone(err)
}

// sparse makes changes of whole revisions.
func (w *feedWalk) sparse(ctx context.Context, f frame, last Revision, complete int64, most int) ([]directory.Change, error) {
	changes, err := w.s.shape(ctx, f, w.met)
	if err != nil {
		return nil, err
	}
	changes, isCut := w.cut(changes, most)
	if !isCut {
		end := last.Revision
		if !f.isAll || complete < last.Horizon {
			end = f.spans[len(f.spans)-1].Revision.Revision
		}
		w.at = point{revision: end}
	}
	return changes, nil
}

// cut drops what lies before the point, and what is too much: then it moves
// the point behind the rest.
func (w *feedWalk) cut(changes []directory.Change, most int) (_ []directory.Change, isCut bool) {
	changes = slices.DeleteFunc(changes, func(c directory.Change) bool {
		return c.Revision == w.at.revision && w.at.key.Step != 0 && c.Place.Key.Compare(w.at.key) <= 0
	})
	if len(changes) <= most {
		return changes, false
	}
	changes = changes[:most]
	w.at = point{changes[most-1].Revision, changes[most-1].Place.Key}
	return changes, true
}

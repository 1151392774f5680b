package db

import (
	"cmp"
	"context"
	"slices"

	"rollcall/internal/directory"
)

// A touch says that a changeset began or ended an edge, or a version of a row.
// Of a version it says no more: whether it is a change is seen when both sides
// are compared.
type touch struct {
	changeset int64
	other     int64          // at the other end of an edge
	step      directory.Step // of versions StepGroupsSet or StepMembersSet
	gid       int64          // of a group or an edge
	guest     bool           // of an edge
	id        int64          // of a member; of an edge, of the member or guest
}

// A feedScope is what a walk is about: everything, one group or one person.
type feedScope struct {
	// touched returns the touches in a window, and up to which changeset they
	// are complete.
	touched func(context.Context, window) (touches []touch, complete int64, err error)

	seesFirst bool     // touched finds those of changeset 1, too
	group     GroupKey // the only group to walk, zero for all rows
}

// A window are the changesets above low up to high, and how many rows of a
// table are read.
type window struct {
	low, high int64
	size      int
}

func wholeFeed(q *Queries) feedScope {
	return feedScope{touched: func(ctx context.Context, w window) ([]touch, int64, error) {
		rows, err := q.Touched(ctx, TouchedParams{Low: w.low, High: w.high, PageSize: int64(w.size) + 1})
		touches, complete := gather(rows, w)
		return touches, complete, err
	}}
}

func scopeOfGroup(q *Queries, group GroupKey) feedScope {
	return feedScope{group: group, touched: func(ctx context.Context, w window) ([]touch, int64, error) {
		rows, err := q.TouchedOfGroup(ctx, TouchedOfGroupParams{Gid: group.Gid, Low: w.low, High: w.high, PageSize: int64(w.size) + 1})
		touches, complete := gather(convert(rows, func(row TouchedOfGroupRow) TouchedRow { return TouchedRow(row) }), w)
		return touches, complete, err
	}}
}

func scopeOfMember(q *Queries, id int64) feedScope {
	return feedScope{seesFirst: true, touched: func(ctx context.Context, w window) ([]touch, int64, error) {
		rows, err := q.TouchedOfMember(ctx, TouchedOfMemberParams{ID: id, Low: w.low, High: w.high})
		w.size = len(rows)
		touches, complete := gather(convert(rows, func(row TouchedOfMemberRow) TouchedRow { return TouchedRow(row) }), w)
		return touches, complete, err
	}}
}

func scopeOfGuest(q *Queries, id int64) feedScope {
	return feedScope{seesFirst: true, touched: func(ctx context.Context, w window) ([]touch, int64, error) {
		rows, err := q.TouchedOfGuest(ctx, TouchedOfGuestParams{ID: id, Low: w.low, High: w.high})
		w.size = len(rows)
		touches, complete := gather(convert(rows, func(row TouchedOfGuestRow) TouchedRow { return TouchedRow(row) }), w)
		return touches, complete, err
	}}
}

// gather finds out up to where rows are complete: a part that has more of
// them than were wanted is complete before its last.
func gather(rows []TouchedRow, w window) (touches []touch, complete int64) {
	complete = w.high
	counts := map[int64]int{}
	for _, row := range rows {
		touches = append(touches, touch{row.Changeset, row.Other, directory.Step(row.Step), row.Gid, row.Guest != 0, row.ID})
		if counts[row.Part]++; counts[row.Part] > w.size {
			complete = min(complete, row.Changeset-1)
		}
	}
	return touches, complete
}

// A span is a revision and the changesets that it consists of: those above
// low, up to its horizon.
type span struct {
	Revision
	low int64
}

func (s span) holds(changeset int64) bool { return changeset > s.low && changeset <= s.Horizon }

// A frame is what some revisions, in ascending order, touched.
type frame struct {
	spans      []span
	touches    [][]touch // of each span
	changesets map[int64]Changeset
	isAll      bool // none was left out by upTo or first
}

// framed sorts touches into their revisions.
func (s *state) framed(ctx context.Context, touches []touch) (frame, error) {
	f := frame{changesets: map[int64]Changeset{}, isAll: true}
	slices.SortFunc(touches, func(a, b touch) int { return cmp.Compare(a.changeset, b.changeset) })
	ids := slices.Compact(convert(touches, func(t touch) int64 { return t.changeset }))
	rows, err := s.q.ChangesetsOf(ctx, idList(ids))
	if err != nil {
		return f, err
	}
	slices.SortFunc(rows, func(a, b ChangesetsOfRow) int { return cmp.Compare(a.Changeset.ID, b.Changeset.ID) })
	for _, row := range rows {
		f.changesets[row.Changeset.ID] = row.Changeset
		if n := len(f.spans); n == 0 || f.spans[n-1].Revision.Revision != row.Revision.Revision {
			f.spans = append(f.spans, span{row.Revision, row.Low})
		}
	}
	f.touches = make([][]touch, len(f.spans))
	i := 0
	for _, t := range touches {
		for i < len(f.spans) && t.changeset > f.spans[i].Horizon {
			i++
		}
		// What came and went within a revision was never to be seen.
		if i < len(f.spans) && f.spans[i].holds(t.changeset) && !(isEdge(t) && f.spans[i].holds(t.other)) {
			f.touches[i] = append(f.touches[i], t)
		}
	}
	return f, nil
}

func isEdge(t touch) bool {
	return t.step == directory.StepEdgesAdded || t.step == directory.StepEdgesRemoved
}

// upTo leaves out revisions that end after a changeset.
func (f frame) upTo(changeset int64) frame {
	n := 0
	for n < len(f.spans) && f.spans[n].Horizon <= changeset {
		n++
	}
	return f.cut(n)
}

// first leaves out revisions after those that fill a page.
func (f frame) first(most int) frame {
	n, total := 0, 0
	for n < len(f.spans) && total <= most {
		total += len(f.touches[n])
		n++
	}
	return f.cut(n)
}

func (f frame) cut(n int) frame {
	return frame{f.spans[:n], f.touches[:n], f.changesets, f.isAll && n == len(f.spans)}
}

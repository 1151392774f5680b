package db

import (
	"context"
	"errors"

	"rollcall/internal/directory"
)

// Overlap returns the pairs of groups that share a member. It is confirmed
// when the least lately confirmed group was.
func (db *DB) Overlap(ctx context.Context, q directory.OverlapQuery) (page directory.Page[directory.Overlap], err error) {
	err = db.read(ctx, q.Pin, q.AsOf, func(s *state) error {
		if q.Group == nil {
			page, err = s.overlap(ctx, q.ListQuery)
		} else {
			page, err = s.overlapOf(ctx, *q.Group, q.ListQuery)
		}
		if err != nil {
			return err
		}
		page.Freshness, err = s.freshList(ctx, ofGroups)
		return err
	})
	return page, wrap("compare groups", err)
}

// A pairPlace is the place after a pair in the walk over the second groups of
// each first one, by their ids: at their revision they tell the names, too.
// An empty second is the place after all pairs of the first.
type pairPlace struct{ first, second string }

func (p pairPlace) position() *directory.Position {
	return &directory.Position{Key: p.first, ID: p.second}
}

// A groupPair is an overlap and its place.
type groupPair struct {
	pairPlace
	directory.Overlap
}

// A pairWalk collects pairs, one more than the page holds, until its work is
// done.
type pairWalk struct {
	*state
	q     directory.ListQuery
	work  int
	pairs []groupPair
}

// overlap returns a page of the pairs of all groups.
func (s *state) overlap(ctx context.Context, q directory.ListQuery) (page directory.Page[directory.Overlap], err error) {
	w := &pairWalk{state: s, q: q, work: s.reach.overlaps}
	stopped, err := w.walk(ctx)
	if err != nil {
		return page, err
	}
	page = w.page(stopped)
	if q.Count {
		page.Total, err = s.countPairs(ctx)
	}
	return page, err
}

// overlapOf returns a page of the pairs of one group.
func (s *state) overlapOf(ctx context.Context, ref directory.GroupRef, q directory.ListQuery) (page directory.Page[directory.Overlap], err error) {
	group, err := s.findGroup(ctx, ref)
	if err != nil {
		return page, err
	}
	w := &pairWalk{state: s, q: q, work: s.reach.overlaps}
	place := pairPlace{first: group.ID}
	if q.After != nil {
		place.second = q.After.ID
	}
	stopped, err := w.pairsOf(ctx, group, place.second, everyOther)
	if err != nil {
		return page, err
	}
	if stopped != nil && stopped.second == "" {
		stopped = nil // no other group follows
	}
	page = w.page(stopped)
	if q.Count {
		others, err := s.neighboursOf(ctx, group)
		if err != nil {
			return page, err
		}
		page.Total = new(len(others))
	}
	return page, nil
}

// page is what was collected, up to where it stopped.
func (w *pairWalk) page(stopped *pairPlace) directory.Page[directory.Overlap] {
	var page directory.Page[directory.Overlap]
	if stopped != nil {
		page.Next = stopped.position()
	}
	if len(w.pairs) > w.q.Limit {
		w.pairs = w.pairs[:w.q.Limit]
		page.Next = w.pairs[w.q.Limit-1].position()
	}
	page.Rows = convert(w.pairs, func(p groupPair) directory.Overlap { return p.Overlap })
	return page
}

// walk collects from the query's place on and returns where it stopped, nil
// at the end.
func (w *pairWalk) walk(ctx context.Context) (*pairPlace, error) {
	firsts := w.q
	firsts.Limit, firsts.After = rowsAtOnce, nil
	if w.q.After != nil {
		first, err := w.groupByID(ctx, w.q.After.Key)
		if err != nil {
			return nil, lostPlace(err)
		}
		if second := w.q.After.ID; second != "" {
			if stopped, err := w.pairsOf(ctx, first, second, laterOnes); err != nil || stopped != nil {
				return stopped, err
			}
		}
		firsts.After = new(groupPosition(first, firsts))
	}
	for {
		groups, err := w.groupRows(ctx, firsts)
		if err != nil {
			return nil, err
		}
		for _, first := range groups[:min(len(groups), firsts.Limit)] {
			if stopped, err := w.pairsOf(ctx, first, "", laterOnes); err != nil || stopped != nil {
				return stopped, err
			}
		}
		if len(groups) <= firsts.Limit {
			return nil, nil
		}
		firsts.After = new(groupPosition(groups[firsts.Limit-1], firsts))
	}
}

// lostPlace tells a place that no cursor of this mirror has.
func lostPlace(err error) error {
	if errors.Is(err, directory.ErrUnknownGroup) {
		return directory.ErrCursorGone
	}
	return err
}

// Which groups are paired with one.
const (
	everyOther = false
	laterOnes  = true // those of greater ids alone
)

// pairsOf collects the pairs of one group from the one with another on. It
// returns where it stopped, nil if it may go on with the next group.
func (w *pairWalk) pairsOf(ctx context.Context, group GroupVersion, after string, later bool) (*pairPlace, error) {
	if group.MemberCount == 0 {
		return nil, nil
	}
	others := w.q
	others.After = nil
	if after != "" {
		other, err := w.groupByID(ctx, after)
		if err != nil {
			return nil, lostPlace(err)
		}
		others.After = new(groupPosition(other, others))
	}
	n := &neighbourhood{pairWalk: w, group: group, q: others, later: later}
	collect := n.collectFew
	if group.MemberCount > w.reach.neighbour { // almost all groups would be found, and all its members read, for every page
		collect = n.collectMany
	}
	end, err := collect(ctx)
	if err != nil || len(w.pairs) > w.q.Limit {
		return &pairPlace{}, err // the page is full: where is told by its last row
	}
	if w.work <= 0 {
		return &pairPlace{group.ID, end}, nil
	}
	return nil, nil
}

func overlapOf(a, b GroupVersion, shared int64) directory.Overlap {
	if a.ID > b.ID {
		a, b = b, a
	}
	return directory.Overlap{
		GroupA: a.ID, GroupB: b.ID, Shared: int(shared),
		OnlyA: int(a.MemberCount - shared), OnlyB: int(b.MemberCount - shared),
	}
}

package db

import (
	"context"
	"errors"
	"math"
	"slices"

	"rollcall/internal/directory"
)

// Diff returns what differs between two states, net: what came and left
// between them, or left and came back, is nothing. It is in the order of the
// feed, as if the later state had followed directly on the earlier one. A
// range that ends before it begins is directory.ErrReversed.
func (db *DB) Diff(ctx context.Context, q directory.DiffQuery) (page directory.Page[directory.Differing], err error) {
	err = db.read(ctx, q.Pin, q.AsOf, func(s *state) error {
		sp, err := s.spanBetween(ctx, q)
		if err != nil {
			return err
		}
		d := &differ{walk: feedWalk{s: s, scope: wholeFeed(s.q), met: &peopleMet{}, net: true, at: point{revision: sp.Revision.Revision}}, span: sp}
		if q.After != nil {
			if d.walk.at, err = parsePoint(*q.After); err != nil {
				return err
			}
		}
		if page.Rows, err = d.page(ctx, q.Limit); err != nil {
			return err
		}
		if !d.done {
			page.Next = d.walk.at.position()
		}
		page.Freshness, err = s.freshList(ctx, ofGroups, ofMembers)
		return err
	})
	return page, wrap("compare two states", err)
}

// spanBetween makes one span of all revisions after the earlier state.
func (s *state) spanBetween(ctx context.Context, q directory.DiffQuery) (span, error) {
	from, err := s.revisionAsOf(ctx, q.From)
	if _, isEarly := errors.AsType[*directory.TooEarlyError](err); isEarly && q.Initial {
		from, err = Revision{}, nil
	}
	if err != nil {
		return span{}, err
	}
	if from.Revision > s.revision.Revision {
		return span{}, directory.ErrReversed
	}
	to, err := s.q.RevisionNumbered(ctx, s.revision.Revision)
	return span{Revision: to, low: from.Horizon}, err
}

// A differ reads what differs between the ends of a span, page by page.
type differ struct {
	walk feedWalk
	span span
	done bool
}

// diffRounds bounds the looks along the keys for one page.
const diffRounds = 64

func (d *differ) page(ctx context.Context, limit int) (rows []directory.Differing, err error) {
	touches, complete, err := d.walk.scope.touched(ctx, window{d.span.low, d.span.Horizon, d.walk.s.reach.touched})
	if err != nil {
		return nil, err
	}
	if d.span.low > 0 && complete == d.span.Horizon {
		rows, err = d.shape(ctx, netOf(d.span, touches))
		rows, isCut := d.cut(rows, limit)
		d.done = !isCut
		return rows, err
	}
	for range diffRounds {
		if d.done || len(rows) >= limit {
			break
		}
		found, err := d.look(ctx, limit-len(rows))
		if err != nil {
			return nil, err
		}
		rows = append(rows, found...)
	}
	return rows, nil
}

// look reads a part of one step along the keys.
func (d *differ) look(ctx context.Context, most int) ([]directory.Differing, error) {
	key := d.walk.at.key
	if key.Step == 0 {
		key.Step = directory.StepEdgesRemoved
	}
	touches, next, err := d.walk.walkStep(ctx, d.span, key, most)
	if err != nil {
		return nil, err
	}
	rows, err := d.shape(ctx, netOf(d.span, touches))
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(row directory.Differing) bool { return row.Place.Key.Step != key.Step })
	rows, isCut := d.cut(rows, most)
	if !isCut {
		d.walk.at.key = next
		d.done = next.Step > directory.StepEdgesAdded
	}
	return rows, nil
}

// cut drops what lies before the point and what is too much, and then moves
// the point behind the rest.
func (d *differ) cut(rows []directory.Differing, most int) (_ []directory.Differing, isCut bool) {
	rows = slices.DeleteFunc(rows, func(row directory.Differing) bool {
		return d.walk.at.key.Step != 0 && row.Place.Key.Compare(d.walk.at.key) <= 0
	})
	if len(rows) <= most {
		return rows, false
	}
	d.walk.at.key = rows[most-1].Place.Key
	return rows[:most], true
}

// netOf drops edges that left and came back. Those that came and left lie
// within the span on both sides.
func netOf(sp span, touches []touch) []touch {
	type edge struct {
		gid   int64
		guest bool
		id    int64
	}
	seen := map[edge]int{}
	touches = slices.DeleteFunc(touches, func(t touch) bool { return isEdge(t) && sp.holds(t.changeset) && sp.holds(t.other) })
	for _, t := range touches {
		if isEdge(t) {
			seen[edge{t.gid, t.guest, t.id}]++
		}
	}
	return slices.DeleteFunc(touches, func(t touch) bool { return isEdge(t) && seen[edge{t.gid, t.guest, t.id}] > 1 })
}

// shape tells touches, with all that is known of edges.
func (d *differ) shape(ctx context.Context, touches []touch) ([]directory.Differing, error) {
	f := frame{spans: []span{d.span}, touches: [][]touch{touches}}
	known, err := d.walk.s.factsOf(ctx, f, d.walk.met)
	if err != nil {
		return nil, err
	}
	if known.changesets, err = d.walk.s.changesetsOf(ctx, known, touches); err != nil {
		return nil, err
	}
	known.edges = map[directory.ChangeKey]touch{}
	changes, err := known.ofSpan(d.span, touches)
	return convert(changes, func(c directory.Change) directory.Differing {
		if t, isAnEdge := known.edges[c.Place.Key]; isAnEdge {
			return known.differing(d.span, c, t)
		}
		return directory.Differing{Change: c}
	}), err
}

// changesetsOf finds the changesets that rows name.
func (s *state) changesetsOf(ctx context.Context, k knowledge, touches []touch) (map[int64]Changeset, error) {
	ids := []int64{}
	note := func(id int64) {
		if id > 0 && id < math.MaxInt64 {
			ids = append(ids, id)
		}
	}
	for _, t := range touches {
		note(t.changeset)
		note(t.other)
	}
	for _, versions := range k.groups {
		for _, v := range versions {
			note(v.Since)
			note(v.Until)
		}
	}
	for _, versions := range k.members {
		for _, v := range versions {
			note(v.Since)
			note(v.Until)
		}
	}
	rows, err := s.q.ChangesetsOf(ctx, idList(distinct(ids)))
	changesets := make(map[int64]Changeset, len(rows))
	for _, row := range rows {
		changesets[row.Changeset.ID] = row.Changeset
	}
	return changesets, err
}

// differing completes an edge as the state shows it that has it.
func (k knowledge) differing(sp span, c directory.Change, t touch) directory.Differing {
	edge := &directory.Membership{
		GroupID: c.GroupID, GroupName: *c.GroupName, Kind: directory.KindMember, MemberID: c.MemberID, Email: c.Email, Since: c.Bounds,
	}
	row := directory.Differing{Change: c, Edge: edge}
	horizon := sp.Horizon
	if t.step == directory.StepEdgesRemoved {
		horizon, row.Until, edge.Since = sp.low, c.Bounds, k.by(t.other).Bounds
	}
	if t.guest {
		edge.Kind = directory.KindGuest
		return row
	}
	if member := alive(k.people[t.id], horizon); member != nil {
		edge.FullName, edge.Role, edge.Status = fromText(member.FullName), fromText(member.Role), new(directory.Status(member.Status))
	}
	return row
}

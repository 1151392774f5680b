package db

import (
	"context"

	"rollcall/internal/directory"
)

// Rows that one look along the keys reads.
const (
	keysAtOnce  = 256  // groups or members
	edgesAtOnce = 8192 // edges, and as many more as are left of a page of them
	edgesPage   = 2048 // edges of one group in one query, at most
)

// walkSpan reads a part of a large revision along the keys, one step at a
// time: no index has the edges of a revision in the order of groups' ids, and
// those of the first revision are in none.
func (w *feedWalk) walkSpan(ctx context.Context, sp span, most int) ([]directory.Change, error) {
	key := w.at.key
	if w.at.revision != sp.Revision.Revision || key.Step == 0 {
		key = directory.ChangeKey{Step: directory.StepEdgesRemoved}
	}
	if sp.low == 0 && key.Step < directory.StepGroupsSet {
		key = directory.ChangeKey{Step: directory.StepGroupsSet} // nothing was there before
	}
	touches, next, err := w.walkStep(ctx, sp, key, most)
	if err != nil {
		return nil, err
	}
	changes, err := w.shapeOne(ctx, sp, touches)
	if err != nil {
		return nil, err
	}
	kept := changes[:0]
	for _, change := range changes {
		if change.Place.Key.Step == key.Step {
			kept = append(kept, change)
		}
	}
	kept, isCut := w.cut(kept, most)
	switch {
	case isCut:
	case next.Step > directory.StepEdgesAdded:
		w.at = point{revision: sp.Revision.Revision}
	default:
		w.at = point{sp.Revision.Revision, next}
	}
	return kept, nil
}

// shapeOne is shape for what may have been touched by one revision.
func (w *feedWalk) shapeOne(ctx context.Context, sp span, touches []touch) ([]directory.Change, error) {
	rows, err := w.s.q.ChangesetsBetween(ctx, sp.low, sp.Horizon)
	if err != nil {
		return nil, err
	}
	f := frame{spans: []span{sp}, touches: [][]touch{touches}, changesets: map[int64]Changeset{}}
	for _, row := range rows {
		f.changesets[row.ID] = row
	}
	return w.s.shape(ctx, f, w.met)
}

// walkStep returns touches behind a key, and the key behind all that was
// looked at: the next step's beginning at the end of this one.
func (w *feedWalk) walkStep(ctx context.Context, sp span, key directory.ChangeKey, most int) ([]touch, directory.ChangeKey, error) {
	switch key.Step {
	case directory.StepGroupsDeleted, directory.StepGroupsSet:
		return w.walkGroups(ctx, key)
	case directory.StepMembersDeleted, directory.StepMembersSet:
		return w.walkMembers(ctx, key)
	}
	return w.walkEdges(ctx, sp, key, most)
}

func nextStep(key directory.ChangeKey) directory.ChangeKey {
	return directory.ChangeKey{Step: key.Step + 1}
}

// groupsFrom returns groups from one on, in the order of their ids.
func (w *feedWalk) groupsFrom(ctx context.Context, id string) ([]GroupKey, error) {
	only := w.scope.group
	switch {
	case only.Gid == 0:
		return w.s.q.GroupKeysFrom(ctx, id, keysAtOnce)
	case id <= only.ID:
		return []GroupKey{only}, nil
	}
	return nil, nil
}

func (w *feedWalk) walkGroups(ctx context.Context, key directory.ChangeKey) (touches []touch, next directory.ChangeKey, err error) {
	groups, err := w.groupsFrom(ctx, key.Group)
	for _, group := range groups {
		if group.ID != key.Group {
			touches = append(touches, touch{step: directory.StepGroupsSet, gid: group.Gid})
		}
	}
	if len(groups) < keysAtOnce {
		return touches, nextStep(key), err
	}
	return touches, directory.ChangeKey{Step: key.Step, Group: groups[len(groups)-1].ID}, err
}

func (w *feedWalk) walkMembers(ctx context.Context, key directory.ChangeKey) (touches []touch, next directory.ChangeKey, err error) {
	if w.scope.group.Gid != 0 {
		return nil, nextStep(key), nil
	}
	begin := key.ID
	if key == (directory.ChangeKey{Step: key.Step}) {
		begin = beforeAllIDs
	}
	ids, err := w.s.q.MemberKeysFrom(ctx, begin, keysAtOnce)
	isEnd := len(ids) < keysAtOnce
	ids = distinct(ids)
	for _, id := range ids {
		touches = append(touches, touch{step: directory.StepMembersSet, id: id})
	}
	if isEnd {
		return touches, nextStep(key), err
	}
	return touches, directory.ChangeKey{Step: key.Step, ID: ids[len(ids)-1]}, err
}

// An edgeWalk reads the edges of groups, members before guests, and keeps
// those that a revision added or removed.
type edgeWalk struct {
	q       *Queries
	span    span
	key     directory.ChangeKey // behind the last edge
	most    int
	size    int  // edges to read in the next query
	net     bool // leave out who left and came back
	seen    int
	touches []touch
}

func (w *feedWalk) walkEdges(ctx context.Context, sp span, key directory.ChangeKey, most int) ([]touch, directory.ChangeKey, error) {
	groups, err := w.groupsFrom(ctx, key.Group)
	if err != nil {
		return nil, key, err
	}
	e := &edgeWalk{q: w.s.q, span: sp, key: key, most: most, size: min(most+2, edgesPage), net: w.net}
	for _, group := range groups {
		if group.ID != e.key.Group {
			e.key = directory.ChangeKey{Step: key.Step, Group: group.ID, ID: beforeAllIDs}
		}
		for isEnd := false; !isEnd; {
			if isEnd, err = e.read(ctx, group.Gid); err != nil {
				return nil, key, err
			}
			if e.isFull() {
				return e.touches, e.key, nil
			}
		}
	}
	if len(groups) < keysAtOnce {
		return e.touches, nextStep(key), nil
	}
	return e.touches, e.key, nil
}

func (e *edgeWalk) isFull() bool { return e.seen >= edgesAtOnce || e.isEnough() }

// isEnough reports whether there is one touch more than wanted, which tells
// that the rest is another page's.
func (e *edgeWalk) isEnough() bool { return len(e.touches) > e.most }

// read reads on in a group and reports whether it came to its end. All stays
// of one person are read together.
func (e *edgeWalk) read(ctx context.Context, gid int64) (isEnd bool, err error) {
	var rows []edgeRow
	var isLast bool
	for size := e.size; ; size *= 2 {
		if rows, err = e.page(ctx, gid, int64(size)); err != nil {
			return false, err
		}
		if isLast = len(rows) < size; isLast {
			break
		}
		if whole := withoutLast(rows); len(whole) > 0 {
			rows = whole
			break
		}
	}
	for i, row := range rows {
		if !e.net || !e.staysOn(rows, i) {
			e.add(gid, row)
		}
		if e.isEnough() {
			e.key.ID = row.member
			return false, nil
		}
	}
	e.seen += len(rows)
	e.size = min(2*e.size, edgesPage)
	switch {
	case !isLast:
		e.key.ID = rows[len(rows)-1].member
		return false, nil
	case e.key.Guest:
		e.key.ID = afterAllIDs
		return true, nil
	}
	e.key.Guest, e.key.ID = true, beforeAllIDs
	return false, nil
}

// staysOn reports whether who has an edge at one end of the span has one at
// the other, too. Stays of one person stand together.
func (e *edgeWalk) staysOn(rows []edgeRow, i int) bool {
	horizon := e.span.low
	if e.key.Step == directory.StepEdgesRemoved {
		horizon = e.span.Horizon
	}
	who := rows[i].member
	for i > 0 && rows[i-1].member == who {
		i--
	}
	for ; i < len(rows) && rows[i].member == who; i++ {
		if rows[i].since <= horizon && rows[i].until > horizon {
			return true
		}
	}
	return false
}

// withoutLast drops the stays of the last person.
func withoutLast(rows []edgeRow) []edgeRow {
	n := len(rows)
	for n > 0 && rows[n-1].member == rows[len(rows)-1].member {
		n--
	}
	return rows[:n]
}

func (e *edgeWalk) page(ctx context.Context, gid, size int64) ([]edgeRow, error) {
	if !e.key.Guest {
		packed, err := e.q.PackedMembershipVersionsFrom(ctx, PackedMembershipVersionsFromParams{Gid: gid, After: e.key.ID, PageSize: size})
		return unpack(packed.Ids, packed.Sinces, packed.Untils), err
	}
	rows, err := e.q.GuestMembershipVersionsFrom(ctx, GuestMembershipVersionsFromParams{Gid: gid, After: e.key.ID, PageSize: size})
	return convert(rows, func(row GuestMembershipVersion) edgeRow { return edgeRow{row.GuestID, row.Since, row.Until} }), err
}

// add keeps an edge if the revision made or ended it, but not both.
func (e *edgeWalk) add(gid int64, row edgeRow) {
	t := touch{step: e.key.Step, gid: gid, guest: e.key.Guest, id: row.member, changeset: row.since, other: row.until}
	if t.step == directory.StepEdgesRemoved {
		t.changeset, t.other = row.until, row.since
	}
	if e.span.holds(t.changeset) && !e.span.holds(t.other) {
		e.touches = append(e.touches, t)
	}
}

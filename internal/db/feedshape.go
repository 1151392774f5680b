package db

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"rollcall/internal/directory"
)

// A knowledge is what the rows of a frame looked like, and when.
type knowledge struct {
	changesets map[int64]Changeset
	groups     map[int64][]VersionsOfGroupsRow
	members    map[int64][]VersionsOfMembersRow
	people     map[int64][]PeopleOfEdgesRow // in edges
	guests     map[int64]string
	edges      map[directory.ChangeKey]touch // noted by ofEdge, if not nil
}

// shape makes changes of what was touched, in order. What is the same on both
// sides of its revision is none.
func (s *state) shape(ctx context.Context, f frame, met *peopleMet) ([]directory.Change, error) {
	if len(f.spans) == 0 {
		return nil, nil
	}
	known, err := s.factsOf(ctx, f, met)
	if err != nil {
		return nil, err
	}
	var all []directory.Change
	for i, sp := range f.spans {
		changes, err := known.ofSpan(sp, f.touches[i])
		if err != nil {
			return nil, err
		}
		for j := range changes {
			changes[j].Revision = sp.Revision.Revision
			changes[j].Place.Pin = s.pinOf(sp.Revision)
		}
		all = append(all, changes...)
	}
	return all, nil
}

func (s *state) factsOf(ctx context.Context, f frame, met *peopleMet) (known knowledge, err error) {
	gids, members, inEdges, guests := idsOf(f)
	low, high := f.spans[0].low, f.spans[len(f.spans)-1].Horizon
	known = knowledge{changesets: f.changesets, groups: map[int64][]VersionsOfGroupsRow{}, members: map[int64][]VersionsOfMembersRow{}, guests: map[int64]string{}}
	groups, err := s.q.VersionsOfGroups(ctx, VersionsOfGroupsParams{Gids: idList(gids), High: high, Low: low})
	if err != nil {
		return known, err
	}
	for _, row := range groups {
		known.groups[row.Gid] = append(known.groups[row.Gid], row)
	}
	listed, err := s.q.VersionsOfMembers(ctx, VersionsOfMembersParams{Ids: idList(members), High: high, Low: low})
	if err != nil {
		return known, err
	}
	for _, row := range listed {
		known.members[row.ID] = append(known.members[row.ID], row)
	}
	if err := met.meet(ctx, s.q, inEdges, low, high); err != nil {
		return known, err
	}
	known.people = met.versions
	spelled, err := s.q.GuestsOf(ctx, idList(guests))
	for _, row := range spelled {
		known.guests[row.GuestID] = row.Email
	}
	return known, err
}

// idsOf are the rows that a frame is about, each once.
func idsOf(f frame) (gids, members, inEdges, guests []int64) {
	for _, touches := range f.touches {
		for _, t := range touches {
			if t.gid != 0 {
				gids = append(gids, t.gid)
			}
			switch {
			case t.guest:
				guests = append(guests, t.id)
			case isEdge(t):
				inEdges = append(inEdges, t.id)
			case t.step == directory.StepMembersSet:
				members = append(members, t.id)
			}
		}
	}
	return distinct(gids), distinct(members), distinct(inEdges), distinct(guests)
}

// ofSpan makes the changes of one revision, in order.
func (k knowledge) ofSpan(sp span, touches []touch) ([]directory.Change, error) {
	var changes []directory.Change
	for _, t := range touches {
		if isEdge(t) {
			change, err := k.ofEdge(sp, t)
			if err != nil {
				return nil, err
			}
			changes = append(changes, change)
		}
	}
	for _, gid := range touchedBy(touches, directory.StepGroupsSet, func(t touch) int64 { return t.gid }) {
		changes = append(changes, k.ofGroup(sp, gid)...)
	}
	for _, id := range touchedBy(touches, directory.StepMembersSet, func(t touch) int64 { return t.id }) {
		changes = append(changes, k.ofMember(sp, id)...)
	}
	for _, t := range touches {
		if t.step == directory.StepErased {
			changes = append(changes, k.ofErasure(t))
		}
	}
	slices.SortFunc(changes, func(a, b directory.Change) int { return a.Place.Key.Compare(b.Place.Key) })
	return changes, nil
}

// ofErasure names who was erased by nothing but an id, or a stand-in.
func (k knowledge) ofErasure(t touch) directory.Change {
	change := k.by(t.changeset)
	change.Type, change.MemberID = directory.MemberErased, t.id
	change.Place.Key = directory.ChangeKey{Step: directory.StepErased, Guest: t.guest, ID: t.id}
	if t.guest {
		change.MemberID, change.Email = 0, known(k.guests[t.id])
	}
	return change
}

func touchedBy(touches []touch, step directory.Step, id func(touch) int64) (ids []int64) {
	for _, t := range touches {
		if t.step == step {
			ids = append(ids, id(t))
		}
	}
	return distinct(ids)
}

// ofEdge names the ends of an edge as they were before the revision, if it
// ended with it, else as they were after it.
func (k knowledge) ofEdge(sp span, t touch) (directory.Change, error) {
	horizon, types := sp.Horizon, [...]directory.ChangeType{directory.MembershipAdded, directory.GuestMembershipAdded}
	if t.step == directory.StepEdgesRemoved {
		horizon, types = sp.low, [...]directory.ChangeType{directory.MembershipRemoved, directory.GuestMembershipRemoved}
	}
	group := alive(k.groups[t.gid], horizon)
	if group == nil {
		return directory.Change{}, fmt.Errorf("revision %d changes who is in the group with key %d, which did not exist: the file is damaged, restore a backup",
			sp.Revision.Revision, t.gid)
	}
	change := k.by(t.changeset)
	change.Type, change.GroupID, change.GroupName = types[0], group.ID, &group.Name
	change.Place.Key = directory.ChangeKey{Step: t.step, Group: group.ID, Guest: t.guest, ID: t.id}
	if k.edges != nil {
		k.edges[change.Place.Key] = t
	}
	if t.guest {
		change.Type, change.Email = types[1], known(k.guests[t.id])
		return change, nil
	}
	change.MemberID = t.id
	if member := alive(k.people[t.id], horizon); member != nil {
		change.Email = known(member.Email)
	}
	return change, nil
}

// ofGroup compares a group before and after a revision.
func (k knowledge) ofGroup(sp span, gid int64) []directory.Change {
	before, after := alive(k.groups[gid], sp.low), alive(k.groups[gid], sp.Horizon)
	if before == nil && after == nil {
		return nil
	}
	shown := cmp.Or(after, before)
	what := outcome(before != nil, after != nil, [...]directory.ChangeType{directory.GroupCreated, directory.GroupUpdated, directory.GroupDeleted})
	change := k.by(decisive(k.groups[gid], sp, after))
	change.Type, change.GroupID, change.GroupName = what, shown.ID, &shown.Name
	change.Place.Key = directory.ChangeKey{Step: directory.StepGroupsSet, Group: shown.ID}
	if after == nil {
		change.Place.Key.Step = directory.StepGroupsDeleted
		return []directory.Change{change}
	}
	if change.Changed = fieldsThatDiffer(groupFields(before), groupFields(after)); change.Changed == nil && before != nil {
		return nil
	}
	return []directory.Change{change}
}

// ofMember compares a member before and after a revision.
func (k knowledge) ofMember(sp span, id int64) []directory.Change {
	before, after := alive(k.members[id], sp.low), alive(k.members[id], sp.Horizon)
	if before == nil && after == nil {
		return nil
	}
	change := k.by(decisive(k.members[id], sp, after))
	change.Type = outcome(before != nil, after != nil, [...]directory.ChangeType{directory.MemberCreated, directory.MemberUpdated, directory.MemberDeleted})
	change.MemberID, change.Email = id, known(cmp.Or(after, before).Email)
	change.Place.Key = directory.ChangeKey{Step: directory.StepMembersSet, ID: id}
	if after == nil {
		change.Place.Key.Step = directory.StepMembersDeleted
		return []directory.Change{change}
	}
	if change.Changed = fieldsThatDiffer(memberFields(before), memberFields(after)); change.Changed == nil && before != nil {
		return nil
	}
	return []directory.Change{change}
}

func outcome(before, after bool, types [3]directory.ChangeType) directory.ChangeType {
	switch {
	case !before:
		return types[0]
	case after:
		return types[1]
	}
	return types[2]
}

// by says where a change comes from.
func (k knowledge) by(changeset int64) directory.Change {
	c := k.changesets[changeset]
	return directory.Change{Bounds: toBounds(c.NotBeforeMs, c.NotAfterMs), Cause: directory.Cause(c.Cause), Actor: c.Actor.String}
}

// known is nil for an e-mail that was erased.
func known(email string) *string {
	if email == "" {
		return nil
	}
	return &email
}

package db

import (
	"context"
	"slices"
	"strconv"

	"rollcall/internal/directory"
)

// A roll is what a state holds of the groups, the people and the edges that
// some pairs name. What is not in it is not there.
type roll struct {
	*state
	groups       map[string]GroupVersion   // by id
	groupsNamed  map[string][]GroupVersion // by folded name
	members      map[int64]MemberVersion
	membersNamed map[string][]MemberVersion // by folded e-mail
	strangers    map[int64]bool
	guests       map[string]int64 // by folded e-mail
	edges        map[edge]bool
	guestEdges   map[edge]bool
}

// An edge is a group and a member or guest.
type edge struct{ gid, who int64 }

// MarshalText makes the text that the queries take.
func (e edge) MarshalText() ([]byte, error) {
	return strconv.AppendInt(append(strconv.AppendInt(nil, e.gid, 10), ','), e.who, 10), nil
}

func (s *state) callRoll(ctx context.Context, pairs []directory.Pair) (*roll, error) {
	r := &roll{state: s}
	var ids, names, emails []string
	var people []int64
	for _, pair := range pairs {
		if pair.Group.ID != "" {
			ids = append(ids, pair.Group.ID)
		} else {
			names = append(names, directory.Fold(pair.Group.Name))
		}
		if pair.Member.ID != 0 {
			people = append(people, pair.Member.ID)
		} else {
			emails = append(emails, directory.FoldEmail(pair.Member.Email))
		}
	}
	ids, names, emails, people = distinct(ids), distinct(names), distinct(emails), distinct(people)
	if err := r.loadGroups(ctx, ids, names); err != nil {
		return nil, err
	}
	if err := r.loadMembers(ctx, people, emails); err != nil {
		return nil, err
	}
	if err := r.loadGuests(ctx, emails); err != nil {
		return nil, err
	}
	return r, r.loadEdges(ctx, pairs)
}

func (r *roll) loadGroups(ctx context.Context, ids, names []string) error {
	rows, err := r.groupsToCheck(ctx, jsonList(ids), jsonList(names))
	r.groups, r.groupsNamed = map[string]GroupVersion{}, map[string][]GroupVersion{}
	for _, row := range rows {
		if _, isKnown := r.groups[row.ID]; isKnown {
			continue // asked for by id and by name
		}
		r.groups[row.ID] = row
		r.groupsNamed[row.NameKey] = append(r.groupsNamed[row.NameKey], row)
	}
	return err
}

func (s *state) groupsToCheck(ctx context.Context, ids, names string) ([]GroupVersion, error) {
	if s.past {
		rows, err := s.q.GroupsToCheckAt(ctx, GroupsToCheckAtParams{Ids: ids, NameKeys: names, Horizon: s.revision.Horizon})
		return convert(rows, func(row GroupsToCheckAtRow) GroupVersion { return groupToCheck(GroupsToCheckRow(row)) }), err
	}
	rows, err := s.q.GroupsToCheck(ctx, ids, names)
	return convert(rows, groupToCheck), err
}

func groupToCheck(row GroupsToCheckRow) GroupVersion {
	return GroupVersion{Gid: row.Gid, ID: row.ID, Name: row.Name, NameKey: row.NameKey, ConfirmedMs: row.ConfirmedMs, Doubted: row.Doubted}
}

// loadMembers looks for those who are not listed among the strangers.
func (r *roll) loadMembers(ctx context.Context, ids []int64, emails []string) error {
	rows, err := r.membersToCheck(ctx, idList(ids), jsonList(emails))
	if err != nil {
		return err
	}
	r.members, r.membersNamed, r.strangers = map[int64]MemberVersion{}, map[string][]MemberVersion{}, map[int64]bool{}
	for _, row := range rows {
		if _, isKnown := r.members[row.ID]; isKnown {
			continue // asked for by id and by e-mail
		}
		r.members[row.ID] = row
		r.membersNamed[row.EmailKey] = append(r.membersNamed[row.EmailKey], row)
	}
	unlisted := slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { _, isListed := r.members[id]; return isListed })
	return r.loadStrangers(ctx, unlisted)
}

func (r *roll) loadStrangers(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	if !r.past {
		rows, err := r.q.GroupKeysOf(ctx, idList(ids))
		for _, row := range rows {
			r.strangers[row.MemberID] = true
		}
		return err
	}
	for _, id := range ids {
		groups, err := r.edgesOf(ctx, person{id: id})
		if err != nil {
			return err
		}
		r.strangers[id] = len(groups) > 0
	}
	return nil
}

func (s *state) membersToCheck(ctx context.Context, ids, emails string) ([]MemberVersion, error) {
	if s.past {
		rows, err := s.q.MembersToCheckAt(ctx, MembersToCheckAtParams{Ids: ids, EmailKeys: emails, Horizon: s.revision.Horizon})
		return convert(rows, func(row MembersToCheckAtRow) MemberVersion { return memberToCheck(MembersToCheckRow(row)) }), err
	}
	rows, err := s.q.MembersToCheck(ctx, ids, emails)
	return convert(rows, memberToCheck), err
}

func memberToCheck(row MembersToCheckRow) MemberVersion {
	return MemberVersion{ID: row.ID, EmailKey: row.EmailKey, Status: row.Status, ConfirmedMs: row.ConfirmedMs, Doubted: row.Doubted}
}

// loadGuests finds those who are a guest of some group.
func (r *roll) loadGuests(ctx context.Context, emails []string) error {
	r.guests = map[string]int64{}
	if len(emails) == 0 {
		return nil
	}
	rows, err := r.q.GuestsToCheck(ctx, jsonList(emails))
	if err != nil {
		return err
	}
	for _, row := range rows {
		groups, err := r.edgesOf(ctx, person{guest: row.GuestID})
		if err != nil {
			return err
		}
		if len(groups) > 0 {
			r.guests[row.EmailKey] = row.GuestID
		}
	}
	return nil
}

func (r *roll) loadEdges(ctx context.Context, pairs []directory.Pair) (err error) {
	var edges, guestEdges []edge
	for _, pair := range pairs {
		group, err := r.group(pair.Group)
		if err != nil {
			continue
		}
		who, err := r.person(pair.Member)
		if err != nil {
			continue
		}
		if who.guest == 0 {
			edges = append(edges, edge{group.Gid, who.id})
		}
		if guest, isGuest := r.guest(pair.Member); isGuest {
			guestEdges = append(guestEdges, edge{group.Gid, guest})
		}
	}
	if r.edges, err = r.edgesAmong(ctx, edges); err == nil {
		r.guestEdges, err = r.guestEdgesAmong(ctx, guestEdges)
	}
	return err
}

// edgesAmong tells which edges there are.
func (s *state) edgesAmong(ctx context.Context, edges []edge) (map[edge]bool, error) {
	found := make(map[edge]bool, len(edges))
	if len(edges) == 0 {
		return found, nil
	}
	if s.past {
		rows, err := s.q.EdgesToCheckAt(ctx, jsonList(edges), s.revision.Horizon)
		for _, row := range rows {
			found[edge{row.Gid, row.MemberID}] = true
		}
		return found, err
	}
	rows, err := s.q.EdgesToCheck(ctx, jsonList(edges))
	for _, row := range rows {
		found[edge{row.Gid, row.MemberID}] = true
	}
	return found, err
}

func (s *state) guestEdgesAmong(ctx context.Context, edges []edge) (map[edge]bool, error) {
	found := make(map[edge]bool, len(edges))
	if len(edges) == 0 {
		return found, nil
	}
	rows, err := s.q.GuestEdgesToCheckAt(ctx, jsonList(edges), s.horizon())
	for _, row := range rows {
		found[edge{row.Gid, row.GuestID}] = true
	}
	return found, err
}

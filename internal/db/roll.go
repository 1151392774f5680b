package db

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"

	"rollcall/internal/directory"
)

// A roll is what a state holds of the groups, the people and the edges that
// some pairs name. What is not in it is not there.
type roll struct {
	*state
	calls        []call
	groupsNamed  map[string][]GroupVersion  // by folded name
	membersNamed map[string][]MemberVersion // by folded e-mail
	guests       map[string]bool            // by folded e-mail, of some group
	guestEdges   map[guestEdge]bool
	strangers    map[int64]bool
	isUnsure     bool // of some pair it cannot be told
}

// A call is a pair as ids, and what the state holds of it.
type call struct {
	group  string // as far as a name tells
	err    error  // why a name tells no group
	member int64  // nobody, where an e-mail is no member's
	email  string // folded, of a person named by it
	PairsToCheckRow
}

const nobody = beforeAllIDs

func (s *state) callRoll(ctx context.Context, pairs []directory.Pair) (*roll, error) {
	r := &roll{state: s, calls: make([]call, len(pairs))}
	if err := r.loadNamed(ctx, pairs); err != nil {
		return nil, err
	}
	for i, pair := range pairs {
		r.calls[i] = r.call(pair)
	}
	if err := r.loadPairs(ctx); err != nil {
		return nil, err
	}
	return r, r.loadStrangers(ctx)
}

// loadNamed looks up what is not named by an id.
func (r *roll) loadNamed(ctx context.Context, pairs []directory.Pair) error {
	var names, emails []string
	for _, pair := range pairs {
		if pair.Group.ID == "" {
			names = append(names, directory.Fold(pair.Group.Name))
		}
		if pair.Member.ID == 0 {
			emails = append(emails, directory.FoldEmail(pair.Member.Email))
		}
	}
	if err := r.loadGroups(ctx, distinct(names)); err != nil {
		return err
	}
	emails = distinct(emails)
	if err := r.loadMembers(ctx, emails); err != nil {
		return err
	}
	return r.loadGuests(ctx, emails)
}

func (r *roll) loadGroups(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	rows, err := r.groupsToCheck(ctx, jsonList(names))
	r.groupsNamed = make(map[string][]GroupVersion, len(names))
	for _, row := range rows {
		group := GroupVersion{ID: row.ID, Name: row.Name}
		r.groupsNamed[row.NameKey] = append(r.groupsNamed[row.NameKey], group)
	}
	return err
}

func (s *state) groupsToCheck(ctx context.Context, names string) ([]GroupsToCheckRow, error) {
	if !s.past {
		return s.q.GroupsToCheck(ctx, names)
	}
	rows, err := s.q.GroupsToCheckAt(ctx, names, s.revision.Horizon)
	return convert(rows, func(row GroupsToCheckAtRow) GroupsToCheckRow { return GroupsToCheckRow(row) }), err
}

func (r *roll) loadMembers(ctx context.Context, emails []string) error {
	if len(emails) == 0 {
		return nil
	}
	rows, err := r.membersToCheck(ctx, jsonList(emails))
	r.membersNamed = make(map[string][]MemberVersion, len(emails))
	for _, row := range rows {
		member := MemberVersion{ID: row.ID, Status: row.Status}
		r.membersNamed[row.EmailKey] = append(r.membersNamed[row.EmailKey], member)
	}
	return err
}

func (s *state) membersToCheck(ctx context.Context, emails string) ([]MembersToCheckRow, error) {
	if !s.past {
		return s.q.MembersToCheck(ctx, emails)
	}
	rows, err := s.q.MembersToCheckAt(ctx, emails, s.revision.Horizon)
	return convert(rows, func(row MembersToCheckAtRow) MembersToCheckRow { return MembersToCheckRow(row) }), err
}

func (r *roll) loadGuests(ctx context.Context, emails []string) error {
	if len(emails) == 0 {
		return nil
	}
	rows, err := r.q.GuestEdgesToCheckAt(ctx, jsonList(emails), r.horizon())
	r.guests, r.guestEdges = make(map[string]bool, len(rows)), make(map[guestEdge]bool, len(rows))
	for _, row := range rows {
		r.guests[row.EmailKey] = true
		r.guestEdges[guestEdge{row.Gid, row.EmailKey}] = true
	}
	return err
}

// call names a pair by ids.
func (r *roll) call(pair directory.Pair) (c call) {
	c.group, c.member = pair.Group.ID, pair.Member.ID
	if c.group == "" {
		var group GroupVersion
		group, c.err = oneNamed(r.groupsNamed[directory.Fold(pair.Group.Name)], pair.Group.Name)
		c.group = group.ID
	}
	if c.member == 0 {
		c.member, c.email = nobody, directory.FoldEmail(pair.Member.Email)
		if alike := r.membersNamed[c.email]; len(alike) > 0 {
			c.member = mostAlive(alike).ID
		}
	}
	return c
}

// loadPairs looks up all pairs at once.
func (r *roll) loadPairs(ctx context.Context) error {
	rows, err := r.pairsToCheck(ctx, r.pairs())
	for i, row := range rows {
		r.calls[i].PairsToCheckRow = row
	}
	return err
}

// pairs is the object that the query takes.
func (r *roll) pairs() string {
	var object bytes.Buffer
	keys := json.NewEncoder(&object)
	separator := byte('{')
	for _, c := range r.calls {
		object.WriteByte(separator)
		_ = keys.Encode(c.group) // a text can be encoded
		object.WriteByte(':')
		object.Write(strconv.AppendInt(object.AvailableBuffer(), c.member, 10))
		separator = ','
	}
	object.WriteByte('}')
	return object.String()
}

func (s *state) pairsToCheck(ctx context.Context, pairs string) ([]PairsToCheckRow, error) {
	if !s.past {
		return s.q.PairsToCheck(ctx, pairs)
	}
	rows, err := s.q.PairsToCheckAt(ctx, pairs, s.revision.Horizon)
	return convert(rows, func(row PairsToCheckAtRow) PairsToCheckRow { return PairsToCheckRow(row) }), err
}

// loadStrangers looks for ids that are neither listed nor in the group they
// are asked about.
func (r *roll) loadStrangers(ctx context.Context) error {
	var ids []int64
	for _, c := range r.calls {
		if c.member != nobody && c.Status == "" && c.Since == 0 {
			ids = append(ids, c.member)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	edges, err := r.edgesOfMembers(ctx, distinct(ids))
	r.strangers = make(map[int64]bool, len(edges))
	for _, edge := range edges {
		r.strangers[edge.MemberID] = true
	}
	return err
}

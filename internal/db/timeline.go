package db

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"rollcall/internal/directory"
)

// GroupTimeline returns the changes of a group and of who is in it, oldest
// first, up to the state that q asks for. Groups that are gone have one, too;
// a name that no group has now is looked for among them.
func (db *DB) GroupTimeline(ctx context.Context, ref directory.GroupRef, initial bool, q directory.ListQuery) (page directory.Page[directory.Change], err error) {
	err = db.read(ctx, q.Pin, q.AsOf, func(s *state) error {
		group, err := s.everGroup(ctx, ref)
		if err != nil {
			return err
		}
		page, err = s.timeline(ctx, scopeOfGroup(s.q, group), initial, q)
		return err
	})
	return page, wrap("read the timeline of a group", err)
}

// PersonTimeline returns the changes of a member and of the groups they are
// in, or, where no member ever had the e-mail, of a guest.
func (db *DB) PersonTimeline(ctx context.Context, ref directory.PersonRef, initial bool, q directory.ListQuery) (page directory.Page[directory.Change], err error) {
	err = db.read(ctx, q.Pin, q.AsOf, func(s *state) error {
		scope, err := s.everPerson(ctx, ref)
		if err != nil {
			return err
		}
		page, err = s.timeline(ctx, scope, initial, q)
		return err
	})
	return page, wrap("read the timeline of a person", err)
}

// everGroup finds a group that is or was.
func (s *state) everGroup(ctx context.Context, ref directory.GroupRef) (GroupKey, error) {
	id := ref.ID
	if id == "" {
		group, err := s.findGroup(ctx, ref)
		if err == nil || !errors.Is(err, directory.ErrUnknownGroup) {
			return GroupKey{Gid: group.Gid, ID: group.ID}, err
		}
		ids, err := s.q.LastGroupsNamed(ctx, directory.Fold(ref.Name))
		switch {
		case err != nil:
			return GroupKey{}, err
		case len(ids) == 0:
			return GroupKey{}, directory.ErrUnknownGroup
		case len(ids) > 1:
			return GroupKey{}, &directory.AmbiguousNameError{Name: ref.Name, IDs: ids}
		}
		id = ids[0]
	}
	gid, err := s.q.GroupKey(ctx, id)
	return GroupKey{Gid: gid, ID: id}, notFound(err, directory.ErrUnknownGroup)
}

// everPerson finds a member, a stranger or a guest that is or was.
func (s *state) everPerson(ctx context.Context, ref directory.PersonRef) (feedScope, error) {
	id := ref.ID
	if id == 0 {
		member, err := s.findMember(ctx, ref)
		if err != nil && !errors.Is(err, directory.ErrUnknownPerson) {
			return feedScope{}, err
		}
		id = member.ID
	}
	if id == 0 {
		guest, err := s.q.Guest(ctx, directory.FoldEmail(ref.Email))
		if err == nil {
			return scopeOfGuest(s.q, guest.GuestID), nil
		}
		ids, err := s.q.LastMembersByEmail(ctx, directory.FoldEmail(ref.Email))
		if err != nil || len(ids) == 0 {
			return feedScope{}, errors.Join(err, directory.ErrUnknownPerson)
		}
		id = ids[len(ids)-1]
	}
	scope := scopeOfMember(s.q, id)
	touches, _, err := scope.touched(ctx, window{high: s.horizon()})
	if err == nil && len(touches) == 0 {
		err = directory.ErrUnknownPerson
	}
	return scope, err
}

// timeline walks a scope. Unless initial, it leaves out what the first sweep
// found.
func (s *state) timeline(ctx context.Context, scope feedScope, initial bool, q directory.ListQuery) (page directory.Page[directory.Change], err error) {
	w := &feedWalk{s: s, scope: scope, met: &peopleMet{}}
	if w.at, err = s.timelineStart(ctx, initial, q.After); err != nil {
		return page, err
	}
	changes, err := w.page(ctx, q.Limit)
	if err != nil {
		return page, err
	}
	page.Rows = changes[:0]
	for _, change := range changes {
		if initial || change.Cause != directory.CauseInitial {
			page.Rows = append(page.Rows, change)
		}
	}
	if !w.done {
		page.Next = w.at.position()
	}
	page.Freshness, err = s.freshList(ctx, ofGroups, ofMembers)
	return page, err
}

func (s *state) timelineStart(ctx context.Context, initial bool, after *directory.Position) (point, error) {
	if after != nil {
		return parsePoint(*after)
	}
	first, err := s.q.FirstRevision(ctx)
	if err != nil || first.Revision == 1 && (initial || first.Cause != string(directory.CauseInitial)) {
		return point{}, err
	}
	return point{revision: first.Revision}, nil
}

func (p point) position() *directory.Position {
	text, err := json.Marshal(p.key)
	if err != nil {
		panic(err) // texts and numbers can be encoded
	}
	return &directory.Position{Key: strconv.FormatInt(p.revision, 10), ID: string(text)}
}

func parsePoint(position directory.Position) (p point, err error) {
	p.revision, err = strconv.ParseInt(position.Key, 10, 64)
	if err == nil {
		err = json.Unmarshal([]byte(position.ID), &p.key)
	}
	if err != nil || p.revision < 1 || p.key.Step != 0 && !p.key.Step.IsKnown() {
		return point{}, directory.ErrCursorGone
	}
	return p, nil
}

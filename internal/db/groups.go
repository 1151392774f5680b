package db

import (
	"context"
	"fmt"

	"rollcall/internal/directory"
)

// Groups returns groups without their Members and Guests.
func (db *DB) Groups(ctx context.Context, f directory.GroupFilter, q directory.ListQuery) (page directory.Page[directory.Group], err error) {
	err = db.read(ctx, q.Pin, q.AsOf, func(s *state) error {
		page, _, err = s.groups(ctx, f, q)
		return err
	})
	return page, wrap("list groups", err)
}

// GroupsWithEdges returns groups with their Members and Guests.
func (db *DB) GroupsWithEdges(ctx context.Context, f directory.GroupFilter, q directory.ListQuery) (page directory.Page[directory.Group], err error) {
	err = db.read(ctx, q.Pin, q.AsOf, func(s *state) error {
		var gids []int64
		if page, gids, err = s.groups(ctx, f, q); err != nil {
			return err
		}
		for i, gid := range gids {
			if err := s.fillEdges(ctx, gid, &page.Rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return page, wrap("list groups", err)
}

// Group returns one group with its Members and Guests. Several of the name
// are an *directory.AmbiguousNameError.
func (db *DB) Group(ctx context.Context, ref directory.GroupRef, at *directory.AsOf) (found directory.Found[directory.Group], err error) {
	err = db.read(ctx, nil, at, func(s *state) error {
		row, err := s.findGroup(ctx, ref)
		if err != nil {
			return err
		}
		if found, err = s.foundGroup(ctx, row); err != nil {
			return err
		}
		return s.fillEdges(ctx, row.Gid, &found.Row)
	})
	return found, wrap("read a group", err)
}

// GroupSummary is Group without Members and Guests, which costs little
// however large the group is.
func (db *DB) GroupSummary(ctx context.Context, ref directory.GroupRef, at *directory.AsOf) (found directory.Found[directory.Group], err error) {
	err = db.glance(ctx, nil, at, func(ctx context.Context, s *state) error {
		row, err := s.findGroup(ctx, ref)
		if err != nil {
			return err
		}
		found, err = s.foundGroup(ctx, row)
		return err
	})
	return found, wrap("read a group", err)
}

func (s *state) foundGroup(ctx context.Context, row GroupVersion) (directory.Found[directory.Group], error) {
	fresh, err := s.freshRow(ctx, effective(s.mirror.ConfirmedMs, row.ConfirmedMs, row.Doubted))
	return directory.Found[directory.Group]{Row: toGroup(row, s.churn()), Freshness: fresh}, err
}

// groups returns a page, and the gids of its rows.
func (s *state) groups(ctx context.Context, f directory.GroupFilter, q directory.ListQuery) (page directory.Page[directory.Group], gids []int64, err error) {
	t, err := s.groupTerms(ctx, f)
	if err != nil {
		return page, nil, err
	}
	rows, err := s.matchingGroups(ctx, t, q)
	if err != nil {
		return page, nil, err
	}
	if q.Count {
		if page.Total, err = s.countGroupsThat(ctx, t); err != nil {
			return page, nil, err
		}
	}
	rows, page.Next = cut(rows, q.Limit, func(row GroupVersion) directory.Position {
		return groupPosition(row, q)
	})
	page.Rows = convert(rows, func(row GroupVersion) directory.Group { return toGroup(row, s.churn()) })
	gids = convert(rows, func(row GroupVersion) int64 { return row.Gid })
	page.Freshness, err = s.freshList(ctx, ofGroups)
	return page, gids, err
}

func groupPosition(row GroupVersion, q directory.ListQuery) directory.Position {
	if q.ByName {
		return directory.Position{Key: row.NameKey, ID: row.ID}
	}
	return directory.Position{ID: row.ID}
}

func groupStart(q directory.ListQuery) directory.Position {
	switch {
	case q.After != nil:
		return *q.After
	case q.ByName && q.Descending:
		return directory.Position{Key: afterAllKeys}
	}
	return directory.Position{}
}

// groupRows fetches one row more than the page holds.
func (s *state) groupRows(ctx context.Context, q directory.ListQuery) ([]GroupVersion, error) {
	if s.past {
		return s.pastGroupRows(ctx, q)
	}
	after, size := groupStart(q), int64(q.Limit)+1
	var rows []PresentGroup
	var err error
	switch {
	case !q.ByName:
		rows, err = s.q.GroupsByID(ctx, after.ID, size)
	case q.Descending:
		rows, err = s.q.GroupsByNameDown(ctx, GroupsByNameDownParams{AfterKey: after.Key, AfterID: after.ID, PageSize: size})
	default:
		rows, err = s.q.GroupsByName(ctx, GroupsByNameParams{AfterKey: after.Key, AfterID: after.ID, PageSize: size})
	}
	return convert(rows, presentGroup), err
}

func (s *state) pastGroupRows(ctx context.Context, q directory.ListQuery) ([]GroupVersion, error) {
	after, size, at := groupStart(q), int64(q.Limit)+1, s.revision.Horizon
	switch {
	case !q.ByName:
		return s.q.GroupsByIDAt(ctx, GroupsByIDAtParams{Horizon: at, After: after.ID, PageSize: size})
	case q.Descending:
		return s.q.GroupsByNameDownAt(ctx, GroupsByNameDownAtParams{Horizon: at, AfterKey: after.Key, AfterID: after.ID, PageSize: size})
	}
	return s.q.GroupsByNameAt(ctx, GroupsByNameAtParams{Horizon: at, AfterKey: after.Key, AfterID: after.ID, PageSize: size})
}

// fillEdges adds who is in a group; nobody is an empty list, not nil.
func (s *state) fillEdges(ctx context.Context, gid int64, group *directory.Group) error {
	var err error
	if group.Members, err = s.memberIDs(ctx, gid); err != nil {
		return err
	}
	if group.Members == nil {
		group.Members = []int64{}
	}
	guests, err := s.guestEdges(ctx, gid)
	group.Guests = convert(guests, func(row GuestEdgesRow) string { return row.Email })
	return err
}

// findGroup finds by id, or by name: the only one of that very name, else
// the only one whose name differs from it in case and outer blanks alone.
func (s *state) findGroup(ctx context.Context, ref directory.GroupRef) (GroupVersion, error) {
	if ref.ID != "" {
		return s.groupByID(ctx, ref.ID)
	}
	alike, err := s.groupsNamed(ctx, ref.Name)
	if err != nil {
		return GroupVersion{}, err
	}
	return oneNamed(alike, ref.Name)
}

// oneNamed chooses among groups whose names differ in case or outer blanks
// alone.
func oneNamed(alike []GroupVersion, name string) (GroupVersion, error) {
	var exact []GroupVersion
	for _, row := range alike {
		if row.Name == name {
			exact = append(exact, row)
		}
	}
	if len(exact) > 0 {
		alike = exact
	}
	switch len(alike) {
	case 0:
		return GroupVersion{}, directory.ErrUnknownGroup
	case 1:
		return alike[0], nil
	}
	ids := convert(alike, func(row GroupVersion) string { return row.ID })
	return GroupVersion{}, &directory.AmbiguousNameError{Name: name, IDs: ids}
}

func (s *state) groupByID(ctx context.Context, id string) (GroupVersion, error) {
	if s.past {
		row, err := s.q.GroupByIDAt(ctx, id, s.revision.Horizon)
		return row, notFound(err, directory.ErrUnknownGroup)
	}
	row, err := s.q.GroupByID(ctx, id)
	return presentGroup(row), notFound(err, directory.ErrUnknownGroup)
}

func (s *state) groupsNamed(ctx context.Context, name string) ([]GroupVersion, error) {
	if s.past {
		return s.q.GroupsNamedAt(ctx, directory.Fold(name), s.revision.Horizon)
	}
	rows, err := s.q.GroupsNamed(ctx, directory.Fold(name))
	return convert(rows, presentGroup), err
}

// wrap says what was tried, unless the error is one that callers expect.
func wrap(tried string, err error) error {
	if err == nil || isAnswer(err) {
		return err
	}
	return fmt.Errorf("%s: %w", tried, err)
}

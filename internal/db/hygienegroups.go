package db

import (
	"context"
	"fmt"

	"rollcall/internal/directory"
)

// ofGroup is a finding that concerns one group.
func ofGroup(row GroupVersion, detail string) found {
	return found{findingPlace{group: row.ID}, directory.Finding{GroupID: row.ID, Detail: fmt.Sprintf(detail, row.Name)}}
}

func (h *hygiene) emptyGroups(ctx context.Context, after findingPlace, want int) ([]found, error) {
	var rows []GroupVersion
	var err error
	if h.past {
		rows, err = h.state.q.GroupsOfNobodyAt(ctx, GroupsOfNobodyAtParams{Horizon: h.revision.Horizon, After: after.group, PageSize: int64(want)})
	} else {
		var now []PresentGroup
		now, err = h.state.q.GroupsOfNobody(ctx, after.group, int64(want))
		rows = convert(now, presentGroup)
	}
	return convert(rows, func(row GroupVersion) found { return ofGroup(row, "%q holds nobody") }), err
}

// twins come by folded name, so that they stand together, then by id.
func (h *hygiene) twins(ctx context.Context, after findingPlace, want int) ([]found, error) {
	var last GroupVersion
	if after.group != "" {
		var err error
		if last, err = h.groupByID(ctx, after.group); err != nil {
			return nil, lostPlace(err)
		}
	}
	var rows []GroupVersion
	var err error
	if h.past {
		rows, err = h.state.q.TwinsAt(ctx, TwinsAtParams{Horizon: h.revision.Horizon, AfterKey: last.NameKey, AfterID: last.ID, PageSize: int64(want)})
	} else {
		var now []PresentGroup
		now, err = h.state.q.Twins(ctx, TwinsParams{AfterKey: last.NameKey, AfterID: last.ID, PageSize: int64(want)})
		rows = convert(now, presentGroup)
	}
	return convert(rows, func(row GroupVersion) found {
		return ofGroup(row, "%q is another group's name, too, case and outer blanks apart")
	}), err
}

// groupsOfOne name the one person, too.
func (h *hygiene) groupsOfOne(ctx context.Context, after findingPlace, want int) ([]found, error) {
	var rows []GroupVersion
	var err error
	if h.past {
		rows, err = h.state.q.GroupsOfOneAt(ctx, GroupsOfOneAtParams{Horizon: h.revision.Horizon, After: after.group, PageSize: int64(want)})
	} else {
		var now []PresentGroup
		now, err = h.state.q.GroupsOfOne(ctx, after.group, int64(want))
		rows = convert(now, presentGroup)
	}
	if err != nil {
		return nil, err
	}
	all := convert(rows, func(row GroupVersion) found { return ofGroup(row, "%q holds one person") })
	return all, h.nameTheOne(ctx, rows, all)
}

// nameTheOne completes findings by who is in their groups.
func (h *hygiene) nameTheOne(ctx context.Context, groups []GroupVersion, all []found) error {
	var ids []int64
	for i, group := range groups {
		if group.MemberCount == 0 {
			guests, err := h.guestEdges(ctx, group.Gid)
			if err != nil {
				return err
			}
			all[i].row.Email = &guests[0].Email
			continue
		}
		members, err := h.memberIDs(ctx, group.Gid)
		if err != nil {
			return err
		}
		all[i].row.MemberID = members[0]
		ids = append(ids, members[0])
	}
	members, err := h.membersAmong(ctx, ids)
	emails := make(map[int64]*string, len(members))
	for _, member := range members {
		emails[member.ID] = &member.Email
	}
	for i := range all {
		if all[i].row.MemberID != 0 {
			all[i].row.Email = emails[all[i].row.MemberID]
		}
	}
	return err
}

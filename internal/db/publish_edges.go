package db

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"rollcall/internal/directory"
)

// edges are who is in a group: member ids, and the folded e-mails of guests,
// both ascending.
type edges struct {
	members []int64
	guests  []string
}

func (w *writing) storedEdges(ctx context.Context, gid int64) (e edges, err error) {
	if e.members, err = w.q.MemberIDs(ctx, gid); err != nil {
		return e, err
	}
	guests, err := w.q.GuestEdges(ctx, gid)
	e.guests = convert(guests, func(row GuestEdgesRow) string { return row.EmailKey })
	slices.Sort(e.guests)
	return e, err
}

// setEdges makes the stored edges those that upstream showed, and returns
// them. A list that upstream left out stays as it is.
func (w *writing) setEdges(ctx context.Context, gid int64, stored edges, u directory.GroupUpdate) (edges, error) {
	after := stored
	if !u.Row.MembersAbsent {
		after.members = u.Row.Members
		if err := w.diffMembers(ctx, gid, stored.members, after.members, u.Members); err != nil {
			return after, err
		}
	}
	if !u.Row.GuestsAbsent {
		after.guests = convert(u.Row.Guests, directory.FoldEmail)
		slices.Sort(after.guests)
		after.guests = slices.Compact(after.guests)
		if err := w.diffGuests(ctx, gid, stored.guests, after.guests, u); err != nil {
			return after, err
		}
	}
	return after, nil
}

// diff compares two ascending sets.
func diff[T interface{ ~int64 | ~string }](before, after []T) (added, removed []T) {
	for len(before) > 0 && len(after) > 0 {
		switch {
		case before[0] < after[0]:
			removed, before = append(removed, before[0]), before[1:]
		case before[0] > after[0]:
			added, after = append(added, after[0]), after[1:]
		default:
			before, after = before[1:], after[1:]
		}
	}
	return append(added, after...), append(removed, before...)
}

func equalSets[T comparable](a, b []T) bool { return slices.Equal(a, b) }

func (w *writing) diffMembers(ctx context.Context, gid int64, before, after []int64, origin directory.Origin) error {
	added, removed := diff(before, after)
	if len(added)+len(removed) == 0 {
		return nil
	}
	changeset, err := w.changeset(ctx, origin)
	if err != nil {
		return err
	}
	w.countEdges(added, removed)
	if len(removed) > 0 {
		ids := idList(removed)
		if err := w.q.CloseMemberEdges(ctx, CloseMemberEdgesParams{Gid: gid, Ids: ids, Until: changeset}); err != nil {
			return err
		}
		if err := w.q.DeleteMemberEdges(ctx, gid, ids); err != nil {
			return err
		}
	}
	if len(added) == 0 {
		return nil
	}
	return w.q.InsertMemberEdges(ctx, InsertMemberEdgesParams{Gid: gid, Ids: idList(added), Since: changeset})
}

// countEdges remembers how many groups each member entered or left.
func (w *writing) countEdges(added, removed []int64) {
	w.mirror.MembershipCount += int64(len(added) - len(removed))
	for _, id := range added {
		w.entered[id]++
	}
	for _, id := range removed {
		w.entered[id]--
	}
}

func (w *writing) diffGuests(ctx context.Context, gid int64, before, after []string, u directory.GroupUpdate) error {
	added, removed := diff(before, after)
	if len(added)+len(removed) == 0 {
		return nil
	}
	changeset, err := w.changeset(ctx, u.Guests)
	if err != nil {
		return err
	}
	gone, err := w.guestIDs(ctx, removed, nil)
	if err != nil {
		return err
	}
	come, err := w.guestIDs(ctx, added, u.Row.Guests)
	if err != nil {
		return err
	}
	w.mirror.GuestMembershipCount += int64(len(added) - len(removed))
	if err := w.q.CloseGuestEdges(ctx, CloseGuestEdgesParams{Gid: gid, Ids: idList(gone), Until: changeset}); err != nil {
		return err
	}
	if err := w.q.DeleteGuestEdges(ctx, gid, idList(gone)); err != nil {
		return err
	}
	return w.q.InsertGuestEdges(ctx, InsertGuestEdgesParams{Gid: gid, Ids: idList(come), Since: changeset})
}

// guestIDs finds guests by their keys, and makes those never seen before,
// spelled as in emails.
func (w *writing) guestIDs(ctx context.Context, keys, emails []string) ([]int64, error) {
	spelled := make(map[string]string, len(emails))
	for _, email := range emails {
		spelled[directory.FoldEmail(email)] = email
	}
	ids := make([]int64, 0, len(keys))
	for _, key := range keys {
		guest, err := w.q.Guest(ctx, key)
		if errors.Is(err, sql.ErrNoRows) {
			guest.GuestID, err = w.q.InsertGuest(ctx, key, spelled[key])
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, guest.GuestID)
	}
	return ids, nil
}

// removeEdges ends every edge of a group.
func (w *writing) removeEdges(ctx context.Context, gid, until int64) error {
	stored, err := w.storedEdges(ctx, gid)
	if err != nil {
		return err
	}
	w.countEdges(nil, stored.members)
	w.mirror.GuestMembershipCount -= int64(len(stored.guests))
	if err := w.q.CloseMembersOfGroup(ctx, until, gid); err != nil {
		return err
	}
	if err := w.q.DeleteMembersOfGroup(ctx, gid); err != nil {
		return err
	}
	if err := w.q.CloseGuestsOfGroup(ctx, until, gid); err != nil {
		return err
	}
	return w.q.DeleteGuestsOfGroup(ctx, gid)
}

package db

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rollcall/internal/directory"
)

// A suspect is a person who ought to be in no group.
type suspect struct {
	person
	place string // as findings are placed by it
	email *string
}

// suspectsAtOnce is how many are looked at with one statement.
const suspectsAtOnce = 20

// perGroup returns one finding for each group of each suspect. more fetches
// suspects from one on, that one included, and says to whom to go on, nobody
// at the end.
func (h *hygiene) perGroup(ctx context.Context, after findingPlace, want int, detail string, more func(from string) ([]suspect, string, error)) ([]found, error) {
	var all []found
	for from := after.person; ; {
		suspects, next, err := more(from)
		if err != nil {
			return nil, err
		}
		some, err := h.groupsOfAll(ctx, suspects, detail)
		if err != nil {
			return nil, err
		}
		for _, f := range some {
			if f.place.person != after.person || f.place.group > after.group {
				all = append(all, f)
			}
		}
		if next == "" || len(all) >= want {
			return all, nil
		}
		from = next
	}
}

// groupsOfAll returns one finding for each group of each suspect, in order.
func (h *hygiene) groupsOfAll(ctx context.Context, suspects []suspect, detail string) ([]found, error) {
	edges, gids := make([][]groupEdge, len(suspects)), []int64{}
	for i, who := range suspects {
		var err error
		if edges[i], err = h.edgesOf(ctx, who.person); err != nil {
			return nil, err
		}
		gids = append(gids, convert(edges[i], func(e groupEdge) int64 { return e.gid })...)
	}
	slices.Sort(gids)
	groups, err := h.groupsAmong(ctx, slices.Compact(gids))
	byGID := make(map[int64]GroupVersion, len(groups))
	for _, group := range groups {
		byGID[group.Gid] = group
	}
	var all []found
	for i, who := range suspects {
		own := convert(edges[i], func(e groupEdge) GroupVersion { return byGID[e.gid] })
		slices.SortFunc(own, func(a, b GroupVersion) int { return strings.Compare(a.ID, b.ID) })
		for _, group := range own {
			all = append(all, found{findingPlace{who.place, group.ID}, directory.Finding{
				GroupID: group.ID, MemberID: who.id, Email: who.email, Detail: fmt.Sprintf(detail, group.Name),
			}})
		}
	}
	return all, err
}

func idPlace(id int64) string { return strconv.FormatInt(id, 10) }

// placedID is the id that a place names; an empty one is before all.
func placedID(place string) (int64, error) {
	if place == "" {
		return beforeAllIDs, nil
	}
	id, err := strconv.ParseInt(place, 10, 64)
	if err != nil {
		return 0, directory.ErrCursorGone
	}
	return id, nil
}

// page is some suspects of which one more was fetched if there are more.
func suspectsOf[T any](rows []T, one func(T) suspect) (suspects []suspect, next string) {
	suspects = convert(rows, one)
	if len(suspects) <= suspectsAtOnce {
		return suspects, ""
	}
	return suspects[:suspectsAtOnce], suspects[suspectsAtOnce].place
}

func (h *hygiene) disabledInGroups(ctx context.Context, after findingPlace, want int) ([]found, error) {
	return h.perGroup(ctx, after, want, "disabled, and still a member of %q", func(from string) ([]suspect, string, error) {
		first, err := placedID(from)
		if err != nil {
			return nil, "", err
		}
		rows, err := h.disabledFrom(ctx, first)
		suspects, next := suspectsOf(rows, func(row DisabledInGroupsRow) suspect {
			return suspect{person{id: row.ID}, idPlace(row.ID), &row.Email}
		})
		return suspects, next, err
	})
}

func (h *hygiene) disabledFrom(ctx context.Context, first int64) ([]DisabledInGroupsRow, error) {
	if !h.past {
		return h.state.q.DisabledInGroups(ctx, first, suspectsAtOnce+1)
	}
	rows, err := h.state.q.DisabledInGroupsAt(ctx, DisabledInGroupsAtParams{Horizon: h.revision.Horizon, First: first, PageSize: suspectsAtOnce + 1})
	return convert(rows, func(row DisabledInGroupsAtRow) DisabledInGroupsRow { return DisabledInGroupsRow(row) }), err
}

func (h *hygiene) danglingIDs(ctx context.Context, after findingPlace, want int) ([]found, error) {
	return h.perGroup(ctx, after, want, "the member list lacks this id, which %q names", func(from string) ([]suspect, string, error) {
		first, err := placedID(from)
		if err != nil {
			return nil, "", err
		}
		ids, err := h.strangersFrom(ctx, first)
		suspects, next := suspectsOf(ids, func(id int64) suspect { return suspect{person: person{id: id}, place: idPlace(id)} })
		return suspects, next, err
	})
}

// strangersFrom returns ids that the member list lacks, from one on; of the
// past, those in no group of then, too.
func (h *hygiene) strangersFrom(ctx context.Context, first int64) ([]int64, error) {
	if !h.past {
		return h.state.q.StrangersFrom(ctx, first, suspectsAtOnce+1)
	}
	ids, err := h.state.q.MaybeStrangersAt(ctx, first, h.revision.Horizon)
	if err != nil {
		return nil, err
	}
	members, err := h.state.q.MembersOfAt(ctx, idList(ids), h.revision.Horizon)
	known := make(map[int64]bool, len(members))
	for _, member := range members {
		known[member.ID] = true
	}
	ids = slices.DeleteFunc(ids, func(id int64) bool { return known[id] })
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return ids[:min(len(ids), suspectsAtOnce+1)], err
}

func (h *hygiene) guestsOutside(ctx context.Context, after findingPlace, want int) ([]found, error) {
	return h.perGroup(ctx, after, want, "a guest of %q from a domain that is not allowed", func(from string) ([]suspect, string, error) {
		rows, err := h.state.q.GuestsOutside(ctx, GuestsOutsideParams{
			First: from, Domains: jsonList(h.q.GuestDomains), Horizon: h.horizon(), PageSize: suspectsAtOnce + 1,
		})
		suspects, next := suspectsOf(rows, func(row GuestsOutsideRow) suspect {
			return suspect{person{guest: row.GuestID}, row.EmailKey, &row.Email}
		})
		return suspects, next, err
	})
}

func (h *hygiene) idle(ctx context.Context, after findingPlace, want int) ([]found, error) {
	last, err := placedID(after.person)
	if err != nil {
		return nil, err
	}
	var rows []IdleRow
	if h.past {
		var then []IdleAtRow
		then, err = h.state.q.IdleAt(ctx, IdleAtParams{Horizon: h.revision.Horizon, After: last, PageSize: int64(want)})
		rows = convert(then, func(row IdleAtRow) IdleRow { return IdleRow(row) })
	} else {
		rows, err = h.state.q.Idle(ctx, last, int64(want))
	}
	return convert(rows, func(row IdleRow) found { return ofMember(row, "in no group") }), err
}

// ofMember is a finding that concerns one member alone.
func ofMember(row IdleRow, what string) found {
	return found{findingPlace{person: idPlace(row.ID)}, directory.Finding{
		MemberID: row.ID, Email: &row.Email, Detail: cmp.Or(row.Status, "listed") + ", and " + what,
	}}
}

// neverLoggedIn finds nobody as of an instant: last logins have no history.
func (h *hygiene) neverLoggedIn(ctx context.Context, after findingPlace, want int) ([]found, error) {
	last, err := placedID(after.person)
	if err != nil || h.then != nil {
		return nil, err
	}
	var rows []IdleRow
	if h.past {
		var then []NeverLoggedInAtRow
		then, err = h.state.q.NeverLoggedInAt(ctx, NeverLoggedInAtParams{Horizon: h.revision.Horizon, After: last, PageSize: int64(want)})
		rows = convert(then, func(row NeverLoggedInAtRow) IdleRow { return IdleRow(row) })
	} else {
		var now []NeverLoggedInRow
		now, err = h.state.q.NeverLoggedIn(ctx, last, int64(want))
		rows = convert(now, func(row NeverLoggedInRow) IdleRow { return IdleRow(row) })
	}
	return convert(rows, func(row IdleRow) found { return ofMember(row, "never logged in") }), err
}

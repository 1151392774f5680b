package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

var ofOrder = []assumption{
	{
		name: "order", assumed: "groups come in the order of their creation, oldest first",
		otherwise: "nothing upstream: rows are known by id; Rollcall's own lists are oldest first",
		judge: func(e *evidence) (Verdict, string) {
			return e.ordered(e.groups100, "created_at", false)
		},
	},
	{
		name: "ties", assumed: "of groups made in one instant the smaller id comes first",
		otherwise: "as for order",
		judge:     (*evidence).ties,
	},
	{
		name: "steady-order", assumed: "a list asked for twice comes in the same order",
		otherwise: "a listing that shifts is noticed by repeated rows and by total, and is made again",
		judge: func(e *evidence) (Verdict, string) {
			if !e.groups100.list() || !e.groupsAgain.list() {
				return NotVisible, e.groupsAgain.said()
			}
			return holds(slices.Equal(ids(e.groups100), ids(e.groupsAgain)), fmt.Sprintf("%d rows, twice", len(e.groups100.rows)))
		},
	},
	{
		name: "sort-by", assumed: "sort_by=name lists groups by name, ascending",
		otherwise: "Rollcall's own sort_by differs from Tallyfy's there",
		judge:     func(e *evidence) (Verdict, string) { return e.ordered(e.byName, "name", false) },
	},
	{
		name: "sort-by-minus", assumed: "sort_by=-name lists groups by name, descending",
		otherwise: "Rollcall's own sort_by differs from Tallyfy's there",
		judge:     func(e *evidence) (Verdict, string) { return e.ordered(e.byNameDown, "name", true) },
	},
	{
		name: "users-sort", assumed: "sort=-created_at lists users newest first",
		otherwise: "Rollcall's own sort differs from Tallyfy's there",
		judge:     func(e *evidence) (Verdict, string) { return e.ordered(e.usersDown, "created_at", true) },
	},
	{
		name: "search", assumed: "q finds groups by a part of their name",
		otherwise: "Rollcall's own q differs from Tallyfy's there",
		judge:     func(e *evidence) (Verdict, string) { return e.finds(e.search) },
	},
	{
		name: "search-folds-case", assumed: "q does not tell capitals from small letters",
		otherwise: "Rollcall's own q differs from Tallyfy's there",
		judge:     func(e *evidence) (Verdict, string) { return e.finds(e.searchUpper) },
	},
	{
		name: "search-is-literal", assumed: "q takes % for a character, not for anything at all",
		otherwise: "Rollcall's own q differs from Tallyfy's there",
		judge: func(e *evidence) (Verdict, string) {
			if !e.searchPercent.list() {
				return NotVisible, e.searchPercent.said()
			}
			holding := 0
			for _, g := range e.searchPercent.rows {
				if strings.Contains(g.text("name")+g.text("description"), "%") {
					holding++
				}
			}
			return holds(holding == len(e.searchPercent.rows), fmt.Sprintf("%d of %d found hold one", holding, len(e.searchPercent.rows)))
		},
	},
}

func ids(a *answer) []string {
	all := make([]string, len(a.rows))
	for i, row := range a.rows {
		all[i] = row.text("id")
	}
	return all
}

// ordered compares neighbours, as instants or case folded.
func (e *evidence) ordered(a *answer, field string, descending bool) (Verdict, string) {
	if !a.list() || len(a.rows) < 2 {
		return NotVisible, a.said() + ", too few rows to tell"
	}
	inversions, steps := 0, 0
	for i := 1; i < len(a.rows); i++ {
		before, after := key(a.rows[i-1], field), key(a.rows[i], field)
		if before == after {
			continue
		}
		steps++
		if before > after != descending {
			inversions++
		}
	}
	if steps == 0 {
		return NotVisible, "all rows are alike in " + field
	}
	return holds(inversions == 0, fmt.Sprintf("%d of %d steps go the other way", inversions, steps))
}

func key(row fields, field string) string {
	text := row.text(field)
	if at, ok := instant(text); ok {
		return at.UTC().Format("2006-01-02T15:04:05.000000000")
	}
	return strings.ToLower(text)
}

// instant reads the spellings of time that Tallyfy has used.
func instant(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

func (e *evidence) ties() (Verdict, string) {
	if !e.groups100.list() {
		return NotVisible, e.groups100.said()
	}
	alike, inverted := 0, 0
	for i := 1; i < len(e.groups100.rows); i++ {
		before, after := e.groups100.rows[i-1], e.groups100.rows[i]
		if key(before, "created_at") == key(after, "created_at") {
			alike++
			if before.text("id") > after.text("id") {
				inverted++
			}
		}
	}
	if alike == 0 {
		return NotVisible, "no two groups were made in one instant"
	}
	return holds(inverted == 0, fmt.Sprintf("%d of %d pairs have the larger first", inverted, alike))
}

// finds reports whether a search for a part of a name found that group.
func (e *evidence) finds(a *answer) (Verdict, string) {
	if !a.list() {
		return NotVisible, a.said()
	}
	return holds(len(a.rows) > 0, fmt.Sprintf("%d found", len(a.rows)))
}

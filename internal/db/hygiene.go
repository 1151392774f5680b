package db

import (
	"context"
	"encoding/json"
	"slices"

	"rollcall/internal/directory"
)

// Hygiene returns findings. A past state does not tell who has logged in:
// directory.NeverLoggedIn finds nobody as of an instant, and in a later page
// of a walk only those of whom it is still known. It is confirmed as Members
// is.
func (db *DB) Hygiene(ctx context.Context, q directory.HygieneQuery) (page directory.Page[directory.Finding], err error) {
	q.GuestDomains = foldDomains(q.GuestDomains)
	err = db.read(ctx, q.Pin, q.AsOf, func(s *state) error {
		page, err = s.hygiene(ctx, q)
		return err
	})
	return page, wrap("look for what is out of order", err)
}

// HygieneCounts counts the findings of each rule at the present revision.
func (db *DB) HygieneCounts(ctx context.Context, guestDomains []string) (counts directory.HygieneCounts, err error) {
	err = db.read(ctx, nil, nil, func(s *state) error {
		counts.Revision = s.revision.Revision
		counts.Findings, err = s.countFindings(ctx, foldDomains(guestDomains))
		return err
	})
	return counts, wrap("count what is out of order", err)
}

func foldDomains(domains []string) []string { return convert(domains, directory.Fold) }

// A findingPlace is where a finding of a rule stands: by the person, then by
// the group. Either may be empty.
type findingPlace struct{ person, group string }

// A found is a finding and its place.
type found struct {
	place findingPlace
	row   directory.Finding
}

// A finder looks for what a rule is about: for as many findings as are wanted
// after a place, in order, and maybe more.
type finder func(h *hygiene, ctx context.Context, after findingPlace, want int) ([]found, error)

// finders are how the rules find, by name.
var finders = map[string]finder{
	directory.DisabledInGroup: (*hygiene).disabledInGroups,
	directory.GuestDomain:     (*hygiene).guestsOutside,
	directory.DanglingID:      (*hygiene).danglingIDs,
	directory.TwinNames:       (*hygiene).twins,
	directory.EmptyGroup:      (*hygiene).emptyGroups,
	directory.OnePersonGroup:  (*hygiene).groupsOfOne,
	directory.InNoGroup:       (*hygiene).idle,
	directory.NeverLoggedIn:   (*hygiene).neverLoggedIn,
}

// A hygiene looks at one state.
type hygiene struct {
	*state
	q directory.HygieneQuery
}

func (s *state) hygiene(ctx context.Context, q directory.HygieneQuery) (page directory.Page[directory.Finding], err error) {
	h := &hygiene{s, q}
	all, err := h.find(ctx, q.After, q.Limit+1)
	if err != nil {
		return page, err
	}
	all, page.Next = cut(all, q.Limit, found.position)
	page.Rows = convert(all, func(f found) directory.Finding { return f.row })
	if q.Count {
		if page.Total, err = h.count(ctx); err != nil {
			return page, err
		}
	}
	page.Freshness, err = s.freshList(ctx, ofMembers, ofGroups)
	return page, err
}

// find returns the first findings after a position.
func (h *hygiene) find(ctx context.Context, after *directory.Position, want int) (all []found, err error) {
	rules, place := directory.Rules, findingPlace{}
	if after != nil {
		if rules, place, err = parseFinding(*after); err != nil {
			return nil, err
		}
	}
	for _, rule := range rules {
		if h.q.Wants(rule) {
			some, err := finders[rule.Name](h, ctx, place, want-len(all))
			if err != nil {
				return nil, err
			}
			for _, f := range some[:min(len(some), want-len(all))] {
				f.row.Rule = rule
				all = append(all, f)
			}
		}
		if place = (findingPlace{}); len(all) == want {
			break
		}
	}
	return all, nil
}

func (f found) position() directory.Position {
	place, err := json.Marshal([]string{f.place.person, f.place.group})
	if err != nil {
		panic(err) // texts can be encoded
	}
	return directory.Position{Key: f.row.Name, ID: string(place)}
}

// parseFinding returns the rules from that of a position on.
func parseFinding(p directory.Position) ([]directory.Rule, findingPlace, error) {
	i := slices.IndexFunc(directory.Rules, func(r directory.Rule) bool { return r.Name == p.Key })
	var place []string
	if err := json.Unmarshal([]byte(p.ID), &place); err != nil || i < 0 || len(place) != 2 {
		return nil, findingPlace{}, directory.ErrCursorGone
	}
	return directory.Rules[i:], findingPlace{place[0], place[1]}, nil
}

// count counts all that the query asks for.
func (h *hygiene) count(ctx context.Context) (*int, error) {
	if h.past || h.then != nil {
		all, err := h.find(ctx, nil, noLimit)
		return new(len(all)), err
	}
	counts, err := h.countFindings(ctx, h.q.GuestDomains)
	total := 0
	for _, rule := range directory.Rules {
		if h.q.Wants(rule) {
			total += counts[rule.Name]
		}
	}
	return &total, err
}

// countFindings counts the findings of the present, by rule.
func (s *state) countFindings(ctx context.Context, domains []string) (map[string]int, error) {
	row, err := s.q.CountFindings(ctx)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{
		directory.DisabledInGroup: int(row.DisabledInGroup),
		directory.DanglingID:      int(row.DanglingID),
		directory.TwinNames:       int(row.TwinNames),
		directory.EmptyGroup:      int(row.EmptyGroup),
		directory.OnePersonGroup:  int(row.OnePersonGroup),
		directory.InNoGroup:       int(row.InNoGroup),
		directory.NeverLoggedIn:   int(row.NeverLoggedIn),
	}
	if len(domains) > 0 {
		outside, err := s.q.CountGuestsOutside(ctx, jsonList(domains))
		if err != nil {
			return nil, err
		}
		counts[directory.GuestDomain] = int(outside)
	}
	return counts, nil
}

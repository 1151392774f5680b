package db_test

import (
	"fmt"
	"testing"

	"rollcall/internal/db"
	"rollcall/internal/directory"
)

// BenchmarkInsight asks who shares what and what is out of order. One member
// in fifty is disabled, one in a hundred has never logged in, one group in a
// hundred has a guest, and Member is what all is measured by.
func BenchmarkInsight(b *testing.B) {
	mirror, _ := benchMirror(b)
	p := largeOrganisation()
	for i, u := range p.Members {
		if i%100 != 0 {
			u.Row.LastLoginAt = at(0)
		}
		if i%50 == 1 {
			u.Row.Status = directory.Disabled
		}
	}
	for i := 0; i < len(p.Groups); i += 100 {
		p.Groups[i].Row.Guests = []string{fmt.Sprintf("guest%d@outside.test", i)}
	}
	publish(b, mirror, p)
	ctx := b.Context()
	present, err := mirror.Freshness(ctx)
	if err != nil {
		b.Fatal(err)
	}
	pin := present.Pin()
	publish(b, mirror, oneInAThousand(p, 1))
	everybody, usual := directory.GroupRef{ID: p.Groups[0].Row.ID}, directory.GroupRef{ID: p.Groups[500].Row.ID}
	someone, other := directory.PersonRef{ID: 500}, directory.PersonRef{ID: 501}
	page := directory.ListQuery{Limit: 100}
	overlap := func(q directory.OverlapQuery) func() error {
		return func() error { return second(mirror.Overlap(ctx, q)) }
	}
	coMembers := func(q directory.ListQuery) func() error {
		return func() error { return second(mirror.CoMembers(ctx, someone, q)) }
	}
	hygiene := func(q directory.HygieneQuery) func() error {
		q.GuestDomains, q.Limit = []string{"x.test"}, 100
		return func() error { return second(mirror.Hygiene(ctx, q)) }
	}
	reads := map[string]func() error{
		"Member":            func() error { return second(mirror.Member(ctx, someone, nil)) },
		"MemberAlone":       alone(b, mirror, "SELECT * FROM present_members WHERE id = ?", 500),
		"SharedGroups":      func() error { return second(mirror.SharedGroups(ctx, someone, other, page)) },
		"SharedGroupsAlone": alone(b, mirror, db.SharedGroupsSQL, 500, 501),
		"SharedGroupsPast": func() error {
			return second(mirror.SharedGroups(ctx, someone, other, directory.ListQuery{Limit: 100, Pin: &pin}))
		},
		"CoMembers":           coMembers(page),
		"CoMembersDeep":       coMembers(directory.ListQuery{Limit: 100, After: &directory.Position{Key: "1", ID: "90000"}}),
		"CoMembersByName":     coMembers(directory.ListQuery{Limit: 100, ByName: true, After: &directory.Position{Key: "person 9", ID: "9"}}),
		"CoMembersPast":       coMembers(directory.ListQuery{Limit: 100, Pin: &pin}),
		"CoMembersCounted":    coMembers(directory.ListQuery{Limit: 100, Count: true}),
		"OverlapFirst":        overlap(directory.OverlapQuery{ListQuery: page}),
		"OverlapOfEverybody":  overlap(directory.OverlapQuery{ListQuery: directory.ListQuery{Limit: 100, After: &directory.Position{Key: everybody.ID, ID: p.Groups[len(p.Groups)/2].Row.ID}}}),
		"OverlapOfUsual":      overlap(directory.OverlapQuery{ListQuery: directory.ListQuery{Limit: 100, After: &directory.Position{Key: p.Groups[500].Row.ID}}}),
		"OverlapOfLarge":      overlap(directory.OverlapQuery{ListQuery: directory.ListQuery{Limit: 100, After: &directory.Position{Key: p.Groups[3].Row.ID, ID: p.Groups[len(p.Groups)/2].Row.ID}}}),
		"OverlapByName":       overlap(directory.OverlapQuery{ListQuery: directory.ListQuery{Limit: 100, ByName: true}}),
		"OverlapPast":         overlap(directory.OverlapQuery{ListQuery: directory.ListQuery{Limit: 100, Pin: &pin, After: &directory.Position{Key: everybody.ID, ID: p.Groups[len(p.Groups)/2].Row.ID}}}),
		"OverlapOneUsual":     overlap(directory.OverlapQuery{ListQuery: page, Group: &usual}),
		"OverlapOneEverybody": overlap(directory.OverlapQuery{ListQuery: page, Group: &everybody}),
		"OverlapCounted":      overlap(directory.OverlapQuery{ListQuery: directory.ListQuery{Limit: 1, Count: true}}),
		"HygieneCounts":       func() error { return second(mirror.HygieneCounts(ctx, []string{"x.test"})) },
	}
	for _, rule := range directory.Rules {
		reads["Hygiene/"+rule.Name] = hygiene(directory.HygieneQuery{Rules: []string{rule.Name}})
		reads["HygienePast/"+rule.Name] = hygiene(directory.HygieneQuery{Rules: []string{rule.Name}, ListQuery: directory.ListQuery{Pin: &pin}})
	}
	for name, read := range reads {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// alone is a query without what surrounds it.
func alone(b *testing.B, mirror *db.DB, query string, args ...any) func() error {
	b.Helper()
	statement, err := db.Readers(mirror).PrepareContext(b.Context(), query)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { statement.Close() })
	return func() error {
		rows, err := statement.QueryContext(b.Context(), args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
		}
		return rows.Err()
	}
}

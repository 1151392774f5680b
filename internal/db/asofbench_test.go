package db_test

import (
	"testing"

	"rollcall/internal/directory"
)

// BenchmarkAsOf asks of a past state what BenchmarkRead asks of the present.
func BenchmarkAsOf(b *testing.B) {
	mirror, _, p := loaded(b)
	publish(b, mirror, oneInAThousand(p, 1))
	ctx, then := b.Context(), &directory.AsOf{Revision: 1}
	everybody := directory.GroupRef{ID: p.Groups[0].Row.ID}
	usual := directory.GroupRef{ID: p.Groups[500].Row.ID}
	somebody := directory.PersonRef{ID: 500}
	deep := edgeAfter(everybody, "", 90000)
	for _, read := range []struct {
		name string
		of   func(*directory.AsOf) error
	}{
		{"Member", func(at *directory.AsOf) error { return second(mirror.Member(ctx, somebody, at)) }},
		{"Check", func(at *directory.AsOf) error { return second(mirror.Check(ctx, somebody, everybody, false, at)) }},
		{"GroupsOfPerson", func(at *directory.AsOf) error {
			return second(mirror.GroupsOfPerson(ctx, somebody, directory.ListQuery{Limit: 100, AsOf: at}))
		}},
		{"GroupMembers", func(at *directory.AsOf) error {
			return second(mirror.GroupMembers(ctx, usual, "", directory.ListQuery{Limit: 100, AsOf: at}))
		}},
		{"GroupMembersDeep", func(at *directory.AsOf) error {
			return second(mirror.GroupMembers(ctx, everybody, "", directory.ListQuery{Limit: 100, AsOf: at, After: deep}))
		}},
	} {
		for name, at := range map[string]*directory.AsOf{"Now": nil, "Then": then} {
			b.Run(read.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := read.of(at); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

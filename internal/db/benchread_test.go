package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

// BenchmarkRead asks what a busy server is asked; what ends in Then is asked
// of a past state. The point query is MemberPayload.
func BenchmarkRead(b *testing.B) {
	mirror, _, p := loaded(b)
	publish(b, mirror, oneInAThousand(p, 1))
	benchReads(b, mirror, p)
}

// BenchmarkReadWithStatistics asks the same of a file in which somebody ran
// ANALYZE: statistics mislead the planner more often than their lack.
func BenchmarkReadWithStatistics(b *testing.B) {
	mirror, path, p := loaded(b)
	publish(b, mirror, oneInAThousand(p, 1))
	inside(b, mirror, func(pool *sql.DB) error {
		_, err := pool.Exec("ANALYZE")
		return err
	})
	if err := mirror.Close(); err != nil {
		b.Fatal(err)
	}
	benchReads(b, dbtest.Open(b, path), p)
}

func benchReads(b *testing.B, mirror *db.DB, p directory.Publication) {
	ctx := b.Context()
	group := func(i int) directory.GroupRef { return directory.GroupRef{ID: p.Groups[i].Row.ID} }
	everybody, usual := group(0), group(200)
	someone, other := directory.PersonRef{ID: 501}, directory.PersonRef{ID: 502}
	deep, deepByName := edgeAfter(everybody, "", 90000), edgeAfter(everybody, "person 9", 9)
	three := directory.MemberFilter{In: []directory.GroupRef{everybody, usual, group(500)}}
	payloads := func(q directory.PayloadQuery) func() error {
		return func() error { return second(mirror.MemberPayloads(ctx, q)) }
	}
	groupPayloads := func(q directory.PayloadQuery) func() error {
		return func() error { return second(mirror.GroupPayloads(ctx, q)) }
	}
	reads := map[string]func() error{
		"MemberPayload":          func() error { return second(mirror.MemberPayload(ctx, someone.ID)) },
		"MemberPayloads":         payloads(directory.PayloadQuery{Limit: 9999}),
		"MemberPayloadsSearched": payloads(directory.PayloadQuery{Contains: "son99", Order: directory.ByLastName, Limit: 100}),
		"MemberPayloadsNewest":   payloads(directory.PayloadQuery{Descending: true, Limit: 100}),
		"GroupPayloads":          groupPayloads(directory.PayloadQuery{Offset: 5000, Limit: 100}),
		"GroupPayloadsSearched":  groupPayloads(directory.PayloadQuery{Contains: "roup 99", Limit: 100}),
		"GroupPayloadsByName":    groupPayloads(directory.PayloadQuery{Order: directory.ByName, Offset: 5000, Limit: 100}),
		"MembersWithGroups": func() error {
			return second(mirror.MembersWithGroups(ctx, directory.PayloadQuery{Limit: 10}, 32<<20))
		},
		"MembersWithGroupsTooLarge": func() error {
			_, err := mirror.MembersWithGroups(ctx, directory.PayloadQuery{Limit: 9999}, 32<<20)
			if errors.Is(err, directory.ErrTooLarge) {
				return nil
			}
			return fmt.Errorf("not refused: %w", err)
		},
		"GroupSummary":          func() error { return second(mirror.GroupSummary(ctx, everybody, nil)) },
		"GroupEverybody":        func() error { return second(mirror.Group(ctx, everybody, nil)) },
		"MembersInNoGroupAlone": alone(b, mirror, db.MembersInNoGroupSQL, 0, 101),
	}
	// A page as of an instant, if one is given.
	page := func(at *directory.AsOf, after *directory.Position) directory.ListQuery {
		return directory.ListQuery{Limit: 100, AsOf: at, After: after}
	}
	members := func(f directory.MemberFilter) func(*directory.AsOf) error {
		return func(at *directory.AsOf) error { return second(mirror.Members(ctx, f, page(at, nil))) }
	}
	groupMembers := func(group directory.GroupRef, after *directory.Position, byName bool) func(*directory.AsOf) error {
		return func(at *directory.AsOf) error {
			q := page(at, after)
			q.ByName = byName
			return second(mirror.GroupMembers(ctx, group, "", q))
		}
	}
	for name, read := range map[string]func(*directory.AsOf) error{
		"Member": func(at *directory.AsOf) error { return second(mirror.Member(ctx, someone, at)) },
		"Check":  func(at *directory.AsOf) error { return second(mirror.Check(ctx, someone, everybody, false, at)) },
		"GroupsOfPerson": func(at *directory.AsOf) error {
			return second(mirror.GroupsOfPerson(ctx, someone, page(at, nil)))
		},
		"SharedGroups": func(at *directory.AsOf) error {
			return second(mirror.SharedGroups(ctx, someone, other, page(at, nil)))
		},
		"GroupMembers":           groupMembers(usual, nil, false),
		"GroupMembersDeep":       groupMembers(everybody, deep, false),
		"GroupMembersDeepByName": groupMembers(everybody, deepByName, true),
		"MembersInThree":         members(three),
		"MembersInNoGroup":       members(directory.MemberFilter{NoGroup: new(true)}),
		"MembersContaining":      members(directory.MemberFilter{Contains: "erson 9999"}),
		"GroupsContaining": func(at *directory.AsOf) error {
			return second(mirror.Groups(ctx, directory.GroupFilter{Contains: "roup 99"}, page(at, nil)))
		},
		"MembersByName": func(at *directory.AsOf) error {
			q := page(at, &directory.Position{Key: "person 9", ID: "9"})
			q.ByName = true
			return second(mirror.Members(ctx, directory.MemberFilter{}, q))
		},
	} {
		reads[name] = func() error { return read(nil) }
		reads[name+"Then"] = func() error { return read(&directory.AsOf{Revision: 1}) }
	}
	for name, read := range reads {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			meter := dbtest.NewCPUMeter(b)
			meter.Start()
			defer meter.Stop()
			for b.Loop() {
				if err := read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// edgeAfter is the place after a member of a group.
func edgeAfter(group directory.GroupRef, name string, id int64) *directory.Position {
	return &directory.Position{Key: fmt.Sprintf(`["",%q]`, name), ID: fmt.Sprintf(`[%q,"member:%d"]`, group.ID, id)}
}

// loaded is a mirror of the large organisation, which is published once for
// all benchmarks.
func loaded(b *testing.B) (*db.DB, string, directory.Publication) {
	b.Helper()
	large, err := largeMirror()
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "rollcall.db")
	if err := copyFile(large.path, path); err != nil {
		b.Fatal(err)
	}
	return dbtest.Open(b, path), path, large.publication
}

// largeFolder is where largeMirror is, if anywhere.
var largeFolder string

type large struct {
	path        string
	publication directory.Publication
}

var largeMirror = sync.OnceValues(func() (all large, err error) {
	if largeFolder, err = os.MkdirTemp("", "rollcall"); err != nil {
		return all, err
	}
	all = large{filepath.Join(largeFolder, "large.db"), largeOrganisation()}
	if err := dbtest.Place(all.path); err != nil {
		return all, err
	}
	ctx := context.Background()
	mirror, err := db.Open(ctx, db.Options{Path: all.path, Organization: dbtest.Organization})
	if err != nil {
		return all, err
	}
	_, err = mirror.Publish(ctx, all.publication)
	return all, errors.Join(err, mirror.Close())
})

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

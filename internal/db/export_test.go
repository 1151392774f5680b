package db

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"testing"
)

// Writer and Readers lend a mirror's pools to tests.
func Writer(db *DB) *sql.DB  { return db.writer }
func Readers(db *DB) *sql.DB { return db.readers }

// LimitCopies has copies of mirrors find room for some pages and no more.
func LimitCopies(t testing.TB, pages int) {
	before := copySettings
	t.Cleanup(func() { copySettings = before })
	copySettings += fmt.Sprintf("&_pragma=max_page_count(%d)", pages)
}

// WithMigrations makes options those of a program with other migrations.
func WithMigrations(o Options, source fs.FS) Options {
	o.migrations = source
	return o
}

// WalkAlongKeys has the feed read every revision that touches more rows than
// these as it reads a large one.
func WalkAlongKeys(db *DB, rows int) { db.reach.touched = rows }

// CleanOnce has an erasure not wait for readers for long.
func CleanOnce(db *DB) { db.cleaningTries = 1 }

// SetReach changes how much a walk over members fetches at once.
func SetReach(db *DB, few int64, first, longest int) {
	db.reach.few, db.reach.first, db.reach.longest = few, first, longest
}

// CountFrom sets which groups are small and which companies few, and how many
// edges a page of overlaps looks at.
func CountFrom(db *DB, few, many int64, work int) {
	db.reach.neighbour, db.reach.company, db.reach.overlaps = few, many, work
}

// Queries of two members' groups and of members in none.
const (
	SharedGroupsSQL     = sharedGroups
	MembersInNoGroupSQL = membersInNoGroup
)

// EraseLeft takes what left the search of members out of the file.
func EraseLeft(ctx context.Context, db *DB) error {
	return db.write(ctx, func(ctx context.Context, w *writing) error { return w.eraseLeft(ctx, memberTrigrams) })
}

// Glance is a read of few statements, of which fn is told the revision.
func Glance(ctx context.Context, db *DB, fn func(revision int64) error) error {
	return db.glance(ctx, nil, nil, func(_ context.Context, s *state) error { return fn(s.revision.Revision) })
}

package db_test

import (
	"database/sql"
	"testing"

	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

// naiveTables are the least that a mirror which compares nothing needs.
const naiveTables = `
CREATE TABLE groups (gid INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, payload TEXT NOT NULL) STRICT;
CREATE TABLE members (id INTEGER PRIMARY KEY, email TEXT NOT NULL, full_name TEXT, payload TEXT NOT NULL) STRICT;
CREATE INDEX members_by_email ON members (email);
CREATE TABLE memberships (gid INTEGER NOT NULL, member_id INTEGER NOT NULL, PRIMARY KEY (gid, member_id)) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_member ON memberships (member_id, gid);`

// BenchmarkUpsertEverything is what a sweep that finds nothing changed would
// cost if it wrote all rows anew, in one transaction: each group and member
// upserted, the edges of each group deleted and inserted.
func BenchmarkUpsertEverything(b *testing.B) {
	p := largeOrganisation()
	pool, path := rawPool(b)
	defer pool.Close()
	if _, err := pool.Exec(naiveTables); err != nil {
		b.Fatal(err)
	}
	upsertEverything(b, pool, p)
	meter := dbtest.NewCPUMeter(b)
	b.ReportAllocs()
	for b.Loop() {
		meter.Start()
		upsertEverything(b, pool, p)
		meter.Stop()
	}
	report(b, path)
}

func upsertEverything(b *testing.B, pool *sql.DB, p directory.Publication) {
	tx, err := pool.Begin()
	if err != nil {
		b.Fatal(err)
	}
	prepared := func(query string) func(...any) {
		stmt, err := tx.Prepare(query)
		if err != nil {
			b.Fatal(err)
		}
		return func(args ...any) {
			if _, err := stmt.Exec(args...); err != nil {
				b.Fatal(err)
			}
		}
	}
	member := prepared("INSERT INTO members VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET email = excluded.email, full_name = excluded.full_name, payload = excluded.payload")
	group := prepared("INSERT INTO groups VALUES (?, ?, ?, ?) ON CONFLICT (gid) DO UPDATE SET id = excluded.id, name = excluded.name, payload = excluded.payload")
	empty := prepared("DELETE FROM memberships WHERE gid = ?")
	edge := prepared("INSERT INTO memberships VALUES (?, ?)")
	for _, u := range p.Members {
		member(u.Row.ID, u.Row.Email, u.Row.FullName, string(u.Row.Payload))
	}
	for gid, u := range p.Groups {
		group(gid, u.Row.ID, u.Row.Name, string(u.Row.Payload))
		empty(gid)
		for _, id := range u.Row.Members {
			edge(gid, id)
		}
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
}

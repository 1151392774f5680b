package db_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

var (
	benchGroups  = 10_000
	benchMembers = 100_000
	benchEdges   = 1_000_000
)

// largeOrganisation is the size that the service is made for: one group of
// almost everybody, the others of Zipf's sizes, one member in a hundred in none.
func largeOrganisation() directory.Publication {
	rng := rand.New(rand.NewPCG(1, 2))
	p := directory.Publication{Cause: directory.CauseInitial, Sweep: sweepAt(0)}
	for i := range benchMembers {
		p.Members = append(p.Members, updateMember(benchMember(int64(i+1)), 0, 0))
	}
	left := benchEdges - benchMembers
	for i := range benchGroups {
		size := benchMembers
		if i > 0 {
			size = min(left, max(1, 6*benchEdges/100/(i+6)))
			left -= size
			if i == benchGroups-1 {
				size += min(left, 2000)
			}
		}
		p.Groups = append(p.Groups, updateGroup(benchGroup(i, someMembers(rng, size)), 0, 0))
	}
	for i := 1; left > 0; i = 1 + i%(benchGroups-1) { // what Zipf left over, spread
		row := p.Groups[i].Row
		before := len(row.Members)
		*row = benchGroup(i, distinct(append(row.Members, someMembers(rng, 60)...)))
		left -= len(row.Members) - before
	}
	return p
}

func someMembers(rng *rand.Rand, size int) []int64 {
	ids := make([]int64, 0, size)
	for i := range int64(size) {
		id := 1 + i
		if size < benchMembers {
			id = 1 + rng.Int64N(int64(benchMembers))
		}
		if id%100 != 0 {
			ids = append(ids, id)
		}
	}
	return distinct(ids)
}

func distinct(ids []int64) []int64 {
	slices.Sort(ids)
	return slices.Compact(ids)
}

func benchGroup(i int, members []int64) directory.GroupRow {
	row := groupRow(fmt.Sprintf("%032x", i), fmt.Sprintf("Group %d", i), members)
	ids, _ := json.Marshal(members)
	row.Payload = fmt.Appendf(nil, `{"id":%q,"name":%q,"description":%q,"members":%s}`, row.ID, row.Name, strings.Repeat("about ", 20), ids)
	row.Fingerprint.Row = int64(i)
	return row
}

func benchMember(id int64) directory.MemberRow {
	row := memberRow(id, fmt.Sprintf("person%d@example.test", id), fmt.Sprintf("Person %d", id))
	row.Payload = fmt.Appendf(nil, `{"id":%d,"email":%q,"full_name":%q,"job_title":%q}`, id, row.Email, *row.FullName, strings.Repeat("x", 260))
	row.Fingerprint.Row = id
	return row
}

func edgesOf(p directory.Publication) (n int) {
	for _, u := range p.Groups {
		n += len(u.Row.Members)
	}
	return n
}

func BenchmarkFirstPublish(b *testing.B) {
	p := largeOrganisation()
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		mirror, path := benchMirror(b)
		b.StartTimer()
		publish(b, mirror, p)
		b.StopTimer()
		b.ReportMetric(float64(edgesOf(p)), "edges")
		report(b, path)
		if err := mirror.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkRawBulkInsert is what the file itself costs: the same edges, one
// statement a group, the index afterwards, nothing else.
func BenchmarkRawBulkInsert(b *testing.B) {
	p := largeOrganisation()
	meter := dbtest.NewCPUMeter(b)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		pool, path := rawPool(b)
		b.StartTimer()
		meter.Start()
		rawInsert(b, pool, p)
		meter.Stop()
		b.StopTimer()
		report(b, path)
		if err := pool.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func rawPool(b *testing.B) (pool *sql.DB, path string) {
	path = filepath.Join(b.TempDir(), "raw.db")
	pool, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		b.Fatal(err)
	}
	pool.SetMaxOpenConns(1)
	return pool, path
}

func rawInsert(b *testing.B, pool *sql.DB, p directory.Publication) {
	tx, err := pool.Begin()
	if err != nil {
		b.Fatal(err)
	}
	run := func(query string, args ...any) {
		if _, err := tx.Exec(query, args...); err != nil {
			b.Fatal(err)
		}
	}
	run("CREATE TABLE memberships (gid INTEGER NOT NULL, member_id INTEGER NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (gid, member_id)) STRICT, WITHOUT ROWID")
	for gid, u := range p.Groups {
		ids, _ := json.Marshal(u.Row.Members)
		run("INSERT INTO memberships SELECT ?, value, 1 FROM json_each(?)", gid, string(ids))
	}
	run("CREATE INDEX memberships_by_member ON memberships (member_id, gid, since)")
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkPublishOneInAThousand changes ten groups by a hundred edges each
// and a hundred members.
func BenchmarkPublishOneInAThousand(b *testing.B) {
	mirror, path, p := loaded(b)
	b.ReportAllocs()
	round := 0
	for b.Loop() {
		b.StopTimer()
		round++
		change := oneInAThousand(p, round)
		truncate(b, mirror)
		b.StartTimer()
		publish(b, mirror, change)
		b.StopTimer()
		report(b, path)
		b.StartTimer()
	}
}

func oneInAThousand(p directory.Publication, round int) directory.Publication {
	change := directory.Publication{Cause: directory.CauseSweep, Sweep: sweepAt(round)}
	rng := rand.New(rand.NewPCG(uint64(round), 3))
	for i := range 10 {
		row := p.Groups[1+i*(benchGroups/10)].Row
		ids := distinct(append(slices.Clone(row.Members), someMembers(rng, 100)...))
		change.Groups = append(change.Groups, updateGroup(benchGroup(1+i*(benchGroups/10), ids), round-1, round))
	}
	for i := range 100 {
		row := benchMember(int64(1 + i*(benchMembers/100)))
		row.JobTitle = new(fmt.Sprint("since ", round))
		row.Payload = append(row.Payload, ' ')
		change.Members = append(change.Members, updateMember(row, round-1, round))
	}
	return change
}

// BenchmarkPublishUnchanged is a sweep that found everything as stored.
func BenchmarkPublishUnchanged(b *testing.B) {
	mirror, path, _ := loaded(b)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		truncate(b, mirror)
		b.StartTimer()
		publish(b, mirror, directory.Publication{Sweep: &directory.Sweep{BeganAt: at(1), Result: directory.SweepUnchanged}})
		b.StopTimer()
		report(b, path)
		b.StartTimer()
	}
}

func BenchmarkIndex(b *testing.B) {
	mirror, _, _ := loaded(b)
	b.ReportAllocs()
	for b.Loop() {
		index, err := mirror.Index(b.Context())
		if err != nil || len(index.Members) != benchMembers {
			b.Fatal(len(index.Members), err)
		}
	}
}

func benchMirror(b *testing.B) (*db.DB, string) {
	path := filepath.Join(b.TempDir(), "rollcall.db")
	return dbtest.Open(b, path), path
}

// truncate empties the log, so that its size is what comes next.
func truncate(b *testing.B, mirror *db.DB) {
	b.Helper()
	inside(b, mirror, func(pool *sql.DB) error {
		_, err := pool.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
		return err
	})
}

func report(b *testing.B, path string) {
	b.Helper()
	if info, err := os.Stat(path + "-wal"); err == nil {
		b.ReportMetric(float64(info.Size()), "wal-bytes")
	}
	if info, err := os.Stat(path); err == nil {
		b.ReportMetric(float64(info.Size()), "file-bytes")
	}
}

package db_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
	"rollcall/migrations"
)

// Migrations of programs yet to come, numbered from 101 on.
const (
	addsTable = "-- +goose Up\nCREATE TABLE later (a INTEGER) STRICT;\nINSERT INTO later VALUES (2);"
	addsMore  = "-- +goose Up\nALTER TABLE later ADD COLUMN b INTEGER;"
	isBroken  = "-- +goose Up\nINSERT INTO nowhere VALUES (3);"
)

// openLater opens a mirror with a program that has further migrations.
func openLater(t *testing.T, path string, further ...string) (*db.DB, error) {
	t.Helper()
	source := fstest.MapFS{}
	if err := fs.WalkDir(migrations.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(migrations.FS, name)
		source[name] = &fstest.MapFile{Data: content}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for i, migration := range further {
		source[fmt.Sprintf("%05d_later.sql", 101+i)] = &fstest.MapFile{Data: []byte(migration)}
	}
	return db.Open(t.Context(), db.WithMigrations(db.Options{Path: path, Organization: dbtest.Organization}, source))
}

// firstSchema is the migrations of a program that knew the first alone.
func firstSchema(t *testing.T) fs.FS {
	t.Helper()
	first, err := fs.ReadFile(migrations.FS, "00001_mirror.sql")
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{"00001_mirror.sql": {Data: first}}
}

// newestSchema is the number of this program's last migration.
func newestSchema(t *testing.T) (newest int64) {
	t.Helper()
	files, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		number, err := goose.NumericComponent(file)
		if err != nil {
			t.Fatal(err)
		}
		newest = max(newest, number)
	}
	return newest
}

// takeBack replaces a file by one of the first schema with the same rows, as
// far as that has tables and columns for them.
func takeBack(t *testing.T, path string) {
	t.Helper()
	later := path + ".later"
	if err := os.Rename(path, later); err != nil {
		t.Fatal(err)
	}
	pool, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	pool.SetMaxOpenConns(1)
	provider, err := goose.NewProvider(goose.DialectSQLite3, pool, firstSchema(t), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec("ATTACH ? AS later", later); err != nil {
		t.Fatal(err)
	}
	copied := rowsOf(t, pool, `SELECT 'INSERT INTO main.' || s.name || ' (' || group_concat(c.name) || ') SELECT ' || group_concat(c.name) || ' FROM later.' || s.name
		FROM main.sqlite_schema s CROSS JOIN pragma_table_info(s.name) c
		WHERE s.type = 'table' AND s.name NOT LIKE 'goose%' AND s.name <> 'sqlite_sequence' GROUP BY s.name`)
	for _, statement := range copied {
		if _, err := pool.Exec(strings.Trim(statement, "[]")); err != nil {
			t.Fatal(err)
		}
	}
	for _, end := range []string{"DETACH later", "PRAGMA journal_mode=WAL", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := pool.Exec(end); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(later); err != nil {
		t.Fatal(err)
	}
}

// contentOf is all that a file holds, which nobody has open, and the schema
// it has.
func contentOf(t *testing.T, path string) map[string][]string {
	t.Helper()
	pool, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?mode=ro&immutable=1")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	all := everyRow(t, pool)
	all["sqlite_schema"] = rowsOf(t, pool, "SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2")
	return all
}

// upgrade opens a mirror with a later program, has it do something and stop.
func upgrade(t *testing.T, path string, further ...string) {
	t.Helper()
	mirror, err := openLater(t, path, further...)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, mirror, directory.Publication{GoneMembers: []directory.Gone[int64]{{ID: 3, Origin: observed(1, 2)}}})
	if err := mirror.Close(); err != nil {
		t.Fatal(err)
	}
}

// mirrorAt makes a mirror of this program, closed, and returns its state.
func mirrorAt(t *testing.T, path string) directory.Freshness {
	t.Helper()
	mirror := dbtest.Open(t, path)
	fresh := seed(t, mirror)
	if err := mirror.Close(); err != nil {
		t.Fatal(err)
	}
	return fresh
}

func TestAnUpgradeCanBeTakenBackAndMadeAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	aside := path + ".before-v101"
	before := mirrorAt(t, path)
	write(t, path+".before-v101.partial", []byte("left by a kill"))
	for range 2 {
		upgrade(t, path, addsTable)
		if info, err := os.Stat(aside); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Fatalf("the copy: %v, %v", info, err)
		}
		_, err := db.Open(t.Context(), db.Options{Path: path, Organization: dbtest.Organization})
		wantSentence(t, err, "newer Rollcall", "schema 101", "stop the newer one", "renaming "+aside+" to "+path, "--db")
		_, err = db.OpenReadOnly(t.Context(), path)
		wantSentence(t, err, "newer Rollcall", "renaming "+aside+" to "+path)

		if err := os.Rename(aside, path); err != nil {
			t.Fatal(err)
		}
		old := dbtest.Open(t, path)
		if fresh, err := old.Freshness(t.Context()); err != nil || fresh != before {
			t.Errorf("the old program shows %+v, %v; want %+v", fresh, err, before)
		}
		before = publish(t, old, directory.Publication{Members: []directory.MemberUpdate{updateMember(memberRow(4, "dee@x.test", "Dee"), 1, 2)}})
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]string{"rollcall.db", "rollcall.db-lock"}, filesIn(t, filepath.Dir(path))); d != "" {
		t.Error(d)
	}
}

func TestTheLastCopyAloneIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	mirrorAt(t, path)
	upgrade(t, path, addsTable)
	for _, name := range []string{"rollcall.db.before-v01", "rollcall.db.before-v101.mine", "other.db.before-v101"} {
		write(t, filepath.Join(filepath.Dir(path), name), nil)
	}
	upgrade(t, path, addsTable, addsMore)
	upgrade(t, path, addsTable, addsMore) // an ordinary restart
	want := []string{
		"other.db.before-v101", "rollcall.db", "rollcall.db-lock",
		"rollcall.db.before-v01", "rollcall.db.before-v101.mine", "rollcall.db.before-v102",
	}
	if d := cmp.Diff(want, filesIn(t, filepath.Dir(path))); d != "" {
		t.Error(d)
	}
	_, err := db.Open(t.Context(), db.Options{Path: path, Organization: dbtest.Organization})
	if err == nil || strings.Contains(err.Error(), "renaming") {
		t.Errorf("a copy is named that this program cannot open: %v", err)
	}
}

func TestAnUpgradeCutShortKeepsTheCopyFromBeforeIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	before := mirrorAt(t, path)
	if _, err := openLater(t, path, addsTable, isBroken); err == nil {
		t.Fatal("a broken migration was taken")
	}
	upgrade(t, path, addsTable, addsMore)
	if err := os.Rename(path+".before-v102", path); err != nil {
		t.Fatal(err)
	}
	if fresh, err := dbtest.Open(t, path).Freshness(t.Context()); err != nil || fresh != before {
		t.Errorf("the old program shows %+v, %v; want %+v", fresh, err, before)
	}
}

func TestNothingIsMigratedThatCannotBeCopied(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	before := mirrorAt(t, path)
	db.LimitCopies(t, 20)
	_, err := openLater(t, path, addsTable)
	wantSentence(t, err, "copy", "before its schema changes", "no room")
	if d := cmp.Diff([]string{"rollcall.db", "rollcall.db-lock"}, filesIn(t, filepath.Dir(path))); d != "" {
		t.Error(d)
	}
	if fresh, err := dbtest.Open(t, path).Freshness(t.Context()); err != nil || fresh != before {
		t.Errorf("the old program shows %+v, %v; want %+v", fresh, err, before)
	}
}

func TestANewFileIsNotCopied(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	mirror, err := openLater(t, path, addsTable)
	if err != nil {
		t.Fatal(err)
	}
	if err := mirror.Close(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"rollcall.db", "rollcall.db-lock"}, filesIn(t, filepath.Dir(path))); d != "" {
		t.Error(d)
	}
}

// What the schema of before has no word for is none: an upgrade finds no row
// that a sweep missed, and otherwise what was there.
func TestAMirrorOfTheFirstSchemaIsUpgradedAndCanGoBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	before := mirrorAt(t, path)
	takeBack(t, path)
	old, aside := contentOf(t, path), fmt.Sprintf("%s.before-v%d", path, newestSchema(t))

	mirror := dbtest.Open(t, path)
	if fresh, err := mirror.Freshness(t.Context()); err != nil || fresh != before {
		t.Errorf("after the upgrade %+v, %v; want %+v", fresh, err, before)
	}
	if missed := missedRows(t, mirror); len(missed) > 0 {
		t.Errorf("rows that no sweep missed: %v", missed)
	}
	miss(t, mirror, directory.SweepUnchanged, []string{sales}, 2)
	if err := mirror.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := db.Open(t.Context(), db.WithMigrations(db.Options{Path: path, Organization: dbtest.Organization}, firstSchema(t)))
	wantSentence(t, err, "newer Rollcall", "this one knows 1", "renaming "+aside+" to "+path)
	if err := os.Rename(aside, path); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(old, contentOf(t, path)); d != "" {
		t.Errorf("what the old program gets back:\n%s", d)
	}
}

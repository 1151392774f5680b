package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

func TestABackupIsTheWholeMirrorInOneFile(t *testing.T) {
	mirror := dbtest.New(t)
	first := seed(t, mirror)
	last := publish(t, mirror, directory.Publication{GoneGroups: []directory.Gone[string]{{ID: sales, Origin: observed(0, 1)}}})
	path := filepath.Join(t.TempDir(), "a b?#%.db")
	if err := mirror.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %s", info.Mode())
	}

	reader, err := db.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(everyRow(t, db.Readers(mirror)), everyRow(t, db.Readers(reader))); d != "" {
		t.Error(d)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"a b?#%.db"}, filesIn(t, filepath.Dir(path))); d != "" {
		t.Errorf("a backup needs companions:\n%s", d)
	}

	restored := dbtest.Open(t, path)
	if fresh, err := restored.Freshness(t.Context()); err != nil || fresh != last {
		t.Errorf("the restored mirror shows %+v, %v; want %+v", fresh, err, last)
	}
	page, err := restored.Groups(t.Context(), directory.GroupFilter{}, directory.ListQuery{Limit: 9, Pin: new(first.Pin())})
	if err != nil || len(page.Rows) != 1 {
		t.Errorf("the restored history has %d groups at revision 1, %v", len(page.Rows), err)
	}
}

func TestABackupShowsOneInstantAndHoldsNobodyUp(t *testing.T) {
	mirror := dbtest.New(t)
	before := bulky(t, mirror)
	looks := 0
	path := filepath.Join(t.TempDir(), "copy.db")
	err := mirror.Backup(stepping{t.Context(), func() error {
		if looks++; looks > 20 {
			return errors.New("each write makes it begin anew")
		}
		publish(t, mirror, directory.Publication{Members: []directory.MemberUpdate{
			updateMember(memberRow(1, fmt.Sprintf("ann%d@x.test", looks), "Ann"), looks-1, looks),
		}})
		return nil
	}}, path)
	if err != nil {
		t.Fatal(err)
	}
	if looks < 2 {
		t.Fatalf("copied in %d steps: too few to show anything", looks)
	}
	if fresh, err := dbtest.Open(t, path).Freshness(t.Context()); err != nil || fresh != before {
		t.Errorf("the copy shows %+v, %v; want %+v", fresh, err, before)
	}
}

func TestABackupReplacesNothing(t *testing.T) {
	mirror := dbtest.New(t)
	bulky(t, mirror)
	dir := t.TempDir()
	taken, dangling, late := filepath.Join(dir, "taken"), filepath.Join(dir, "dangling"), filepath.Join(dir, "late")
	write(t, taken, []byte("precious"))
	if err := os.Symlink(filepath.Join(dir, "nowhere"), dangling); err != nil {
		t.Skip(err)
	}
	before := filesIn(t, dir)
	for _, path := range []string{taken, dangling, dir} {
		wantSentence(t, mirror.Backup(t.Context(), path), path, "exists", "new file")
	}
	if d := cmp.Diff(before, filesIn(t, dir)); d != "" {
		t.Error(d)
	}
	err := mirror.Backup(stepping{t.Context(), func() error { write(t, late, []byte("precious")); return nil }}, late)
	wantSentence(t, err, late, "exists")
	for _, path := range []string{taken, late} {
		if content, err := os.ReadFile(path); err != nil || string(content) != "precious" {
			t.Errorf("%s holds %.20q, %v", path, content, err)
		}
	}
	if d := cmp.Diff([]string{"dangling", "late", "taken"}, filesIn(t, dir)); d != "" {
		t.Error(d)
	}
}

func TestABackupThatFailsLeavesNothingBehind(t *testing.T) {
	mirror := dbtest.New(t)
	bulky(t, mirror)
	dir := t.TempDir()
	path := filepath.Join(dir, "copy.db")

	looks := 0
	err := mirror.Backup(stepping{t.Context(), func() error {
		if looks++; looks < 2 {
			return nil
		}
		return context.Canceled
	}}, path)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("stopped halfway: %v", err)
	}
	err = damage(t, mirror).Backup(t.Context(), path)
	wantSentence(t, err, "damaged", "backup")
	err = mirror.Backup(t.Context(), filepath.Join(dir, "none", "copy.db"))
	wantSentence(t, err, "folder that exists")
	t.Run("full disk", func(t *testing.T) {
		db.LimitCopies(t, 20)
		wantSentence(t, mirror.Backup(t.Context(), path), "no room")
	})
	if left := filesIn(t, dir); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if err := mirror.Backup(t.Context(), path); err != nil {
		t.Errorf("nor later: %v", err)
	}
}

// stepping is a context that runs a function when Backup asks whether it has
// ended, which it does before each step.
type stepping struct {
	context.Context
	step func() error
}

func (s stepping) Err() error {
	asks, _, _, _ := runtime.Caller(1)
	if strings.HasSuffix(runtime.FuncForPC(asks).Name(), ".stepAll") {
		return s.step()
	}
	return s.Context.Err() // database/sql asks, too, from wherever it likes
}

// bulky publishes revision 1 of a mirror that takes several steps to copy.
func bulky(t *testing.T, mirror *db.DB) directory.Freshness {
	t.Helper()
	p := directory.Publication{Cause: directory.CauseInitial, Sweep: sweepAt(0)}
	for i := range 100 {
		row := groupRow(fmt.Sprintf("%032x", i), fmt.Sprintf("Group %d", i), []int64{1})
		row.Description = new(strings.Repeat("about ", 15_000))
		p.Groups = append(p.Groups, updateGroup(row, 0, 0))
	}
	p.Members = []directory.MemberUpdate{updateMember(memberRow(1, "ann@x.test", "Ann"), 0, 0)}
	return publish(t, mirror, p)
}

// damage returns a mirror one of whose pages a disk has spoilt.
func damage(t *testing.T, mirror *db.DB) *db.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "damaged.db")
	if err := mirror.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(content[len(content)-4096:], strings.Repeat("\xa5", 4096))
	write(t, path, content)
	damaged, err := db.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { damaged.Close() })
	return damaged
}

// everyRow is all that a file holds, table by table.
func everyRow(t *testing.T, pool *sql.DB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, table := range rowsOf(t, pool, "SELECT name FROM sqlite_schema WHERE type = 'table'") {
		table = strings.TrimSpace(table)
		all[table] = rowsOf(t, pool, "SELECT * FROM "+table)
	}
	return all
}

func rowsOf(t *testing.T, pool *sql.DB, query string) (lines []string) {
	t.Helper()
	rows, err := pool.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintln(values...))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

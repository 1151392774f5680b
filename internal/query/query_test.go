package query

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/directory"
)

// A shelf holds one snapshot.
type shelf struct {
	path     string
	released chan struct{}
}

func (s *shelf) Snapshot(context.Context) (string, directory.Freshness, func(), error) {
	return s.path, directory.Freshness{Revision: 7}, func() { s.released <- struct{}{} }, nil
}

// newShelf makes a snapshot of two people in two groups, under a name that a
// DSN must escape.
func newShelf(t testing.TB) *shelf {
	t.Helper()
	s := &shelf{path: filepath.Join(t.TempDir(), "a ?#%.sqlite"), released: make(chan struct{}, 1)}
	pool, err := sql.Open("sqlite", strings.Split(dsn(s.path), "?mode")[0])
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(`
		CREATE TABLE members (id INTEGER PRIMARY KEY, email TEXT NOT NULL, full_name TEXT);
		INSERT INTO members VALUES (11, 'ann@example.com', 'Ann; "A"'), (9007199254740993, 'bob@example.com', NULL);
		CREATE TABLE memberships (group_name TEXT NOT NULL, member_id INTEGER NOT NULL);
		INSERT INTO memberships VALUES ('Sales', 11), ('Support', 11), ('Sales', 9007199254740993)`); err != nil {
		t.Fatal(err)
	}
	return s
}

// ask runs a statement and waits until nothing of it is left.
func (s *shelf) ask(t testing.TB, r *Runner, sql string, args ...any) (directory.Table, error) {
	t.Helper()
	table, f, err := r.Query(t.Context(), directory.Query{SQL: sql, Args: args})
	if _, lexical := single(sql); lexical == nil && !errors.Is(err, directory.ErrTooManyQueries) {
		<-s.released
	}
	if err == nil && f.Revision != 7 {
		t.Errorf("the answer shows revision %d", f.Revision)
	}
	return table, err
}

func TestReadingStatementsAreAnsweredExactly(t *testing.T) {
	s := newShelf(t)
	r := New(s)
	for sql, c := range map[string]struct {
		args []any
		want directory.Table
	}{
		"SELECT * FROM members ORDER BY id": {nil, directory.Table{
			Columns: []string{"id", "email", "full_name"},
			Rows:    [][]any{{int64(11), "ann@example.com", `Ann; "A"`}, {int64(9007199254740993), "bob@example.com", nil}},
		}},
		"select ?, ?2, ?, ?, ?5": {[]any{nil, true, int64(9007199254740993), 0.1, "';--"}, directory.Table{
			Columns: []string{"?", "?2", "?", "?", "?5"}, Rows: [][]any{{nil, int64(1), int64(9007199254740993), 0.1, "';--"}},
		}},
		" -- a remark;\n/* ; */ VALUES (1, x'00ff') ;; -- the end": {nil, directory.Table{
			Columns: []string{"column1", "column2"}, Rows: [][]any{{int64(1), []byte{0, 255}}},
		}},
		"WITH both(id) AS (SELECT member_id FROM memberships WHERE group_name = ? INTERSECT SELECT member_id FROM memberships WHERE group_name = ?) SELECT email AS a, email AS a FROM both JOIN members USING (id)": {
			[]any{"Sales", "Support"}, directory.Table{Columns: []string{"a", "a"}, Rows: [][]any{{"ann@example.com", "ann@example.com"}}},
		},
		"SELECT id FROM members WHERE id < 0":                      {nil, directory.Table{Columns: []string{"id"}}},
		`SELECT 'a''; DROP TABLE x;--' AS "b;", [id] FROM members`: {nil, directory.Table{Columns: []string{"b;", "id"}, Rows: [][]any{{"a'; DROP TABLE x;--", int64(11)}, {"a'; DROP TABLE x;--", int64(9007199254740993)}}}},
	} {
		got, err := s.ask(t, r, sql, c.args...)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", sql, err, diff)
		}
	}
}

// refusedStatements are with a part of what is said of them.
var refusedStatements = map[string]string{
	"":                                       "no statement",
	" ; -- nothing\n":                        "no statement",
	"SELECT 1; SELECT 2":                     "more than one",
	"SELECT 1;;PRAGMA user_version":          "more than one",
	"SELECT 'a":                              "within a text",
	"SELECT 1 /* ":                           "within a text",
	"SELECT [a":                              "within a text",
	"SELECT '\x00'":                          "zero byte",
	"PRAGMA hard_heap_limit = 1":             `begins with "PRAGMA"`,
	"pragma temp_store_directory = '/'":      `begins with "pragma"`,
	"EXPLAIN PRAGMA soft_heap_limit = 1":     "begins with",
	"ATTACH 'x.db' AS x":                     "begins with",
	"VACUUM INTO 'x.db'":                     "begins with",
	"INSERT INTO members VALUES (1, '', '')": "begins with",
	"CREATE TEMP TABLE t (a)":                "begins with",
	"BEGIN":                                  "begins with",
	"REINDEX":                                "begins with",
	"/**/1":                                  "begins with",
	"WITH x AS (SELECT 1) DELETE FROM members":                       "writes",
	"WITH x AS (SELECT 1) INSERT INTO members SELECT 1, '', ''":      "writes",
	"WITH x AS (SELECT 1) UPDATE members SET email = '' RETURNING 1": "writes",
	"SELECT load_extension('x')":                                     "not authorized",
	"SELECT rollcall_watched(1)":                                     "no such function",
	"SELECT nobody FROM members":                                     "no such column: nobody",
	`SELECT "nobody"`:                                                "no such column",
	"SELECT * FROM nowhere":                                          "no such table: nowhere",
	"SELECT 1 WHERE":                                                 "incomplete input",
	"SELECT ?":                                                       "args lacks a value",
	"SELECT :name":                                                   "args lacks a value",
	"SELECT hex(zeroblob(600000))":                                   "larger than the",
	"SELECT " + strings.Repeat("1,", 300) + "1":                      "too many columns",
	"SELECT 1" + strings.Repeat("+1", 300):                           "Expression tree is too large",
	"SELECT 1" + strings.Repeat(" UNION SELECT 1", 60):               "too many terms",
	"SELECT '" + strings.Repeat("x", maxSQL) + "'":                   "larger than the",
	"SELECT json('{')":                                               "malformed JSON",
}

func TestEverythingElseIsRefusedWithTheReason(t *testing.T) {
	s := newShelf(t)
	before, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	r := New(s)
	for sql, want := range refusedStatements {
		_, err := s.ask(t, r, sql)
		no, ok := errors.AsType[*directory.QueryRefusedError](err)
		switch {
		case !ok:
			t.Errorf("%.60s: %v", sql, err)
		case !strings.Contains(no.Why, want) || strings.Contains(no.Why, filepath.Dir(s.path)):
			t.Errorf("%.60s: refused with %q, want %q", sql, no.Why, want)
		}
	}
	s.wantUntouched(t, before)
}

func (s *shelf) wantUntouched(t testing.TB, before []byte) {
	t.Helper()
	if after, err := os.ReadFile(s.path); err != nil || !bytes.Equal(before, after) {
		t.Error("the snapshot changed", err)
	}
	if names, err := os.ReadDir(filepath.Dir(s.path)); err != nil || len(names) != 1 {
		t.Error("there are other files beside the snapshot", names, err)
	}
}

func TestAStatementWithoutEndEndsAtTheDeadline(t *testing.T) {
	s := newShelf(t)
	r := New(s)
	r.deadline = 20 * time.Millisecond
	const numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
	for name, sql := range map[string]string{
		"before its first row":       numbers + "SELECT x FROM n WHERE x < 0",
		"after its first row":        numbers + "SELECT x FROM n WHERE x = 1 OR x < 0",
		"within one step":            "SELECT instr(printf('%.*c', 100000, 'a'), printf('%.*c', 50000, 'a') || 'b')",
		"in a sort":                  numbers + "SELECT max(y) FROM (SELECT x AS y FROM n ORDER BY -x LIMIT 10)",
		"in a product of everything": "SELECT count(*) FROM members a, members b, members c, members d, members e, members f, members g, members h, members i, members j, members k, members l, members m, members n, members o, members p, members q, members r, members s, members t, members u, members v, members w, members x, members y, members z",
	} {
		_, err := s.ask(t, r, sql)
		if no, ok := errors.AsType[*directory.QueryRefusedError](err); !ok || !strings.Contains(no.Why, "ran for 20ms without an end") {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.deadline = deadline
	if table, err := s.ask(t, r, "SELECT 1"); err != nil || len(table.Rows) != 1 {
		t.Error("the next statement", err)
	}
}

// A deserted shelf loses who asks for its snapshot a little later.
type deserted struct {
	*shelf
	desert func()
}

func (s deserted) Snapshot(ctx context.Context) (string, directory.Freshness, func(), error) {
	time.AfterFunc(10*time.Millisecond, s.desert)
	return s.shelf.Snapshot(ctx)
}

func TestAStatementEndsWithItsCaller(t *testing.T) {
	s := newShelf(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := New(deserted{s, cancel}).Query(ctx, directory.Query{SQL: "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n WHERE x = 1 OR x < 0"})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-s.released
}

func TestLargeAnswersAreCutAndSaySo(t *testing.T) {
	s := newShelf(t)
	r := New(s)
	r.deadline = time.Hour // however busy the machine is
	const numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT ?) "
	for _, c := range []struct {
		name, sql string
		arg       int64
		rows      int
		cut       bool
	}{
		{"as many rows as may", numbers + "SELECT x FROM n", maxRows, maxRows, false},
		{"a row more", numbers + "SELECT x FROM n", maxRows + 1, maxRows, true},
		{"no end", "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n WHERE ?", 1, maxRows, true},
		{"large texts", numbers + "SELECT printf('%.*c', 1000000, 'x') FROM n", 40, maxSize / (1_000_000 + cellSize), true},
		{"many cells", numbers + "SELECT " + strings.Repeat("NULL,", 199) + "1 FROM n", 50_000, maxSize / (200 * cellSize), true},
	} {
		table, err := s.ask(t, r, c.sql, c.arg)
		if err != nil || len(table.Rows) != c.rows || table.Truncated != c.cut {
			t.Errorf("%s: %d rows, cut %t, %v", c.name, len(table.Rows), table.Truncated, err)
		}
	}
}

func TestTemporaryFilesAreBounded(t *testing.T) {
	s := newShelf(t)
	r := New(s)
	r.deadline = time.Hour // however busy the machine is
	fileSystem()
	temporary.mu.Lock()
	temporary.max = 8 << 20
	temporary.mu.Unlock()
	defer func() {
		temporary.mu.Lock()
		defer temporary.mu.Unlock()
		temporary.max = maxTemporary
		if temporary.total != 0 || len(temporary.sizes) != 0 || len(temporary.system) != 0 {
			t.Errorf("%d bytes in %d files are left", temporary.total, len(temporary.sizes))
		}
	}()
	const large = "WITH RECURSIVE n(x, y) AS (SELECT 1, zeroblob(10000) UNION ALL SELECT x + 1, y FROM n LIMIT ?) SELECT sum(length(y)) FROM "
	for name, sql := range map[string]string{
		"a sort":   large + "(SELECT x, y FROM n ORDER BY -x LIMIT 1000000)",
		"a set":    large + "(SELECT DISTINCT x, y FROM n)",
		"a window": large + "(SELECT count(*) OVER (), x, y FROM n)",
	} {
		if table, err := s.ask(t, r, sql, int64(500)); err != nil || len(table.Rows) != 1 {
			t.Errorf("%s that fits: %v", name, err)
		}
		_, err := s.ask(t, r, sql, int64(50_000))
		if no, ok := errors.AsType[*directory.QueryRefusedError](err); !ok || !strings.Contains(no.Why, "temporary space") {
			t.Errorf("%s that does not fit: %v", name, err)
		}
	}
}

func TestNoMoreStatementsWaitThanMay(t *testing.T) {
	s := newShelf(t)
	r := New(s)
	for range running {
		r.slots <- struct{}{}
		r.admitted <- struct{}{}
	}
	answers := make(chan error, waiting)
	ctx, cancel := context.WithCancel(t.Context())
	for range waiting {
		r.admitted <- struct{}{} // as enter does, which then waits
	}
	if _, _, err := r.Query(ctx, directory.Query{SQL: "SELECT 1"}); !errors.Is(err, directory.ErrTooManyQueries) {
		t.Error(err)
	}
	<-r.admitted
	go func() { _, _, err := r.Query(ctx, directory.Query{SQL: "SELECT 1"}); answers <- err }()
	cancel()
	if err := <-answers; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if len(r.admitted) != running+waiting-1 {
		t.Error("who went away keeps a place", len(r.admitted))
	}
	<-r.slots
	<-r.admitted
	for range running + waiting + 1 {
		if table, err := s.ask(t, r, "SELECT 1"); err != nil || len(table.Rows) != 1 {
			t.Fatal("a statement that ended keeps a place", err)
		}
	}
}

// What is not the statement's fault is an error.
func TestAMissingSnapshotIsNoFaultOfTheStatement(t *testing.T) {
	s := &shelf{path: filepath.Join(t.TempDir(), "none.sqlite"), released: make(chan struct{}, 1)}
	_, err := s.ask(t, New(s), "SELECT 1")
	if _, ok := errors.AsType[*directory.QueryRefusedError](err); ok || err == nil {
		t.Error(err)
	}
}

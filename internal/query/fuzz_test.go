package query

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"rollcall/internal/directory"
)

func seeds(f *testing.F) {
	for sql := range refusedStatements {
		if len(sql) < 200 {
			f.Add(sql)
		}
	}
	for _, sql := range []string{
		"SELECT * FROM members", "WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x+1 FROM n) SELECT x FROM n",
		"select 'a'';' \"b\"\";\" , `c``;` [d;] -- ;\n ; /* ; */", "VALUES (1) -- x", "SELECT 1/*", "SELECT 1 /*/ ; */", "SELECT'';'';", "SELECT 1;\v2",
	} {
		f.Add(sql)
	}
}

// FuzzSingle holds what single lets through against SQLite's own tokenizer:
// nothing may be left for a second statement, and none but those that begin
// with WITH, which the file refuses, may write.
func FuzzSingle(f *testing.F) {
	seeds(f)
	tls := libc.NewTLS()
	defer tls.Close()
	p := libc.Xcalloc(tls, 3, 8) // a connection, a statement, the rest of its text
	name, err := libc.CString(":memory:")
	if err != nil || sqlite3.Xsqlite3_open(tls, name, p) != sqlite3.SQLITE_OK {
		f.Fatal("SQLite cannot be opened", err)
	}
	defer sqlite3.Xsqlite3_close_v2(tls, *at[uintptr](p))
	f.Fuzz(func(t *testing.T, sql string) {
		statement, err := single(sql)
		if err != nil {
			return
		}
		text, err := libc.CString(statement)
		if err != nil {
			t.Fatal(err)
		}
		defer libc.Xfree(tls, text)
		if sqlite3.Xsqlite3_prepare_v2(tls, *at[uintptr](p), text, -1, p+8, p+16) != sqlite3.SQLITE_OK {
			return
		}
		defer sqlite3.Xsqlite3_finalize(tls, *at[uintptr](p + 8))
		if rest := libc.GoString(*at[uintptr](p + 16)); rest != "" {
			t.Errorf("%q was taken for one statement, and SQLite finds %q after the first", sql, rest)
		}
		writes := sqlite3.Xsqlite3_stmt_readonly(tls, *at[uintptr](p + 8)) == 0
		if writes && !strings.EqualFold(statement[:4], "WITH") {
			t.Errorf("%q was taken for one that reads", sql)
		}
	})
}

// FuzzQuery holds that no statement changes a file, and that each has an end.
func FuzzQuery(f *testing.F) {
	seeds(f)
	s := newShelf(f)
	before, err := os.ReadFile(s.path)
	if err != nil {
		f.Fatal(err)
	}
	r := New(s)
	r.deadline = 50 * time.Millisecond
	f.Fuzz(func(t *testing.T, sql string) {
		table, err := s.ask(t, r, sql, int64(1), "x")
		if _, ok := errors.AsType[*directory.QueryRefusedError](err); err != nil && !ok {
			t.Errorf("%q: %v", sql, err)
		}
		for _, row := range table.Rows {
			if len(row) != len(table.Columns) {
				t.Fatalf("%q: a row of %d cells under %d columns", sql, len(row), len(table.Columns))
			}
		}
		s.wantUntouched(t, before)
	})
}

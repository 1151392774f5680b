package export

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver

	"rollcall/internal/directory"
)

// snapshotInstant has always milliseconds, so that instants sort as texts.
const snapshotInstant = "2006-01-02T15:04:05.000Z07:00"

// snapshot is in the place of a table's name where all are meant.
const snapshot = "snapshot"

// keys are what a snapshot declares of a table beside its columns: its primary
// key, and the indexes that are made once the rows are in.
var keys = map[string]struct {
	primary string
	indexes []string
}{
	"groups":  {"id", []string{"INDEX groups_by_name ON groups (name)"}},
	"members": {"id", []string{"INDEX members_by_email ON members (email)"}},
	"memberships": {"", []string{
		"UNIQUE INDEX memberships_of_group ON memberships (group_id, kind, member_id, email)",
		"INDEX memberships_of_member ON memberships (member_id)",
		"INDEX memberships_of_email ON memberships (email)",
	}},
	"membership_history": {"", []string{
		"INDEX membership_history_of_group ON membership_history (group_id, kind, member_id, email)",
		"INDEX membership_history_of_member ON membership_history (member_id)",
	}},
	"changes": {"", []string{ // cursors come in no order, and a primary key would be kept in order row by row
		"UNIQUE INDEX changes_by_cursor ON changes (cursor)",
		"INDEX changes_by_revision ON changes (revision)",
	}},
}

// writeSnapshot fills an empty file with all tables as SQLite. Until it
// returns the file is nobody's: nothing is safe against a crash.
func (k *Keeper) writeSnapshot(ctx context.Context, q directory.ExportQuery, path string) error {
	pool, err := sql.Open("sqlite", snapshotDSN(path))
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(1)
	err = k.fillSnapshot(ctx, pool, q)
	return errors.Join(err, pool.Close())
}

func snapshotDSN(path string) string {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	slashed := filepath.ToSlash(path)
	if filepath.VolumeName(path) != "" {
		slashed = "/" + slashed
	}
	return "file:" + (&url.URL{Path: slashed}).EscapedPath() + "?mode=rw&_dqs=0&_pragma=page_size(16384)&_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)" +
		"&_pragma=locking_mode(EXCLUSIVE)&_pragma=cache_size(-8192)&_pragma=temp_store(FILE)&_txlock=exclusive"
}

func (k *Keeper) fillSnapshot(ctx context.Context, pool *sql.DB, q directory.ExportQuery) error {
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return diskError{err}
	}
	defer func() { _ = tx.Rollback() }()
	for _, t := range k.tables() {
		if err := k.fillTable(ctx, tx, t, q); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, "PRAGMA analysis_limit = 1000; ANALYZE"); err != nil {
		return diskError{err}
	}
	if err := tx.Commit(); err != nil {
		return diskError{err}
	}
	return nil
}

func (k *Keeper) fillTable(ctx context.Context, tx *sql.Tx, t table, q directory.ExportQuery) error {
	if _, err := tx.ExecContext(ctx, declaration(t)); err != nil {
		return diskError{err}
	}
	s, err := newInserts(ctx, tx, t)
	if err != nil {
		return err
	}
	defer s.statement.Close()
	if err := write(ctx, k.Source, t, q, k.key(), s); err != nil {
		return err
	}
	for _, index := range keys[t.name()].indexes {
		if _, err := tx.ExecContext(ctx, "CREATE "+index); err != nil {
			return diskError{err}
		}
	}
	return nil
}

var sqlTypes = [...]string{Text: "TEXT", Integer: "INTEGER", Instant: "TEXT"}

// declaration creates a table.
func declaration(t table) string {
	var parts []string
	for _, c := range t.columns() {
		part := c.Name + " " + sqlTypes[c.Type]
		if !c.Nullable {
			part += " NOT NULL"
		}
		if c.Name == keys[t.name()].primary {
			part += " PRIMARY KEY"
		}
		parts = append(parts, part)
	}
	return fmt.Sprintf("CREATE TABLE %s (\n    %s\n) STRICT", t.name(), strings.Join(parts, ",\n    "))
}

// insertRows is how many rows one statement inserts.
const insertRows = 64

// inserts is a sink that fills a table of an SQLite file.
type inserts struct {
	ctx       context.Context
	tx        *sql.Tx
	table     table
	columns   []Column
	statement *sql.Stmt // of insertRows rows
	args      []any
}

func newInserts(ctx context.Context, tx *sql.Tx, t table) (*inserts, error) {
	s := &inserts{ctx: ctx, tx: tx, table: t, columns: t.columns()}
	var err error
	if s.statement, err = tx.PrepareContext(ctx, s.insert(insertRows)); err != nil {
		return nil, diskError{err}
	}
	return s, nil
}

// insert is the statement that inserts some rows.
func (s *inserts) insert(rows int) string {
	row := "(?" + strings.Repeat(", ?", len(s.columns)-1) + ")"
	return "INSERT INTO " + s.table.name() + " VALUES " + row + strings.Repeat(", "+row, rows-1)
}

func (s *inserts) write(row []value) error {
	for i, v := range row {
		s.args = append(s.args, s.arg(i, v))
	}
	if len(s.args) < insertRows*len(s.columns) {
		return nil
	}
	_, err := s.statement.ExecContext(s.ctx, s.args...)
	s.args = s.args[:0]
	return onDisk(err)
}

func (s *inserts) arg(i int, v value) any {
	switch {
	case v.isNull:
		return nil
	case s.columns[i].Type == Integer:
		return v.number
	case s.columns[i].Type == Instant:
		return time.UnixMilli(v.number).UTC().Format(snapshotInstant)
	}
	return v.text
}

func (s *inserts) close() error {
	rows := len(s.args) / len(s.columns)
	if rows == 0 {
		return nil
	}
	_, err := s.tx.ExecContext(s.ctx, s.insert(rows), s.args...)
	return onDisk(err)
}

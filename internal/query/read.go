package query

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
	"time"

	"modernc.org/sqlite"

	"rollcall/internal/directory"
)

// Bounds of an answer.
const (
	maxRows = 100_000
	maxSize = 32 << 20 // bytes of texts, and cellSize for each cell
)

const cellSize = 16

// read runs a statement on a connection of its own.
func read(ctx context.Context, path string, q directory.Query) (directory.Table, error) {
	pool := sql.OpenDB(connector{path})
	defer pool.Close()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return directory.Table{}, err
	}
	defer conn.Close()
	if err := limit(conn); err != nil {
		return directory.Table{}, err
	}
	var table directory.Table
	err = conn.Raw(func(raw any) error {
		return watched(ctx, raw.(driver.QueryerContext), func() (err error) { //nolint:contextcheck // watched holds it to ctx
			table, err = rows(raw.(driver.QueryerContext), q)
			return err
		})
	})
	return table, worded(err, path)
}

// rows reads what a statement answers, up to the bounds. It is run by watched.
func rows(conn driver.QueryerContext, q directory.Query) (table directory.Table, err error) {
	found, err := conn.QueryContext(context.Background(), q.SQL, named(q.Args))
	if err != nil {
		return directory.Table{}, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	table.Columns = found.Columns()
	for size := 0; ; {
		cells := make([]driver.Value, len(table.Columns))
		err := found.Next(cells)
		if errors.Is(err, io.EOF) {
			return table, nil
		}
		if err != nil {
			return directory.Table{}, err
		}
		row := make([]any, len(cells))
		for i, cell := range cells {
			row[i] = exact(cell)
			size += sizeOf(row[i])
		}
		if len(table.Rows) == maxRows || size > maxSize {
			table.Truncated = true
			return table, nil
		}
		table.Rows = append(table.Rows, row)
	}
}

// exact undoes what the driver makes of texts in columns that are declared as
// dates.
func exact(cell driver.Value) any {
	if at, ok := cell.(time.Time); ok {
		return at.Format(time.RFC3339Nano)
	}
	return cell
}

func sizeOf(cell any) int {
	switch cell := cell.(type) {
	case string:
		return cellSize + len(cell)
	case []byte:
		return cellSize + len(cell)
	}
	return cellSize
}

func named(args []any) []driver.NamedValue {
	values := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		values[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	return values
}

// worded turns what SQLite finds wrong into a refusal, without the path of the
// file. Its codes for what is not the statement's fault stay errors.
func worded(err error, path string) error {
	fault, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return wordedArgs(err)
	}
	text := plain(fault, path)
	switch fault.Code() & 0xff {
	case codeReadOnly, codeAuth:
		return refused("It writes, and only statements that read are run (%s).", text)
	case codeTooBig:
		return refused("A value in it is larger than the %d bytes that one may have.", maxValue)
	case codeFull:
		return refused("It needs more temporary space than the %d MiB there is for statements: narrow it.", maxTemporary>>20)
	case codeNoMemory:
		return refused("It needs more memory than a statement may have: narrow it.")
	case codeError, codeConstraint, codeMismatch, codeRange:
		return refused("SQLite says: %s.", text)
	}
	return err
}

// wordedArgs words what the driver says of parameters.
func wordedArgs(err error) error {
	if err != nil && strings.HasPrefix(err.Error(), "missing ") {
		return refused("args lacks a value: %s. Parameters are written ? or ?1, and args holds one value for each.", err)
	}
	return err
}

// Result codes of SQLite, without what extends them.
const (
	codeError      = 1
	codeNoMemory   = 7
	codeReadOnly   = 8
	codeFull       = 13
	codeTooBig     = 18
	codeConstraint = 19
	codeMismatch   = 20
	codeAuth       = 23
	codeRange      = 25
)

// plain is SQLite's own message: the driver puts the name of the code in front
// and its number behind.
func plain(fault *sqlite.Error, path string) string {
	text := fault.Error()
	if end := strings.LastIndex(text, " ("); end >= 0 {
		text = text[:end]
	}
	if _, message, ok := strings.Cut(text, ": "); ok {
		text = message
	}
	return strings.ReplaceAll(text, path, "the snapshot")
}

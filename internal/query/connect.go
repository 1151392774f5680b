package query

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"net/url"
	"path/filepath"
	"sync"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	maxValue = 1 << 20  // bytes of one value
	maxSQL   = 32 << 10 // bytes of a statement
)

// limits bound what a statement may be and hold. The length of values times
// what fits into a statement bounds the memory of those that build large
// values out of nothing.
var limits = map[int]int{
	sqlite3.SQLITE_LIMIT_ATTACHED:            0,
	sqlite3.SQLITE_LIMIT_LENGTH:              maxValue,
	sqlite3.SQLITE_LIMIT_SQL_LENGTH:          maxSQL,
	sqlite3.SQLITE_LIMIT_COLUMN:              200,
	sqlite3.SQLITE_LIMIT_EXPR_DEPTH:          200,
	sqlite3.SQLITE_LIMIT_COMPOUND_SELECT:     50,
	sqlite3.SQLITE_LIMIT_VDBE_OP:             50_000,
	sqlite3.SQLITE_LIMIT_FUNCTION_ARG:        100,
	sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1_000,
	sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER:     1_000,
	sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH:       0,
	sqlite3.SQLITE_LIMIT_WORKER_THREADS:      0,
}

func limit(conn *sql.Conn) error {
	for id, value := range limits {
		if _, err := sqlite.Limit(conn, id, value); err != nil {
			return err
		}
	}
	return nil
}

// A connector opens a snapshot: read only, as a file that never changes, and so
// that what does not fit into small caches goes to temporary files.
type connector struct{ path string }

// Connect implements driver.Connector.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	reader, err := newDriver()
	if err != nil {
		return nil, err
	}
	return reader.Open(dsn(c.path))
}

// Driver implements driver.Connector.
func (connector) Driver() driver.Driver { return nil }

// dsn makes the path absolute, as some relative ones mean something else to
// SQLite.
func dsn(path string) string {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	slashed := filepath.ToSlash(path)
	if filepath.VolumeName(path) != "" {
		slashed = "/" + slashed
	}
	return "file:" + (&url.URL{Path: slashed}).EscapedPath() + "?mode=ro&immutable=1&_dqs=0&_defensive=1" +
		"&vfs=" + fileSystem() + "&_pragma=trusted_schema(0)&_pragma=temp_store(1)&_pragma=cache_size(-16384)&_pragma=mmap_size(0)&_query_only=1"
}

// newDriver is SQLite with the function by which watched works.
var newDriver = sync.OnceValues(func() (*sqlite.Driver, error) {
	d := &sqlite.Driver{}
	return d, d.RegisterFunction(watchedName, &sqlite.FunctionImpl{NArgs: 1, Scalar: runWatched})
})

// watched runs fn, which uses the connection, and has SQLite interrupt it when
// ctx ends; then it returns ctx's cause.
//
// The driver watches a statement's context only until its first row, and one
// that never ends may well have a first row. So fn runs within a function of an
// outer statement: that has no row before fn has returned, and an interrupt
// ends all that runs on a connection.
func watched(ctx context.Context, conn driver.QueryerContext, fn func() error) error {
	ticket := newTicket()
	var inner error
	pending.Store(ticket, func() error {
		inner = fn()
		return inner
	})
	defer pending.Delete(ticket)
	found, outer := conn.QueryContext(ctx, "SELECT "+watchedName+"(?)", []driver.NamedValue{{Ordinal: 1, Value: ticket}})
	if outer == nil {
		outer = found.Close()
	}
	if ctx.Err() != nil && (outer != nil || inner != nil) {
		return context.Cause(ctx)
	}
	if inner != nil {
		return inner
	}
	return outer
}

const watchedName = "rollcall_watched"

// pending holds what is to run next, by a ticket that nobody can guess.
var pending sync.Map

func newTicket() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return int64(binary.NativeEndian.Uint64(b[:]))
}

func runWatched(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
	fn, ok := pending.LoadAndDelete(args[0])
	if !ok {
		return nil, errors.New("no such function: " + watchedName)
	}
	return int64(1), fn.(func() error)()
}
